//! What was heard, and the means to answer it.

use crate::engine::{Connection, Lent, LentPiece, Message, SendError, Timestamp};

/// What [`recv_or_room`](crate::net::WebSocket::recv_or_room) heard.
#[derive(Debug)]
#[non_exhaustive]
pub enum Heard {
    /// A message.
    Message(Message),
    /// The outbox was full and has drained.
    Room,
    /// The connection is closed.
    End,
}

/// A message and the means to answer it; see
/// [`recv_exchange`](crate::net::WebSocket::recv_exchange).
#[derive(Debug)]
#[non_exhaustive]
pub struct Exchange<'a> {
    /// The message.
    pub message: Lent<'a>,
    /// Where its answer goes.
    pub reply: Reply<'a>,
}

impl<'a> Exchange<'a> {
    pub(crate) const fn new(message: Lent<'a>, reply: Reply<'a>) -> Self {
        Self { message, reply }
    }

    /// Answers with the message itself; a large one is not copied.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing is queued then.
    #[inline]
    pub fn echo(self) -> Result<(), SendError> {
        self.reply.send_back(self.message.into())
    }
}

/// A message or a piece of one, and the means to answer it; see
/// [`serve_pieces`](crate::net::WebSocket::serve_pieces).
#[derive(Debug)]
#[non_exhaustive]
pub struct PieceExchange<'a> {
    /// The piece.
    pub piece: LentPiece<'a>,
    /// Where its answer goes.
    pub reply: Reply<'a>,
}

impl<'a> PieceExchange<'a> {
    pub(crate) const fn new(piece: LentPiece<'a>, reply: Reply<'a>) -> Self {
        Self { piece, reply }
    }

    /// Answers with the piece itself, as a fragment of the answer or as all of it; a large one is
    /// not copied.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing is queued then.
    #[inline]
    pub fn echo(self) -> Result<(), SendError> {
        self.reply.send_back(self.piece)
    }
}

/// Queues answers to a message.
#[derive(Debug)]
pub struct Reply<'a> {
    connection: &'a mut Connection,
    now: Timestamp,
    /// Whether the outbox is known not to be full: it was not, and nothing was queued since.
    has_room: bool,
}

impl<'a> Reply<'a> {
    /// `has_room` where the outbox is known not to be full.
    pub(crate) const fn new(
        connection: &'a mut Connection,
        now: Timestamp,
        has_room: bool,
    ) -> Self {
        Self {
            connection,
            now,
            has_room,
        }
    }

    #[inline(always)]
    fn send_back(self, piece: LentPiece<'_>) -> Result<(), SendError> {
        match self.has_room {
            true => self.connection.send_piece_back_with_room(self.now, piece),
            false => self.connection.send_piece_back(self.now, piece),
        }
    }

    /// Queues a text message.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing is queued then.
    pub fn text(&mut self, text: &str) -> Result<(), SendError> {
        self.has_room = false;
        self.connection.send_text(self.now, text)
    }

    /// Queues a binary message.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing is queued then.
    pub fn binary(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.has_room = false;
        self.connection.send_binary(self.now, bytes)
    }
}
