//! The intent dialect: what a connection may say, and what it is told.
//!
//! A request names what it wants in `Intent` and carries its own token in `APIToken`; field names
//! are case-sensitive, unknown ones are ignored, and `null` in an optional field counts as
//! absence. Requests and replies are pure functions between JSON text and values; [`handle`] puts
//! the rules of the desk between the two.

mod reply;
mod request;
mod talk;

pub use crate::announce::fields::{Credential, Fault, UNREAD_DEFAULT};
pub use reply::{
    Acknowledgement, BAD_TOKEN, NO_TOKEN, USER_MISMATCH, acknowledged, announcement, error, event,
    read_state, signed, unread_page,
};
pub use request::{BYTES_MAX, Context, INTENTS, Intent, Reject, Request, RequestId};
pub(crate) use talk::denied;
pub use talk::handle;
