//! Messages piece by piece, for those that are larger than memory.

use crate::engine::connection::Connection;
use crate::engine::event::{Chunk, Event};
use crate::engine::inbox::{Inbox, Pending, Place};
use crate::engine::message::Lent;
use crate::engine::piece::{Ends, LentPiece};
use crate::engine::time::Timestamp;

/// How much of a coded message is expanded at once.
const PIECE_BYTES_MAX: usize = 16 << 10;

/// A message of fewer bytes always comes whole, however small the buffer is.
const WHOLE_BYTES_MIN: usize = 32 << 10;

impl Inbox {
    /// Goes on to the next piece of a message, or to the next control frame, and says whether
    /// there is anything; [`incoming`](Self::incoming) lends it.
    ///
    /// Nothing is put together, so a message may be larger than memory: pieces are as they
    /// arrived, or at most 16 KiB of what an extension has expanded. What
    /// [`advance`](Self::advance) has put together of a message that is not complete is the first
    /// piece.
    pub fn advance_piece(&mut self, connection: &mut Connection, now: Timestamp) -> bool {
        self.begin_search();
        self.found = self.find_piece(connection, now);
        self.found.is_some()
    }

    /// Goes on to the next message where it is small or fits into the buffer, and otherwise to the
    /// next piece of it; or to the next control frame. [`lent_piece`](Self::lent_piece) lends
    /// both.
    ///
    /// A message that an extension expands is put together, however large it becomes.
    pub fn advance_fitting(&mut self, connection: &mut Connection, now: Timestamp) -> bool {
        if !connection.is_within_message() && self.pending.is_none() {
            // Whatever was begun has been taken to its end in another way.
            (self.in_pieces, self.piece_first) = (false, false);
        }
        if !self.in_pieces {
            if self.advance(connection, now) {
                return true;
            }
            let is_begun = self.collects && self.expanded.held == 0;
            if !is_begun || !self.is_full() || self.buffer.held < WHOLE_BYTES_MIN {
                return false;
            }
        }
        let found = self.advance_piece(connection, now);
        if let Some(Place::Piece(_, ends) | Place::ExpandedPiece(ends)) = &self.found {
            self.in_pieces = !ends.last;
        }
        found
    }

    /// The message or the piece that was found last.
    pub fn lent_piece(&mut self) -> Option<LentPiece<'_>> {
        if self.buffer.is_given {
            return None;
        }
        let (ends, buffer) = match &self.found {
            Some(Place::Message(kind)) => (Ends::whole(*kind), &mut self.buffer),
            Some(Place::Piece(range, ends)) => {
                (self.buffer.start, self.buffer.held) = (range.start, range.len());
                (*ends, &mut self.buffer)
            }
            Some(Place::Expanded(kind)) => (Ends::whole(*kind), &mut self.expanded),
            Some(Place::ExpandedPiece(ends)) => (*ends, &mut self.expanded),
            _ => return None,
        };
        Some(LentPiece::new(ends, Lent::new(ends.kind, buffer)))
    }

    fn find_piece(&mut self, connection: &mut Connection, now: Timestamp) -> Option<Place> {
        if self.pending.is_none() {
            if let Some(place) = self.put_together(connection) {
                return Some(place);
            }
            self.forget_expanded();
        }
        loop {
            if let Some(pending) = self.pending.take() {
                self.expanded.held = 0;
                match self.expand_piece(connection, now, pending) {
                    None => continue,
                    place => return place,
                }
            }
            self.buffer.held = 0;
            if self.buffer.parsed == self.buffer.filled {
                (self.buffer.parsed, self.buffer.filled) = (0, 0);
                return None;
            }
            let base = self.buffer.parsed;
            let received = connection.receive(now, &mut self.buffer.data[base..self.buffer.filled]);
            self.buffer.parsed += received.consumed;
            let end = self.buffer.parsed;
            match received.event {
                None if received.consumed == 0 => return None,
                None => {}
                Some(Event::Data(chunk)) => {
                    let (range, coded) = (end - chunk.bytes.len()..end, chunk.coded);
                    self.piece_first |= chunk.first;
                    let mut ends = Ends {
                        kind: chunk.kind,
                        first: chunk.first,
                        last: chunk.last,
                    };
                    if !coded {
                        ends.first = core::mem::take(&mut self.piece_first);
                        return Some(Place::Piece(range, ends));
                    }
                    (self.buffer.start, self.buffer.held) = (range.start, range.len());
                    self.pending = Some(Pending { ends, taken: 0 });
                }
                Some(Event::Ping(payload)) => return Some(Place::Ping(end - payload.len()..end)),
                Some(Event::Pong(payload)) => return Some(Place::Pong(end - payload.len()..end)),
                Some(Event::Close) => return Some(Place::Close),
                Some(Event::Failed(violation)) => return Some(Place::Failed(violation)),
            }
        }
    }

    /// What was put together of a message whose end has not arrived, as one piece.
    fn put_together(&mut self, connection: &Connection) -> Option<Place> {
        let kind = connection.message_kind()?;
        let ends = Ends {
            kind,
            first: true,
            last: false,
        };
        if !core::mem::take(&mut self.collects) {
            return None;
        }
        let held = self.buffer.start..self.buffer.start + core::mem::take(&mut self.buffer.held);
        if !held.is_empty() {
            return Some(Place::Piece(held, ends));
        }
        // Of a coded message, nothing may have come of what arrived.
        self.piece_first = self.expanded.held == 0;
        (!self.piece_first).then_some(Place::ExpandedPiece(ends))
    }

    /// Expands the next piece of a chunk; `None` if that comes to nothing.
    fn expand_piece(
        &mut self,
        connection: &mut Connection,
        now: Timestamp,
        mut pending: Pending,
    ) -> Option<Place> {
        let Ends { kind, first, last } = pending.ends;
        let chunk = Chunk {
            kind,
            bytes: &mut self.buffer.data[self.buffer.start..self.buffer.start + self.buffer.held],
            first,
            last,
            coded: true,
        };
        let (taken, room) = (&mut pending.taken, PIECE_BYTES_MAX);
        let output = &mut self.expanded;
        let done = match connection.expand_into(now, &chunk, taken, room, output) {
            Ok(done) => done,
            Err(violation) => return Some(Place::Failed(violation)),
        };
        let last = last && done;
        if !done {
            self.pending = Some(pending);
        }
        if self.expanded.held == 0 && !last {
            return None;
        }
        let first = core::mem::take(&mut self.piece_first);
        Some(Place::ExpandedPiece(Ends { kind, first, last }))
    }

    /// Expands what is left of a chunk that was begun in pieces, to be put together from here
    /// on; returns what ends with it.
    pub(super) fn expand_rest(
        &mut self,
        connection: &mut Connection,
        now: Timestamp,
        pending: Pending,
    ) -> Option<Place> {
        self.expanded.held = 0;
        let last = pending.ends.last;
        let mut next = Some(pending);
        while let Some(pending) = next {
            let kind = pending.ends.kind;
            match self.expand_piece(connection, now, pending) {
                Some(Place::Failed(violation)) => return Some(Place::Failed(violation)),
                Some(Place::ExpandedPiece(Ends { last: true, .. })) => {
                    return Some(Place::Expanded(kind));
                }
                _ => next = self.pending.take(),
            }
        }
        self.buffer.held = 0;
        self.collects = !last;
        None
    }
}
