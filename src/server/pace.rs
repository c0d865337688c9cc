//! So many a second, one after the other.

use core::time::Duration;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// Gives out turns at a steady rate.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many turns a second; none is taken as one.
    pub(crate) fn per_second(turns: u32) -> Self {
        Self {
            gap: Duration::from_secs(1) / turns.max(1),
            next: Mutex::default(),
        }
    }

    /// The next turn, if it comes before `deadline`; otherwise none is used up.
    pub(crate) fn turn(&self, deadline: Instant) -> Option<Instant> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let turn = next.map_or(now, |next| next.max(now));
        if turn >= deadline {
            return None;
        }
        *next = Some(turn + self.gap);
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_come_one_after_the_other_and_none_beyond_the_deadline() {
        let (pace, now) = (Pace::per_second(10), Instant::now());
        let deadline = now + Duration::from_millis(250);
        let turns: alloc::vec::Vec<_> = (0..5).map(|_| pace.turn(deadline)).collect();
        let at = |ms| Some(now + Duration::from_millis(ms));
        assert_eq!(turns, [at(0), at(100), at(200), None, None]);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(
            pace.turn(Instant::now() + Duration::from_millis(1)),
            Some(Instant::now()),
            "what was not used is not saved up"
        );
    }
}
