//! The server's opening handshake (RFC 6455 §4.2).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::engine::connection::Connection;
use crate::engine::extension::Answer;
use crate::engine::handshake::refusal::Refusal;
use crate::engine::limits::Limits;
use crate::engine::role::Role;
use crate::engine::time::Timestamp;
use crate::wire::http::{self, HeadLimits, HeadScanner, Headers, RequestHead};
use crate::wire::key;
use crate::wire::list::{self, ExtensionOffer, MalformedList};

/// The answer to a request that is accepted, up to what is made of its key.
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: ";

const CRLF: &[u8] = b"\r\n";

/// A request that is still arriving.
///
/// Give it bytes with [`receive`](Self::receive) until it becomes a request or a refusal. What
/// arrived behind the head is never lost: it travels with the request.
#[derive(Debug, Default)]
pub struct ServerHandshake {
    limits: HeadLimits,
    scanner: HeadScanner,
    buffer: Vec<u8>,
}

/// What has become of a [`ServerHandshake`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerProgress {
    /// The head is not complete.
    More(ServerHandshake),
    /// A request to open a WebSocket, valid in every respect that the protocol settles.
    Upgrade(Box<UpgradeRequest>),
    /// An HTTP request that does not ask for a WebSocket.
    Plain(Box<PlainRequest>),
}

impl ServerHandshake {
    /// Waits for a request head within `limits`.
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Takes bytes that arrived.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] with which to answer; the stream is to be closed behind it.
    //= WS-045
    //= WS-174
    pub fn receive(mut self, bytes: &[u8]) -> Result<ServerProgress, Refusal> {
        self.buffer.extend_from_slice(bytes);
        let Some(head_bytes) = self.scanner.scan(&self.buffer, &self.limits)? else {
            return Ok(ServerProgress::More(self));
        };
        //= PX-09
        let leftover = self.buffer.split_off(head_bytes);
        if !leftover.is_empty() {
            // Whoever keeps the head does not keep the room of what followed it.
            self.buffer.shrink_to_fit();
        }
        let head = RequestHead::parse_scanned(self.buffer, &self.limits)?;
        //= H1-07
        let upgrades = list::contains_token(head.headers().get_all("upgrade"), b"websocket");
        if head.version_minor() == 0 || !upgrades {
            check_plain(&head)?;
            let request = PlainRequest { head, leftover };
            return Ok(ServerProgress::Plain(Box::new(request)));
        }
        UpgradeRequest::check(head, leftover).map(|it| ServerProgress::Upgrade(Box::new(it)))
    }
}

/// An HTTP request that does not ask for a WebSocket: a page, a probe, a mistake.
#[derive(Debug)]
pub struct PlainRequest {
    head: RequestHead,
    leftover: Vec<u8>,
}

impl PlainRequest {
    /// The request's head.
    pub const fn head(&self) -> &RequestHead {
        &self.head
    }

    /// All bytes that have arrived, the head first: for an HTTP server to begin with.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head.into_bytes();
        bytes.extend_from_slice(&self.leftover);
        bytes
    }

    /// The answer of a server that serves WebSockets only.
    //= WS-046
    //= WS-048
    pub fn refusal(&self) -> Refusal {
        match self.head.method() {
            "GET" => Refusal::upgrade_required("the request does not ask for a WebSocket"),
            "HEAD" => Refusal::method_not_allowed().without_body(),
            _ => Refusal::method_not_allowed(),
        }
    }
}

/// A valid request to open a WebSocket, to be accepted or refused.
#[derive(Debug)]
pub struct UpgradeRequest {
    head: RequestHead,
    leftover: Vec<u8>,
    subprotocols: Vec<String>,
    extensions: Vec<ExtensionOffer>,
}

impl UpgradeRequest {
    fn check(head: RequestHead, leftover: Vec<u8>) -> Result<Self, Refusal> {
        check_http(&head)?;
        check_websocket(head.headers())?;
        let subprotocols = offered_subprotocols(head.headers())?;
        let offers = head.headers().get_all("sec-websocket-extensions");
        //= WS-158
        //= WS-162
        let extensions = match list::parse_extensions(offers) {
            // Some clients that offer nothing send the header all the same. Whoever reads a list
            // passes over empty elements (RFC 9110 §5.6.1.2), of which this one has no others.
            Err(MalformedList::Empty) => Vec::new(),
            parsed => {
                parsed.map_err(|_| Refusal::bad_request("Sec-WebSocket-Extensions is malformed"))?
            }
        };
        Ok(Self {
            head,
            leftover,
            subprotocols,
            extensions,
        })
    }

    /// The path, without the query: what an endpoint is found by.
    pub fn path(&self) -> &str {
        self.target().0
    }

    /// The query behind the first `?`, where there is one.
    pub fn query(&self) -> Option<&str> {
        self.target().1
    }

