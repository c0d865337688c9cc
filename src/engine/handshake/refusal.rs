//! How a request is refused: with an HTTP answer, whatever is wrong with it.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::wire::http::{self, HeadError, InvalidHeader};

/// The headers that say where the answer ends and what becomes of TCP, and what the body is.
const OWN_HEADERS: [&str; 4] = [
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
];

/// An HTTP answer that is not 101: the request does not become a connection.
///
/// The body is one line of plain text for whoever debugs the client. `Connection: close` is
/// always said, and TCP is to be closed behind the answer, so that nothing that follows a failed
/// upgrade can be taken for another request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    body: Cow<'static, str>,
    /// Whether the body is only announced.
    bodiless: bool,
    /// What was wrong with the head, if that is why.
    cause: Option<HeadError>,
}

impl Refusal {
    /// Refuses with `status`, which is taken as 500 unless it is from 300 to 599, and says
    /// `body`.
    pub fn new(status: u16, body: impl Into<Cow<'static, str>>) -> Self {
        let status = if (300..600).contains(&status) {
            status
        } else {
            500
        };
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            bodiless: false,
            cause: None,
        }
    }

    /// 400: the request is not what the protocol asks for.
    //= WS-045
    //= WS-175
    pub fn bad_request(body: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, body)
    }

    /// 401: whoever asks has shown no token that counts, and is challenged for one (RFC 9110
    /// §15.5.2, RFC 6750 §3).
    //= H1-10
    pub fn unauthorized(body: impl Into<Cow<'static, str>>) -> Self {
        let mut refusal = Self::new(401, body);
        let challenge = ("WWW-Authenticate".into(), "Bearer".into());
        refusal.headers.push(challenge);
        refusal
    }

    /// 403: the origin, or who asks, is not welcome (RFC 6455 §4.2.2).
    //= WS-056
    //= WS-166
    pub fn forbidden(body: impl Into<Cow<'static, str>>) -> Self {
        Self::new(403, body)
    }

    /// 404: nothing is served at this path (RFC 6455 §4.2.2).
    //= WS-058
    pub fn not_found() -> Self {
        Self::new(404, "nothing is served at this path")
    }

    /// 405: the method is not GET.
    //= H1-11
    pub fn method_not_allowed() -> Self {
        let mut refusal = Self::new(405, "a WebSocket is opened with GET");
        refusal.headers.push(("Allow".into(), "GET".into()));
        refusal
    }

    /// 426: the request does not ask for a WebSocket, or not for version 13 (§4.2.2, §4.4).
    //= WS-057
    //= WS-068
    //= H1-09
    pub fn upgrade_required(body: impl Into<Cow<'static, str>>) -> Self {
        let mut refusal = Self::new(426, body);
        refusal.headers.push(("Upgrade".into(), "websocket".into()));
        refusal
            .headers
            .push(("Sec-WebSocket-Version".into(), "13".into()));
        refusal
    }

    /// 503: no more connections are admitted now; try again in `retry_after_s` seconds.
    pub fn unavailable(retry_after_s: u32) -> Self {
        let mut refusal = Self::new(503, "no more connections are admitted at present");
        refusal
            .headers
            .push(("Retry-After".into(), format!("{retry_after_s}").into()));
        refusal
    }

    /// Adds a header.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] for a name that is no token, for a value with control characters, and
    /// for the name of a header that [`encode`](Self::encode) writes by itself.
    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Result<Self, InvalidHeader> {
        let (name, value) = (name.into(), value.into());
        if OWN_HEADERS.iter().any(|it| name.eq_ignore_ascii_case(it)) {
            return Err(InvalidHeader::Name);
        }
        http::write_header(&mut Vec::new(), &name, value.as_bytes())?;
        self.headers.push((name, value));
        Ok(self)
    }

    /// Leaves the body out, as the answer to a HEAD request must (RFC 9110 §9.3.2).
    #[must_use]
    pub(crate) const fn without_body(mut self) -> Self {
        self.bodiless = true;
        self
    }

    /// The status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// What was wrong with the head of the request, where it could not be read for that.
    pub const fn head_error(&self) -> Option<HeadError> {
        self.cause
    }

    /// What the body says.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The value of the first header of this name that was set.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_ref())
    }

    /// The answer in bytes.
    //= H1-14
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        let mut text = String::new();
        text.push_str(&format!(
            "HTTP/1.1 {} {}\r\n",
            self.status,
            phrase(self.status)
        ));
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        // Whoever names a protocol in Upgrade says so in Connection (RFC 9110 §7.8).
        //= H1-07
        text.push_str(match self.header("upgrade") {
            Some(_) => "Connection: close, Upgrade\r\n",
            None => "Connection: close\r\n",
        });
        text.push_str("Content-Type: text/plain; charset=utf-8\r\n");
        text.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len() + 1));
        out.extend_from_slice(text.as_bytes());
        if !self.bodiless {
            out.extend_from_slice(self.body.as_bytes());
            out.push(b'\n');
        }
        out
    }
}

impl From<HeadError> for Refusal {
    fn from(error: HeadError) -> Self {
        //= H1-13
        let status = match error {
            HeadError::LineTooLong => 414,
            HeadError::HeadTooLarge | HeadError::TooManyHeaders => 431,
            HeadError::VersionUnsupported => 505,
            _ => 400,
        };
        Self {
            cause: Some(error),
            ..Self::new(status, format!("{error}"))
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, phrase(self.status), self.body)
    }
}

impl core::error::Error for Refusal {}

/// The reason phrase that HTTP registers for `status`, where it is one that we send by ourselves.
pub(crate) const fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Refused",
    }
}
