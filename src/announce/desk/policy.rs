//! What is settled for each feed by whoever runs the server.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::announce::announcement::FeedKey;
use crate::announce::store::LateJoiner;

/// The rules of one feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedPolicy {
    /// How long its announcements are kept; `None` keeps them for ever.
    pub retain: Option<Duration>,
    /// What somebody sees who comes later.
    pub late_joiners: LateJoiner,
    /// The scopes of which publishing to it needs one; none: the usual one.
    pub publish_scopes: Vec<String>,
    /// Whether its announcements have to be acknowledged where they do not say it.
    pub require_ack: bool,
}

/// The rules of all feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    feeds: BTreeMap<FeedKey, FeedPolicy>,
    usual: FeedPolicy,
}

impl Policy {
    /// The usual rules for every feed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the rules of one feed of every namespace. A channel that is named here exists
    /// before anybody belongs to it.
    #[must_use]
    pub fn with_feed(mut self, feed: FeedKey, policy: FeedPolicy) -> Self {
        self.feeds.insert(feed, policy);
        self
    }

    /// The rules of a feed.
    #[must_use]
    pub fn of(&self, feed: &FeedKey) -> &FeedPolicy {
        self.feeds.get(feed).unwrap_or(&self.usual)
    }

    /// Sets the rules of every feed that is not named.
    #[must_use]
    pub fn with_usual(mut self, policy: FeedPolicy) -> Self {
        self.usual = policy;
        self
    }

    /// Whether a feed is named here.
    #[must_use]
    pub fn names(&self, feed: &FeedKey) -> bool {
        self.feeds.contains_key(feed)
    }

    /// The feeds that are named, and their rules.
    pub fn feeds(&self) -> impl Iterator<Item = (&FeedKey, &FeedPolicy)> {
        self.feeds.iter()
    }
}
