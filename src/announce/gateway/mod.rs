//! The gateway dialect: sockets in, topics of the bus out, and back.
//!
//! A connection hands what it hears to its [`Session`], which publishes it, and sends what
//! [`Session::next`] tells. Handlers never touch a socket: they answer the message, or publish
//! on the topics that the server listens on, from which [`Delivery`] reaches [`Sockets`].
//!
//! ```text
//!   client ─▶ {"type":"message_type_one","payload":{},"id":"c1"}
//!             socket:generalMessage, then socket:type_one, with the same message id
//!   client ◀─ {"type":"socket:generalMessage","payload":{},"replyTo":"c1"}      reply
//!   client ◀─ {"type":"error","payload":{},"replyTo":"c1"}                      fail
//!   client ◀─ {"type":"onconnect","payload":{}}      reply to the connection
//! ```
//!
//! Both topics may reply, so one message can have two replies; each names its topic. A handler
//! that is there for its effect answers with
//! [`Message::ack`](crate::announce::bus::Message::ack).
//!
//! `send.subscribe` and `broadcast.subscribe` are topics that the server listens on:
//!
//! ```text
//!   socket:send       {"username":"alex","namespace":"acme","type":"t","payload":{}}
//!   socket:broadcast  {"type":"t","payload":{}}
//!   both              id, exclude (connections), ttl (seconds), priority;  send: store_if_offline
//!   the producer ◀─   {"accepted":true,"id":"…","matched":2,"stored":false}
//! ```

mod context;
mod delivery;
mod members;
mod order;
mod repeats;
mod reply;
mod session;
mod settings;
pub mod webhook;

pub use context::{Context, OtherNamespace};
pub use delivery::{Delivery, Keep, Matched, Sockets};
pub use members::Members;
pub use order::{EXCLUDE_MAX, TTL_MAX, USERS_MAX, WORD_BYTES_MAX};
pub use repeats::{ID_REMEMBERED, IDS_MAX};
pub use reply::{Close, Outcome, PAYLOAD_BYTES_MAX};
pub use session::{Ending, Heard, ID_BYTES_MAX, MALFORMED_MAX, Passed, Session};
pub use settings::{BroadcastScope, Settings, SettingsError, TYPES_MAX, Types};
