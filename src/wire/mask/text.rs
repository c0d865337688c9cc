//! Text, unmasked and judged in one pass with AVX-512: as ASCII for as long as it is, and then as
//! UTF-8.

use core::arch::x86_64::{__m512i, _mm512_or_si512, _mm512_xor_si512};

use crate::wire::mask::avx512::{
    BLOCK_BYTES, is_ascii, load, repeated, store, store_part, unmasked_part,
};
use crate::wire::mask::dense;
use crate::wire::mask::key::MaskKey;
use crate::wire::mask::seen::Seen;
use crate::wire::mask::stream::bytes_before_line;

/// The blocks that are looked at together.
const BLOCKS: usize = 4;

/// Unmasks text in place, and says what it saw of it.
#[target_feature(enable = "avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn apply(key: MaskKey, text: &mut [u8]) -> Seen {
    let before = bytes_before_line(text);
    if before == 0 {
        return ascii_first(key, text);
    }
    if !ascii_part(repeated(key), &mut text[..before]) {
        return judged(key, text);
    }
    ascii_first(key.rotated(before), &mut text[before..])
}

/// Unmasks text that is ASCII, and leaves the rest to [`dense`]: before it, nothing is unfinished.
#[target_feature(enable = "avx512bw,avx512vbmi,avx512vbmi2")]
fn ascii_first(key: MaskKey, text: &mut [u8]) -> Seen {
    let repeated = repeated(key);
    let mut rest = text;
    while let Some(blocks) = rest.first_chunk_mut() {
        if !ascii_blocks(repeated, blocks) {
            return judged(key, rest);
        }
        rest = &mut rest[BLOCKS * BLOCK_BYTES..];
    }
    while !rest.is_empty() {
        let here = rest.len().min(BLOCK_BYTES);
        if !ascii_part(repeated, &mut rest[..here]) {
            return judged(key, rest);
        }
        rest = &mut rest[here..];
    }
    Seen::Ascii
}

#[target_feature(enable = "avx512bw,avx512vbmi")]
#[inline(never)]
fn judged(key: MaskKey, text: &mut [u8]) -> Seen {
    match dense::apply(key, text) {
        true => Seen::Sound,
        false => Seen::Unknown,
    }
}

/// Unmasks some blocks where all of them are ASCII, and says whether they are.
#[target_feature(enable = "avx512bw")]
#[inline]
fn ascii_blocks(key: __m512i, blocks: &mut [u8; BLOCKS * BLOCK_BYTES]) -> bool {
    let blocks = blocks.as_chunks_mut().0;
    let unmasked = |at: usize| _mm512_xor_si512(key, load(&blocks[at]));
    let unmasked = [unmasked(0), unmasked(1), unmasked(2), unmasked(3)];
    let [a, b, c, d] = unmasked;
    let seen = _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d));
    let is_ascii = is_ascii(seen);
    if is_ascii {
        for (block, bytes) in blocks.iter_mut().zip(unmasked) {
            store(block, bytes);
        }
    }
    is_ascii
}

/// Unmasks a part of a block where all of it is ASCII, and says whether it is.
#[target_feature(enable = "avx512bw")]
#[inline]
fn ascii_part(key: __m512i, part: &mut [u8]) -> bool {
    let bytes = unmasked_part(key, part);
    let is_ascii = is_ascii(bytes);
    if is_ascii {
        store_part(part, bytes);
    }
    is_ascii
}
