//! Why clients came to no request.

use std::io::ErrorKind;

use crate::server::HandshakeError;
use crate::wire::http::HeadError;

/// The reason in a word, for counting; `None` for those that were not let in, which are counted
/// where that is decided.
//= A34
pub(crate) fn reason(error: &HandshakeError) -> Option<&'static str> {
    Some(match error {
        HandshakeError::Refused(refusal) => match refusal.status() {
            503 => return None,
            400 => "malformed",
            405 => "method",
            408 => "too_slow",
            414 => "line_too_long",
            426 => "version",
            431 if refusal.head_error() == Some(HeadError::TooManyHeaders) => "too_many_headers",
            431 => "head_too_large",
            505 => "http_version",
            _ => "refused",
        },
        HandshakeError::NotTls => "not_tls",
        HandshakeError::Tls(_) => "tls",
        HandshakeError::TlsBusy => "tls_busy",
        HandshakeError::Io(error) => match error.kind() {
            ErrorKind::UnexpectedEof => "gone",
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "reset",
            ErrorKind::TimedOut => "too_slow",
            _ => "io",
        },
        _ => "other",
    })
}
