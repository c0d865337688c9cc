//! tokio's time as the engine's.

use core::time::Duration;
use tokio::time::Instant;

use crate::engine::Timestamp;

/// Tells a connection the time, counted from when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> Timestamp {
        Timestamp::ZERO.after(self.origin.elapsed())
    }

    pub(crate) fn instant(self, at: Timestamp) -> Instant {
        self.origin + Duration::from_micros(at.as_micros())
    }
}
