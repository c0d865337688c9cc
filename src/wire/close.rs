//! Why a connection was closed: the code and the text of a Close frame.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

#[cfg(test)]
mod tests;

/// The longest reason, in bytes of UTF-8, that fits in a Close frame beside its code.
///
/// A control frame carries at most 125 bytes, and the code takes two (RFC 6455 §5.5).
pub const REASON_BYTES_MAX: usize = 123;

/// Why a connection was closed, as it travels in a Close frame.
///
/// The number is kept as it came, so a code that nobody has defined yet survives a round
/// trip. [`may_be_sent`](Self::may_be_sent) settles which codes may stand in a frame: some
/// only describe a close for which no code arrived (RFC 6455 §7.4.1).
///
/// `Debug` prints the registered name, or the bare number where there is none; `Display`
/// always prints the number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection has been fulfilled.
    pub const NORMAL_CLOSURE: Self = Self(1000);
    /// 1001: an endpoint goes away, as a server that stops or a page that is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a type of data arrived that the endpoint does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: a Close frame without a code arrived. Never sent.
    pub const NO_STATUS_RECEIVED: Self = Self(1005);
    /// 1006: the connection ended without a Close frame. Never sent.
    pub const ABNORMAL_CLOSURE: Self = Self(1006);
    /// 1007: a message does not fit its type, as text that is not UTF-8.
    pub const INVALID_PAYLOAD_DATA: Self = Self(1007);
    /// 1008: a message breaks the endpoint's policy.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message is too big to be processed.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the client needed an extension that the server did not agree to.
    ///
    /// Only a client sends it: a server would have refused the handshake
    /// (RFC 6455 §7.4.1).
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the server met a condition that it did not expect.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts (registered with IANA).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the service is overloaded; come back later (registered with IANA).
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway had a bad answer from the server behind it (registered with IANA).
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: the TLS handshake failed. Never sent.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// The code with this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number of this code.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether this code may stand in a Close frame, sent or received.
    ///
    /// 1005, 1006 and 1015 stand for a close without a code, and 1004 is reserved
    /// (RFC 6455 §7.4.1). Other codes below 3000 need a registration, and IANA's ends at
    /// 1014; 3000 to 3999 are for libraries and 4000 to 4999 for private use
    /// (RFC 6455 §7.4.2).
    #[must_use]
    pub const fn may_be_sent(self) -> bool {
        //= WS-148
        //= WS-149
        //= WS-152
        //= WS-153
        //= WS-154
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// The name under which this code is registered.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NORMAL_CLOSURE => "NORMAL_CLOSURE",
            Self::GOING_AWAY => "GOING_AWAY",
            Self::PROTOCOL_ERROR => "PROTOCOL_ERROR",
            Self::UNSUPPORTED_DATA => "UNSUPPORTED_DATA",
            Self::NO_STATUS_RECEIVED => "NO_STATUS_RECEIVED",
            Self::ABNORMAL_CLOSURE => "ABNORMAL_CLOSURE",
            Self::INVALID_PAYLOAD_DATA => "INVALID_PAYLOAD_DATA",
            Self::POLICY_VIOLATION => "POLICY_VIOLATION",
            Self::MESSAGE_TOO_BIG => "MESSAGE_TOO_BIG",
            Self::MANDATORY_EXTENSION => "MANDATORY_EXTENSION",
            Self::INTERNAL_ERROR => "INTERNAL_ERROR",
            Self::SERVICE_RESTART => "SERVICE_RESTART",
            Self::TRY_AGAIN_LATER => "TRY_AGAIN_LATER",
            Self::BAD_GATEWAY => "BAD_GATEWAY",
            Self::TLS_HANDSHAKE => "TLS_HANDSHAKE",
            _ => return None,
        })
    }
}

impl From<u16> for CloseCode {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The body of a Close frame: nothing, or a code and a text.
///
/// A value of this type can always be sent: the code is one that may be, and the text is
/// at most [`REASON_BYTES_MAX`] bytes of UTF-8 (RFC 6455 §5.5.1). An empty text takes no
/// memory on the heap.
///
/// The text is for the person who debugs, and is not meant for end users.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct CloseReason {
    code: Option<CloseCode>,
    reason: Box<str>,
}

