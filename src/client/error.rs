//! Why a connection was not opened, in which phase, and who refused.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::io;

use crate::client::tls::InvalidTls;
use crate::client::url::InvalidUrl;
use crate::engine::{HandshakeFailure, InvalidRequest};
use crate::wire::http::ResponseHead;

/// What a client was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Looking up a host.
    Resolve,
    /// Opening TCP.
    Connect,
    /// Asking a proxy to pass the connection on, TLS to the proxy included.
    Proxy,
    /// Opening TLS to the server.
    Tls,
    /// Asking the server for a WebSocket.
    Handshake,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking up the host",
            Self::Connect => "opening TCP",
            Self::Proxy => "asking the proxy",
            Self::Tls => "opening TLS",
            Self::Handshake => "the opening handshake",
        })
    }
}

/// Why a connection was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is malformed.
    Url(InvalidUrl),
    /// The request cannot be made as asked.
    Request(InvalidRequest),
    /// TLS cannot be spoken as asked.
    TlsConfig(InvalidTls),
    /// The host was not found, or a stream failed.
    Io(Phase, io::Error),
    /// TLS failed: the server's certificate is not to be trusted, or it does not speak TLS.
    Tls(io::Error),
    /// A phase took too long; without a phase, all of them together.
    TimedOut(Option<Phase>),
    /// The proxy did not pass the connection on.
    Proxy(ProxyRefusal),
    /// The server answered the request, and not with a WebSocket.
    Refused(alloc::boxed::Box<Refused>),
    /// The server's answer is not to be followed.
    Redirect(RedirectRefusal),
    /// The server's answer breaks the opening handshake.
    Handshake(HandshakeFailure),
}

impl ConnectError {
    /// The phase in which it failed; `None` where nothing was begun, or the total ran out.
    pub const fn phase(&self) -> Option<Phase> {
        match self {
            Self::Url(_) | Self::Request(_) | Self::TlsConfig(_) => None,
            Self::Io(phase, _) => Some(*phase),
            Self::TimedOut(phase) => *phase,
            Self::Proxy(_) => Some(Phase::Proxy),
            Self::Tls(_) => Some(Phase::Tls),
            Self::Refused(_) | Self::Redirect(_) | Self::Handshake(_) => Some(Phase::Handshake),
        }
    }

    /// What the server answered instead of opening a WebSocket.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::TlsConfig(error) => error.fmt(f),
            Self::Io(phase, error) => write!(f, "{phase} failed: {error}"),
            Self::Tls(error) => write!(f, "TLS with the server failed: {error}"),
            Self::TimedOut(Some(phase)) => write!(f, "{phase} took too long"),
            Self::TimedOut(None) => f.write_str("opening the connection took too long"),
            Self::Proxy(refusal) => refusal.fmt(f),
            Self::Refused(refused) => refused.fmt(f),
            Self::Redirect(refusal) => refusal.fmt(f),
            Self::Handshake(failure) => failure.fmt(f),
        }
    }
}

impl core::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(_, error) | Self::Tls(error) => Some(error),
            _ => None,
        }
    }
}

/// An answer of the server that is HTTP and opens no WebSocket.
#[derive(Debug)]
pub struct Refused {
    pub(crate) head: ResponseHead,
    pub(crate) body: Vec<u8>,
}

impl Refused {
    /// The status, such as 401.
    pub fn status(&self) -> u16 {
        self.head.status()
    }

    /// The head, with headers such as `WWW-Authenticate` and `Retry-After`.
    pub const fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// The beginning of the body as it was sent: 64 KiB at most, and what came within the
    /// handshake's deadline.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.head.reason();
        write!(f, "the server answered {} {reason}", self.head.status())
    }
}

/// Why a proxy did not pass a connection on.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyRefusal {
    /// The proxy wants a user and a password (407), or others than those it got.
    Credentials,
    /// The proxy answered with this HTTP status. It speaks for itself or for what is behind it:
    /// 403 is its own rule, 502 to 504 say that the server could not be reached.
    Status(u16),
    /// What the proxy said instead of passing on, in the words of SOCKS.
    Socks(String),
    /// What it answered is not an answer to what it was asked.
    Malformed(String),
    /// TLS with the proxy failed.
    Tls(io::Error),
}

impl fmt::Display for ProxyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials => f.write_str("the proxy refuses the credentials, or wants some"),
            Self::Status(status @ 502..=504) => {
                write!(
                    f,
                    "the proxy could not reach the server: it answered {status}"
                )
            }
            Self::Status(status) => write!(f, "the proxy refused: it answered {status}"),
            Self::Socks(what) => write!(f, "the proxy did not connect: {what}"),
            Self::Malformed(what) => write!(f, "the proxy's answer is malformed: {what}"),
            Self::Tls(error) => write!(f, "TLS with the proxy failed: {error}"),
        }
    }
}

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectRefusal {
    /// More of them than are allowed.
    TooMany,
    /// It leads to where the client has been.
    Loop,
    /// It leads from `wss` to `ws`.
    Downgrade,
    /// It leads to something that is not a WebSocket's URL.
    Location(InvalidUrl),
}

impl fmt::Display for RedirectRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => f.write_str("the server redirects more often than is allowed"),
            Self::Loop => f.write_str("the server redirects in a circle"),
            Self::Downgrade => f.write_str("the server redirects from wss to ws"),
            Self::Location(error) => write!(f, "the server redirects elsewhere: {error}"),
        }
    }
}
