//! Masking on x86-64: with the widest registers that the processor has.
//!
//! Payloads from 256 bytes on are done in blocks with AVX-512, on processors that do not slow
//! down for it: those that have VBMI2 as well. Otherwise, and in lanes of 32 bytes where a payload
//! is shorter, AVX2 is used, and where that is missing lanes of 16. Text is for [`mod@text`], where
//! there is AVX-512.

#![expect(
    unsafe_code,
    reason = "a function for AVX2 may be called only where AVX2 is"
)]

use core::sync::atomic::{AtomicU8, Ordering};
use std::arch::is_x86_feature_detected;

use crate::wire::mask::key::MaskKey;
use crate::wire::mask::seen::Seen;
use crate::wire::mask::short::{self, SHORT_BYTES};
use crate::wire::mask::{lanes, stream, text};

/// From here on it pays to judge text in the pass that unmasks it.
const TEXT_BYTES_MIN: usize = 160;

/// The widest registers that are used, once [`find_out`] has found out that they are there: it
/// alone writes this, and what stands here is true of the processor whenever it is read.
static WIDEST: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const BASELINE: u8 = 1;
/// Only with AVX2.
const AVX2: u8 = 2;
/// Only with AVX-512, its bytes and words, VBMI and VBMI2, and with AVX2.
const AVX512: u8 = 3;

/// Masks in place, and says whether all bytes have become ASCII; without `LOOKS`, that they have.
///
/// Whatever it calls is the last that it does, so that it saves no register: that would cost a
/// short payload as much as its masking.
pub(super) fn apply<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8]) -> bool {
    let widest = WIDEST.load(Ordering::Relaxed);
    if buffer.len() < stream::BLOCK_BYTES {
        return match widest {
            // SAFETY: `WIDEST` says that the processor has AVX2, which is all that is asked for.
            AVX2.. => unsafe { lanes_avx2::<LOOKS>(key, buffer) },
            BASELINE => baseline::<LOOKS>(key, buffer),
            _ => apply_first::<LOOKS>(key, buffer),
        };
    }
    let before = stream::bytes_before_line(buffer);
    if before > 0 {
        return apply_aligned::<LOOKS>(key, buffer, before);
    }
    match widest {
        // SAFETY: `WIDEST` says that the processor has them, which is all that is asked for.
        AVX512.. => unsafe { stream_avx512::<LOOKS>(key, buffer) },
        // SAFETY: `WIDEST` says that the processor has AVX2, which is all that is asked for.
        AVX2 => unsafe { stream_avx2::<LOOKS>(key, buffer) },
        BASELINE => baseline::<LOOKS>(key, buffer),
        _ => apply_first::<LOOKS>(key, buffer),
    }
}

#[cold]
#[inline(never)]
fn apply_first<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8]) -> bool {
    find_out();
    apply::<LOOKS>(key, buffer)
}

/// Finds out what the processor has.
fn find_out() {
    let has_avx2 = is_x86_feature_detected!("avx2");
    let has_avx512 = is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2");
    let widest = match has_avx2 && has_avx512 {
        true => AVX512,
        false if has_avx2 => AVX2,
        false => BASELINE,
    };
    WIDEST.store(widest, Ordering::Relaxed);
}

#[inline(never)]
fn baseline<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8]) -> bool {
    lanes::baseline::apply::<LOOKS>(key, buffer)
}

/// Masks what stands before a line, and the rest after it. Apart from `apply`, so that a shorter
/// payload does not save registers for it.
#[inline(never)]
fn apply_aligned<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8], before: usize) -> bool {
    let (before, rest) = buffer.split_at_mut(before);
    let is_ascii = apply_part::<LOOKS>(key, before);
    apply::<LOOKS>(key.rotated(before.len()), rest) && is_ascii
}

/// Masks a part of a payload, which may be short.
#[inline(always)]
fn apply_part<const LOOKS: bool>(key: MaskKey, part: &mut [u8]) -> bool {
    if part.len() < SHORT_BYTES {
        short::apply::<LOOKS>(key, part)
    } else {
        apply::<LOOKS>(key, part)
    }
}

#[target_feature(enable = "avx2")]
fn lanes_avx2<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8]) -> bool {
    lanes::apply::<32>(key, buffer) || !LOOKS
}

#[target_feature(enable = "avx2")]
fn stream_avx2<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8]) -> bool {
    stream::apply::<LOOKS>(key, buffer, apply_part::<LOOKS>)
}

#[target_feature(enable = "avx512vbmi2")]
fn stream_avx512<const LOOKS: bool>(key: MaskKey, buffer: &mut [u8]) -> bool {
    stream::apply::<LOOKS>(key, buffer, apply_part::<LOOKS>)
}

/// Unmasks text in place, and says what it saw of it.
pub(super) fn apply_text(key: MaskKey, text: &mut [u8]) -> Seen {
    match WIDEST.load(Ordering::Relaxed) {
        // SAFETY: `WIDEST` says that the processor has them, which is all that is asked for.
        AVX512.. if text.len() >= TEXT_BYTES_MIN => unsafe { text::apply(key, text) },
        _ => Seen::ascii(apply::<true>(key, text)),
    }
}

/// Masks from one slice into another of the same length.
pub(super) fn copy(key: MaskKey, source: &[u8], target: &mut [u8]) {
    match WIDEST.load(Ordering::Relaxed) {
        // SAFETY: `WIDEST` says that the processor has AVX2, which is all that is asked for.
        AVX2.. => unsafe { copy_avx2(key, source, target) },
        BASELINE => lanes::baseline::copy(key, source, target),
        _ => copy_first(key, source, target),
    }
}

#[cold]
#[inline(never)]
fn copy_first(key: MaskKey, source: &[u8], target: &mut [u8]) {
    find_out();
    copy(key, source, target);
}

#[target_feature(enable = "avx2")]
fn copy_avx2(key: MaskKey, source: &[u8], target: &mut [u8]) {
    lanes::copy::<32>(key, source, target);
}
