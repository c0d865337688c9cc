//! Masking: every byte of a client's payload XOR a key of four (RFC 6455 §5.3).
//!
//! Masking and unmasking are the same operation. Payloads under 32 bytes are done where
//! the call stands, with two overlapping words; longer ones go to `lanes` and `stream`, which
//! the compiler turns into the vector instructions of the target. On x86-64 the same code is
//! compiled for AVX2 and AVX-512 as well, and chosen when the processor has it; `text` and `dense`
//! judge text in the pass that unmasks it, where there is AVX-512.

#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod avx512;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod dense;
mod key;
mod lanes;
mod scalar;
mod seen;
mod short;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod sse2;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod stream;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod text;
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
pub(crate) use crate::wire::mask::seen::Seen;
pub(crate) use crate::wire::mask::short::SHORT_BYTES;

/// Masks or unmasks `buffer` in place.
///
/// The first byte of `buffer` meets the first byte of `key`; see [`MaskKey::rotated`] for
/// a payload in parts.
#[inline]
pub fn apply(key: MaskKey, buffer: &mut [u8]) {
    apply_any::<false>(key, buffer);
}

/// Unmasks `buffer` in place, and says whether all of it is ASCII then: in one pass, which costs
/// hardly more than [`apply`].
#[inline]
pub fn apply_ascii(key: MaskKey, buffer: &mut [u8]) -> bool {
    apply_any::<true>(key, buffer)
}

/// Unmasks text in place, and says what it saw of it.
///
/// Where the processor can, one pass does both.
#[inline]
pub(crate) fn apply_text(key: MaskKey, text: &mut [u8]) -> Seen {
    if text.len() >= SHORT_BYTES {
        long::apply_text(key, text)
    } else {
        Seen::ascii(short::apply::<true>(key, text))
    }
}

/// Masks in place, and says whether all bytes have become ASCII; without `LOOKS`, that they have.
#[inline(always)]
fn apply_any<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8]) -> bool {
    //= WS-085
    if buffer.len() >= SHORT_BYTES {
        long::apply::<LOOKS>(key, buffer)
    } else {
        short::apply::<LOOKS>(key, buffer)
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
    } else {
        short::copy(key, source, target);
    }
}
