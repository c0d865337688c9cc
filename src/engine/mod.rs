//! The protocol, with no socket, clock, entropy or thread of its own.
//!
//! # The contract
//!
//! A [`Connection`] is driven by whoever owns the transport. Inputs, most with the present time:
//! [`receive`](Connection::receive), [`receive_eof`](Connection::receive_eof),
//! [`timeout`](Connection::timeout), and the commands ([`send_text`](Connection::send_text),
//! [`send_binary`](Connection::send_binary), [`send_fragment`](Connection::send_fragment),
//! [`send_prepared`](Connection::send_prepared), [`ping`](Connection::ping),
//! [`close`](Connection::close)). After inputs, in this order:
//!
//! 1. Call `receive` again with the rest of the bytes until it returns no event. One event is
//!    returned at a time, so an answer that is sent at once stands before whatever the following
//!    bytes cause, be it the Close frame for a violation in them.
//! 2. [`transmit`](Connection::transmit) lends the bytes that should leave;
//!    [`transmitted`](Connection::transmitted) says how many did. Nothing is lost when the
//!    transport is full: the bytes wait in the outbox, which has a bound.
//! 3. [`should_end_stream`](Connection::should_end_stream) tells whether to shut down the write
//!    side now. Whoever has shut it down reads on, and discards, until the stream ends or the
//!    connection [`is_closed`](Connection::is_closed).
//! 4. [`poll_timeout`](Connection::poll_timeout) tells when to call `timeout` if nothing else
//!    happens.
//!
//! Time never goes backwards. No call blocks, panics on bytes from the network, or allocates by
//! what the peer declares. Three families of failure are kept apart: what the peer does wrong is
//! a [`Violation`], what the caller does wrong a [`Misuse`], and what happens to the transport
//! is told to the engine, not by it. A normal close is none of them.
//!
//! ```
//! use framewire::engine::{
//!     Acceptance, ClientHandshake, ClientProgress, ClientRequest, Inbox, Incoming,
//!     ServerHandshake, ServerProgress, Timestamp,
//! };
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let now = Timestamp::ZERO; // your clock
//! let seed = [7; 32]; // your entropy: a seed is used once
//! let client = ClientHandshake::new(ClientRequest::new("localhost", "/chat"), seed)?;
//!
//! // The client's bytes reach the server, which accepts ...
//! let progress = ServerHandshake::default().receive(client.request())?;
//! let ServerProgress::Upgrade(request) = progress else { panic!("a whole request") };
//! assert_eq!(request.path(), "/chat");
//! let mut server = request.accept(Acceptance::new(), Default::default(), now)?.connection;
//! server.send_text(now, "welcome")?;
//!
//! // ... and the server's bytes, its answer and a message, reach the client.
//! let bytes: Vec<u8> = server.transmit().flatten().copied().collect();
//! server.transmitted(bytes.len());
//! let ClientProgress::Open(mut opened) = client.receive(&bytes, &Default::default(), now)? else {
//!     panic!("a whole answer")
//! };
//! let mut inbox = Inbox::with_bytes(opened.leftover);
//! let Some(Incoming::Message(message)) = inbox.next(&mut opened.connection, now) else {
//!     panic!("a message")
//! };
//! assert_eq!(message.text(), Some("welcome"));
//! # Ok(())
//! # }
//! ```
//!
//! # Three ways to take a message
//!
//! `receive` hands out chunks as they arrive: nothing is held, however long the message. An
//! [`Inbox`] owns a receive buffer, puts messages together in it and lends them; it can make an
//! owned [`Message`] of one with a single allocation.
//!
//! # Both ends
//!
//! A client and a server differ in four points, which stand in [`Role`]. Everything else is one
//! piece of code.

mod buffer;
pub mod closure;
mod coding;
pub mod compress;
pub mod connection;
mod deadlines;
#[cfg(feature = "std")]
pub mod deflate;
mod entropy;
pub mod event;
pub mod extension;
mod frame;
mod given;
pub mod handshake;
mod inbound;
pub mod inbox;
pub mod limits;
pub mod message;
pub mod misuse;
pub mod observer;
pub mod outbox;
pub mod part;
pub mod piece;
pub mod prepared;
mod queue;
pub mod ready_state;
pub mod role;
mod state;
mod streamed;
mod tail;
pub mod time;
pub mod violation;

pub use crate::engine::closure::{Cause, Closure, Side};
pub use crate::engine::compress::Compress;
pub use crate::engine::connection::Connection;
pub use crate::engine::event::{Chunk, Event, Kind, Received};
pub use crate::engine::extension::{Answer, Expanded, Extension, Offer};
pub use crate::engine::handshake::client::{
    Answered, ClientHandshake, ClientProgress, ClientRequest, HandshakeFailure, InvalidRequest,
    Opened,
};
pub use crate::engine::handshake::refusal::Refusal;
pub use crate::engine::handshake::server::{
    AcceptError, Acceptance, Accepted, PlainRequest, ServerHandshake, ServerProgress,
    UpgradeRequest,
};
pub use crate::engine::inbox::{Inbox, Incoming};
pub use crate::engine::limits::Limits;
pub use crate::engine::message::{Lent, Message, Utf8Bytes};
pub use crate::engine::misuse::{Misuse, SendError};
pub use crate::engine::observer::{Observed, Observer, Recoded, Statistics, Traffic};
pub use crate::engine::outbox::SendBuffer;
pub use crate::engine::part::Part;
pub use crate::engine::piece::{LentPiece, Piece};
pub use crate::engine::prepared::Prepared;
pub use crate::engine::ready_state::ReadyState;
pub use crate::engine::role::Role;
pub use crate::engine::time::Timestamp;
pub use crate::engine::violation::Violation;
