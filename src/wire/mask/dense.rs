//! Text that is not ASCII, unmasked and validated in one pass with AVX-512.
//!
//! Whether a byte may follow another is mostly seen in three halves of bytes: both of the first
//! and the upper one of the second. Each fault that two bytes can show has a bit; three tables
//! tell for each half which faults it goes with, and what all three go with is there. What two
//! bytes cannot show is whether a second or third continuation has its first byte: that is seen
//! two and three bytes back (J. Keiser and D. Lemire, "Validating UTF-8 In Less Than One
//! Instruction Per Byte", 2020).
//!
//! The bytes that stand one, two and three back are loaded again from there, which costs less
//! than to move them within a register, and before the block is written that they belong to.

use core::arch::x86_64::{
    __m512i, _mm512_maskz_mov_epi8, _mm512_maskz_permutexvar_epi8, _mm512_or_si512,
    _mm512_permutexvar_epi8, _mm512_setzero_si512, _mm512_srli_epi16, _mm512_subs_epu8,
    _mm512_ternarylogic_epi32, _mm512_test_epi8_mask, _mm512_xor_si512,
};

use crate::wire::mask::avx512::{
    BLOCK_BYTES, every, load, lowest, repeated, store, store_part, unmasked_part,
};
use crate::wire::mask::key::MaskKey;

/// The halves of a byte, as bits of a set, in which two bytes that follow one another show a fault.
struct Fault {
    first_upper: u16,
    first_lower: u16,
    second_upper: u16,
}

const ANY: u16 = 0xffff;
const CONTINUATION: u16 = halves(0x8, 0xb);

/// The halves from the least to the greatest.
const fn halves(least: u32, greatest: u32) -> u16 {
    (ANY << least) & (ANY >> (15 - greatest))
}

const fn fault(first_upper: u16, first_lower: u16, second_upper: u16) -> Fault {
    Fault {
        first_upper,
        first_lower,
        second_upper,
    }
}

/// What Table 3-7 of the Unicode standard (§3.9) does not have. The last is a fault only where no
/// character of three or four bytes is going on: [`CONTINUED`].
const FAULTS: [Fault; 8] = [
    // A character has begun, and no continuation follows.
    fault(halves(0xc, 0xf), ANY, !CONTINUATION),
    // A continuation behind ASCII.
    fault(halves(0x0, 0x7), ANY, CONTINUATION),
    // C0 and C1: what fits one byte.
    fault(halves(0xc, 0xc), halves(0x0, 0x1), CONTINUATION),
    // E0 80 to E0 9F: what fits two bytes.
    fault(halves(0xe, 0xe), halves(0x0, 0x0), halves(0x8, 0x9)),
    // ED A0 to ED BF: surrogates.
    fault(halves(0xe, 0xe), halves(0xd, 0xd), halves(0xa, 0xb)),
    // F0 80 to F0 8F: what fits three bytes; F5 to FF: beyond the last character.
    fault(
        halves(0xf, 0xf),
        halves(0x0, 0x0) | halves(0x5, 0xf),
        halves(0x8, 0x8),
    ),
    // F4 90 to F4 BF, and F5 to FF again: beyond the last character.
    fault(halves(0xf, 0xf), halves(0x4, 0xf), halves(0x9, 0xb)),
    // A continuation behind a continuation.
    fault(CONTINUATION, ANY, CONTINUATION),
];

/// The bit of the last fault, and the least byte that is a continuation.
const CONTINUED: u8 = 0x80;

type Table = [u8; BLOCK_BYTES];

/// A half of either byte.
#[derive(Clone, Copy)]
enum Half {
    FirstUpper,
    FirstLower,
    SecondUpper,
}

/// The faults that go with each half. It is there four times: what stands above the half in the
/// six bits that are looked up does not matter then.
const fn table(half: Half) -> Table {
    let mut table = [0; BLOCK_BYTES];
    let mut at = 0;
    while at < BLOCK_BYTES {
        let mut fault = 0;
        while fault < FAULTS.len() {
            let set = match half {
                Half::FirstUpper => FAULTS[fault].first_upper,
                Half::FirstLower => FAULTS[fault].first_lower,
                Half::SecondUpper => FAULTS[fault].second_upper,
            };
            if set >> (at % 16) & 1 == 1 {
                table[at] |= 1 << fault;
            }
            fault += 1;
        }
        at += 1;
    }
    table
}

static TABLES: [Table; 3] = [
    table(Half::FirstUpper),
    table(Half::FirstLower),
    table(Half::SecondUpper),
];

/// Where in the first block the byte stands that is so many back from each.
const fn back(bytes: usize) -> Table {
    let mut table = [0; BLOCK_BYTES];
    let (mut at, mut from) = (bytes, 0);
    while at < BLOCK_BYTES {
        table[at] = from;
        (at, from) = (at + 1, from + 1);
    }
    table
}

static BACK: [Table; 3] = [back(1), back(2), back(3)];

/// A block of unmasked bytes, and for each of them those that stand one, two and three back; 0
/// where the text has not begun, or has ended.
#[derive(Clone, Copy)]
struct Block {
    bytes: __m512i,
    back: [__m512i; 3],
}

