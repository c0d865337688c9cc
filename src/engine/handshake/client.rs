//! The client's opening handshake (RFC 6455 §4.1).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::engine::connection::Connection;
use crate::engine::entropy::MaskKeys;
use crate::engine::extension::{Extension, Offer};
use crate::engine::handshake::server::{is_authority, is_reserved_header};
use crate::engine::limits::Limits;
use crate::engine::role::Role;
use crate::engine::time::Timestamp;
use crate::wire::http::{self, HeadError, HeadLimits, HeadScanner, Headers, ResponseHead};
use crate::wire::key::{self, Key};
use crate::wire::list;

/// How many interim answers (100 to 199, other than 101) are passed over.
const INTERIM_MAX: u8 = 8;

/// What a client asks for.
///
/// `Debug` prints the names of its headers and not what they say: it may be a secret.
pub struct ClientRequest {
    host: String,
    resource: String,
    subprotocols: Vec<String>,
    headers: Vec<(String, String)>,
    offer: Option<Box<dyn Offer>>,
}

impl ClientRequest {
    /// Asks for `resource` (path and query, RFC 6455 §3) of `host`, which is what the Host
    /// header says: the name, and the port where it is not the default one.
    pub fn new(host: &str, resource: &str) -> Self {
        Self {
            host: host.to_owned(),
            resource: resource.to_owned(),
            subprotocols: Vec::new(),
            headers: Vec::new(),
            offer: None,
        }
    }

    /// Offers a further subprotocol, less wanted than those before it.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocols.push(subprotocol.to_owned());
        self
    }

    /// Adds a header, such as Origin or Authorization.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Offers an extension.
    #[must_use]
    pub fn with_offer(mut self, offer: Box<dyn Offer>) -> Self {
        self.offer = Some(offer);
        self
    }

    //= WS-022
    //= WS-023
    //= WS-024
    //= WS-025
    fn encode(&self, key: &Key) -> Result<Vec<u8>, InvalidRequest> {
        //= WS-026
        if !is_authority(&self.host) {
            return Err(InvalidRequest::Host);
        }
        if http::split_target(&self.resource).is_none() || !self.resource.starts_with('/') {
            return Err(InvalidRequest::Resource);
        }
        let mut out = Vec::with_capacity(256 + self.resource.len());
        out.extend_from_slice(b"GET ");
        out.extend_from_slice(self.resource.as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        put(&mut out, "Host", &self.host)?;
        //= WS-027
        put(&mut out, "Upgrade", "websocket")?;
        //= WS-028
        put(&mut out, "Connection", "Upgrade")?;
        //= WS-029
        put(&mut out, "Sec-WebSocket-Key", key.as_str())?;
        //= WS-032
        put(&mut out, "Sec-WebSocket-Version", "13")?;
        self.encode_subprotocols(&mut out)?;
        if let Some(offer) = &self.offer {
            //= WS-159
            //= WS-160
            for offered in offer.offers() {
                put(&mut out, "Sec-WebSocket-Extensions", &offered.to_string())?;
            }
        }
        for (name, value) in &self.headers {
            if is_reserved_header(name) {
                return Err(InvalidRequest::ReservedHeader);
            }
            put(&mut out, name, value)?;
        }
        out.extend_from_slice(b"\r\n");
        Ok(out)
    }

    //= WS-033
    //= WS-034
    fn encode_subprotocols(&self, out: &mut Vec<u8>) -> Result<(), InvalidRequest> {
        for (at, subprotocol) in self.subprotocols.iter().enumerate() {
            let again = self.subprotocols[..at].contains(subprotocol);
            if again || !list::is_token(subprotocol.as_bytes()) {
                return Err(InvalidRequest::Subprotocol);
            }
        }
        if self.subprotocols.is_empty() {
            return Ok(());
        }
        put(out, "Sec-WebSocket-Protocol", &self.subprotocols.join(", "))
    }
}

fn put(out: &mut Vec<u8>, name: &str, value: &str) -> Result<(), InvalidRequest> {
    http::write_header(out, name, value).map_err(|_| InvalidRequest::Header)
}

/// Why a request cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// The host is empty, or has a character that can stand in no host and port.
    Host,
    /// The resource is not a path with an optional query, in ASCII and without a fragment.
    Resource,
    /// A subprotocol is no token, or is offered twice.
    Subprotocol,
    /// A header's name is no token, or its value has control characters.
    Header,
    /// A header that belongs to the handshake itself.
    ReservedHeader,
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "the host is not a name or address in ASCII",
            Self::Resource => "the resource is not a path and query in ASCII",
            Self::Subprotocol => "a subprotocol is no token, or is offered twice",
            Self::Header => "a header's name or value is not allowed in HTTP",
            Self::ReservedHeader => "a header belongs to the handshake",
        })
    }
}

