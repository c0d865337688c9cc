//! Opcodes: what a frame is (RFC 6455 §5.2).

/// What a frame carries (RFC 6455 §5.2, §11.8).
///
/// The values 3 to 7 and 11 to 15 are reserved; a frame that bears one cannot be expressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(
    clippy::exhaustive_enums,
    reason = "RFC 6455 defines these six; a new one is a new RFC"
)]
pub enum Opcode {
    /// A further fragment of the message that is being received (§5.4).
    Continuation = 0x0,
    /// A text message, or its first fragment: UTF-8 (§5.6).
    Text = 0x1,
    /// A binary message, or its first fragment (§5.6).
    Binary = 0x2,
    /// The Close frame (§5.5.1).
    Close = 0x8,
    /// The Ping frame (§5.5.2).
    Ping = 0x9,
    /// The Pong frame (§5.5.3).
    Pong = 0xa,
}

impl Opcode {
    /// Reads the low four bits of `byte`; `None` for a reserved value.
    //= WS-076
    pub const fn from_low_bits(byte: u8) -> Option<Self> {
        Some(match byte & 0x0f {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }

    /// Whether frames of this kind are control frames (§5.5): Close, Ping, Pong.
    pub const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}
