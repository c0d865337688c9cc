//! Token buckets: how often something may happen.

use core::hash::Hash;
use core::num::NonZeroU32;
use core::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// How often something may happen: `burst` at once, and in the long run `count` in each `period`,
/// evenly spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub count: NonZeroU32,
    /// In so long.
    pub period: Duration,
    /// At once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// So many a second, and so many at once; at least one of each.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self::per(Duration::from_secs(1), per_second, burst)
    }

    /// So many in each `period`, and so many at once; at least one of each.
    #[must_use]
    pub fn per(period: Duration, count: u32, burst: u32) -> Self {
        let one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            count: one(count),
            period,
            burst: one(burst),
        }
    }
}

/// One bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    limiter: DefaultDirectRateLimiter,
}

impl Bucket {
    pub(crate) fn new(rate: Rate) -> Self {
        let limiter = RateLimiter::direct(quota(rate));
        Self { rate, limiter }
    }

    /// Goes by another rate from now on, with a full bucket, where it is another.
    pub(crate) fn follow(&mut self, rate: Rate) {
        if self.rate != rate {
            *self = Self::new(rate);
        }
    }

    /// Takes one; whether there was one.
    pub(crate) fn take(&self) -> bool {
        self.limiter.check().is_ok()
    }
}

/// A bucket for each key.
#[derive(Debug)]
pub(crate) struct Buckets<K: Hash + Eq + Clone>(RateLimiter<K, DashMapStateStore<K>, DefaultClock>);

impl<K: Hash + Eq + Clone> Buckets<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self(RateLimiter::dashmap(quota(rate)))
    }

    /// Takes one from the bucket of `key`; whether there was one.
    pub(crate) fn take(&self, key: &K) -> bool {
        self.0.check_key(key).is_ok()
    }

    /// Takes one from the bucket of `key`.
    ///
    /// # Errors
    ///
    /// After what time there is one again.
    pub(crate) fn try_take(&self, key: &K) -> Result<(), Duration> {
        self.0
            .check_key(key)
            .map_err(|until| until.wait_time_from(self.0.clock().now()))
    }

    /// Forgets the buckets that are full again.
    pub(crate) fn tidy(&self) {
        self.0.retain_recent();
    }
}

fn quota(rate: Rate) -> Quota {
    // A time that is too short to be told is as often as can be told.
    let each = (rate.period / rate.count.get()).max(Duration::from_nanos(1));
    let quota = Quota::with_period(each).unwrap_or_else(|| Quota::per_second(rate.count));
    quota.allow_burst(rate.burst)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    //= A75 type=test
    #[test]
    fn what_is_spent_comes_back_evenly_over_the_period() {
        let second = Duration::from_secs(1);
        for (period, count, burst, each) in [
            (second * 60, 5, 5, second * 12),
            (second * 3600, 1, 2, second * 3600),
            (second, 50, 7, second / 50),
            (second, u32::MAX, 1, Duration::from_nanos(1)),
        ] {
            let clock = FakeRelativeClock::default();
            let rate = Rate::per(period, count, burst);
            let bucket = RateLimiter::direct_with_clock(quota(rate), clock.clone());
            let take = || bucket.check().is_ok();
            for at in 0..burst {
                assert!(take(), "{rate:?}: {at}");
            }
            assert!(!take(), "{rate:?}: one more than at once");
            clock.advance(each - Duration::from_nanos(1));
            assert!(!take(), "{rate:?}: not yet");
            clock.advance(Duration::from_nanos(1));
            assert!(take(), "{rate:?}: one is back");
            assert!(!take(), "{rate:?}: one, and no more");
        }
    }
}
