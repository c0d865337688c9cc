//! Messages as they stand on the wire, made once.

use alloc::vec::Vec;
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

use crate::wire::header::{FrameHeader, Reserved};
use crate::wire::mask::{self, MaskKey};
use crate::wire::opcode::Opcode;

/// How many different messages there are, where they are small.
const VARIANTS_MAX: usize = 64;
const VARIANTS_MIN: usize = 2;
/// How much memory they take, beyond the least number of them.
const BYTES_MAX: usize = 16 << 20;

/// Where a message of a fan-out says who sent it and which it is.
pub(crate) const STAMP_BYTES: usize = 16;

/// Random messages of one length, one behind the other, so that any run of them is one slice:
/// masked, with random keys, and as they come back.
#[derive(Debug)]
pub(crate) struct Frames {
    wire: Vec<u8>,
    plain: Vec<u8>,
    variants: usize,
    bytes: usize,
    opcode: Opcode,
    /// Where the first bytes of a payload stand in its frames.
    places: Vec<usize>,
}

impl Frames {
    /// Messages of so many bytes, each in so many frames.
    pub(crate) fn new(bytes: usize, opcode: Opcode, fragments: usize, seed: [u8; 32]) -> Self {
        let mut random = StdRng::from_seed(seed);
        let variants = (BYTES_MAX / bytes.max(1)).clamp(VARIANTS_MIN, VARIANTS_MAX);
        let mut frames = Self {
            wire: Vec::new(),
            plain: Vec::with_capacity(variants * bytes),
            variants,
            bytes,
            opcode,
            places: Vec::new(),
        };
        for variant in 0..variants {
            match opcode {
                Opcode::Text => text(&mut frames.plain, bytes, &mut random),
                _ => {
                    let from = frames.plain.len();
                    frames.plain.resize(from + bytes, 0);
                    random.fill_bytes(&mut frames.plain[from..]);
                }
            }
            frames.encode(variant, fragments, &mut random);
        }
        frames
    }

    fn encode(&mut self, variant: usize, fragments: usize, random: &mut StdRng) {
        let plain = &self.plain[variant * self.bytes..][..self.bytes];
        for fragment in 0..fragments {
            let from = cut(self.bytes, fragment, fragments);
            let piece = &plain[from..cut(self.bytes, fragment + 1, fragments)];
            let key = MaskKey::new(random.random());
            let header = FrameHeader {
                fin: fragment + 1 == fragments,
                reserved: Reserved::NONE,
                opcode: match fragment {
                    0 => self.opcode,
                    _ => Opcode::Continuation,
                },
                mask: Some(key),
                payload_len: piece.len() as u64,
            };
            self.wire.extend_from_slice(header.encode().as_bytes());
            let at = self.wire.len();
            if variant == 0 {
                let stamped = STAMP_BYTES
                    .saturating_sub(self.places.len())
                    .min(piece.len());
                self.places.extend(at..at + stamped);
            }
            self.wire.resize(at + piece.len(), 0);
            mask::copy(key, piece, &mut self.wire[at..]);
        }
    }

    /// How many different messages there are.
    pub(crate) const fn variants(&self) -> usize {
        self.variants
    }

    /// The length of a message.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What a message is.
    pub(crate) const fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// The length of a message on the wire.
    pub(crate) const fn wire_bytes(&self) -> usize {
        self.wire.len() / self.variants
    }

    /// All messages on the wire: after the last comes the first.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The payload of the message that is this one, the variants taken round and round.
    pub(crate) fn payload(&self, number: u64) -> &[u8] {
        &self.plain[self.variant(number) * self.bytes..][..self.bytes]
    }

    fn variant(&self, number: u64) -> usize {
        // The remainder is below a number of this size.
        usize::try_from(number % self.variants as u64).unwrap_or_default()
    }

    /// Appends a message that begins with this stamp.
    pub(crate) fn stamped(&self, number: u64, stamp: [u8; STAMP_BYTES], target: &mut Vec<u8>) {
        let (from, bytes) = (target.len(), self.wire_bytes());
        target.extend_from_slice(&self.wire[self.variant(number) * bytes..][..bytes]);
        let payload = self.payload(number);
        for ((place, plain), stamp) in self.places.iter().zip(payload).zip(stamp) {
            // What is masked is changed by what the payload is changed by.
            target[from + place] ^= plain ^ stamp;
        }
    }
}

/// Where a fragment begins.
const fn cut(bytes: usize, fragment: usize, fragments: usize) -> usize {
    // The larger of both is bounded by the arguments, and so is the product.
    bytes * fragment / fragments
}