/// Unmasks text in place, and says whether it is UTF-8 so far: it may end inside a character.
#[target_feature(enable = "avx512bw,avx512vbmi")]
pub(super) fn apply(key: MaskKey, text: &mut [u8]) -> bool {
    let tables = [load(&TABLES[0]), load(&TABLES[1]), load(&TABLES[2])];
    let keys = Keys::new(key);
    let mut block = first(&keys, text);
    let mut found = _mm512_setzero_si512();
    let mut rest = &mut *text;
    // The next block reaches back into this one, which is written only then.
    while let Some(two) = rest.first_chunk_mut() {
        let next = second(&keys, two);
        found = _mm512_or_si512(found, faults(&tables, &block));
        if let Some(this) = two.first_chunk_mut() {
            store(this, block.bytes);
        }
        rest = &mut rest[BLOCK_BYTES..];
        block = next;
    }
    if rest.len() > BLOCK_BYTES {
        let next = part(&keys, &rest[BLOCK_BYTES - BACK.len()..]);
        found = _mm512_or_si512(found, faults(&tables, &block));
        store_part(rest, block.bytes);
        rest = &mut rest[BLOCK_BYTES..];
        block = next;
    }
    // What is missing behind the end is no fault yet.
    let last = _mm512_maskz_mov_epi8(lowest(rest.len()), faults(&tables, &block));
    store_part(rest, block.bytes);
    let found = _mm512_or_si512(found, last);
    _mm512_test_epi8_mask(found, found) == 0 && !ends_with_none(text)
}

/// Whether the last byte is one that no character has: others are seen by what follows.
const fn ends_with_none(text: &[u8]) -> bool {
    matches!(text.last(), Some(0xc0 | 0xc1 | 0xf5..))
}

/// The key, as it meets a block and what stands one, two and three bytes back.
struct Keys([__m512i; 1 + BACK.len()]);

impl Keys {
    #[target_feature(enable = "avx512bw")]
    #[inline]
    fn new(key: MaskKey) -> Self {
        let back = |bytes: usize| repeated(key.rotated(4 - bytes));
        Self([repeated(key), back(1), back(2), back(3)])
    }
}

/// The first block of a text.
#[target_feature(enable = "avx512bw,avx512vbmi")]
#[inline]
fn first(keys: &Keys, text: &[u8]) -> Block {
    let bytes = unmasked_part(keys.0[0], text);
    let back = |table, there| _mm512_maskz_permutexvar_epi8(there, load(table), bytes);
    Block {
        bytes,
        back: [back(&BACK[0], !1), back(&BACK[1], !3), back(&BACK[2], !7)],
    }
}

/// The second of two blocks.
#[target_feature(enable = "avx512bw")]
#[inline]
fn second(keys: &Keys, two: &[u8; 2 * BLOCK_BYTES]) -> Block {
    Block {
        bytes: _mm512_xor_si512(keys.0[0], load_within::<BLOCK_BYTES>(two)),
        back: [
            _mm512_xor_si512(keys.0[1], load_within::<{ BLOCK_BYTES - 1 }>(two)),
            _mm512_xor_si512(keys.0[2], load_within::<{ BLOCK_BYTES - 2 }>(two)),
            _mm512_xor_si512(keys.0[3], load_within::<{ BLOCK_BYTES - 3 }>(two)),
        ],
    }
}

/// A block of which not all is there, behind three bytes.
#[target_feature(enable = "avx512bw")]
#[inline]
fn part(keys: &Keys, text: &[u8]) -> Block {
    Block {
        bytes: unmasked_part(keys.0[0], &text[3..]),
        back: [
            unmasked_part(keys.0[1], &text[2..]),
            unmasked_part(keys.0[2], &text[1..]),
            unmasked_part(keys.0[3], text),
        ],
    }
}

/// The faults that the bytes of a block show, with those before them.
#[target_feature(enable = "avx512bw,avx512vbmi")]
#[inline]
fn faults(tables: &[__m512i; 3], block: &Block) -> __m512i {
    let [one, two, three] = block.back;
    let shown = _mm512_ternarylogic_epi32::<ALL_THREE>(
        _mm512_permutexvar_epi8(_mm512_srli_epi16::<4>(one), tables[0]),
        _mm512_permutexvar_epi8(one, tables[1]),
        _mm512_permutexvar_epi8(_mm512_srli_epi16::<4>(block.bytes), tables[2]),
    );
    // The top bit stays only of what begins a character of three bytes or more, or of four.
    let goes_on = _mm512_ternarylogic_epi32::<EITHER_AND>(
        _mm512_subs_epu8(two, every(0xe0 - CONTINUED)),
        _mm512_subs_epu8(three, every(0xf0 - CONTINUED)),
        every(CONTINUED),
    );
    // There a continuation has to follow, and elsewhere none may.
    _mm512_xor_si512(shown, goes_on)
}

/// `a & b & c`, as the bit for each of the eight combinations.
const ALL_THREE: i32 = 0b1000_0000;
/// `(a | b) & c`.
const EITHER_AND: i32 = 0b1010_1000;

/// The block that begins `AT` bytes within two.
#[target_feature(enable = "avx512bw")]
#[inline]
fn load_within<const AT: usize>(two: &[u8; 2 * BLOCK_BYTES]) -> __m512i {
    const { assert!(AT <= BLOCK_BYTES) };
    match two[AT..].first_chunk() {
        Some(block) => load(block),
        None => _mm512_setzero_si512(),
    }
}
