//! How the connections of a server close when it stops.

use core::num::NonZeroU32;
use core::time::Duration;

use crate::net::entropy;
use crate::wire::close::CloseCode;

/// How connections close when a server stops; see
/// [`Stop::drain`](crate::server::Stop::drain).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    deadline: Duration,
    per_second: Option<NonZeroU32>,
    code: CloseCode,
}

/// What became of the connections that were there when a server was told to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Connections that have ended by themselves.
    pub closed: usize,
    /// Connections that were still there at the deadline.
    pub forced: usize,
}

impl Drain {
    /// All at once, with 1001; those that are there after `deadline` are waited for no more.
    pub const fn new(deadline: Duration) -> Self {
        Self {
            deadline,
            per_second: None,
            code: CloseCode::GOING_AWAY,
        }
    }

    /// Sets how many connections close in each second, each at a random time within its share of
    /// it, so that clients do not all come back at once. Those whose turn comes after the
    /// deadline are not told at all: the deadline should be longer than connections through
    /// rate. Default: no bound.
    #[must_use]
    pub const fn with_rate(mut self, per_second: NonZeroU32) -> Self {
        self.per_second = Some(per_second);
        self
    }

    /// Sets the code that connections are told: 1001 where the server goes away, 1012 where it
    /// comes back. Default: 1001.
    #[must_use]
    pub const fn with_code(mut self, code: CloseCode) -> Self {
        self.code = code;
        self
    }

    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) const fn code(&self) -> CloseCode {
        self.code
    }

    /// How long after the beginning the connection closes whose turn this is, the first being 0.
    pub(crate) fn delay(&self, turn: usize) -> Duration {
        let Some(per_second) = self.per_second else {
            return Duration::ZERO;
        };
        let share = Duration::from_secs(1) / per_second.get();
        let turn = u32::try_from(turn).unwrap_or(u32::MAX);
        // Without entropy it closes at the beginning of its share.
        let random = entropy::seed().map_or(0, |seed| seed[0]);
        share.saturating_mul(turn) + share * u32::from(random) / 256
    }
}

impl Drained {
    pub(crate) const fn new(before: usize, forced: usize) -> Self {
        Self {
            closed: before.saturating_sub(forced),
            forced,
        }
    }
}
