//! Masking: every byte of a client's payload XOR a key of four (RFC 6455 §5.3).
//!
//! Masking and unmasking are the same operation. Payloads under 32 bytes are done where
//! the call stands, with two overlapping words; longer ones go to `lanes`, which the
//! compiler turns into the vector instructions of the target. On x86-64 the same code is
//! compiled a second time for AVX2 and chosen when the processor has it.

use core::fmt;

mod lanes;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod x86_64;

#[cfg(not(all(target_arch = "x86_64", feature = "std")))]
use crate::wire::mask::lanes::baseline as long;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
use crate::wire::mask::x86_64 as long;

#[cfg(test)]
mod tests;

/// Payloads shorter than this are masked without a call.
const SHORT_BYTES: usize = 32;

/// The masking key of one frame.
///
/// `Debug` does not print it: whoever knows the key of a frame that is still to be sent
/// can choose what stands on the wire (RFC 6455 §10.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MaskKey([u8; 4]);

impl MaskKey {
    /// The key made of these bytes, in the order in which they stand in the header.
    #[must_use]
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The bytes, in the order in which they stand in the header.
    #[must_use]
    pub const fn bytes(self) -> [u8; 4] {
        self.0
    }

    /// The key as it applies `octets` further into the payload.
    ///
    /// A payload that arrives in parts is unmasked part by part: the key of a part is the
    /// frame's key rotated by the number of octets before it.
    #[must_use]
    pub const fn rotated(self, octets: usize) -> Self {
        let [a, b, c, d] = self.0;
        Self(match octets % 4 {
            0 => [a, b, c, d],
            1 => [b, c, d, a],
            2 => [c, d, a, b],
            _ => [d, a, b, c],
        })
    }

    /// The key twice over, as a word in the memory order of the machine.
    const fn word(self) -> u64 {
        let [a, b, c, d] = self.0;
        u64::from_ne_bytes([a, b, c, d, a, b, c, d])
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey(..)")
    }
}

/// Masks or unmasks `buffer` in place.
///
/// The first byte of `buffer` meets the first byte of `key`; see [`MaskKey::rotated`] for
/// a payload in parts.
#[inline]
pub fn apply(key: MaskKey, buffer: &mut [u8]) {
    //= WS-085
    if buffer.len() >= SHORT_BYTES {
        long::apply(key, buffer);
    } else if buffer.len() >= 16 {
        lanes::apply_ends::<16>(key, buffer);
    } else if buffer.len() >= 8 {
        lanes::apply_ends::<8>(key, buffer);
    } else {
        apply_scalar(key, buffer);
    }
}

/// Masks or unmasks `source` into `target`, in one pass over both.
///
/// # Panics
///
/// If the two differ in length.
#[inline]
pub fn copy(key: MaskKey, source: &[u8], target: &mut [u8]) {
    assert_eq!(
        source.len(),
        target.len(),
        "masking copies between slices of one length"
    );
    //= WS-085
    if source.len() >= SHORT_BYTES {
        long::copy(key, source, target);
    } else if source.len() >= 16 {
        lanes::copy_ends::<16>(key, source, target);
    } else if source.len() >= 8 {
        lanes::copy_ends::<8>(key, source, target);
    } else {
        target.copy_from_slice(source);
        apply_scalar(key, target);
    }
}

/// Masks or unmasks `buffer` byte by byte, as RFC 6455 §5.3 writes it down.
///
/// This is what the other ways are compared with.
#[inline]
pub fn apply_scalar(key: MaskKey, buffer: &mut [u8]) {
    for (index, byte) in buffer.iter_mut().enumerate() {
        *byte ^= key.0[index % 4];
    }
}