impl core::error::Error for InvalidRequest {}

/// A client that has asked and waits for the answer.
///
/// Send [`request`](Self::request), then give [`receive`](Self::receive) what arrives until it
/// becomes a connection or a failure. Nothing else may be sent before (RFC 6455 §4.1).
///
/// `Debug` does not print the request.
pub struct ClientHandshake {
    request: Vec<u8>,
    key: Key,
    subprotocols: Vec<String>,
    offer: Option<Box<dyn Offer>>,
    keys: Box<MaskKeys>,
    head_limits: HeadLimits,
    scanner: HeadScanner,
    buffer: Vec<u8>,
    interim: u8,
}

impl fmt::Debug for ClientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ClientRequest")
            .field("host", &self.host)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake").finish_non_exhaustive()
    }
}

/// What has become of a [`ClientHandshake`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientProgress {
    /// The answer is not complete.
    More(ClientHandshake),
    /// The connection is open.
    Open(Box<Opened>),
}

/// A connection that the server has accepted.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The open connection.
    pub connection: Connection,
    /// Bytes that arrived behind the answer: frames, for the connection to receive.
    pub leftover: Vec<u8>,
    /// The subprotocol that the server chose.
    pub subprotocol: Option<String>,
    /// The head of the answer.
    pub head: ResponseHead,
}