    fn target(&self) -> (&str, Option<&str>) {
        http::split_target(self.head.target()).unwrap_or(("/", None))
    }

    /// The whole head, with every header.
    //= WS-053
    pub const fn head(&self) -> &RequestHead {
        &self.head
    }

    /// The value of the Origin header. It is there when a browser asks (RFC 6455 §10.2); that
    /// it is absent proves nothing.
    //= WS-052
    pub fn origin(&self) -> Option<&str> {
        self.head.headers().get_str("origin")
    }

    /// The subprotocols that the client offers, the most wanted first.
    pub fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }

    /// The extensions that the client offers, the most wanted first.
    pub fn extensions(&self) -> &[ExtensionOffer] {
        &self.extensions
    }

    /// Accepts the request: the connection is open, and the 101 is the first of its
    /// [`transmit`](Connection::transmit).
    ///
    /// # Errors
    ///
    /// [`AcceptError`] when the acceptance names what the client did not offer, or a header that
    /// is not the application's. Nothing has been sent then.
    //= WS-054
    //= WS-065
    pub fn accept(
        self,
        acceptance: Acceptance<'_>,
        limits: Arc<Limits>,
        now: Timestamp,
    ) -> Result<Accepted, AcceptError> {
        let mut connection = Connection::new(Role::Server, limits, now, [0; 32]);
        let mut answer = self.begin_answer();
        if let Some(subprotocol) = &acceptance.subprotocol {
            //= WS-059
            if !self.subprotocols.contains(subprotocol) {
                return Err(AcceptError::SubprotocolNotOffered);
            }
            put(&mut answer, "Sec-WebSocket-Protocol", subprotocol)?;
        }
        let chosen = acceptance
            .extension
            .and_then(|it| it.answer(&self.extensions));
        if let Some((agreed, extension)) = chosen {
            //= WS-061
            //= WS-062
            //= WS-156
            if !self
                .extensions
                .iter()
                .any(|offer| offer.name() == agreed.name())
            {
                return Err(AcceptError::ExtensionNotOffered);
            }
            put(&mut answer, "Sec-WebSocket-Extensions", &agreed.to_string())?;
            connection = connection.with_extension(extension);
        }
        for (name, value) in &acceptance.headers {
            if is_reserved_header(name) {
                return Err(AcceptError::ReservedHeader);
            }
            put(&mut answer, name, value)?;
        }
        answer.extend_from_slice(CRLF);
        connection.push_preamble(answer);
        let Self { head, leftover, .. } = self;
        Ok(Accepted {
            connection,
            leftover,
            subprotocol: acceptance.subprotocol,
            head,
        })
    }

    //= WS-063
    //= WS-064
    //= H1-08
    fn begin_answer(&self) -> Vec<u8> {
        let asked = self.head.headers().get("sec-websocket-key");
        let accept = key::accept(asked.unwrap_or_default());
        let parts = [SWITCHING, accept.as_bytes(), CRLF];
        // Mostly that is all, but for the end of the head.
        let bytes = parts.iter().map(|part| part.len()).sum::<usize>() + CRLF.len();
        let mut answer = Vec::with_capacity(bytes);
        for part in parts {
            answer.extend_from_slice(part);
        }
        answer
    }
}

/// What a server adds to its acceptance of a request.
#[derive(Debug, Default)]
pub struct Acceptance<'a> {
    subprotocol: Option<String>,
    headers: Vec<(String, String)>,
    extension: Option<&'a dyn Answer>,
}

impl<'a> Acceptance<'a> {
    /// Accepts without a subprotocol, extension or further header.
    //= WS-060
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses a subprotocol that the client has offered.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocol = Some(subprotocol.to_owned());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets `answer` choose from the extensions that the client offers.
    #[must_use]
    pub fn with_extension(mut self, answer: &'a dyn Answer) -> Self {
        self.extension = Some(answer);
        self
    }
}

/// An accepted request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Accepted {
    /// The open connection; its first bytes to send are the answer to the request.
    pub connection: Connection,
    /// Bytes that arrived behind the request: frames, for the connection to receive.
    pub leftover: Vec<u8>,
    /// The subprotocol in use.
    pub subprotocol: Option<String>,
    /// The head of the request.
    pub head: RequestHead,
}

/// Why a request cannot be accepted as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptError {
    /// The subprotocol is not among those that the client offered.
    SubprotocolNotOffered,
    /// The extension is not among those that the client offered.
    ExtensionNotOffered,
    /// A header that belongs to the handshake itself.
    ReservedHeader,
    /// A header whose name is no token, or whose value has control characters.
    InvalidHeader,
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SubprotocolNotOffered => "the client did not offer this subprotocol",
            Self::ExtensionNotOffered => "the client did not offer this extension",
            Self::ReservedHeader => "this header belongs to the handshake",
            Self::InvalidHeader => "the header's name or value is not allowed in HTTP",
        })
    }
}