/// So many bytes of text, of one to four bytes a character. Those of a stamp have one.
fn text(target: &mut Vec<u8>, bytes: usize, random: &mut StdRng) {
    const LONGER: [char; 6] = ['é', 'ß', 'я', '中', '語', '🌍'];
    let end = target.len() + bytes;
    let plain_end = target.len() + STAMP_BYTES;
    while target.len() < end {
        let longer = LONGER[random.random_range(0..LONGER.len())];
        let is_plain = target.len() < plain_end || random.random_range(0..4) > 0;
        if is_plain || target.len() + longer.len_utf8() > end {
            target.push(random.random_range(b' '..=b'~'));
        } else {
            target.extend_from_slice(longer.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Who sent it, and which of theirs it is, in letters: they may stand in text.
pub(crate) fn stamp(publisher: u16, number: u64) -> [u8; STAMP_BYTES] {
    let value = u64::from(publisher) << 48 | number & NUMBER_MAX;
    let mut stamp = [0; STAMP_BYTES];
    for (at, letter) in stamp.iter_mut().enumerate() {
        let four = value >> (60 - 4 * at) & 0x0f;
        *letter = b'@' + u8::try_from(four).unwrap_or_default();
    }
    stamp
}

/// The largest number of a message.
const NUMBER_MAX: u64 = (1 << 48) - 1;

/// Reads a [`stamp`].
#[inline]
pub(crate) fn read_stamp(stamp: [u8; STAMP_BYTES]) -> Option<(u16, u64)> {
    let letters = u128::from_be_bytes(stamp);
    const HIGH: u128 = u128::from_be_bytes([0xf0; 16]);
    if letters & HIGH != u128::from_be_bytes([b'@'; 16]) {
        return None;
    }
    // The halves of each byte are put together, then of each two bytes, and so on.
    let mut value = letters & !HIGH;
    for (bits, keep) in [
        (4, u128::from_be_bytes([0, 0xff].repeated())),
        (8, u128::from_be_bytes([0, 0, 0xff, 0xff].repeated())),
        (
            16,
            u128::from_be_bytes([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff].repeated()),
        ),
        (32, u128::from(u64::MAX)),
    ] {
        value = (value | value >> bits) & keep;
    }
    let value = u64::try_from(value).ok()?;
    Some((u16::try_from(value >> 48).ok()?, value & NUMBER_MAX))
}

/// A pattern, repeated to sixteen bytes.
trait Repeated {
    fn repeated(self) -> [u8; 16];
}

impl<const N: usize> Repeated for [u8; N] {
    #[inline]
    fn repeated(self) -> [u8; 16] {
        core::array::from_fn(|at| self[at % N])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::header::Decoded;

    /// Takes a message apart: its payload, unmasked, and how many frames it had.
    fn unmasked(mut wire: &[u8]) -> (Vec<u8>, usize) {
        let (mut payload, mut frames) = (Vec::new(), 0);
        while !wire.is_empty() {
            let Ok(Decoded::Header(header, at)) = FrameHeader::decode(wire) else {
                panic!("a header");
            };
            let end = at + usize::try_from(header.payload_len).unwrap();
            let mut piece = wire[at..end].to_vec();
            mask::apply(header.mask.expect("a client masks"), &mut piece);
            payload.extend(piece);
            frames += 1;
            assert_eq!(header.fin, end == wire.len());
            wire = &wire[end..];
        }
        (payload, frames)
    }

    #[test]
    fn what_stands_on_the_wire_is_the_payload() {
        for (bytes, fragments) in [(0, 1), (1, 3), (125, 1), (126, 2), (70_000, 1), (1000, 64)] {
            for opcode in [Opcode::Text, Opcode::Binary] {
                let frames = Frames::new(bytes, opcode, fragments, [1; 32]);
                for (at, wire) in frames.wire().chunks(frames.wire_bytes()).enumerate() {
                    let (payload, count) = unmasked(wire);
                    assert_eq!(payload, frames.payload(at as u64));
                    assert_eq!((payload.len(), count), (bytes, fragments));
                    if opcode == Opcode::Text {
                        assert!(core::str::from_utf8(&payload).is_ok());
                    }
                }
            }
        }
    }

    #[test]
    fn a_stamp_stands_at_the_beginning_and_the_rest_is_as_it_was() {
        for fragments in [1, 3, 40] {
            let frames = Frames::new(40, Opcode::Text, fragments, [2; 32]);
            let mut wire = Vec::new();
            let stamp = stamp(7, 65);
            frames.stamped(65, stamp, &mut wire);
            let (payload, _) = unmasked(&wire);
            assert_eq!(payload[..STAMP_BYTES], stamp);
            assert_eq!(payload[STAMP_BYTES..], frames.payload(65)[STAMP_BYTES..]);
        }
    }

    #[test]
    fn a_stamp_says_what_was_written() {
        for publisher in [0, 1, 0xabcd, u16::MAX] {
            for number in [0, 1, 0x1234_5678_9abc, NUMBER_MAX] {
                let stamp = stamp(publisher, number);
                assert_eq!(read_stamp(stamp), Some((publisher, number)));
            }
        }
        assert_eq!(read_stamp([b'P'; STAMP_BYTES]), None);
        assert_eq!(read_stamp([0; STAMP_BYTES]), None);
    }

    #[test]
    fn large_messages_have_few_variants() {
        let frames = Frames::new(9 << 20, Opcode::Binary, 1, [3; 32]);
        assert_eq!(frames.variants(), VARIANTS_MIN);
        assert_ne!(frames.payload(0), frames.payload(1));
    }
}
