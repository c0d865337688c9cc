//! How far back the copies of a compressed message reach.
//!
//! The decoder takes any distance up to 32 KiB for good. Where a smaller window was agreed on, a
//! copy from beyond it is the peer's fault (RFC 7692 §7.1.2), so the symbols are read here as
//! well, without decoding what they mean.

use alloc::boxed::Box;

use crate::engine::deflate::prefix_code::{
    Bits, FIXED_DISTANCES, FIXED_LITERALS, PrefixCode, Symbol,
};
use crate::engine::violation::Violation;

/// In which order the lengths of the code for code lengths stand (RFC 1951 §3.2.7).
const LENGTH_ORDER: [u8; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];
const END_OF_BLOCK: u16 = 256;
/// Literals and lengths, and distances: how many lengths of codes a block may give.
const LENGTHS_MAX: usize = 286 + 32;

/// Reads the symbols of compressed messages and holds their distances to the window.
#[derive(Debug)]
pub(crate) struct Distances {
    window: u32,
    bits: Bits,
    place: Place,
    /// Whether the present block is said to be the last one.
    is_last: bool,
    /// Whether the present block brings no codes of its own.
    are_fixed: bool,
    /// Bytes at the front of what comes next that have been read here before.
    ahead: usize,
    codes: Box<Codes>,
}

#[derive(Debug)]
struct Codes {
    literals: PrefixCode,
    distances: PrefixCode,
    /// The lengths that the codes are made of, as they come.
    lengths: [u8; LENGTHS_MAX],
}

/// Where in the stream the next bits stand.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// The header of a block.
    Block,
    /// The two lengths of a stored block.
    StoredLength,
    /// So many bytes of a stored block.
    Stored(u32),
    /// How many lengths of each kind a block gives.
    Counts,
    /// Lengths of the code for lengths, `at` of `count` having been read.
    LengthLengths {
        at: usize,
        count: usize,
        literals: usize,
        distances: usize,
    },
    /// Lengths of the two codes.
    Lengths {
        at: usize,
        literals: usize,
        distances: usize,
    },
    /// Literals and copies.
    Symbols,
}

impl Distances {
    pub(crate) fn new(window_bits: u8) -> Self {
        Self {
            window: 1 << window_bits,
            bits: Bits::default(),
            place: Place::Block,
            is_last: false,
            are_fixed: false,
            ahead: 0,
            codes: Box::new(Codes {
                literals: PrefixCode::EMPTY,
                distances: PrefixCode::EMPTY,
                lengths: [0; LENGTHS_MAX],
            }),
        }
    }

    /// Reads what is about to be decoded, of which some may have been read before.
    pub(crate) fn check(&mut self, input: &[u8]) -> Result<(), Violation> {
        let mut fresh = input.get(self.ahead..).unwrap_or_default().iter();
        self.ahead = self.ahead.max(input.len());
        loop {
            while let Some(byte) = fresh.as_slice().first()
                && self.bits.push(*byte)
            {
                fresh.next();
            }
            if !self.step()? && fresh.as_slice().is_empty() {
                return Ok(());
            }
        }
    }

    /// Takes note that so many bytes have been decoded.
    pub(crate) const fn decoded(&mut self, bytes: usize) {
        self.ahead = self.ahead.saturating_sub(bytes);
    }

    /// A message has ended, between two blocks and at a boundary of bytes.
    pub(crate) fn end_message(&mut self) {
        (self.bits, self.place, self.ahead) = (Bits::default(), Place::Block, 0);
    }

    /// Reads one thing; `false` when more bits are needed for it.
    fn step(&mut self) -> Result<bool, Violation> {
        let mut bits = self.bits;
        let next = match self.place {
            Place::Block => self.block(&mut bits)?,
            Place::StoredLength => bits.take(32).map(|lengths| match lengths & 0xffff {
                0 => Place::Block,
                length => Place::Stored(length),
            }),
            Place::Stored(left) => bits.take(8).map(|_| match left {
                1 => Place::Block,
                left => Place::Stored(left - 1),
            }),
            Place::Counts => bits.take(14).map(|counts| {
                let field = |at: u32, mask: u32| (counts >> at & mask) as usize;
                self.codes.lengths = [0; LENGTHS_MAX];
                Place::LengthLengths {
                    at: 0,
                    count: field(10, 15) + 4,
                    literals: field(0, 31) + 257,
                    distances: field(5, 31) + 1,
                }
            }),
            Place::LengthLengths {
                at,
                count,
                literals,
                distances,
            } => bits
                .take(3)
                .map(|length| self.length_length(length, at, count, (literals, distances))),
            Place::Lengths {
                at,
                literals,
                distances,
            } => self.length(&mut bits, at, literals, distances)?,
            Place::Symbols => self.symbol(&mut bits)?,
        };
        match next {
            None => Ok(false),
            Some(place) => {
                (self.bits, self.place) = (bits, place);
                Ok(true)
            }
        }
    }

