//! Whether to wait for more before what waits is written.

use core::time::Duration;
use std::time::Instant;

/// What is waited at most, as a share of the time that the last writing took.
const SHARE: u32 = 4;
/// How many occasions to wait are let by at most after one that brought nothing.
const PAUSE_MAX: u32 = 63;

/// Brings publishers together who answer to what they hear.
///
/// Whoever publishes when all have heard the last message is a little behind whoever writes. What
/// came meanwhile from others is written as soon as possible, and those who were behind are the
/// next: so they take turns, each with a write to every member of its own, and nothing ever
/// brings them together. Waiting for a part of what a writing takes does, and from then on
/// nothing waits when a writing ends. Where publishers answer to nobody it brings little, which
/// shows, and is done ever more seldom.
#[derive(Debug)]
pub(crate) struct Gathering {
    began: Instant,
    /// Until when to wait this time.
    until: Option<Instant>,
    /// How many occasions were let by the last time, and how many of this time are left.
    pause: u32,
    pause_left: u32,
}

impl Gathering {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            began: now,
            until: None,
            pause: 0,
            pause_left: 0,
        }
    }

    /// The writing begins.
    pub(crate) const fn begin(&mut self, now: Instant) {
        self.began = now;
    }

    /// The writing has ended, and something has come meanwhile: an occasion to wait.
    pub(crate) fn end_with_more(&mut self, now: Instant) {
        match self.pause_left.checked_sub(1) {
            Some(left) => self.pause_left = left,
            None => self.until = Some(now + self.took(now) / SHARE),
        }
    }

    fn took(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// Whether to wait, or to go on with it.
    pub(crate) fn waits(&self, now: impl FnOnce() -> Instant) -> bool {
        self.until.is_some_and(|until| now() < until)
    }

    /// Waiting, if it was waited, is over, and more has come or not.
    pub(crate) fn settle(&mut self, more: bool) {
        if self.until.take().is_some() {
            self.pause = match more {
                true => 0,
                false => (2 * self.pause + 1).min(PAUSE_MAX),
            };
            self.pause_left = self.pause;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITING: Duration = Duration::from_millis(4);

    /// A writing, and how long is waited then where more comes after it or not.
    fn wait(gathering: &mut Gathering, more: bool) -> Duration {
        let began = gathering.began + Duration::from_secs(1);
        gathering.begin(began);
        let ended = began + WRITING;
        gathering.end_with_more(ended);
        let mut waited = Duration::ZERO;
        while gathering.waits(|| ended + waited) {
            waited += Duration::from_micros(100);
        }
        gathering.settle(more);
        waited
    }

    #[test]
    fn a_part_of_what_the_writing_took_is_waited_where_more_comes_of_it() {
        let mut gathering = Gathering::new(Instant::now());
        for _ in 0..200 {
            assert_eq!(wait(&mut gathering, true), WRITING / SHARE);
        }
    }

    #[test]
    fn nothing_is_waited_where_nothing_came_meanwhile() {
        let now = Instant::now();
        let mut gathering = Gathering::new(now);
        gathering.begin(now);
        assert!(!gathering.waits(|| now + WRITING));
        gathering.settle(false);
        let waited = wait(&mut gathering, true);
        assert!(waited > Duration::ZERO, "that was no occasion");
    }

    #[test]
    fn in_vain_it_is_waited_ever_more_seldom_until_more_comes() {
        let mut gathering = Gathering::new(Instant::now());
        let of = |times: usize, gathering: &mut Gathering| {
            let waits = core::iter::repeat_with(|| wait(gathering, false)).take(times);
            waits.filter(|waited| !waited.is_zero()).count()
        };
        assert_eq!(of(1 + 2 + 4 + 8, &mut gathering), 4);
        assert_eq!(of(16 + 32, &mut gathering), 2);
        assert_eq!(of(6_400, &mut gathering), 100, "each 64th at last");
        while wait(&mut gathering, true).is_zero() {}
        assert!(!wait(&mut gathering, true).is_zero(), "at once again");
    }
}