impl core::error::Error for AcceptError {}

fn put(answer: &mut Vec<u8>, name: &str, value: &str) -> Result<(), AcceptError> {
    http::write_header(answer, name, value).map_err(|_| AcceptError::InvalidHeader)
}

/// Whether a header decides what the message is, and so is not the application's to set.
pub(crate) fn is_reserved_header(name: &str) -> bool {
    const NAMES: [&str; 5] = [
        "connection",
        "content-length",
        "transfer-encoding",
        "upgrade",
        "host",
    ];
    const PREFIX: &str = "sec-websocket-";
    NAMES.iter().any(|it| name.eq_ignore_ascii_case(it))
        || name
            .get(..PREFIX.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(PREFIX))
}

/// What HTTP asks of any request, so that two parties cannot take it for different ones.
fn check_plain(head: &RequestHead) -> Result<(), Refusal> {
    let headers = head.headers();
    //= H1-01
    let hosts = headers.count("host");
    let valid = headers
        .get_str("host")
        .is_some_and(|host| host.is_empty() || is_authority(host));
    if (head.version_minor() > 0 || hosts > 0) && (hosts != 1 || !valid) {
        return Err(Refusal::bad_request("one valid Host header is needed"));
    }
    //= H1-05
    if headers.count("transfer-encoding") > 0 && headers.count("content-length") > 0 {
        return Err(Refusal::bad_request(
            "the length of the body is said in two ways",
        ));
    }
    Ok(())
}

/// What HTTP itself asks of an upgrade request (RFC 6455 §4.2.1, items 1 to 4).
fn check_http(head: &RequestHead) -> Result<(), Refusal> {
    match head.method() {
        "GET" => {}
        "HEAD" => return Err(Refusal::method_not_allowed().without_body()),
        _ => return Err(Refusal::method_not_allowed()),
    }
    let headers = head.headers();
    //= WS-046
    if http::split_target(head.target()).is_none() {
        return Err(Refusal::bad_request("the request target is malformed"));
    }
    //= WS-047
    //= H1-01
    let host = headers.only("host").map(core::str::from_utf8);
    if !host.is_some_and(|host| host.is_ok_and(is_authority)) {
        return Err(Refusal::bad_request("one valid Host header is needed"));
    }
    //= WS-049
    if !list::contains_token(headers.get_all("connection"), b"upgrade") {
        return Err(Refusal::bad_request(
            "the Connection header does not say Upgrade",
        ));
    }
    //= H1-05
    //= H1-15
    let empty_body = headers.get_all("content-length").all(|value| value == b"0");
    if headers.get("transfer-encoding").is_some() || !empty_body {
        return Err(Refusal::bad_request("an upgrade request has no body"));
    }
    Ok(())
}

/// What the protocol asks of the Sec-WebSocket headers (RFC 6455 §4.2.1, items 5 and 6).
fn check_websocket(headers: Headers<'_>) -> Result<(), Refusal> {
    //= WS-051
    //= WS-067
    //= WS-180
    let version = headers.only("sec-websocket-version");
    match version.map(core::str::from_utf8) {
        Some(Ok("13")) => {}
        Some(Ok(_)) => {
            return Err(Refusal::upgrade_required(
                "this server speaks WebSocket version 13",
            ));
        }
        _ => {
            return Err(Refusal::bad_request(
                "one Sec-WebSocket-Version header is needed",
            ));
        }
    }
    //= WS-050
    //= WS-176
    //= WS-181
    match headers.only("sec-websocket-key") {
        Some(value) if key::is_valid_key(value) => Ok(()),
        Some(_) => Err(Refusal::bad_request(
            "Sec-WebSocket-Key must be 16 bytes in base64",
        )),
        None => Err(Refusal::bad_request(
            "one Sec-WebSocket-Key header is needed",
        )),
    }
}

/// Reads the Sec-WebSocket-Protocol headers, which may be several (RFC 6455 §11.3.4).
//= WS-067
fn offered_subprotocols(headers: Headers<'_>) -> Result<Vec<String>, Refusal> {
    let malformed = || Refusal::bad_request("Sec-WebSocket-Protocol is malformed");
    let mut offered: Vec<String> = Vec::new();
    for value in headers.get_all("sec-websocket-protocol") {
        let before = offered.len();
        for token in list::tokens(value) {
            let token = token.map_err(|_| malformed())?;
            if offered.iter().any(|it| it == token) {
                return Err(malformed());
            }
            offered.push(token.to_owned());
        }
        if offered.len() == before {
            return Err(malformed());
        }
    }
    Ok(offered)
}

/// Whether a Host value can name a host: no space, no path, no user, no list.
pub(crate) fn is_authority(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|byte| {
            matches!(byte,
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':'
                | b'[' | b']' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';'
                | b'=' | b'%')
        })
}
