//! The receive buffer: whole messages, lent from where they arrived.

use alloc::vec::Vec;
use bytes::Bytes;
use core::ops::Range;

mod pieces;
mod small;

use crate::engine::buffer::Buffer;
use crate::engine::connection::Connection;
use crate::engine::event::{Event, Kind};
use crate::engine::message::{Lent, Message};
use crate::engine::piece::{Ends, Piece};
use crate::engine::time::Timestamp;
use crate::engine::violation::Violation;

/// How much a buffer that is full grows by at least.
const GROW_BYTES_MIN: usize = 4 << 10;

/// How large a buffer for expanded messages is kept while there is a buffer for what arrives.
const EXPANDED_BYTES_KEPT: usize = 128 << 10;

/// A receive buffer that puts the pieces of a message together where they stand.
///
/// Read from the transport into [`space`](Self::space), say with [`filled`](Self::filled) how
/// much came, and take what it means with [`next`](Self::next) until there is nothing. A message
/// in one frame is lent from the very bytes that arrived; the fragments of a longer one are
/// moved together inside the buffer. The buffer grows with what has arrived, never with what a
/// header declares: to at most twice that, and some kilobytes.
#[derive(Debug, Default)]
pub struct Inbox {
    buffer: Buffer,
    /// A message that an extension has expanded, so far as it has come; or the last piece of one.
    /// It is what is held; nothing is filled. The rest may be of another connection's message.
    expanded: Buffer,
    /// The chunk that is expanded piece by piece; its bytes are those that are held.
    pending: Option<Pending>,
    /// Whether nothing of the present message has been lent as a piece.
    piece_first: bool,
    /// Whether something of the present message is being put together.
    collects: bool,
    /// Whether the present message has been begun in pieces because it does not fit.
    in_pieces: bool,
    /// Whether nothing is left of what was found in a long way: no chunk that is pending, no
    /// message that has begun, nothing expanded.
    settled: bool,
    /// What was found last.
    found: Option<Place>,
}

