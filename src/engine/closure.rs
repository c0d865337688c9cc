//! How a connection ended.

use alloc::boxed::Box;
use core::fmt;

use crate::engine::violation::Violation;
use crate::wire::close::{CloseCode, CloseReason};

/// One of the two ends, as seen from this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum Side {
    /// This end.
    Local,
    /// The peer.
    Remote,
}

/// What ended a connection, apart from the closing handshake itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The closing handshake; both ends have said Close.
    Handshake,
    /// The peer broke the protocol.
    Violation(Violation),
    /// The transport ended before the closing handshake was complete.
    EndOfStream,
    /// The closing handshake was not complete within the close timeout.
    CloseTimeout,
    /// The peer sent nothing within the pong timeout after a Ping.
    NoPong,
    /// The application ended the connection without a handshake.
    Terminated,
}

/// How a connection ended: who began, what was said both ways, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    began: Option<Side>,
    sent: Option<CloseReason>,
    received: Option<CloseReason>,
    cause: Option<Cause>,
}

impl Closure {
    pub(crate) fn boxed() -> Box<Self> {
        Box::new(Self {
            began: None,
            sent: None,
            received: None,
            cause: None,
        })
    }

    pub(crate) fn set_sent(&mut self, reason: CloseReason) {
        self.began.get_or_insert(Side::Local);
        self.sent.get_or_insert(reason);
    }

    pub(crate) fn set_received(&mut self, reason: CloseReason) {
        self.began.get_or_insert(Side::Remote);
        self.received.get_or_insert(reason);
    }

    pub(crate) fn set_cause(&mut self, cause: Cause) {
        self.cause.get_or_insert(cause);
    }

    /// The handshake that seemed complete was not.
    pub(crate) fn forget_handshake(&mut self) {
        self.cause.take_if(|cause| *cause == Cause::Handshake);
    }

    /// Who said Close first; `None` when nobody did.
    pub const fn began(&self) -> Option<Side> {
        self.began
    }

    /// The Close that was sent, or queued to be; see [`is_clean`](Self::is_clean).
    pub const fn sent(&self) -> Option<&CloseReason> {
        self.sent.as_ref()
    }

    /// The Close that was received.
    pub const fn received(&self) -> Option<&CloseReason> {
        self.received.as_ref()
    }

    /// What ended the connection; `None` while it is still closing.
    pub const fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// The code with which the connection closed (RFC 6455 §7.1.5).
    ///
    /// The one in the Close frame received; [`CloseCode::NO_STATUS_RECEIVED`] when there was
    /// none in it; [`CloseCode::ABNORMAL_CLOSURE`] when no Close frame was received.
    //= WS-134
    pub fn code(&self) -> CloseCode {
        self.received
            .as_ref()
            .map_or(CloseCode::ABNORMAL_CLOSURE, |received| {
                received.code().unwrap_or(CloseCode::NO_STATUS_RECEIVED)
            })
    }

    /// The reason in the Close frame received, else empty (RFC 6455 §7.1.6).
    ///
    /// It comes from the peer: for a log, not for people (§5.5.1).
    //= WS-101
    //= WS-135
    pub fn reason(&self) -> &str {
        self.received.as_ref().map_or("", CloseReason::reason)
    }

    /// Whether the connection closed cleanly: both ends said Close (RFC 6455 §7.1.4), and ours
    /// was not lost with the transport while it waited to be sent.
    //= WS-133
    pub fn is_clean(&self) -> bool {
        self.sent.is_some() && self.received.is_some() && self.cause == Some(Cause::Handshake)
    }
}

impl fmt::Display for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.began {
            Some(Side::Local) => "closed by this end",
            Some(Side::Remote) => "closed by the peer",
            None => "ended without a Close frame",
        };
        write!(f, "{who}, code {}", self.code())?;
        match self.cause {
            Some(Cause::Violation(violation)) => write!(f, ", the peer's fault: {violation}"),
            Some(Cause::EndOfStream) => f.write_str(", the stream ended early"),
            Some(Cause::CloseTimeout) => f.write_str(", the closing handshake took too long"),
            Some(Cause::NoPong) => f.write_str(", the peer did not answer a Ping"),
            Some(Cause::Terminated) => f.write_str(", without a handshake"),
            Some(Cause::Handshake) | None => Ok(()),
        }
    }
}
