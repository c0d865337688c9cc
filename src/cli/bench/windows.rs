//! The 99th percentile of each tenth of a second.
//!
//! A machine that stands still for a few milliseconds decides the 99th percentile of a short run,
//! whoever is measured. It spoils the windows in which it does, and not the median of all.

use alloc::vec::Vec;

use crate::cli::bench::tally::{Tally, Times};

/// How long a window is, in nanoseconds.
const LENGTH: u64 = 100_000_000;
/// Of fewer answers the 99th percentile is one, or one of a handful: such a window is not counted.
const ANSWERS_MIN: u64 = 1_000;

/// The windows of one phase of a thread, each behind the other.
///
/// An answer belongs to the window in which it comes. What is timed is recorded in the tally as
/// ever, and taken from there when a window is over, so that nothing is recorded twice. The last
/// window is not over, and not counted.
#[derive(Debug)]
pub(crate) struct Windows {
    /// When the one that is running is over.
    end: u64,
    /// The times of those that are.
    past: Times,
    p99s: Vec<u64>,
}

impl Windows {
    /// The first begins at `start`.
    pub(crate) fn new(start: u64) -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            end: start + LENGTH,
            past: Times::new()?,
            p99s: Vec::new(),
        })
    }

    /// It is `now`, and what is recorded next is of now.
    #[inline]
    pub(crate) fn pass(&mut self, now: u64, running: &mut Times) {
        if now >= self.end {
            self.close(now, running);
        }
    }

    #[cold]
    fn close(&mut self, now: u64, running: &mut Times) {
        let histogram = running.histogram();
        if histogram.len() >= ANSWERS_MIN {
            self.p99s.push(histogram.value_at_quantile(0.99));
        }
        running.move_to(&mut self.past);
        // Where nothing came for longer than a window, those meanwhile have no answers.
        let over = (now - self.end) / LENGTH + 1;
        self.end += over * LENGTH;
    }

    /// Gives back all times that were taken, with the percentiles.
    pub(crate) fn finish(self, tally: &mut Tally) {
        tally.times.merge(self.past);
        tally.p99_of_windows.extend(self.p99s);
    }
}

/// What half of them are below; of an even number, midway between the two in the middle.
pub(crate) fn median(of: &[u64]) -> Option<u64> {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[last / 2].midpoint(sorted[last.div_ceil(2)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 7_000_000_000;

    /// What one thread makes of windows, each with so many answers of these times.
    fn tally(windows: &[&[(u64, u64)]]) -> Tally {
        let mut tally = Tally::new().unwrap();
        let mut own = Windows::new(START).unwrap();
        for (number, answers) in (0..).zip(windows) {
            let begin = START + number * LENGTH;
            for (count, time) in *answers {
                own.pass(begin + LENGTH - 1, &mut tally.times);
                (0..*count).for_each(|_| tally.times.record(*time));
            }
            own.pass(begin + LENGTH, &mut tally.times);
        }
        own.finish(&mut tally);
        tally
    }

    /// In microseconds, each in its turn.
    fn p99s(tally: &Tally) -> Vec<u64> {
        let micros = |it: &u64| it / 1_000;
        tally.p99_of_windows.iter().map(micros).collect()
    }

    #[test]
    fn a_stall_in_one_window_does_not_move_the_median() {
        let quiet: &[_] = &[(2_000, 20_000), (30, 50_000)];
        let stalled: &[_] = &[(1_500, 20_000), (500, 15_000_000)];
        let mut tally = tally(&[quiet, stalled, quiet, quiet]);
        assert_eq!(p99s(&tally), [50, 15_007, 50, 50]);
        assert_eq!(median(&tally.p99_of_windows).unwrap() / 1_000, 50);
        let all = tally.times.histogram();
        assert_eq!(all.len(), 3 * 2_030 + 2_000, "the run has every answer");
        assert!(all.value_at_quantile(0.99) > 14_000_000, "as it was");
    }

    #[test]
    fn a_window_of_few_answers_is_not_counted() {
        let mut tally = tally(&[&[(999, 90_000)], &[(1_000, 40_000)], &[]]);
        assert_eq!(p99s(&tally), [40]);
        assert_eq!(tally.times.histogram().len(), 1_999);
    }

    #[test]
    fn the_last_window_is_not_counted() {
        let mut tally = Tally::new().unwrap();
        let mut windows = Windows::new(START).unwrap();
        (0..3_000).for_each(|_| tally.times.record(10_000));
        windows.pass(START + LENGTH - 1, &mut tally.times);
        windows.finish(&mut tally);
        assert_eq!(p99s(&tally), [0; 0]);
        assert_eq!(tally.times.histogram().len(), 3_000);
    }

    #[test]
    fn windows_begin_at_every_tenth_however_late_an_answer_is() {
        let mut tally = Tally::new().unwrap();
        let mut windows = Windows::new(START).unwrap();
        // Milliseconds from the start, and how many windows are counted by then.
        for (now, counted) in [(99, 0), (350, 1), (399, 1), (400, 2), (499, 2), (500, 3)] {
            windows.pass(START + now * 1_000_000, &mut tally.times);
            assert_eq!(windows.p99s.len(), counted, "{now} ms");
            (0..1_000).for_each(|_| tally.times.record(10_000));
        }
    }

    #[test]
    fn threads_have_one_median_over_all_their_windows() {
        let (low, middle, high) = ([(1_000, 10_000)], [(1_000, 30_000)], [(1_000, 80_000)]);
        let mut sum = Tally::new().unwrap();
        sum.merge(tally(&[&low, &low, &middle]));
        sum.merge(tally(&[&high, &high]));
        assert_eq!(p99s(&sum), [10, 10, 30, 80, 80]);
        assert_eq!(median(&sum.p99_of_windows).unwrap() / 1_000, 30);
    }

    #[test]
    fn half_are_below_the_median() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[5]), Some(5));
        assert_eq!(median(&[9, 1]), Some(5));
        assert_eq!(median(&[9, 1, 2]), Some(2));
        assert_eq!(median(&[8, 1, 2, 9]), Some(5));
    }
}
