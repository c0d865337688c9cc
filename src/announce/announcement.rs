//! The words of this floor: feeds, announcements, and what is unread.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::time::SystemTime;

/// The name of one ordered log of announcements within a namespace.
///
/// `Public` reaches everyone in the namespace; any other name is a channel. Which feeds exist
/// and who may write to them is not settled here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedKey(String);

impl FeedKey {
    /// The longest name of a feed, in bytes of UTF-8.
    pub const BYTES_MAX: usize = 128;

    /// The feed that reaches everyone in a namespace.
    #[must_use]
    pub fn public() -> Self {
        Self("Public".to_owned())
    }

    /// Takes a name as a feed key; `None` if it is empty, longer than
    /// [`BYTES_MAX`](Self::BYTES_MAX), or holds a control character.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = !name.is_empty() && name.len() <= Self::BYTES_MAX;
        (fits && !name.chars().any(char::is_control)).then(|| Self(name.to_owned()))
    }

    /// The name as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the feed that reaches everyone.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.0 == "Public"
    }
}

impl fmt::Display for FeedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An announcement that is stored and has its place in a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The identifier, a UUID of version 7 as text.
    pub id: String,
    /// The namespace whose people it is for.
    pub namespace: String,
    /// The feed that it stands in.
    pub feed: FeedKey,
    /// Its place in the feed, from 1, without holes.
    pub offset: u64,
    /// The life of the feed that the offset belongs to.
    pub epoch: String,
    /// The verified name of the person who published it.
    pub publisher: String,
    /// When it was accepted.
    pub sent_at: SystemTime,
    /// The publisher's own fields: the text of one JSON object, in their spelling and order.
    pub body: String,
}

/// How much one person has not read yet, feed by feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The number of unread announcements of every feed of the namespace, in order of creation.
    pub counts: Vec<(FeedKey, u64)>,
    /// Grows with every change of the counts, so that of two reports the later one is known.
    pub version: u64,
}
