//! Masking in lanes of `N` bytes, in safe code that compiles to vector instructions.
//!
//! A lane is an array whose size is known, so that its XOR becomes one instruction where
//! the target has a register of that size, and loads and stores need no alignment. The
//! bytes after the last whole lane are covered by one more lane that ends where the buffer
//! ends and overlaps the one before it. In place it is read before the loop, while the
//! bytes that it shares are still untouched.

use crate::wire::mask::key::MaskKey;
use crate::wire::mask::scalar::apply_scalar;

/// The lanes that every target has: SSE2 on x86-64, NEON on aarch64, words elsewhere.
pub(super) mod baseline {
    use crate::wire::mask::key::MaskKey;
    use crate::wire::mask::lanes;

    pub(in crate::wire::mask) fn apply(key: MaskKey, buffer: &mut [u8]) {
        lanes::apply::<16>(key, buffer);
    }

    pub(in crate::wire::mask) fn copy(key: MaskKey, source: &[u8], target: &mut [u8]) {
        lanes::copy::<16>(key, source, target);
    }
}

/// Masks in place; `N` is a multiple of eight.
#[inline(always)]
pub(super) fn apply<const N: usize>(key: MaskKey, buffer: &mut [u8]) {
    let Some(&last) = buffer.last_chunk::<N>() else {
        return apply_scalar(key, buffer);
    };
    let last = masked(key.rotated(buffer.len() - N).word(), &last);
    for lane in buffer.as_chunks_mut::<N>().0 {
        *lane = masked(key.word(), lane);
    }
    if let Some(target) = buffer.last_chunk_mut::<N>() {
        *target = last;
    }
}

/// Masks from one slice into another of the same length; `N` is a multiple of eight.
#[inline(always)]
pub(super) fn copy<const N: usize>(key: MaskKey, source: &[u8], target: &mut [u8]) {
    let (Some(last), Some(last_target)) = (source.last_chunk::<N>(), target.last_chunk_mut::<N>())
    else {
        target.copy_from_slice(source);
        return apply_scalar(key, target);
    };
    *last_target = masked(key.rotated(source.len() - N).word(), last);
    for (lane, target) in source
        .as_chunks::<N>()
        .0
        .iter()
        .zip(target.as_chunks_mut::<N>().0)
    {
        *target = masked(key.word(), lane);
    }
}

/// Masks a buffer of `N` to `2 * N` bytes in place: its two ends, which may overlap.
#[inline(always)]
pub(super) fn apply_ends<const N: usize>(key: MaskKey, buffer: &mut [u8]) {
    let (Some(&first), Some(&last)) = (buffer.first_chunk::<N>(), buffer.last_chunk::<N>()) else {
        return;
    };
    let rotated = key.rotated(buffer.len() - N);
    if let Some(target) = buffer.first_chunk_mut::<N>() {
        *target = masked(key.word(), &first);
    }
    if let Some(target) = buffer.last_chunk_mut::<N>() {
        *target = masked(rotated.word(), &last);
    }
}

/// Masks `N` to `2 * N` bytes from one slice into another of the same length.
#[inline(always)]
pub(super) fn copy_ends<const N: usize>(key: MaskKey, source: &[u8], target: &mut [u8]) {
    if let (Some(first), Some(target)) = (source.first_chunk::<N>(), target.first_chunk_mut::<N>())
    {
        *target = masked(key.word(), first);
    }
    if let (Some(last), Some(target)) = (source.last_chunk::<N>(), target.last_chunk_mut::<N>()) {
        *target = masked(key.rotated(source.len() - N).word(), last);
    }
}

/// One lane XOR a word that repeats.
#[inline(always)]
fn masked<const N: usize>(word: u64, lane: &[u8; N]) -> [u8; N] {
    const { assert!(N.is_multiple_of(8)) };
    let mut target = *lane;
    for part in target.as_chunks_mut::<8>().0 {
        *part = (u64::from_ne_bytes(*part) ^ word).to_ne_bytes();
    }
    target
}
