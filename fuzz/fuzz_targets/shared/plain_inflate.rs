//! DEFLATE (RFC 1951) read bit by bit, as its text says it, and how far back it reaches.
//!
//! It is for streams that are known to be valid, and panics where one is not.

/// What a message became.
pub(crate) struct Inflated {
    /// The text of all messages so far.
    pub(crate) text: Vec<u8>,
    /// The longest distance of the last message.
    pub(crate) farthest: usize,
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> usize {
        let bit = |at: usize| usize::from(self.bytes[at / 8] >> (at % 8) & 1);
        let value = (0..count).map(|it| bit(self.at + it) << it).sum();
        self.at += count;
        value
    }

    fn align(&mut self) {
        self.at = self.at.div_ceil(8) * 8;
    }

    /// The symbol that comes next, of a code with these lengths: the codes are counted up from
    /// the shortest, and among equals in the order of the symbols (RFC 1951 §3.2.2).
    fn symbol(&mut self, lengths: &[usize]) -> usize {
        let (mut code, mut first) = (0, 0);
        for length in 1..=15 {
            code = code << 1 | self.take(1);
            first <<= 1;
            for (symbol, _) in lengths.iter().enumerate().filter(|it| *it.1 == length) {
                if code == first {
                    return symbol;
                }
                first += 1;
            }
        }
        panic!("no symbol has this code");
    }
}

/// Inflates a message whose sender has taken the last four bytes away, behind earlier ones.
pub(crate) fn message(payload: &[u8], before: Vec<u8>) -> Inflated {
    let whole = [payload, &[0x00, 0x00, 0xff, 0xff]].concat();
    let mut bits = Bits {
        bytes: &whole,
        at: 0,
    };
    let mut inflated = Inflated {
        text: before,
        farthest: 0,
    };
    loop {
        let is_last = bits.take(1) == 1;
        match bits.take(2) {
            0 => {
                bits.align();
                let length = bits.take(16);
                assert_eq!(length ^ 0xffff, bits.take(16));
                (0..length).for_each(|_| inflated.text.push(bits.take(8).to_le_bytes()[0]));
            }
            1 => {
                let literals: Vec<usize> = (0..288)
                    .map(|it| match it {
                        0..144 | 280..288 => 8,
                        144..256 => 9,
                        _ => 7,
                    })
                    .collect();
                symbols(&mut bits, &literals, &[5; 30], &mut inflated);
            }
            2 => {
                let (literals, distances) = codes(&mut bits);
                symbols(&mut bits, &literals, &distances, &mut inflated);
            }
            _ => panic!("no such block"),
        }
        if is_last {
            bits.align();
        }
        // The tail is needed only where the last block was not said to be the last one.
        let end = if is_last { payload.len() } else { whole.len() };
        if bits.at >= end * 8 {
            return inflated;
        }
    }
}

/// The lengths of the two codes of a block that brings its own (RFC 1951 §3.2.7).
fn codes(bits: &mut Bits<'_>) -> (Vec<usize>, Vec<usize>) {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let (literals, distances) = (bits.take(5) + 257, bits.take(5) + 1);
    let count = bits.take(4) + 4;
    let mut of_lengths = [0; 19];
    for symbol in &ORDER[..count] {
        of_lengths[*symbol] = bits.take(3);
    }
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        match bits.symbol(&of_lengths) {
            16 => {
                let (before, times) = (*lengths.last().unwrap(), 3 + bits.take(2));
                lengths.extend(vec![before; times]);
            }
            17 => lengths.extend(vec![0; 3 + bits.take(3)]),
            18 => lengths.extend(vec![0; 11 + bits.take(7)]),
            length => lengths.push(length),
        }
    }
    let distances = lengths.split_off(literals);
    (lengths, distances)
}

/// Literals and copies, up to the end of the block (RFC 1951 §3.2.5).
fn symbols(bits: &mut Bits<'_>, literals: &[usize], distances: &[usize], to: &mut Inflated) {
    loop {
        let length = match bits.symbol(literals) {
            256 => return,
            literal @ 0..256 => {
                to.text.push(literal.to_le_bytes()[0]);
                continue;
            }
            symbol @ 257..265 => symbol - 254,
            285 => 258,
            symbol => {
                let extra = (symbol - 261) / 4;
                (((symbol - 261) % 4 + 4) << extra) + 3 + bits.take(extra)
            }
        };
        let distance = match bits.symbol(distances) {
            symbol @ 0..2 => symbol + 1,
            symbol => {
                let extra = symbol / 2 - 1;
                ((symbol % 2 + 2) << extra) + 1 + bits.take(extra)
            }
        };
        to.farthest = to.farthest.max(distance);
        for _ in 0..length {
            to.text.push(to.text[to.text.len() - distance]);
        }
    }
}
