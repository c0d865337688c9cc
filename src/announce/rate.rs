//! Token buckets: how often something may happen.

use core::hash::Hash;
use core::num::NonZeroU32;
use core::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// How often something may happen: `burst` at once, `per_second` in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_second: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// So many a second, and so many at once; at least one of each.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            per_second: one(per_second),
            burst: one(burst),
        }
    }
}

/// One bucket.
#[derive(Debug)]
pub(crate) struct Bucket(DefaultDirectRateLimiter);

impl Bucket {
    pub(crate) fn new(rate: Rate) -> Self {
        Self(RateLimiter::direct(quota(rate)))
    }

    /// Takes one; whether there was one.
    pub(crate) fn take(&self) -> bool {
        self.0.check().is_ok()
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
    Quota::per_second(rate.per_second).allow_burst(rate.burst)
}
