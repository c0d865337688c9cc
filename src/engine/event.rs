//! What the engine tells the application.

use crate::engine::violation::Violation;

/// Whether a message is text or binary (RFC 6455 §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 §5.6 has these two")]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Bytes that mean what the application says.
    Binary,
}

/// What [`Connection::receive`](crate::engine::Connection::receive) made of some bytes.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the bytes that were not consumed must be offered again"]
pub struct Received<'b> {
    /// How many bytes from the front of the input are done with. The rest, which is never more
    /// than an unfinished header or control frame once `event` is `None`, must be offered again
    /// in front of what arrives next.
    pub consumed: usize,
    /// What the consumed bytes mean; `None` when more are needed.
    pub event: Option<Event<'b>>,
}

/// One thing that happened; payloads borrow from the input, unmasked in place.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// A piece of a message.
    Data(Chunk<'b>),
    /// A Ping with its payload; the Pong is already queued (RFC 6455 §5.5.2).
    Ping(&'b [u8]),
    /// A Pong with its payload, asked for or not (§5.5.3).
    Pong(&'b [u8]),
    /// The peer's Close frame. If it began the closing, the answer is already queued (§5.5.1);
    /// [`Connection::closure`](crate::engine::Connection::closure) has code and reason.
    Close,
    /// The peer broke the protocol. Nothing further is delivered (§7.1.7).
    Failed(Violation),
}

/// A piece of a message: as much of it as had arrived, never across the end of a frame.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chunk<'b> {
    /// The kind of the message.
    pub kind: Kind,
    /// The bytes, unmasked. Pieces of text are checked so far as they have arrived, and may end
    /// inside a character.
    pub bytes: &'b mut [u8],
    /// Whether the message begins with this piece.
    pub first: bool,
    /// Whether the message ends with this piece.
    pub last: bool,
    /// Whether the bytes are in the coding of the negotiated extension, which
    /// [`Connection::expand`](crate::engine::Connection::expand) undoes.
    pub coded: bool,
}
