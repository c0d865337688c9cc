//! When a connection wants to be called although nothing has arrived.

use core::time::Duration;

use crate::engine::limits::Limits;
use crate::engine::time::Timestamp;

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
}

/// The moments from which a connection's deadlines count.
#[derive(Debug)]
pub(crate) struct Deadlines {
    received: Timestamp,
    message: Timestamp,
    ping_sent: Option<Timestamp>,
    close_by: Option<Timestamp>,
    round_trip: Option<Duration>,
}

impl Deadlines {
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self {
            received: now,
            message: now,
            ping_sent: None,
            close_by: None,
            round_trip: None,
        }
    }

    /// Bytes arrived: the peer lives.
    pub(crate) const fn note_received(&mut self, now: Timestamp) {
        self.received = now;
        self.ping_sent = None;
    }

    /// A message came or went.
    pub(crate) const fn note_message(&mut self, now: Timestamp) {
        self.message = now;
    }

    /// The closing began; it is to be over in `timeout`.
    pub(crate) fn note_closing(&mut self, now: Timestamp, timeout: Duration) {
        self.close_by.get_or_insert_with(|| now.after(timeout));
    }

    /// A Ping of ours is queued; what its payload is to be.
    pub(crate) const fn note_ping(&mut self, now: Timestamp) -> [u8; 8] {
        self.ping_sent = Some(now);
        now.as_micros().to_be_bytes()
    }

    /// A Pong arrived: if it answers a keep-alive Ping, its payload says when that left.
    pub(crate) fn note_pong(&mut self, now: Timestamp, payload: &[u8]) {
        let sent = payload.try_into().map(u64::from_be_bytes);
        if let Ok(sent) = sent.map(Timestamp::from_micros)
            && sent <= now
        {
            self.round_trip = Some(now.since(sent));
        }
    }

    pub(crate) const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// The next deadline and what it is about; a connection that closes has only one.
    pub(crate) fn next(&self, limits: &Limits) -> Option<(Timestamp, Due)> {
        if let Some(close_by) = self.close_by {
            return Some((close_by, Due::CloseTimeout));
        }
        let ping = limits.ping_interval().map(|interval| match self.ping_sent {
            Some(sent) => (sent.after(limits.pong_timeout()), Due::NoPong),
            None => (self.received.after(interval), Due::Ping),
        });
        let idle = limits
            .idle_timeout()
            .map(|timeout| (self.message.after(timeout), Due::Idle));
        match (ping, idle) {
            (Some(ping), Some(idle)) => Some(if idle.0 < ping.0 { idle } else { ping }),
            (ping, idle) => ping.or(idle),
        }
    }
}
