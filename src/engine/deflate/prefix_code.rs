//! Prefix codes of DEFLATE (RFC 1951 §3.2.2), to be read symbol by symbol.

/// The longest code, in bits.
const LENGTH_MAX: usize = 15;
/// Symbols of the largest alphabet: literals and lengths, the two unused ones counted.
const SYMBOLS_MAX: usize = 288;

/// Bits that have arrived and not been read; the next is the lowest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bits {
    bits: u64,
    held: u32,
}

impl Bits {
    /// Takes a byte, if there is room for it. There always is where fewer than 57 bits are held.
    pub(crate) const fn push(&mut self, byte: u8) -> bool {
        let fits = self.held <= 56;
        if fits {
            self.bits |= (byte as u64) << self.held;
            self.held += 8;
        }
        fits
    }

    /// The next `n` bits, at most 32, the first of them the lowest; `None` where fewer are held.
    pub(crate) const fn take(&mut self, n: u32) -> Option<u32> {
        if n > self.held {
            return None;
        }
        let taken = self.bits & ((1 << n) - 1);
        self.bits >>= n;
        self.held -= n;
        #[expect(clippy::cast_possible_truncation, reason = "at most 32 bits")]
        let taken = taken as u32;
        Some(taken)
    }

    /// Drops the bits up to the next boundary of bytes.
    pub(crate) const fn align(&mut self) {
        let over = self.held % 8;
        self.bits >>= over;
        self.held -= over;
    }
}

/// What reading a symbol has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    Read(u16),
    NeedMore,
    /// Bits that are no symbol of the code.
    Invalid,
}

/// A canonical code: how many symbols there are of each length, and the symbols in order.
#[derive(Clone, Debug)]
pub(crate) struct PrefixCode {
    counts: [u16; LENGTH_MAX + 1],
    symbols: [u16; SYMBOLS_MAX],
}

/// The two codes of a block that brings none of its own (RFC 1951 §3.2.6).
pub(crate) static FIXED_LITERALS: PrefixCode = PrefixCode::fixed_literals();
pub(crate) static FIXED_DISTANCES: PrefixCode = PrefixCode::fixed_distances();

impl PrefixCode {
    pub(crate) const EMPTY: Self = Self {
        counts: [0; LENGTH_MAX + 1],
        symbols: [0; SYMBOLS_MAX],
    };

    /// Becomes the code in which each symbol has the length given for it; 0 for one that is not
    /// used. In place, since a block may be as short as its code.
    pub(crate) const fn set(&mut self, lengths: &[u8]) {
        self.counts = [0; LENGTH_MAX + 1];
        let mut symbol = 0;
        while symbol < lengths.len() {
            self.counts[lengths[symbol] as usize] += 1;
            symbol += 1;
        }
        self.counts[0] = 0;
        let mut next = [0; LENGTH_MAX + 2];
        let mut length = 1;
        while length <= LENGTH_MAX {
            next[length + 1] = next[length] + self.counts[length] as usize;
            length += 1;
        }
        symbol = 0;
        while symbol < lengths.len() {
            let length = lengths[symbol] as usize;
            if length > 0 {
                #[expect(clippy::cast_possible_truncation, reason = "at most 287")]
                let named = symbol as u16;
                self.symbols[next[length]] = named;
                next[length] += 1;
            }
            symbol += 1;
        }
    }

    /// The code for literals and lengths of a block that brings none (RFC 1951 §3.2.6).
    const fn fixed_literals() -> Self {
        let mut lengths = [8; SYMBOLS_MAX];
        let mut at = 144;
        while at < 256 {
            lengths[at] = 9;
            at += 1;
        }
        while at < 280 {
            lengths[at] = 7;
            at += 1;
        }
        let mut code = Self::EMPTY;
        code.set(&lengths);
        code
    }

    const fn fixed_distances() -> Self {
        let mut code = Self::EMPTY;
        code.set(&[5; 30]);
        code
    }

    /// Reads a symbol. Nothing is taken from `bits` unless there is one.
    pub(crate) fn read(&self, bits: &mut Bits) -> Symbol {
        let mut rest = *bits;
        // The code so far, the first code of its length, and where the symbols of that stand.
        let (mut code, mut first, mut at) = (0u32, 0u32, 0u32);
        for count in &self.counts[1..] {
            let Some(bit) = rest.take(1) else {
                return Symbol::NeedMore;
            };
            let count = u32::from(*count);
            code |= bit;
            if code < first + count {
                *bits = rest;
                let symbol = self.symbols.get((at + code - first) as usize);
                return symbol.map_or(Symbol::Invalid, |it| Symbol::Read(*it));
            }
            at += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Symbol::Invalid
    }
}
