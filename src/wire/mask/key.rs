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
    pub const fn rotated(self, octets: usize) -> Self {
        let [a, b, c, d] = self.0;
        Self(match octets % 4 {
            0 => [a, b, c, d],
            1 => [b, c, d, a],
            2 => [c, d, a, b],
            _ => [d, a, b, c],
        })
    }

    /// The key twice over, as a word in the memory order of the machine.
    pub(super) const fn word(self) -> u64 {
        let [a, b, c, d] = self.0;
        u64::from_ne_bytes([a, b, c, d, a, b, c, d])
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey(..)")
    }
}
