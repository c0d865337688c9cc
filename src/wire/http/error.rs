//! What is wrong with a head.

use core::fmt;

/// Why the head of a request or a response was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadError {
    /// The first line is longer than
    /// [`line_bytes_max`](crate::wire::http::HeadLimits::line_bytes_max).
    LineTooLong,
    /// The head is longer than
    /// [`head_bytes_max`](crate::wire::http::HeadLimits::head_bytes_max).
    HeadTooLarge,
    /// There are more header lines than
    /// [`headers_max`](crate::wire::http::HeadLimits::headers_max).
    TooManyHeaders,
    /// The bytes are not the head that they should be.
    Malformed(MalformedHead),
    /// The version is HTTP's, and neither 1.1 nor 1.0.
    VersionUnsupported,
}

impl HeadError {
    /// The status with which a server answers.
    #[must_use]
    pub const fn status(self) -> u16 {
        //= H1-13
        match self {
            Self::LineTooLong => 414,
            Self::HeadTooLarge | Self::TooManyHeaders => 431,
            Self::Malformed(_) => 400,
            Self::VersionUnsupported => 505,
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineTooLong => f.write_str("the first line is too long"),
            Self::HeadTooLarge => f.write_str("the head is too large"),
            Self::TooManyHeaders => f.write_str("the head has too many header lines"),
            Self::Malformed(what) => fmt::Display::fmt(what, f),
            Self::VersionUnsupported => f.write_str("this version of HTTP is not supported"),
        }
    }
}

impl core::error::Error for HeadError {}

/// Where the bytes of a head break the grammar of RFC 9112.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MalformedHead {
    /// No head begins with this byte.
    FirstByte,
    /// A control character, NUL among them (RFC 9110 §5.5).
    ControlByte,
    /// A CR without its LF (RFC 9112 §2.2).
    BareCr,
    /// A LF without its CR. RFC 9112 §2.2 permits it as a line end; we do not take it.
    BareLf,
    /// The first line of a request (RFC 9112 §3).
    RequestLine,
    /// The first line of a response (RFC 9112 §4).
    StatusLine,
    /// The name of a header: not a token, space before its colon, or a line that folds
    /// the one before it (RFC 9112 §5).
    HeaderName,
    /// The value of a header (RFC 9110 §5.5).
    HeaderValue,
    /// The head does not end.
    Incomplete,
}

impl fmt::Display for MalformedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstByte => "no HTTP head begins with this byte",
            Self::ControlByte => "the head has a control character",
            Self::BareCr => "the head has a CR without LF",
            Self::BareLf => "the head has a LF without CR",
            Self::RequestLine => "the request line is malformed",
            Self::StatusLine => "the status line is malformed",
            Self::HeaderName => "the name of a header is malformed",
            Self::HeaderValue => "the value of a header is malformed",
            Self::Incomplete => "the head does not end",
        })
    }
}

impl core::error::Error for MalformedHead {}
