//! Masking: every byte of a client's payload XOR a key of four (RFC 6455 §5.3).
//!
//! Masking and unmasking are the same operation. Payloads under 32 bytes are done where
//! the call stands, with two overlapping words; longer ones go to `lanes`, which the
//! compiler turns into the vector instructions of the target. On x86-64 the same code is
//! compiled a second time for AVX2 and chosen when the processor has it.

mod key;
mod lanes;
mod scalar;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod x86_64;

#[cfg(not(all(target_arch = "x86_64", feature = "std")))]
use crate::wire::mask::lanes::baseline as long;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
use crate::wire::mask::x86_64 as long;

#[cfg(test)]
mod tests;

pub use crate::wire::mask::key::MaskKey;
pub use crate::wire::mask::scalar::apply_scalar;

/// Payloads shorter than this are masked without a call.
const SHORT_BYTES: usize = 32;

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
