//! `announce.v1`: the dialect in which a connection can do everything.
//!
//! Every message is an object of `type`, `payload`, and an `id` that the sender may choose, which
//! the answer repeats as `replyTo`. A connection signs in once; unknown fields are ignored, and
//! `null` in an optional field counts as absence.

mod reply;
mod request;
mod talk;

pub(crate) use reply::{announcement, done, page_payload, read_state_payload};
pub use reply::{
    draining, error, event, expiring, gap, hello, page, present, published, signed, token_refused,
};
pub use request::{Ask, BYTES_MAX, Request, TYPES};
pub(crate) use request::{body, draft, event_name, receivers, value};
pub use talk::handle;
pub(crate) use talk::relayed;
