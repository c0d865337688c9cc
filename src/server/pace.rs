//! How fast things may happen: one after the other, or not at all.

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

/// Says of things that happen whether they come too fast. Nothing waits.
#[derive(Debug)]
pub(crate) struct Meter {
    each: Duration,
    period: Duration,
    /// When all that may happen at once may happen again.
    full_at: Option<Instant>,
}

impl Meter {
    /// So many in each `period`, and as many at once; none is taken as one.
    pub(crate) fn new(count: u32, period: Duration) -> Self {
        let count = count.max(1);
        let each = period / count;
        Self {
            each,
            // What is lost by rounding would be one less at once.
            period: each * count,
            full_at: None,
        }
    }

    /// Whether one more may happen now; if so, it is counted.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + self.each;
        let may = full_at <= now + self.period;
        if may {
            self.full_at = Some(full_at);
        }
        may
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

    #[test]
    fn what_comes_too_fast_is_told_and_does_not_count() {
        for (count, period) in [(5, 60), (3, 1), (7, 1), (1, 3600)] {
            let (period, begin) = (Duration::from_secs(period), Instant::now());
            let mut meter = Meter::new(count, period);
            let at_once = (0..count + 9).filter(|_| meter.take(begin)).count();
            assert_eq!(at_once, count as usize);
            let each = period / count;
            assert!(!meter.take(begin + each - Duration::from_nanos(1)));
            assert!(meter.take(begin + each));
            assert!(!meter.take(begin + each));
            let later = begin + period * 9;
            let at_once = (0..count + 9).filter(|_| meter.take(later)).count();
            assert_eq!(at_once, count as usize, "what was not used is not saved up");
        }
    }
}