impl ClientHandshake {
    /// Makes the request. `seed` must come from a cryptographic source: the key of the
    /// handshake and the masking keys of the connection are made from it (RFC 6455 §4.1, §5.3).
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`]; nothing has been sent.
    pub fn new(request: ClientRequest, seed: [u8; 32]) -> Result<Self, InvalidRequest> {
        let mut keys = Box::new(MaskKeys::new(seed));
        let key = Key::from_nonce(keys.nonce());
        Ok(Self {
            request: request.encode(&key)?,
            key,
            subprotocols: request.subprotocols,
            offer: request.offer,
            keys,
            head_limits: HeadLimits::default(),
            scanner: HeadScanner::default(),
            buffer: Vec::new(),
            interim: 0,
        })
    }

    /// Holds the answer to `limits` instead of the default ones.
    #[must_use]
    pub const fn with_head_limits(mut self, limits: HeadLimits) -> Self {
        self.head_limits = limits;
        self
    }

    /// The request, to be sent whole.
    //= WS-021
    //= WS-035
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Takes bytes that arrived.
    ///
    /// # Errors
    ///
    /// [`HandshakeFailure`]: the answer does not open a WebSocket. The stream is to be closed.
    //= WS-036
    //= WS-142
    pub fn receive(
        mut self,
        bytes: &[u8],
        limits: &Arc<Limits>,
        now: Timestamp,
    ) -> Result<ClientProgress, HandshakeFailure> {
        self.buffer.extend_from_slice(bytes);
        loop {
            let Some(head_bytes) = self.scanner.scan(&self.buffer, &self.head_limits)? else {
                return Ok(ClientProgress::More(self));
            };
            let head = ResponseHead::parse(&self.buffer[..head_bytes], &self.head_limits)?;
            //= PX-09
            let leftover = self.buffer.split_off(head_bytes);
            match head.status() {
                101 => return self.open(head, leftover, Arc::clone(limits), now),
                //= H1-12
                100..=199 => {
                    self.interim += 1;
                    if self.interim > INTERIM_MAX {
                        return Err(HandshakeFailure::TooManyInterimAnswers);
                    }
                    self.buffer = leftover;
                    self.scanner = HeadScanner::default();
                }
                //= WS-037
                _ => {
                    return Err(HandshakeFailure::Answered(Box::new(Answered {
                        head,
                        leftover,
                    })));
                }
            }
        }
    }

    fn open(
        self,
        head: ResponseHead,
        leftover: Vec<u8>,
        limits: Arc<Limits>,
        now: Timestamp,
    ) -> Result<ClientProgress, HandshakeFailure> {
        check_answer(head.headers(), head.version_minor(), &self.key)?;
        let subprotocol = chosen_subprotocol(head.headers(), &self.subprotocols)?;
        let extension = agreed_extension(head.headers(), self.offer)?;
        let mut connection = Connection::with_keys(Role::Client, limits, now, Some(self.keys));
        if let Some(extension) = extension {
            connection = connection.with_extension(extension);
        }
        Ok(ClientProgress::Open(Box::new(Opened {
            connection,
            leftover,
            subprotocol,
            head,
        })))
    }
}

/// Checks what every answer must say (RFC 6455 §4.1, items 1 to 4 of the client's checks).
//= WS-043
fn check_answer(headers: Headers<'_>, minor: u8, key: &Key) -> Result<(), HandshakeFailure> {
    if minor == 0 {
        return Err(HandshakeFailure::Head(HeadError::VersionUnsupported));
    }
    //= WS-038
    let mut upgrades = headers.get_all("upgrade");
    let is_websocket = |value: &[u8]| value.eq_ignore_ascii_case(b"websocket");
    if !upgrades.next().is_some_and(is_websocket) || upgrades.next().is_some() {
        return Err(HandshakeFailure::NoUpgrade);
    }
    //= WS-039
    if !list::contains_token(headers.get_all("connection"), b"upgrade") {
        return Err(HandshakeFailure::NoConnectionUpgrade);
    }
    //= WS-040
    //= WS-178
    let expected = key::accept(key.as_str());
    if headers.only("sec-websocket-accept") != Some(expected.as_bytes()) {
        return Err(HandshakeFailure::WrongAccept);
    }
    // A 101 has no body (RFC 9110 §8.6): one that announces a body is not to be trusted.
    if headers.get("transfer-encoding").is_some()
        || headers.get_all("content-length").any(|value| value != b"0")
    {
        return Err(HandshakeFailure::Body);
    }
    Ok(())
}

//= WS-042
//= WS-179
fn chosen_subprotocol(
    headers: Headers<'_>,
    offered: &[String],
) -> Result<Option<String>, HandshakeFailure> {
    let name = "sec-websocket-protocol";
    match (headers.count(name), headers.get_str(name)) {
        (0, _) => Ok(None),
        (1, Some(chosen)) if offered.iter().any(|it| it == chosen) => Ok(Some(chosen.to_owned())),
        _ => Err(HandshakeFailure::WrongSubprotocol),
    }
}

//= WS-041
//= WS-161
//= WS-177
fn agreed_extension(
    headers: Headers<'_>,
    offer: Option<Box<dyn Offer>>,
) -> Result<Option<Box<dyn Extension>>, HandshakeFailure> {
    let answers = list::parse_extensions(headers.get_all("sec-websocket-extensions"))
        .map_err(|_| HandshakeFailure::WrongExtension)?;
    let [answer] = answers.as_slice() else {
        return match answers.is_empty() {
            true => Ok(None),
            false => Err(HandshakeFailure::WrongExtension),
        };
    };
    let offer = offer.ok_or(HandshakeFailure::WrongExtension)?;
    if !offer
        .offers()
        .iter()
        .any(|offered| offered.name() == answer.name())
    {
        return Err(HandshakeFailure::WrongExtension);
    }
    offer
        .accept(answer)
        .map(Some)
        .ok_or(HandshakeFailure::WrongExtension)
}

/// An answer that is HTTP and not a WebSocket: a refusal, a redirect, a challenge.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answered {
    /// The head of the answer.
    pub head: ResponseHead,
    /// What of the body had arrived with it.
    pub leftover: Vec<u8>,
}

/// Why an answer did not open a WebSocket.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandshakeFailure {
    /// The answer is not an HTTP response head, or is beyond the limits.
    Head(HeadError),
    /// The server answered with another status than 101.
    Answered(Box<Answered>),
    /// More interim answers than a server has a reason to send.
    TooManyInterimAnswers,
    /// The Upgrade header does not say `websocket`, or says it twice.
    NoUpgrade,
    /// The Connection header does not say `Upgrade`.
    NoConnectionUpgrade,
    /// Sec-WebSocket-Accept does not answer our key.
    WrongAccept,
    /// A subprotocol that was not offered.
    WrongSubprotocol,
    /// An extension that was not offered, or not so.
    WrongExtension,
    /// A 101 that announces a body.
    Body,
}

impl From<HeadError> for HandshakeFailure {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}

impl fmt::Display for HandshakeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head(error) => return write!(f, "the answer is no HTTP response: {error}"),
            Self::Answered(answered) => {
                let head = &answered.head;
                return write!(f, "the server answered {} {}", head.status(), head.reason());
            }
            Self::TooManyInterimAnswers => "too many interim answers",
            Self::NoUpgrade => "the answer's Upgrade header is not websocket",
            Self::NoConnectionUpgrade => "the answer's Connection header is not Upgrade",
            Self::WrongAccept => "Sec-WebSocket-Accept does not answer the key",
            Self::WrongSubprotocol => "the server chose a subprotocol that was not offered",
            Self::WrongExtension => "the server chose an extension that was not offered",
            Self::Body => "the answer announces a body behind a 101",
        })
    }
}

impl core::error::Error for HandshakeFailure {}
