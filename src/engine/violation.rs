//! What the peer can do wrong, and what each wrong costs it.

use core::fmt;

use crate::wire::close::{CloseCode, CloseReason, MalformedClose};
use crate::wire::header::MalformedHeader;

/// A way in which the peer broke the protocol, or a bound that it crossed.
///
/// It fails the connection (RFC 6455 §7.1.7): one Close frame with
/// [`close_code`](Self::close_code) is queued behind what was sent before, everything that
/// follows from the peer is discarded unread, and TCP ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A header that no frame can have.
    Header(MalformedHeader),
    /// A client sent a frame without a mask.
    Unmasked,
    /// A server sent a frame with a mask.
    Masked,
    /// A reserved bit that no negotiated extension gives a meaning.
    ReservedBits,
    /// A continuation with no message to continue.
    UnexpectedContinuation,
    /// A new message before the last fragment of the one before.
    InterleavedMessage,
    /// A text message that is not UTF-8.
    NotUtf8,
    /// A Close frame whose body is not a code and a reason.
    Close(MalformedClose),
    /// A message larger than the
    /// [`message_bytes_max`](crate::engine::Limits::message_bytes_max) of the limits.
    MessageTooBig,
    /// A message in more frames than the
    /// [`fragments_max`](crate::engine::Limits::fragments_max) of the limits.
    TooManyFragments,
    /// A message that its extension cannot read.
    ExtensionData,
}

impl Violation {
    /// The code that the Close frame tells the peer (RFC 6455 §7.4.1).
    //= WS-139
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Header(_)
            | Self::Unmasked
            | Self::Masked
            | Self::ReservedBits
            | Self::UnexpectedContinuation
            | Self::InterleavedMessage
            | Self::Close(MalformedClose::OneByte | MalformedClose::Code(_)) => {
                CloseCode::PROTOCOL_ERROR
            }
            Self::NotUtf8 | Self::ExtensionData | Self::Close(MalformedClose::NotUtf8) => {
                CloseCode::INVALID_PAYLOAD_DATA
            }
            Self::Close(_) => CloseCode::PROTOCOL_ERROR,
            Self::MessageTooBig => CloseCode::MESSAGE_TOO_BIG,
            Self::TooManyFragments => CloseCode::POLICY_VIOLATION,
        }
    }

    /// Code and phrase, as they stand in the Close frame.
    pub fn close_reason(self) -> CloseReason {
        CloseReason::new(self.close_code(), self.phrase()).unwrap_or_else(|_| CloseReason::empty())
    }

    /// The section that was broken.
    pub const fn section(self) -> &'static str {
        match self {
            Self::Header(MalformedHeader::FragmentedControl | MalformedHeader::LongControl) => {
                "RFC 6455 §5.5"
            }
            Self::Header(_) | Self::ReservedBits => "RFC 6455 §5.2",
            Self::Unmasked | Self::Masked => "RFC 6455 §5.1",
            Self::UnexpectedContinuation | Self::InterleavedMessage => "RFC 6455 §5.4",
            Self::NotUtf8 => "RFC 6455 §8.1",
            Self::Close(MalformedClose::Code(_)) => "RFC 6455 §7.4",
            Self::Close(_) => "RFC 6455 §5.5.1",
            Self::MessageTooBig | Self::TooManyFragments => "RFC 6455 §10.4",
            Self::ExtensionData => "RFC 7692 §7.2.2",
        }
    }

    /// The reason that the Close frame tells the peer: one fixed phrase, never our internals.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Header(MalformedHeader::ReservedOpcode(_)) => "reserved opcode",
            Self::Header(MalformedHeader::FragmentedControl) => "fragmented control frame",
            Self::Header(MalformedHeader::LongControl) => "control frame over 125 bytes",
            Self::Header(MalformedHeader::LengthNotMinimal) => "length not in shortest form",
            Self::Header(MalformedHeader::LengthTopBit) => "top bit of the length set",
            Self::Unmasked => "frame not masked",
            Self::Masked => "frame masked",
            Self::ReservedBits => "reserved bits set",
            Self::UnexpectedContinuation => "continuation without a message",
            Self::InterleavedMessage => "message inside a message",
            Self::NotUtf8 => "text is not UTF-8",
            Self::Close(MalformedClose::OneByte) => "close body of one byte",
            Self::Close(MalformedClose::Code(_)) => "close code not allowed",
            Self::Close(MalformedClose::NotUtf8) => "close reason is not UTF-8",
            Self::Close(_) => "close body malformed",
            Self::MessageTooBig => "message too big",
            Self::TooManyFragments => "too many fragments",
            Self::ExtensionData => "extension data malformed",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}, {})",
            self.phrase(),
            self.section(),
            self.close_code()
        )
    }
}

impl core::error::Error for Violation {}
