//! What a connection works with while it receives.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::{Connection, Inbox, SendBuffer, Timestamp};
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
        self.advance_small(connection, clock)
            .or_else(|| self.advance_any(connection, clock, Inbox::advance))
    }

    /// As [`advance`](Self::advance), to a piece where the message does not fit.
    #[inline(always)]
    pub(crate) fn advance_fitting(
        &mut self,
        connection: &mut Connection,
        clock: Clock,
    ) -> Option<Timestamp> {
        // Within a message that has begun in pieces nothing small comes.
        self.advance_small(connection, clock)
            .or_else(|| self.advance_any(connection, clock, Inbox::advance_fitting))
    }

    /// Goes on to a small message, if that is what comes next.
    #[inline(always)]
    fn advance_small(&mut self, connection: &mut Connection, clock: Clock) -> Option<Timestamp> {
        let at = self.noted(connection, clock);
        self.inbox.advance_small(connection, at).then_some(at)
    }

    #[inline(never)]
    fn advance_any(
        &mut self,
        connection: &mut Connection,
        clock: Clock,
        advance: fn(&mut Inbox, &mut Connection, Timestamp) -> bool,
    ) -> Option<Timestamp> {
        if self.inbox.is_spent(connection) {
            return None;
        }
        let now = self.renewed(clock);
        advance(&mut self.inbox, connection, now).then_some(now)
    }

    /// What time it is. What arrived may have waited for long, and what ends a connection is
    /// timed from when it is seen.
    fn renewed(&mut self, clock: Clock) -> Timestamp {
        *self.at.insert(clock.now())
    }

    /// When what was found arrived; any time where the connection keeps none.
    #[inline(always)]
    fn noted(&mut self, connection: &Connection, clock: Clock) -> Timestamp {
        match connection.keeps_time() {
            true => self.at(clock),
            false => Timestamp::ZERO,
        }
    }
}
