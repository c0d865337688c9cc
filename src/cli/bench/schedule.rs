//! When messages are meant to leave, whatever becomes of those before them.

use core::num::NonZeroU64;

const SECOND: u128 = 1_000_000_000;

/// A rate, as the time of each message: nanoseconds from the beginning.
///
/// Threads share a rate in turns: the first has message 0, the second message 1, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    rate: NonZeroU64,
    first: u64,
    step: NonZeroU64,
}

impl Schedule {
    /// So many a second, all of them this thread's.
    pub(crate) const fn new(rate: NonZeroU64) -> Self {
        Self {
            rate,
            first: 0,
            step: NonZeroU64::MIN,
        }
    }

    /// The turns of one of `threads`.
    pub(crate) const fn of_thread(self, thread: u64, threads: NonZeroU64) -> Self {
        Self {
            rate: self.rate,
            first: thread,
            step: threads,
        }
    }

    /// When the message of this number is to leave, from 0.
    pub(crate) fn at(&self, number: u64) -> u64 {
        let turn = u128::from(number) * u128::from(self.step.get()) + u128::from(self.first);
        let at = turn * SECOND / u128::from(self.rate.get());
        u64::try_from(at).unwrap_or(u64::MAX)
    }

    /// How many messages are to have left by then, the one of this very moment included.
    pub(crate) fn due(&self, elapsed: u64) -> u64 {
        let product = (u128::from(elapsed) + 1) * u128::from(self.rate.get());
        let turns = product.div_ceil(SECOND);
        let Some(behind) = turns.checked_sub(u128::from(self.first) + 1) else {
            return 0;
        };
        u64::try_from(behind / u128::from(self.step.get()) + 1).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn schedule(rate: u64) -> Schedule {
        Schedule::new(NonZeroU64::new(rate).unwrap())
    }

    #[test]
    fn messages_leave_evenly_and_the_first_at_once() {
        let times: Vec<u64> = (0..4).map(|number| schedule(1000).at(number)).collect();
        assert_eq!(times, [0, 1_000_000, 2_000_000, 3_000_000]);
    }

    #[test]
    fn a_rate_that_does_not_divide_a_second_does_not_drift() {
        let thirds = schedule(3);
        assert_eq!(thirds.at(3_000_000), 1_000_000 * 1_000_000_000);
        assert_eq!(thirds.at(1), 333_333_333);
    }

    #[test]
    fn what_is_due_is_what_has_had_its_time() {
        for rate in [1, 3, 7, 1000, 999_983, 1_000_000_000, 3_000_000_000] {
            let schedule = schedule(rate);
            for number in [0, 1, 2, 17, 1_000_003] {
                let at = schedule.at(number);
                assert!(schedule.due(at) > number, "{rate} {number}");
                if at > 0 {
                    assert!(schedule.due(at - 1) <= number, "{rate} {number}");
                }
            }
        }
    }

    #[test]
    fn a_second_has_as_many_messages_as_the_rate_says() {
        for rate in [1, 3, 1000, 999_983] {
            assert_eq!(schedule(rate).due(999_999_999), rate);
        }
    }

    #[test]
    fn threads_have_each_message_once() {
        let threads = NonZeroU64::new(3).unwrap();
        let all = schedule(1009);
        let of = |thread| all.of_thread(thread, threads);
        let mut times: Vec<u64> = (0..3)
            .flat_map(|thread| (0..40).map(move |number| (thread, number)))
            .map(|(thread, number)| of(thread).at(number))
            .collect();
        times.sort_unstable();
        let whole: Vec<u64> = (0..120).map(|number| all.at(number)).collect();
        assert_eq!(times, whole);
        for elapsed in [0, 1, 991_080, 5_000_000, 999_999_999] {
            let sum: u64 = (0..3).map(|thread| of(thread).due(elapsed)).sum();
            assert_eq!(sum, all.due(elapsed), "{elapsed}");
        }
    }

    #[test]
    fn the_end_of_time_is_no_surprise() {
        let schedule = schedule(u64::MAX);
        assert_eq!(schedule.due(u64::MAX), u64::MAX);
        assert_eq!(schedule.at(u64::MAX), 1_000_000_000);
    }
}