/// What [`Inbox::next`] found.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming<'a> {
    /// A whole message.
    Message(Lent<'a>),
    /// A piece of a message, where pieces were asked for.
    Piece(Piece<'a>),
    /// A Ping with its payload; it is answered already.
    Ping(&'a [u8]),
    /// A Pong with its payload.
    Pong(&'a [u8]),
    /// The peer's Close frame.
    Close,
    /// The peer broke the protocol.
    Failed(Violation),
}

/// What was found, by where it stands.
#[derive(Clone, Debug)]
enum Place {
    /// All that is held.
    Message(Kind),
    Expanded(Kind),
    Piece(Range<usize>, Ends),
    ExpandedPiece(Ends),
    Ping(Range<usize>),
    Pong(Range<usize>),
    Close,
    Failed(Violation),
}

/// A chunk in the coding of an extension, of which `taken` bytes have been expanded.
#[derive(Debug)]
struct Pending {
    ends: Ends,
    taken: usize,
}

impl Inbox {
    /// An empty buffer, which allocates nothing before it is used.
    pub const fn new() -> Self {
        Self {
            buffer: Buffer::new(),
            expanded: Buffer::new(),
            pending: None,
            piece_first: false,
            collects: false,
            in_pieces: false,
            settled: true,
            found: None,
        }
    }

    /// A buffer that begins with bytes which have already arrived: what followed a handshake.
    pub fn with_bytes(bytes: Vec<u8>) -> Self {
        Self {
            buffer: Buffer::with_bytes(bytes),
            ..Self::new()
        }
    }

    /// Whether no byte is waiting, neither unread nor as part of a message.
    pub const fn is_empty(&self) -> bool {
        self.buffer.filled == self.buffer.parsed
            && self.buffer.held == 0
            && self.expanded.held == 0
            && self.pending.is_none()
    }

    /// Lends a buffer to work in, to take the place of a smaller one or none.
    ///
    /// Its length is what can be read at once; its content does not matter.
    pub fn lend_buffer(&mut self, mut buffer: Vec<u8>) {
        let waiting = self.buffer.waiting();
        if self.buffer.data.len() < buffer.len() && waiting < buffer.len() {
            buffer[..self.buffer.held].copy_from_slice(
                &self.buffer.data[self.buffer.start..self.buffer.start + self.buffer.held],
            );
            buffer[self.buffer.held..waiting]
                .copy_from_slice(&self.buffer.data[self.buffer.parsed..self.buffer.filled]);
            self.moved(waiting);
            self.buffer.data = buffer;
        }
    }

    /// Whether a buffer of so many bytes would be of use now: this one is full, or there is
    /// none, and it would hold what waits and more.
    pub const fn wants_buffer(&self, len: usize) -> bool {
        let waiting = self.buffer.waiting();
        self.buffer.data.len() - self.buffer.filled < GROW_BYTES_MIN
            && self.buffer.data.len() < len
            && waiting < len
    }

    /// Lends the buffer that `make` gives, if this one is full or there is none.
    pub fn lend_buffer_with(&mut self, make: impl FnOnce() -> Vec<u8>) {
        if self.is_full() {
            self.lend_buffer(make());
        }
    }

    /// Gives the buffer back, so that a connection on which nothing happens holds none.
    ///
    /// Bytes that still wait are first moved to a buffer of just their size, if they are few.
    pub fn take_buffer(&mut self) -> Option<Vec<u8>> {
        let waiting = self.buffer.waiting();
        if self.buffer.data.is_empty() || waiting > self.buffer.data.len() / 8 {
            return None;
        }
        if self.expanded.held == 0 {
            self.expanded.data = Vec::new();
        }
        let mut kept = Vec::with_capacity(waiting);
        kept.extend_from_slice(
            &self.buffer.data[self.buffer.start..self.buffer.start + self.buffer.held],
        );
        kept.extend_from_slice(&self.buffer.data[self.buffer.parsed..self.buffer.filled]);
        self.moved(waiting);
        Some(core::mem::replace(&mut self.buffer.data, kept))
    }

    /// Takes note that the bytes which wait, `waiting` of them, stand at the front now.
    fn moved(&mut self, waiting: usize) {
        (self.buffer.start, self.buffer.parsed, self.buffer.filled) =
            (0, self.buffer.held, waiting);
        // A message moves with what is held; a piece and the payload of a control frame do not.
        if matches!(
            self.found,
            Some(Place::Ping(_) | Place::Pong(_) | Place::Piece(..))
        ) {
            self.found = None;
        }
    }

    /// As [`take_buffer`](Self::take_buffer), unless the buffer is of so many bytes.
    pub fn take_buffer_unless(&mut self, len: usize) -> Option<Vec<u8>> {
        match self.buffer.data.len() == len {
            true => None,
            false => self.take_buffer(),
        }
    }

    /// Whether there is so little room that the buffer would have to grow.
    pub const fn is_full(&self) -> bool {
        self.buffer.data.len() - self.buffer.filled < GROW_BYTES_MIN
    }

    /// Bytes that have arrived and wait, unread or as part of a message.
    pub const fn waiting_bytes(&self) -> usize {
        self.buffer.waiting()
    }

    /// Room to read into, of at least some kilobytes.
    ///
    /// `expected` is how much is known to come ([`Connection::frame_bytes_to_come`]): a buffer
    /// that must grow anyway grows to hold it, but to no more than twice what has arrived.
    #[inline]
    pub fn space(&mut self, expected: u64) -> &mut [u8] {
        if self.is_full() {
            self.make_space(expected);
        }
        &mut self.buffer.data[self.buffer.filled..]
    }

    /// Moves what waits to the front, and grows the buffer where that is not enough.
    #[inline(never)]
    fn make_space(&mut self, expected: u64) {
        if self.buffer.start > 0 || self.buffer.parsed > self.buffer.start + self.buffer.held {
            self.buffer
                .data
                .copy_within(self.buffer.start..self.buffer.start + self.buffer.held, 0);
            self.buffer
                .data
                .copy_within(self.buffer.parsed..self.buffer.filled, self.buffer.held);
            self.moved(self.buffer.waiting());
        }
        if self.is_full() {
            let expected = usize::try_from(expected).unwrap_or(usize::MAX);
            //= PX-08
            let more = expected
                .min(self.buffer.filled)
                .saturating_add(GROW_BYTES_MIN);
            self.buffer.data.resize(
                self.buffer
                    .filled
                    .saturating_add(more)
                    .max(self.buffer.data.capacity()),
                0,
            );
        }
    }

    /// Takes note that the transport has put `n` bytes into [`space`](Self::space).
    pub fn filled(&mut self, n: usize) {
        self.buffer.filled = (self.buffer.filled + n).min(self.buffer.data.len());
    }

    /// What the bytes mean next; `None` when more must be read.
    ///
    /// What was lent before is gone with this call.
    #[inline(always)]
    pub fn next(&mut self, connection: &mut Connection, now: Timestamp) -> Option<Incoming<'_>> {
        if let Some(kind) = self.advance_small(connection) {
            connection.note_small(now);
            return Some(Incoming::Message(self.lent_small(kind)));
        }
        if self.is_spent(connection) || !self.advance_any(connection, now) {
            return None;
        }
        self.incoming()
    }

    /// Goes on to what the bytes mean next, and says whether there is anything.
    #[inline(always)]
    pub fn advance(&mut self, connection: &mut Connection, now: Timestamp) -> bool {
        if self.advance_small(connection).is_some() {
            connection.note_small(now);
            return true;
        }
        !self.is_spent(connection) && self.advance_any(connection, now)
    }

    /// As [`advance`](Self::advance) where a small message does not come next.
    #[inline(never)]
    pub(crate) fn advance_any(&mut self, connection: &mut Connection, now: Timestamp) -> bool {
        self.begin_search();
        self.found = self.find(connection, now);
        self.found.is_some()
    }

    /// Takes note that what was found last is done with, and that the long way is gone now.
    const fn begin_search(&mut self) {
        (self.buffer.is_given, self.settled) = (false, false);
    }

    /// Whether there is nothing to go on to; what was lent is done with then.
    #[inline(always)]
    pub(crate) fn is_spent(&mut self, connection: &Connection) -> bool {
        if self.buffer.parsed != self.buffer.filled || self.pending.is_some() {
            return false;
        }
        self.found = None;
        if self.settled {
            // Mostly, and it is all that there is to do then.
            (self.buffer.held, self.buffer.parsed, self.buffer.filled) = (0, 0, 0);
        } else {
            self.give_up_lent(connection);
        }
        true
    }

    #[inline(never)]
    fn give_up_lent(&mut self, connection: &Connection) {
        // What was lent as a piece is done with; what is being put together is not.
        if !connection.is_within_message() || !self.collects {
            self.buffer.held = 0;
            self.forget_expanded();
            self.rewind();
        }
    }

    /// Begins at the front again when everything has been read, to stay where the cache is warm.
    #[inline]
    fn rewind(&mut self) {
        if self.buffer.parsed == self.buffer.filled && self.buffer.held == 0 {
            (self.buffer.parsed, self.buffer.filled) = (0, 0);
        }
    }

    /// Whether what was found last is a message.
    pub const fn is_message(&self) -> bool {
        matches!(self.found, Some(Place::Message(_) | Place::Expanded(_)))
    }

    /// Whether what was found last is a piece of a message.
    pub const fn is_piece(&self) -> bool {
        matches!(self.found, Some(Place::Piece(..) | Place::ExpandedPiece(_)))
    }

    /// What was found last.
    ///
    /// A message stays there when the buffer is changed meanwhile; the payload of a control
    /// frame does not, and `None` is in its place.
    pub fn incoming(&mut self) -> Option<Incoming<'_>> {
        if self.buffer.is_given {
            return None;
        }
        Some(match self.found.clone()? {
            Place::Message(_) | Place::Expanded(_) => Incoming::Message(self.lent()?),
            Place::Piece(range, ends) => Incoming::Piece(ends.piece(&self.buffer.data[range])),
            Place::ExpandedPiece(ends) => Incoming::Piece(ends.piece(self.expanded.held())),
            Place::Ping(range) => Incoming::Ping(&self.buffer.data[range]),
            Place::Pong(range) => Incoming::Pong(&self.buffer.data[range]),
            Place::Close => Incoming::Close,
            Place::Failed(violation) => Incoming::Failed(violation),
        })
    }

    /// The message that was found last.
    #[inline]
    pub fn lent(&mut self) -> Option<Lent<'_>> {
        match self.found {
            Some(Place::Message(kind)) if !self.buffer.is_given => {
                Some(Lent::new(kind, &mut self.buffer))
            }
            Some(Place::Expanded(kind)) => Some(Lent::new(kind, &mut self.expanded)),
            _ => None,
        }
    }

    #[inline(never)]
    fn find(&mut self, connection: &mut Connection, now: Timestamp) -> Option<Place> {
        if let Some(pending) = self.pending.take() {
            // The message was begun in pieces; this is the rest of it.
            if let Some(place) = self.expand_rest(connection, now, pending) {
                return Some(place);
            }
        }
        if !self.collects {
            // What was lent as a piece is done with.
            self.buffer.held = 0;
            self.forget_expanded();
        }
        while self.buffer.parsed < self.buffer.filled {
            let base = self.buffer.parsed;
            let received = connection.receive(now, &mut self.buffer.data[base..self.buffer.filled]);
            self.buffer.parsed += received.consumed;
            let end = self.buffer.parsed;
            match received.event {
                None if received.consumed == 0 => break,
                None => {}
                Some(Event::Data(chunk)) if chunk.coded => {
                    let (kind, last) = (chunk.kind, chunk.last);
                    let (mut taken, output) = (0, &mut self.expanded);
                    let all = usize::MAX;
                    if let Err(it) = connection.expand_into(now, &chunk, &mut taken, all, output) {
                        return Some(Place::Failed(it));
                    }
                    self.collects = !last;
                    if last {
                        return Some(Place::Expanded(kind));
                    }
                }
                Some(Event::Data(chunk)) => {
                    let (kind, last, len) = (chunk.kind, chunk.last, chunk.bytes.len());
                    self.hold(end - len..end);
                    self.collects = !last;
                    if last {
                        return Some(Place::Message(kind));
                    }
                }
                Some(Event::Ping(payload)) => return Some(Place::Ping(end - payload.len()..end)),
                Some(Event::Pong(payload)) => return Some(Place::Pong(end - payload.len()..end)),
                Some(Event::Close) => return Some(Place::Close),
                Some(Event::Failed(violation)) => return Some(Place::Failed(violation)),
            }
        }
        self.rewind();
        None
    }

    /// A large message that was expanded leaves no large buffer behind.
    #[inline]
    fn forget_expanded(&mut self) {
        if self.expanded.data.capacity() > EXPANDED_BYTES_KEPT {
            self.expanded.data = Vec::new();
        }
        self.expanded.held = 0;
    }

    /// Makes `piece` the next of the message that is being put together.
    //= WS-089
    fn hold(&mut self, piece: Range<usize>) {
        let end = self.buffer.start + self.buffer.held;
        if self.buffer.held == 0 {
            self.buffer.start = piece.start;
        } else if piece.start != end {
            self.buffer.data.copy_within(piece.clone(), end);
        }
        self.buffer.held += piece.len();
    }

    /// Takes the message that [`next`](Self::next) lent last, as an owned one.
    ///
    /// It is copied into an allocation of just its size: the buffer stays for the next message,
    /// and a small message never keeps a large buffer alive. Only what an extension has expanded
    /// into a buffer too large to be kept is given away as it is. `None` when the message has
    /// been taken, or what came last was no message.
    pub fn take_message(&mut self) -> Option<Message> {
        if self.buffer.is_given {
            return None;
        }
        let (kind, held) = match self.found.take()? {
            Place::Message(kind) => (kind, self.buffer.held()),
            Place::Expanded(kind) if self.expanded.held > EXPANDED_BYTES_KEPT => {
                let expanded = core::mem::take(&mut self.expanded);
                return Some(Message::new(kind, expanded.into_held().into()));
            }
            Place::Expanded(kind) => (kind, self.expanded.held()),
            _ => return None,
        };
        Some(Message::new(kind, Bytes::copy_from_slice(held)))
    }
}
