//! Masking on x86-64: lanes of 32 bytes where the processor has AVX2, else of 16.
//!
//! The same code in lanes of 64 bytes, compiled for AVX-512, was measured and is slower.

#![expect(
    unsafe_code,
    reason = "a function for AVX2 may be called only where AVX2 is"
)]

use crate::wire::mask::key::MaskKey;
use crate::wire::mask::lanes;

/// Masks in place.
pub(super) fn apply(key: MaskKey, buffer: &mut [u8]) {
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        unsafe { apply_avx2(key, buffer) }
    } else {
        lanes::baseline::apply(key, buffer);
    }
}

/// Masks from one slice into another of the same length.
pub(super) fn copy(key: MaskKey, source: &[u8], target: &mut [u8]) {
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        unsafe { copy_avx2(key, source, target) }
    } else {
        lanes::baseline::copy(key, source, target);
    }
}

#[target_feature(enable = "avx2")]
fn apply_avx2(key: MaskKey, buffer: &mut [u8]) {
    lanes::apply::<32>(key, buffer);
}

#[target_feature(enable = "avx2")]
fn copy_avx2(key: MaskKey, source: &[u8], target: &mut [u8]) {
    lanes::copy::<32>(key, source, target);
}
