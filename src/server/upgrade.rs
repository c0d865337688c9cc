//! Upgrades of requests that another HTTP server has read.
//!
//! [`handle_upgrade`] checks such a request, [`Switching`] is the answer 101 to it, and joins
//! with the stream that the other server gives up. With the feature `adapters`,
//! `server::adapters` does so for hyper and axum.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::engine::{
    AcceptError, Acceptance, Accepted, Connection, Limits, Refusal, ServerHandshake,
    ServerProgress, Timestamp, UpgradeRequest,
};
use crate::net::WebSocket;
use crate::wire::http::{self, HeadError, HeadLimits, ResponseHead};

/// What the other server has read is bounded by that server; this is only what we can hold.
const HEAD_LIMITS: HeadLimits = HeadLimits {
    line_bytes_max: 64 * 1024,
    head_bytes_max: 256 * 1024,
    headers_max: 128,
};

/// Checks a request that another HTTP server has read, as RFC 6455 §4.2.1 asks.
///
/// `version` is that of HTTP, (1, 1) being the only one that can be upgraded; names and values
/// of headers are as they came. The check is the one that requests pass which we read ourselves,
/// within 128 headers and 256 KiB.
///
/// # Errors
///
/// The [`Refusal`] with which to answer; [`refusal_headers`] are its headers.
//= E45
//= E29
pub fn handle_upgrade<N: AsRef<str>, V: AsRef<[u8]>>(
    method: &str,
    target: &str,
    version: (u8, u8),
    headers: impl IntoIterator<Item = (N, V)>,
) -> Result<UpgradeRequest, Refusal> {
    if version != (1, 1) {
        return Err(HeadError::VersionUnsupported.into());
    }
    let malformed = |error: http::InvalidHeader| Refusal::bad_request(alloc::format!("{error}"));
    let mut head = Vec::with_capacity(1024);
    http::write_request_line(&mut head, method, target).map_err(malformed)?;
    for (name, value) in headers {
        http::write_header(&mut head, name.as_ref(), value).map_err(malformed)?;
    }
    http::write_head_end(&mut head);
    match ServerHandshake::new(HEAD_LIMITS).receive(&head)? {
        ServerProgress::Upgrade(request) => Ok(*request),
        ServerProgress::Plain(request) => Err(request.refusal()),
        ServerProgress::More(_) => Err(Refusal::bad_request("the request is incomplete")),
    }
}

/// The headers of a refusal, for the other server to send with its status and its body; without
/// Content-Length, which that server writes itself.
pub fn refusal_headers(refusal: &Refusal) -> Vec<(String, Vec<u8>)> {
    let mut headers = headers_of(&refusal.encode()).unwrap_or_default();
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
    headers
}

/// An accepted request whose stream another HTTP server still holds.
///
/// That server answers 101 with [`headers`](Self::headers) and gives up the stream;
/// [`join`](Self::join) then opens the WebSocket, once.
#[derive(Debug)]
pub struct Switching {
    headers: Vec<(String, Vec<u8>)>,
    connection: Connection,
    subprotocol: Option<String>,
}

impl Switching {
    /// Accepts a request. Nothing is sent here.
    ///
    /// # Errors
    ///
    /// [`AcceptError`] when the acceptance does not fit the request.
    pub fn new(
        request: UpgradeRequest,
        acceptance: Acceptance<'_>,
        limits: Arc<Limits>,
    ) -> Result<Self, AcceptError> {
        let Accepted {
            mut connection,
            subprotocol,
            ..
        } = request.accept(acceptance, limits, Timestamp::ZERO)?;
        // The answer is the first that the connection would send; the other server does.
        let answer: Vec<u8> = connection.transmit().flatten().copied().collect();
        connection.transmitted(answer.len());
        Ok(Self {
            headers: headers_of(&answer).ok_or(AcceptError::InvalidHeader)?,
            connection,
            subprotocol,
        })
    }

    /// The headers of the answer 101, all of them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The subprotocol that was chosen.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Opens the WebSocket on a stream on which the answer has been sent. `bytes` is what the
    /// other server has read behind the request: frames, or the beginning of one.
    //= A30
    pub fn join<S>(self, stream: S, bytes: Vec<u8>) -> WebSocket<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        WebSocket::new(stream, self.connection, bytes).with_subprotocol(self.subprotocol)
    }
}

fn headers_of(answer: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let head = ResponseHead::parse(answer, &HEAD_LIMITS).ok()?;
    let owned = |(name, value): (&str, &[u8])| (name.to_owned(), value.to_owned());
    Some(head.headers().iter().map(owned).collect())
}
