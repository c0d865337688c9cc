//! Masking long payloads in place, in blocks that the compiler turns into the widest vector
//! instructions that it is let.

use crate::wire::mask::key::MaskKey;
use crate::wire::mask::lanes::TOP_BITS;

/// Four of the widest registers.
pub(super) const BLOCK_BYTES: usize = 256;

/// The length of a cache line: an access that crosses from one into the next costs twice as much.
const LINE_BYTES: usize = 64;

/// From here on it pays to begin at a line.
const ALIGNED_BYTES_MIN: usize = 2 << 10;

/// How much of a payload is to be done before what begins at a line; none, where that does not pay.
#[inline(always)]
pub(super) fn bytes_before_line(payload: &[u8]) -> usize {
    match payload.len() {
        ALIGNED_BYTES_MIN.. => payload.as_ptr().align_offset(LINE_BYTES) % LINE_BYTES,
        _ => 0,
    }
}

/// Masks in place, and says whether all bytes have become ASCII; without `LOOKS`, that they have.
///
/// `behind` does the same with what stands behind the last whole block.
#[inline(always)]
pub(super) fn apply<const LOOKS: bool>(
    key: MaskKey,
    buffer: &mut [u8],
    behind: impl Fn(MaskKey, &mut [u8]) -> bool,
) -> bool {
    let (blocks, rest) = buffer.as_chunks_mut::<BLOCK_BYTES>();
    // A block is a multiple of the key: what stands behind meets it as the first block does. It
    // comes first where a look is taken, so that what was seen is not put aside meanwhile.
    let is_ascii = !LOOKS || rest.is_empty() || behind(key, rest);
    let mut seen = 0;
    for word in blocks.as_flattened_mut().as_chunks_mut::<8>().0 {
        let masked = u64::from_ne_bytes(*word) ^ key.word();
        seen |= masked;
        *word = masked.to_ne_bytes();
    }
    if LOOKS {
        is_ascii && seen & TOP_BITS == 0
    } else {
        rest.is_empty() || behind(key, rest)
    }
}
