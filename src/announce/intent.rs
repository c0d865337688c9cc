//! The intent dialect: what a connection may say, and what it is told.
//!
//! Everything here is a pure function between JSON text and values. A request names what it
//! wants in `Intent` and carries its own token in `APIToken`; field names are case-sensitive,
//! unknown ones are ignored, and `null` in an optional field counts as absence.

mod code;
mod reply;
mod request;

pub use code::Code;
pub use reply::{
    Acknowledgement, BAD_TOKEN, NO_TOKEN, USER_MISMATCH, announcement, error, read_state, signed,
    unread_page,
};
pub use request::{
    BYTES_MAX, Context, Credential, Fault, INTENTS, Intent, Reject, Request, RequestId,
    UNREAD_DEFAULT,
};
