//! Masking in lanes of `N` bytes, in safe code that compiles to vector instructions.
//!
//! A lane is an array whose size is known, so that its XOR becomes one instruction where
//! the target has a register of that size, and loads and stores need no alignment. The
//! bytes after the last whole lane are covered by one more lane that ends where the buffer
//! ends and overlaps the one before it. In place it is read before the loop, while the
//! bytes that it shares are still untouched.

use crate::wire::mask::key::MaskKey;
use crate::wire::mask::scalar::apply_scalar;

/// The bits that no byte of ASCII has.
pub(super) const TOP_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The lanes that every target has: SSE2 on x86-64, NEON on aarch64, words elsewhere.
pub(super) mod baseline {
    use crate::wire::mask::key::MaskKey;
    use crate::wire::mask::lanes;
    #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
    use crate::wire::mask::seen::Seen;

    #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
    pub(in crate::wire::mask) fn apply_text(key: MaskKey, text: &mut [u8]) -> Seen {
        Seen::ascii(lanes::apply::<16>(key, text))
    }

    pub(in crate::wire::mask) fn apply<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8]) -> bool {
        lanes::apply::<16>(key, buffer) || !LOOKS
    }

    pub(in crate::wire::mask) fn copy(key: MaskKey, source: &[u8], target: &mut [u8]) {
        lanes::copy::<16>(key, source, target);
    }
}

/// Masks in place, and says whether all bytes have become ASCII; `N` is a multiple of eight.
#[inline(always)]
pub(super) fn apply<const N: usize>(key: MaskKey, buffer: &mut [u8]) -> bool {
    let Some(&last) = buffer.last_chunk::<N>() else {
        apply_scalar(key, buffer);
        return buffer.is_ascii();
    };
    let last = masked(key.rotated(buffer.len() - N).word(), &last);
    let mut seen = last;
    for lane in buffer.as_chunks_mut::<N>().0 {
        let masked = masked(key.word(), lane);
        seen = either(&seen, &masked);
        *lane = masked;
    }
    if let Some(target) = buffer.last_chunk_mut::<N>() {
        *target = last;
    }
    is_ascii(&seen)
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

/// Masks a buffer of `N` to `2 * N` bytes in place: its two ends, which may overlap. Says whether
/// all bytes have become ASCII.
#[inline(always)]
pub(super) fn apply_ends<const N: usize>(key: MaskKey, buffer: &mut [u8]) -> bool {
    let (Some(&first), Some(&last)) = (buffer.first_chunk::<N>(), buffer.last_chunk::<N>()) else {
        return true;
    };
    let first = masked(key.word(), &first);
    let last = masked(key.rotated(buffer.len() - N).word(), &last);
    if let Some(target) = buffer.first_chunk_mut::<N>() {
        *target = first;
    }
    if let Some(target) = buffer.last_chunk_mut::<N>() {
        *target = last;
    }
    is_ascii(&first) && is_ascii(&last)
}

/// [`apply_ends`] with lanes of 16 bytes.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline(always)]
pub(super) fn apply_ends_16(key: MaskKey, buffer: &mut [u8]) -> bool {
    apply_ends::<16>(key, buffer)
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

/// The bits that are set in either of two lanes.
#[inline(always)]
fn either<const N: usize>(one: &[u8; N], other: &[u8; N]) -> [u8; N] {
    let mut target = *one;
    let parts = target.as_chunks_mut::<8>().0;
    for (part, other) in parts.iter_mut().zip(other.as_chunks::<8>().0) {
        *part = (u64::from_ne_bytes(*part) | u64::from_ne_bytes(*other)).to_ne_bytes();
    }
    target
}

/// Whether no byte of a lane has its top bit. What was just stored is not loaded again for it:
/// that would wait where two stores overlap.
#[inline(always)]
fn is_ascii<const N: usize>(lane: &[u8; N]) -> bool {
    let words = lane.as_chunks::<8>().0.iter();
    let seen = words.fold(0, |seen, word| seen | u64::from_ne_bytes(*word));
    seen & TOP_BITS == 0
}
