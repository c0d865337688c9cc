//! The masking key of one frame.

use core::fmt;

/// The masking key of one frame.
///
/// `Debug` does not print it: whoever knows the key of a frame that is still to be sent
/// can choose what stands on the wire (RFC 6455 §10.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MaskKey([u8; 4]);

impl MaskKey {
    /// The key made of these bytes, in the order in which they stand in the header.
    #[must_use]
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The bytes, in the order in which they stand in the header.
    #[must_use]
    pub const fn bytes(self) -> [u8; 4] {
        self.0
    }

    /// The key as it applies `octets` further into the payload.
    ///
    /// A payload that arrives in parts is unmasked part by part: the key of a part is the
    /// frame's key rotated by the number of octets before it.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a remainder of four")]
    pub const fn rotated(self, octets: usize) -> Self {
        // In little endian the first byte is the lowest, so turning right drops it behind.
        let turned = u32::from_le_bytes(self.0).rotate_right((octets % 4) as u32 * 8);
        Self(turned.to_le_bytes())
    }

    /// The key twice over, as a word in the memory order of the machine.
    pub(super) const fn word(self) -> u64 {
        let key = u32::from_ne_bytes(self.0) as u64;
        key << 32 | key
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey(..)")
    }
}
