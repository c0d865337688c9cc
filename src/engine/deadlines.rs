//! When a connection wants to be called although nothing has arrived.

use alloc::boxed::Box;
use core::time::Duration;

use crate::engine::limits::Limits;
use crate::engine::time::Timestamp;

/// How long after the last coded message the extension gives up its memory.
const CODING_REST: Duration = Duration::from_secs(1);

/// A time that does not come: it stands for none where many connections hold one.
const NEVER: Timestamp = Timestamp::from_micros(u64::MAX);

/// What a connection does about time that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The closing handshake took too long.
    CloseTimeout,
    /// A Ping went unanswered.
    NoPong,
    /// Nobody said anything for too long.
    Idle,
    /// It is time for a Ping.
    Ping,
    /// The extension has had nothing to do for a while.
    Rest,
}

/// The moments from which a connection's deadlines count.
#[derive(Debug)]
pub(crate) struct Deadlines {
    received: Timestamp,
    message: Timestamp,
    /// The keep-alive Pings; in a box, since few connections send any.
    pings: Option<Box<Pings>>,
    /// By when the closing is to be over; [`NEVER`] while there is none.
    close_by: Timestamp,
    /// When the extension gives up its memory; [`NEVER`] when it holds none.
    rest_at: Timestamp,
}

#[derive(Debug)]
struct Pings {
    /// When the last one was queued, which is also its payload.
    last: Timestamp,
    /// Whether nothing has arrived since.
    awaits_life: bool,
    /// Whether the Pong that answers it has not arrived.
    awaits_pong: bool,
    /// How long the peer took to answer one.
    round_trip: Option<Duration>,
}

impl Deadlines {
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self {
            received: now,
            message: now,
            pings: None,
            close_by: NEVER,
            rest_at: NEVER,
        }
    }

    /// Bytes arrived: the peer lives.
    pub(crate) fn note_received(&mut self, now: Timestamp) {
        self.received = now;
        if let Some(pings) = &mut self.pings {
            pings.awaits_life = false;
        }
    }

    /// A message came or went.
    pub(crate) const fn note_message(&mut self, now: Timestamp) {
        self.message = now;
    }

    /// The extension has something to do.
    pub(crate) fn note_coding(&mut self, now: Timestamp) {
        self.rest_at = now.after(CODING_REST);
    }

    /// The extension has given up its memory.
    pub(crate) const fn note_rest(&mut self) {
        self.rest_at = NEVER;
    }

    /// The closing began; it is to be over in `timeout`.
    pub(crate) fn note_closing(&mut self, now: Timestamp, timeout: Duration) {
        if self.close_by == NEVER {
            self.close_by = now.after(timeout);
        }
    }

    /// A Ping of ours is queued; what its payload is to be.
    pub(crate) fn note_ping(&mut self, now: Timestamp) -> [u8; 8] {
        let round_trip = self.round_trip();
        self.pings = Some(Box::new(Pings {
            last: now,
            awaits_life: true,
            awaits_pong: true,
            round_trip,
        }));
        now.as_micros().to_be_bytes()
    }

    /// A Pong arrived: if it answers the last keep-alive Ping, it tells how long that took.
    //= WS-113
    pub(crate) fn note_pong(&mut self, now: Timestamp, payload: &[u8]) -> Option<Duration> {
        let pings = self.pings.as_deref_mut()?;
        if !pings.awaits_pong || payload != pings.last.as_micros().to_be_bytes() {
            return None;
        }
        pings.awaits_pong = false;
        pings.round_trip = Some(now.since(pings.last));
        pings.round_trip
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.pings.as_deref()?.round_trip
    }

    /// Whether nothing is timed that the limits do not ask for.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.close_by == NEVER && self.rest_at == NEVER
    }

    /// The next deadline and what it is about; a connection that closes has only one.
    pub(crate) fn next(&self, limits: &Limits) -> Option<(Timestamp, Due)> {
        if self.close_by != NEVER {
            return Some((self.close_by, Due::CloseTimeout));
        }
        let awaited = self.pings.as_deref().filter(|pings| pings.awaits_life);
        let ping = limits.ping_interval().map(|interval| match awaited {
            Some(pings) => (pings.last.after(limits.pong_timeout()), Due::NoPong),
            None => (self.received.after(interval), Due::Ping),
        });
        let idle = limits
            .idle_timeout()
            .map(|timeout| (self.message.after(timeout), Due::Idle));
        let rest = (self.rest_at != NEVER).then_some((self.rest_at, Due::Rest));
        // Of several at one time the first here counts.
        [ping, idle, rest]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }
}
