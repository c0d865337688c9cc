//! What one thread has counted and timed.

use alloc::vec::Vec;
use hdrhistogram::Histogram;

use crate::cli::bench::fault::Faults;

/// The shortest and the longest time that are told apart, in nanoseconds.
const SHORTEST: u64 = 1_000;
const LONGEST: u64 = 60_000_000_000;
const DIGITS: u8 = 3;

/// Times, in nanoseconds from 1 µs to 60 s, to three digits.
///
/// What is answered in one read was sent in one write: its times are the same, and are recorded
/// together.
#[derive(Debug)]
pub(crate) struct Times {
    histogram: Histogram<u64>,
    last: u64,
    repeated: u64,
}

impl Times {
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            histogram: Histogram::new_with_bounds(SHORTEST, LONGEST, DIGITS)?,
            last: 0,
            repeated: 0,
        })
    }

    #[inline]
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        if nanoseconds != self.last {
            self.settle();
            self.last = nanoseconds;
        }
        self.repeated += 1;
    }

    fn settle(&mut self) {
        if self.repeated > 0 {
            self.histogram.saturating_record_n(self.last, self.repeated);
            self.repeated = 0;
        }
    }

    /// Adds those of another thread.
    pub(crate) fn merge(&mut self, mut other: Self) {
        other.move_to(self);
    }

    /// Moves what has been recorded to another.
    pub(crate) fn move_to(&mut self, other: &mut Self) {
        self.settle();
        // Both have the same bounds.
        let _ = other.histogram.add(&self.histogram);
        self.histogram.reset();
    }

    /// What has been recorded.
    pub(crate) fn histogram(&mut self) -> &Histogram<u64> {
        self.settle();
        &self.histogram
    }
}

/// What has been counted and timed.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Messages that went out and came back; handshakes; messages published.
    pub(crate) messages: u64,
    /// Messages that came, where each goes to many.
    pub(crate) deliveries: u64,
    /// Messages that were compared whole.
    pub(crate) compared: u64,
    /// Connections that are open at the end.
    pub(crate) held: u64,
    /// To the answer; to each of many.
    pub(crate) times: Times,
    /// The 99th percentile of each window that counts, in nanoseconds.
    pub(crate) p99_of_windows: Vec<u64>,
    /// To the last of many.
    pub(crate) last: Times,
    /// From the beginning to the last that was heard, in nanoseconds.
    pub(crate) elapsed: u64,
    pub(crate) faults: Faults,
}

impl Tally {
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            messages: 0,
            deliveries: 0,
            compared: 0,
            held: 0,
            times: Times::new()?,
            p99_of_windows: Vec::new(),
            last: Times::new()?,
            elapsed: 0,
            faults: Faults::default(),
        })
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.messages += other.messages;
        self.deliveries += other.deliveries;
        self.compared += other.compared;
        self.held += other.held;
        self.times.merge(other.times);
        self.p99_of_windows.extend(other.p99_of_windows);
        self.last.merge(other.last);
        self.elapsed = self.elapsed.max(other.elapsed);
        self.faults.merge(other.faults);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_repeat_are_all_recorded() {
        let mut times = Times::new().unwrap();
        for time in [5_000, 5_000, 7_000, 5_000] {
            times.record(time);
        }
        let mut other = Times::new().unwrap();
        other.record(9_000_000);
        other.record(90_000_000_000);
        times.merge(other);
        let histogram = times.histogram();
        assert_eq!(histogram.len(), 6);
        assert_eq!(histogram.count_between(5_000, 5_001), 3);
        assert!(
            histogram.max() >= LONGEST,
            "what is longer counts as the longest"
        );
    }
}
