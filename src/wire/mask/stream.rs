//! Masking long payloads in place, in blocks that the compiler turns into the widest vector
//! instructions that it is let.

use crate::wire::mask::key::MaskKey;
use crate::wire::mask::lanes::TOP_BITS;

/// Four of the widest registers.
pub(super) const BLOCK_BYTES: usize = 256;

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