    fn block(&mut self, bits: &mut Bits) -> Result<Option<Place>, Violation> {
        let Some(header) = bits.take(3) else {
            return Ok(None);
        };
        self.is_last = header & 1 == 1;
        Ok(Some(match header >> 1 {
            0 => {
                bits.align();
                Place::StoredLength
            }
            1 => {
                self.are_fixed = true;
                Place::Symbols
            }
            2 => {
                self.are_fixed = false;
                Place::Counts
            }
            _ => return Err(Violation::ExtensionData),
        }))
    }

    /// Behind a last block a new stream begins with the next byte.
    const fn end_of_block(&self, bits: &mut Bits) -> Place {
        if self.is_last {
            bits.align();
        }
        Place::Block
    }

    /// Takes one length of the code for lengths; with the last of them the code is there.
    fn length_length(
        &mut self,
        length: u32,
        at: usize,
        count: usize,
        (literals, distances): (usize, usize),
    ) -> Place {
        let place = usize::from(LENGTH_ORDER[at]);
        self.codes.lengths[place] = length.to_le_bytes()[0];
        if at + 1 < count {
            return Place::LengthLengths {
                at: at + 1,
                count,
                literals,
                distances,
            };
        }
        let codes = &mut *self.codes;
        codes.literals.set(&codes.lengths[..LENGTH_ORDER.len()]);
        self.codes.lengths = [0; LENGTHS_MAX];
        Place::Lengths {
            at: 0,
            literals,
            distances,
        }
    }

    /// Reads one length of the two codes, or a run of them.
    fn length(
        &mut self,
        bits: &mut Bits,
        at: usize,
        literals: usize,
        distances: usize,
    ) -> Result<Option<Place>, Violation> {
        let Some(symbol) = read(&self.codes.literals, bits)? else {
            return Ok(None);
        };
        let before = at.checked_sub(1).map(|at| self.codes.lengths[at]);
        let (length, shortest, extra) = match (symbol, before) {
            (0..16, _) => (symbol.to_le_bytes()[0], 1, 0),
            (16, Some(before)) => (before, 3, 2),
            (17, _) => (0, 3, 3),
            (18, _) => (0, 11, 7),
            _ => return Err(Violation::ExtensionData),
        };
        let Some(more) = bits.take(extra) else {
            return Ok(None);
        };
        let (end, all) = (at + shortest + more as usize, literals + distances);
        if end > all || all > LENGTHS_MAX {
            return Err(Violation::ExtensionData);
        }
        self.codes.lengths[at..end].fill(length);
        if end < all {
            return Ok(Some(Place::Lengths {
                at: end,
                literals,
                distances,
            }));
        }
        let codes = &mut *self.codes;
        let (of_literals, of_distances) = codes.lengths[..all].split_at(literals);
        codes.literals.set(of_literals);
        codes.distances.set(of_distances);
        Ok(Some(Place::Symbols))
    }

    /// Reads a literal or a copy.
    fn symbol(&self, bits: &mut Bits) -> Result<Option<Place>, Violation> {
        let (literals, distances) = match self.are_fixed {
            true => (&FIXED_LITERALS, &FIXED_DISTANCES),
            false => (&self.codes.literals, &self.codes.distances),
        };
        let Some(symbol) = read(literals, bits)? else {
            return Ok(None);
        };
        match symbol {
            0..END_OF_BLOCK => return Ok(Some(Place::Symbols)),
            END_OF_BLOCK => return Ok(Some(self.end_of_block(bits))),
            _ => {}
        }
        if bits.take(extra_of_length(symbol)).is_none() {
            return Ok(None);
        }
        let Some(symbol) = read(distances, bits)? else {
            return Ok(None);
        };
        let (base, extra) = distance(symbol);
        match bits.take(extra) {
            None => Ok(None),
            Some(more) if base + more > self.window => Err(Violation::ExtensionData),
            Some(_) => Ok(Some(Place::Symbols)),
        }
    }
}

fn read(code: &PrefixCode, bits: &mut Bits) -> Result<Option<u16>, Violation> {
    match code.read(bits) {
        Symbol::Read(symbol) => Ok(Some(symbol)),
        Symbol::NeedMore => Ok(None),
        Symbol::Invalid => Err(Violation::ExtensionData),
    }
}

/// How many bits follow the symbol of a length (RFC 1951 §3.2.5).
fn extra_of_length(symbol: u16) -> u32 {
    match symbol {
        265..=284 => u32::from((symbol - 261) / 4),
        _ => 0,
    }
}

/// The smallest distance that a symbol means, and how many bits follow it.
fn distance(symbol: u16) -> (u32, u32) {
    let symbol = u32::from(symbol);
    match symbol {
        0..4 => (symbol + 1, 0),
        _ => {
            let extra = symbol.min(29) / 2 - 1;
            (((2 + symbol % 2) << extra) + 1, extra)
        }
    }
}
