//! Registers of 64 bytes.

#![expect(unsafe_code, reason = "blocks are read and written through pointers")]

use core::arch::x86_64::{
    __m512i, _mm512_loadu_si512, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8,
    _mm512_maskz_mov_epi8, _mm512_movepi8_mask, _mm512_set1_epi8, _mm512_set1_epi32,
    _mm512_storeu_si512, _mm512_xor_si512,
};

use crate::wire::mask::key::MaskKey;

/// The bytes of one register.
pub(super) const BLOCK_BYTES: usize = 64;

/// A bit for each of the first bytes of a block.
pub(super) const fn lowest(bytes: usize) -> u64 {
    match bytes {
        0..BLOCK_BYTES => (1 << bytes) - 1,
        _ => u64::MAX,
    }
}

#[target_feature(enable = "avx512bw")]
#[inline]
pub(super) fn repeated(key: MaskKey) -> __m512i {
    _mm512_set1_epi32(i32::from_ne_bytes(key.bytes()))
}

#[target_feature(enable = "avx512bw")]
#[inline]
pub(super) fn every(byte: u8) -> __m512i {
    _mm512_set1_epi8(byte.cast_signed())
}

/// Whether no byte has its top bit.
#[target_feature(enable = "avx512bw")]
#[inline]
pub(super) fn is_ascii(block: __m512i) -> bool {
    _mm512_movepi8_mask(block) == 0
}

#[target_feature(enable = "avx512bw")]
#[inline]
pub(super) fn load(block: &[u8; BLOCK_BYTES]) -> __m512i {
    // SAFETY: the block is 64 bytes that may be read, and no alignment is asked for.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

/// The first bytes of `text`, unmasked; 0 behind its end.
#[target_feature(enable = "avx512bw")]
#[inline]
pub(super) fn unmasked_part(key: __m512i, text: &[u8]) -> __m512i {
    let there = lowest(text.len());
    // SAFETY: no more bytes are read than the slice has, and no alignment is asked for.
    let bytes = unsafe { _mm512_maskz_loadu_epi8(there, text.as_ptr().cast()) };
    _mm512_maskz_mov_epi8(there, _mm512_xor_si512(bytes, key))
}

#[target_feature(enable = "avx512bw")]
#[inline]
pub(super) fn store(block: &mut [u8; BLOCK_BYTES], value: __m512i) {
    // SAFETY: the block is 64 bytes that may be written, and no alignment is asked for.
    unsafe { _mm512_storeu_si512(block.as_mut_ptr().cast(), value) }
}

/// Writes the first bytes of a block over `text`.
#[target_feature(enable = "avx512bw")]
#[inline]
pub(super) fn store_part(text: &mut [u8], value: __m512i) {
    // SAFETY: no more bytes are written than the slice has, and no alignment is asked for.
    unsafe { _mm512_mask_storeu_epi8(text.as_mut_ptr().cast(), lowest(text.len()), value) }
}
