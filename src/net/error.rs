//! What can go wrong between a connection and the world.

use core::fmt;
use std::io;

use crate::engine::{Misuse, Violation};

/// Why a call on a [`WebSocket`](crate::net::WebSocket) did not do what it says.
///
/// A connection that closes in the normal way is not an error. Whatever ended a connection is
/// reported once; later calls find it closed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed.
    Io(io::Error),
    /// The peer broke the protocol. It has been told, and the connection is closed.
    Violation(Violation),
    /// The stream ended before the closing handshake was complete.
    EndOfStream,
    /// Something did not happen in time.
    TimedOut(TimedOut),
    /// The call cannot be carried out; the connection is as it was.
    Misuse(Misuse),
}

/// What did not happen in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimedOut {
    /// The closing handshake.
    Close,
    /// The answer to a Ping.
    Pong,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the transport failed: {error}"),
            Self::Violation(violation) => write!(f, "the peer broke the protocol: {violation}"),
            Self::EndOfStream => f.write_str("the stream ended before the closing handshake"),
            Self::TimedOut(TimedOut::Close) => f.write_str("the closing handshake took too long"),
            Self::TimedOut(TimedOut::Pong) => f.write_str("the peer did not answer a Ping"),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Violation(violation) => Some(violation),
            Self::Misuse(misuse) => Some(misuse),
            Self::EndOfStream | Self::TimedOut(_) => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
