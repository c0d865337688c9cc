//! The two ends of a short payload in SSE2, where the target has it, as x86-64 with an operating
//! system does: whether they are ASCII is one instruction then, where words take six.

#![expect(
    unsafe_code,
    reason = "SSE2 is called by its own functions, and lanes are read through pointers"
)]

use core::arch::x86_64::{
    __m128i, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi32, _mm_storeu_si128,
    _mm_xor_si128,
};

use crate::wire::mask::key::MaskKey;

/// As [`lanes::apply_ends`](crate::wire::mask::lanes::apply_ends) with lanes of 16 bytes.
#[inline(always)]
pub(super) fn apply_ends(key: MaskKey, buffer: &mut [u8]) -> bool {
    // SAFETY: this is compiled only for targets that have SSE2.
    unsafe { masked_ends(key, buffer) }
}

#[target_feature(enable = "sse2")]
#[inline]
fn masked_ends(key: MaskKey, buffer: &mut [u8]) -> bool {
    let repeated = |key: MaskKey| _mm_set1_epi32(i32::from_ne_bytes(key.bytes()));
    let last_key = key.rotated(buffer.len().wrapping_sub(16));
    let (Some(first), Some(last)) = (buffer.first_chunk(), buffer.last_chunk()) else {
        return true;
    };
    // Both are read before either is written: they may overlap.
    let first = _mm_xor_si128(load(first), repeated(key));
    let last = _mm_xor_si128(load(last), repeated(last_key));
    if let Some(target) = buffer.first_chunk_mut() {
        store(target, first);
    }
    if let Some(target) = buffer.last_chunk_mut() {
        store(target, last);
    }
    _mm_movemask_epi8(_mm_or_si128(first, last)) == 0
}

#[target_feature(enable = "sse2")]
#[inline]
fn load(lane: &[u8; 16]) -> __m128i {
    // SAFETY: the lane is 16 bytes that may be read, and no alignment is asked for.
    unsafe { _mm_loadu_si128(lane.as_ptr().cast()) }
}

#[target_feature(enable = "sse2")]
#[inline]
fn store(lane: &mut [u8; 16], value: __m128i) {
    // SAFETY: the lane is 16 bytes that may be written, and no alignment is asked for.
    unsafe { _mm_storeu_si128(lane.as_mut_ptr().cast(), value) }
}
