//! When messages are sent, and until when.

use crate::cli::bench::schedule::Schedule;

/// When messages are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// When something has come: so many are on the way.
    Depth(usize),
    /// When it is time.
    Rate(Schedule),
}

/// How long a phase goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// So many nanoseconds.
    Time(u64),
    Messages(u64),
}

impl Limit {
    /// The part of one of so many threads, of which each is as long.
    pub(crate) const fn share(self, thread: u64, threads: u64) -> Self {
        match self {
            Self::Time(_) => self,
            Self::Messages(all) => {
                let more = if thread < all % threads { 1 } else { 0 };
                Self::Messages(all / threads + more)
            }
        }
    }
}

impl Pace {
    /// When no more is sent, if that is a matter of time, and how many are sent at most.
    ///
    /// Of messages that are sent by time it is known how many there are: each is sent, be it
    /// late.
    pub(crate) fn bounds(self, limit: Limit, start: u64) -> (Option<u64>, u64) {
        match (limit, self) {
            (Limit::Messages(messages), _) => (None, messages),
            (Limit::Time(time), Self::Rate(schedule)) => {
                (None, schedule.due(time.saturating_sub(1)))
            }
            (Limit::Time(time), Self::Depth(_)) => (Some(start + time), u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::num::NonZeroU64;

    #[test]
    fn threads_have_all_messages_between_them() {
        for (all, threads) in [(10, 3), (2, 4), (7, 1)] {
            let share = |thread| match Limit::Messages(all).share(thread, threads) {
                Limit::Messages(messages) => messages,
                Limit::Time(_) => panic!("messages are asked for"),
            };
            assert_eq!((0..threads).map(share).sum::<u64>(), all);
        }
    }

    #[test]
    fn a_rate_over_a_time_is_a_number_of_messages() {
        let rate = Pace::Rate(Schedule::new(NonZeroU64::new(1000).unwrap()));
        assert_eq!(rate.bounds(Limit::Time(2_000_000_000), 5), (None, 2000));
        assert_eq!(rate.bounds(Limit::Messages(3), 5), (None, 3));
        let depth = Pace::Depth(4);
        assert_eq!(depth.bounds(Limit::Time(10), 5), (Some(15), u64::MAX));
    }
}
