//! What a connection works with while it receives.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::{Connection, Inbox, Lent, SendBuffer, Timestamp};
use crate::net::clock::Clock;

/// An inbox with its buffer, and when what is in it arrived.
#[derive(Debug)]
pub(crate) struct Receiving {
    pub(crate) inbox: Inbox,
    /// What its connection sends with, while it sends nothing.
    pub(crate) sending: Option<SendBuffer>,
    /// When bytes arrived last, if that was asked.
    at: Option<Timestamp>,
}

impl Receiving {
    pub(crate) fn with_bytes(bytes: Vec<u8>) -> Box<Self> {
        Box::new(Self {
            inbox: Inbox::with_bytes(bytes),
            sending: None,
            at: None,
        })
    }

    /// Takes note that `n` bytes have arrived.
    pub(crate) fn filled(&mut self, n: usize) {
        self.inbox.filled(n);
        self.at = None;
    }

    /// When bytes arrived last. The clock is read when this is asked first.
    #[inline]
    pub(crate) fn at(&mut self, clock: Clock) -> Timestamp {
        *self.at.get_or_insert_with(|| clock.now())
    }

    /// Goes on to what the bytes mean next; says when that was, if there is anything. The clock
    /// is not read for small messages on a connection that keeps no time: it is any time then.
    #[inline(always)]
    pub(crate) fn advance(
        &mut self,
        connection: &mut Connection,
        clock: Clock,
    ) -> Option<Timestamp> {
        if let Some((at, _)) = self.small(connection, clock) {
            return Some(at);
        }
        match self.is_spent(connection) {
            true => None,
            false => self.advance_in_time(connection, clock, Inbox::advance),
        }
    }

    /// Goes on to a small message, if that is what comes next, and lends it with when that was.
    /// Within a message that has begun in pieces nothing small comes.
    #[inline(always)]
    pub(crate) fn small(
        &mut self,
        connection: &mut Connection,
        clock: Clock,
    ) -> Option<(Timestamp, Lent<'_>)> {
        let kind = self.inbox.advance_small(connection)?;
        let mut at = Timestamp::ZERO;
        if connection.keeps_time() {
            at = self.at(clock);
            connection.note_small(at);
        }
        Some((at, self.inbox.lent_small(kind)))
    }

    /// Where nothing small comes next, goes on in this way to what does, and says when that was
    /// and what it `lends`; `None` without more, as where [`is_spent`](Self::is_spent) says so.
    #[inline(never)]
    pub(crate) fn any<'a, L>(
        &'a mut self,
        connection: &mut Connection,
        clock: Clock,
        advance: fn(&mut Inbox, &mut Connection, Timestamp) -> bool,
        lends: fn(&'a mut Inbox) -> Option<L>,
    ) -> Option<(Timestamp, Option<L>)> {
        let at = self.advance_in_time(connection, clock, advance)?;
        Some((at, lends(&mut self.inbox)))
    }

    /// Whether there is nothing to go on to; what was lent is done with then.
    #[inline(always)]
    pub(crate) fn is_spent(&mut self, connection: &Connection) -> bool {
        self.inbox.is_spent(connection)
    }

    #[inline(never)]
    fn advance_in_time(
        &mut self,
        connection: &mut Connection,
        clock: Clock,
        advance: fn(&mut Inbox, &mut Connection, Timestamp) -> bool,
    ) -> Option<Timestamp> {
        let now = self.renewed(clock);
        advance(&mut self.inbox, connection, now).then_some(now)
    }

    /// What time it is. What arrived may have waited for long, and what ends a connection is
    /// timed from when it is seen.
    fn renewed(&mut self, clock: Clock) -> Timestamp {
        *self.at.insert(clock.now())
    }
}
