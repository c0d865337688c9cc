//! Token buckets: how often something may happen.

use core::hash::Hash;

use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::announce::service::settings::Rate;

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

    /// Forgets the buckets that are full again.
    pub(crate) fn tidy(&self) {
        self.0.retain_recent();
    }
}

fn quota(rate: Rate) -> Quota {
    Quota::per_second(rate.per_second).allow_burst(rate.burst)
}
