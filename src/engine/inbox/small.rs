//! The short way: a whole small message in one frame, see
//! [`receive_small`](Connection::receive_small).

use crate::engine::connection::Connection;
use crate::engine::event::Kind;
use crate::engine::inbox::{Inbox, Place};
use crate::engine::message::Lent;

impl Inbox {
    /// As [`advance`](Self::advance) where a whole small message comes next, and `None` otherwise.
    /// The connection is to be told, by [`note_small`](Connection::note_small).
    #[inline(always)]
    pub(crate) fn advance_small(&mut self, connection: &Connection) -> Option<Kind> {
        if !(self.settled || self.settle(connection)) {
            return None;
        }
        let kind = self.find_small(connection)?;
        self.found = Some(Place::Message(kind));
        Some(kind)
    }

    /// The message that [`advance_small`](Self::advance_small) went on to just now.
    #[inline(always)]
    pub(crate) const fn lent_small(&mut self, kind: Kind) -> Lent<'_> {
        Lent::new(kind, &mut self.buffer)
    }

    /// Is done with what was lent before, unless a message has begun that goes on.
    #[inline(never)]
    fn settle(&mut self, connection: &Connection) -> bool {
        if self.pending.is_some() || connection.is_within_message() {
            return false;
        }
        self.forget_expanded();
        (self.collects, self.settled) = (false, true);
        true
    }

    /// Goes on to a whole small message, if that is what comes next.
    #[inline(always)]
    fn find_small(&mut self, connection: &Connection) -> Option<Kind> {
        let base = self.buffer.parsed;
        let input = &mut self.buffer.data[base..self.buffer.filled];
        let (kind, payload) = connection.receive_small(input)?;
        self.buffer.start = base + payload.start;
        self.buffer.held = payload.len;
        self.buffer.parsed = self.buffer.start + payload.len;
        self.buffer.is_given = false;
        Some(kind)
    }
}
