//! Why the server closes connections, in the words of the protocol.

use crate::wire::close::{CloseCode, CloseReason};

/// A code and a reason, which is cut where it is too long to be sent.
pub(crate) fn reason(code: u16, text: &str) -> CloseReason {
    CloseReason::truncated(CloseCode::new(code), text).unwrap_or_else(|_| CloseReason::empty())
}