impl CloseReason {
    /// A code with a text.
    ///
    /// # Errors
    ///
    /// [`CloseReasonError::Code`] if the code [may not be sent](CloseCode::may_be_sent),
    /// [`CloseReasonError::TooLong`] if the text is longer than [`REASON_BYTES_MAX`].
    pub fn new(code: CloseCode, reason: &str) -> Result<Self, CloseReasonError> {
        if !code.may_be_sent() {
            return Err(CloseReasonError::Code(code));
        }
        //= WS-098
        if reason.len() > REASON_BYTES_MAX {
            return Err(CloseReasonError::TooLong {
                bytes: reason.len(),
            });
        }
        Ok(Self {
            code: Some(code),
            reason: reason.into(),
        })
    }

    /// A code with as much of a text as fits.
    ///
    /// The text is cut between two characters, at [`REASON_BYTES_MAX`] bytes or before.
    ///
    /// # Errors
    ///
    /// [`CloseReasonError::Code`] if the code [may not be sent](CloseCode::may_be_sent).
    pub fn truncated(code: CloseCode, reason: &str) -> Result<Self, CloseReasonError> {
        let longest = reason.len().min(REASON_BYTES_MAX);
        let end = (0..=longest)
            .rev()
            .find(|&end| reason.is_char_boundary(end));
        Self::new(code, &reason[..end.unwrap_or(0)])
    }

    /// A Close frame without a body.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads the body of a Close frame.
    ///
    /// # Errors
    ///
    /// Says what is wrong with a body that a peer must not send (RFC 6455 §5.5.1, §7.4).
    pub fn decode(body: &[u8]) -> Result<Self, MalformedClose> {
        //= WS-100
        let Some((number, text)) = body.split_first_chunk::<2>() else {
            return if body.is_empty() {
                Ok(Self::empty())
            } else {
                Err(MalformedClose::OneByte)
            };
        };
        let code = CloseCode(u16::from_be_bytes(*number));
        if !code.may_be_sent() {
            return Err(MalformedClose::Code(code.0));
        }
        if text.len() > REASON_BYTES_MAX {
            return Err(MalformedClose::TooLong);
        }
        //= WS-135
        //= WS-155
        match core::str::from_utf8(text) {
            Ok(reason) => Ok(Self {
                code: Some(code),
                reason: reason.into(),
            }),
            Err(_) => Err(MalformedClose::NotUtf8),
        }
    }

    /// Appends the body of the Close frame to `target`: at most 125 bytes.
    pub fn encode_into(&self, target: &mut Vec<u8>) {
        if let Some(code) = self.code {
            target.extend_from_slice(&code.0.to_be_bytes());
            target.extend_from_slice(self.reason.as_bytes());
        }
    }

    /// The code, if there is a body.
    #[must_use]
    pub fn code(&self) -> Option<CloseCode> {
        self.code
    }

    /// The text, empty if there is none.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Why a [`CloseReason`] was refused to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReasonError {
    /// This code may not stand in a Close frame (RFC 6455 §7.4).
    Code(CloseCode),
    /// The text has more than [`REASON_BYTES_MAX`] bytes (RFC 6455 §5.5).
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
}

impl fmt::Display for CloseReasonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "close code {code} may not be sent"),
            Self::TooLong { bytes } => {
                write!(
                    f,
                    "a close reason of {bytes} bytes is over the {REASON_BYTES_MAX} that fit"
                )
            }
        }
    }
}

impl core::error::Error for CloseReasonError {}

/// What is wrong with the body of a Close frame that a peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MalformedClose {
    /// One byte is half of a code (RFC 6455 §5.5.1).
    OneByte,
    /// This code may not stand in a Close frame (RFC 6455 §7.4).
    Code(u16),
    /// The text is not UTF-8 (RFC 6455 §5.5.1).
    NotUtf8,
    /// The text has more than [`REASON_BYTES_MAX`] bytes (RFC 6455 §5.5).
    TooLong,
}

impl fmt::Display for MalformedClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneByte => f.write_str("a close body of one byte holds half a code"),
            Self::Code(number) => write!(f, "close code {number} may not be sent"),
            Self::NotUtf8 => f.write_str("the close reason is not UTF-8"),
            Self::TooLong => f.write_str("the close body is longer than 125 bytes"),
        }
    }
}

impl core::error::Error for MalformedClose {}
