//! What the caller can do wrong.

use core::fmt;

use crate::wire::close::CloseReasonError;

/// A call that the connection cannot carry out; it is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// A Close frame was sent or received: no data may follow (RFC 6455 §5.5.1, §6.1).
    Closing,
    /// A control frame was to carry more than 125 bytes (§5.5).
    ControlTooLong,
    /// A message was begun before the last fragment of the one before was sent (§5.4).
    MessageUnfinished,
    /// The fragments of one message were to have different kinds (§5.4).
    KindChanged,
    /// The fragments of a text message are not UTF-8 (§5.6).
    NotUtf8,
    /// The close code or its reason may not be sent (§7.4).
    CloseReason(CloseReasonError),
    /// A server was to close with 1010, which only a client may do (§7.4.1).
    ClientCode,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closing => "the connection is closing; no data may be sent",
            Self::ControlTooLong => "a control frame carries at most 125 bytes",
            Self::MessageUnfinished => "the message before has not had its last fragment",
            Self::KindChanged => "the fragments of a message are of one kind",
            Self::NotUtf8 => "a text message is UTF-8",
            Self::CloseReason(error) => return write!(f, "{error}"),
            Self::ClientCode => "only a client may close with 1010",
        })
    }
}

impl core::error::Error for Misuse {}

/// Why a message or a Ping was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// Too much is waiting; try again when the outbox has drained to its low mark.
    Full,
    /// The call cannot be carried out at all.
    Misuse(Misuse),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("too many bytes are waiting to be sent"),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl core::error::Error for SendError {}

impl From<Misuse> for SendError {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
