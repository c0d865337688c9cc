//! Reads the head of a request and of a response.

use alloc::vec::Vec;
use core::fmt;
use core::mem::MaybeUninit;

use crate::wire::http::error::{HeadError, MalformedHead};
use crate::wire::http::headers::{HeaderSpans, Headers, Span, spans};
use crate::wire::http::scan::{HeadLimits, HeadScanner};

/// The header lines that are read at most, whatever the limits say.
const HEADERS_MAX: usize = 128;

/// The head of a request: method, target, version and header lines.
///
/// `Debug` prints neither the target nor the values of headers, for both may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestHead {
    bytes: Vec<u8>,
    method: Span,
    target: Span,
    version_minor: u8,
    headers: Vec<HeaderSpans>,
}

impl RequestHead {
    /// Reads the head with which `bytes` begins; what follows it is not looked at.
    ///
    /// # Errors
    ///
    /// Everything that [`HeadScanner::scan`] refuses, [`HeadError::TooManyHeaders`],
    /// [`HeadError::VersionUnsupported`] for HTTP other than 1.1 and 1.0, and
    /// [`HeadError::Malformed`] for the rest, a head without end among it.
    pub fn parse(bytes: &[u8], limits: &HeadLimits) -> Result<Self, HeadError> {
        //= WS-045
        Self::parse_scanned(whole_head(bytes, limits)?.to_vec(), limits)
    }

    /// Reads a head that a [`HeadScanner`] has found whole: all of `bytes`.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), but for what the scanner refuses.
    pub(crate) fn parse_scanned(bytes: Vec<u8>, limits: &HeadLimits) -> Result<Self, HeadError> {
        let mut lines = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let lines = &mut lines[..limits.headers_max.min(HEADERS_MAX)];
        let mut request = httparse::Request::new(&mut []);
        let parsed = request.parse_with_uninit_headers(&bytes, lines);
        check(parsed, MalformedHead::RequestLine, || {
            names_http_last(&bytes)
        })?;
        let malformed = HeadError::Malformed(MalformedHead::RequestLine);
        let method = request.method.ok_or(malformed)?;
        let target = request
            .path
            .filter(|target| target.is_ascii())
            .ok_or(malformed)?;
        Ok(Self {
            method: Span::of(method.as_bytes(), &bytes),
            target: Span::of(target.as_bytes(), &bytes),
            version_minor: request.version.ok_or(malformed)?,
            headers: spans(request.headers, &bytes),
            bytes,
        })
    }

    /// The head as it came.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The method, in the case in which it came, in which it also counts (RFC 9110 §9.1).
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.text(&self.bytes)
    }

    /// The target as it came: printable ASCII without spaces.
    ///
    /// [`split_target`](crate::wire::http::split_target) takes it apart.
    #[must_use]
    pub fn target(&self) -> &str {
        self.target.text(&self.bytes)
    }

    /// The second number of the version: 1 for HTTP/1.1, 0 for HTTP/1.0.
    #[must_use]
    pub fn version_minor(&self) -> u8 {
        self.version_minor
    }

    /// The header lines.
    #[must_use]
    pub fn headers(&self) -> Headers<'_> {
        Headers::new(&self.bytes, &self.headers)
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method())
            .field("version_minor", &self.version_minor)
            .field("headers", &self.headers())
            .finish_non_exhaustive()
    }
}

/// The head of a response: version, status, reason and header lines.
///
/// `Debug` prints the names of headers and not their values, for they may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseHead {
    bytes: Vec<u8>,
    version_minor: u8,
    status: u16,
    reason: Span,
    headers: Vec<HeaderSpans>,
}

impl ResponseHead {
    /// Reads the head with which `bytes` begins; what follows it is not looked at.
    ///
    /// # Errors
    ///
    /// As [`RequestHead::parse`].
    pub fn parse(bytes: &[u8], limits: &HeadLimits) -> Result<Self, HeadError> {
        let bytes = whole_head(bytes, limits)?;
        let mut lines = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let lines = &mut lines[..limits.headers_max.min(HEADERS_MAX)];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            bytes,
            lines,
        );
        check(parsed, MalformedHead::StatusLine, || {
            is_http(bytes.get(..9), b' ')
        })?;
        let malformed = HeadError::Malformed(MalformedHead::StatusLine);
        Ok(Self {
            version_minor: response.version.ok_or(malformed)?,
            status: response.code.filter(|&code| code >= 100).ok_or(malformed)?,
            reason: Span::of(response.reason.unwrap_or_default().as_bytes(), bytes),
            headers: spans(response.headers, bytes),
            bytes: bytes.to_vec(),
        })
    }

    /// The second number of the version: 1 for HTTP/1.1, 0 for HTTP/1.0.
    #[must_use]
    pub fn version_minor(&self) -> u8 {
        self.version_minor
    }

    /// The status, 100 to 999.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The text beside the status; empty if there is none or it is not ASCII.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.reason.text(&self.bytes)
    }

    /// The header lines.
    #[must_use]
    pub fn headers(&self) -> Headers<'_> {
        Headers::new(&self.bytes, &self.headers)
    }
}

impl fmt::Debug for ResponseHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead")
            .field("version_minor", &self.version_minor)
            .field("status", &self.status)
            .field("reason", &self.reason())
            .field("headers", &self.headers())
            .finish_non_exhaustive()
    }
}

/// The head at the front of `bytes`, found to be whole and of permitted bytes.
fn whole_head<'a>(bytes: &'a [u8], limits: &HeadLimits) -> Result<&'a [u8], HeadError> {
    match HeadScanner::default().scan(bytes, limits)? {
        Some(length) => Ok(&bytes[..length]),
        None => Err(HeadError::Malformed(MalformedHead::Incomplete)),
    }
}

/// The verdict of `httparse` in our words; `is_other_http` tells another version of HTTP
/// from a first line that is none.
fn check(
    parsed: httparse::Result<usize>,
    first_line: MalformedHead,
    is_other_http: impl Fn() -> bool,
) -> Result<(), HeadError> {
    use httparse::Error;
    Err(HeadError::Malformed(match parsed {
        Ok(httparse::Status::Complete(_)) => return Ok(()),
        Ok(httparse::Status::Partial) => MalformedHead::Incomplete,
        Err(Error::TooManyHeaders) => return Err(HeadError::TooManyHeaders),
        Err(Error::Version) if is_other_http() => return Err(HeadError::VersionUnsupported),
        //= H1-03
        //= H1-04
        Err(Error::HeaderName) => MalformedHead::HeaderName,
        //= H1-06
        Err(Error::HeaderValue) => MalformedHead::HeaderValue,
        Err(Error::Version | Error::Token | Error::NewLine | Error::Status) => first_line,
    }))
}

/// Whether the request line has three words, the last of which is a version of HTTP.
///
/// The CR behind the third word shows that it is the last.
fn names_http_last(bytes: &[u8]) -> bool {
    let line = bytes
        .split_inclusive(|&byte| byte == b'\r')
        .next()
        .unwrap_or_default();
    is_http(line.split(|&byte| byte == b' ').nth(2), b'\r')
}

/// Whether this is `HTTP/`, a digit, a dot, a digit, and then the given byte.
fn is_http(word: Option<&[u8]>, end: u8) -> bool {
    let Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor, last]) = word else {
        return false;
    };
    major.is_ascii_digit() && minor.is_ascii_digit() && *last == end
}
