//! Masking as RFC 6455 §5.3 writes it down: what every faster way is held to.

use crate::wire::mask::key::MaskKey;

/// Masks or unmasks `buffer` byte by byte, as RFC 6455 §5.3 writes it down.
///
/// This is what the other ways are compared with.
#[inline]
pub fn apply_scalar(key: MaskKey, buffer: &mut [u8]) {
    for (index, byte) in buffer.iter_mut().enumerate() {
        *byte ^= key.bytes()[index % 4];
    }
}
