//! Masking payloads of less than 32 bytes, where the call stands.

use crate::wire::mask::key::MaskKey;
use crate::wire::mask::lanes;
use crate::wire::mask::scalar::apply_scalar;

/// For 16 bytes and more.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
use crate::wire::mask::lanes::apply_ends_16 as apply_long_ends;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
use crate::wire::mask::sse2::apply_ends as apply_long_ends;

/// Payloads shorter than this are masked without a call.
pub(crate) const SHORT_BYTES: usize = 32;

/// Masks in place, and says whether all bytes have become ASCII; without `LOOKS`, that they have.
#[inline(always)]
pub(super) fn apply<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8]) -> bool {
    let is_ascii = match buffer.len() {
        16.. => apply_long_ends(key, buffer),
        8..16 => lanes::apply_ends::<8>(key, buffer),
        _ => {
            apply_scalar(key, buffer);
            !LOOKS || buffer.is_ascii()
        }
    };
    is_ascii || !LOOKS
}

/// Masks from one slice into another of the same length.
#[inline(always)]
pub(super) fn copy(key: MaskKey, source: &[u8], target: &mut [u8]) {
    if source.len() >= 16 {
        lanes::copy_ends::<16>(key, source, target);
    } else if source.len() >= 8 {
        lanes::copy_ends::<8>(key, source, target);
    } else {
        target.copy_from_slice(source);
        apply_scalar(key, target);
    }
}
