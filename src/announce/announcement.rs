//! The words of this floor: feeds, announcements, and what is unread.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::time::SystemTime;

/// What a feed is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FeedKind {
    /// Everyone in the namespace.
    Public,
    /// Those who are in a channel.
    Channel,
    /// Those who have a role.
    Role,
    /// One person.
    User,
}

impl FeedKind {
    /// The kind in lower case, as the store writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Channel => "channel",
            Self::Role => "role",
            Self::User => "user",
        }
    }
}

/// The name of one ordered log of announcements within a namespace.
///
/// As text it is `Public`, `role:NAME`, `user:NAME`, or the bare name of a channel. Which feeds
/// exist and who may write to them is not settled here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedKey(String);

const PUBLIC: &str = "Public";
const ROLE: &str = "role:";
const USER: &str = "user:";

impl FeedKey {
    /// The longest name of a channel or a role, in bytes of UTF-8.
    pub const BYTES_MAX: usize = 128;

    /// The longest name of a person, in bytes of UTF-8.
    pub const USER_BYTES_MAX: usize = 256;

    /// The feed that reaches everyone in a namespace.
    #[must_use]
    pub fn public() -> Self {
        Self(String::from(PUBLIC))
    }

    /// The feed of a channel; `None` if the name is no usable one, or would read as a feed of
    /// another kind.
    #[must_use]
    pub fn channel(name: &str) -> Option<Self> {
        Self::new(name).filter(|feed| feed.kind() == FeedKind::Channel)
    }

    /// The feed of those who have a role; `None` if the name is no usable one.
    #[must_use]
    pub fn role(name: &str) -> Option<Self> {
        is_name(name, Self::BYTES_MAX).then(|| Self(format!("{ROLE}{name}")))
    }

    /// The feed of one person; `None` if the name is no usable one.
    #[must_use]
    pub fn user(name: &str) -> Option<Self> {
        is_name(name, Self::USER_BYTES_MAX).then(|| Self(format!("{USER}{name}")))
    }

    /// Reads a feed key from its text.
    ///
    /// `None` if a name is empty, longer than [`BYTES_MAX`](Self::BYTES_MAX), or for a person
    /// than [`USER_BYTES_MAX`](Self::USER_BYTES_MAX), or holds a control character.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix(ROLE) {
            return Self::role(name);
        }
        if let Some(name) = text.strip_prefix(USER) {
            return Self::user(name);
        }
        is_name(text, Self::BYTES_MAX).then(|| Self(String::from(text)))
    }

    /// What the feed is for.
    #[must_use]
    pub fn kind(&self) -> FeedKind {
        if self.0 == PUBLIC {
            FeedKind::Public
        } else if self.0.starts_with(ROLE) {
            FeedKind::Role
        } else if self.0.starts_with(USER) {
            FeedKind::User
        } else {
            FeedKind::Channel
        }
    }

    /// The name of the channel, the role or the person; for the public feed its text.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.kind() {
            FeedKind::Role => &self.0[ROLE.len()..],
            FeedKind::User => &self.0[USER.len()..],
            FeedKind::Public | FeedKind::Channel => &self.0,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the feed that reaches everyone.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.kind() == FeedKind::Public
    }
}

impl fmt::Display for FeedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_name(name: &str, bytes_max: usize) -> bool {
    !name.is_empty() && name.len() <= bytes_max && !name.chars().any(char::is_control)
}

/// How much an announcement matters. The unread are listed by it first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// Less than others.
    Low,
    /// As others.
    #[default]
    Normal,
    /// More than others.
    High,
    /// At once.
    Urgent,
}

impl Priority {
    /// All of them, the most important first.
    pub const DESCENDING: [Self; 4] = [Self::Urgent, Self::High, Self::Normal, Self::Low];

    /// Reads the lower-case name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        Self::DESCENDING
            .into_iter()
            .find(|priority| priority.as_str() == name)
    }

    /// The name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// What an announcement is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Something said to people.
    #[default]
    Announcement,
    /// A change of somebody's master data.
    HrChange,
}

impl Kind {
    /// Reads what [`as_str`](Self::as_str) gives.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        [Self::Announcement, Self::HrChange]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// The name, which is also the intent that publishes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Announcement => "Public announcement",
            Self::HrChange => "Inform HR Master Data Change",
        }
    }
}

/// How far an announcement has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Accepted, and not visible yet.
    Pending,
    /// Visible.
    Released,
    /// Taken back.
    Recalled,
}

impl State {
    /// Reads the lower-case name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        [Self::Pending, Self::Released, Self::Recalled]
            .into_iter()
            .find(|state| state.as_str() == name)
    }

    /// The name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Released => "released",
            Self::Recalled => "recalled",
        }
    }
}

/// An announcement that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The identifier, a UUID of version 7 as text.
    pub id: String,
    /// The namespace whose people it is for.
    pub namespace: String,
    /// The feed that it stands in.
    pub feed: FeedKey,
    /// Its place in the feed, from 1, without holes; 0 until it is released. An edit that makes
    /// it unread again moves it to the place of the edit.
    pub offset: u64,
    /// The life of the feed that the offset belongs to.
    pub epoch: String,
    /// The verified name of the person who published it.
    pub publisher: String,
    /// When it was accepted.
    pub sent_at: SystemTime,
    /// The publisher's own fields: the text of one JSON object, in their spelling and order.
    pub body: String,
    /// Counts from 1; each edit and the recall adds one.
    pub version: u64,
    /// How much it matters.
    pub priority: Priority,
    /// Whether each reader has to acknowledge it.
    pub require_ack: bool,
    /// Until when it is to be acknowledged.
    pub ack_by: Option<SystemTime>,
    /// When it became visible, or will.
    pub visible_at: SystemTime,
    /// From when on it does not count as unread any more.
    pub expires_at: Option<SystemTime>,
    /// What it is about.
    pub kind: Kind,
    /// How far it has come.
    pub state: State,
}

/// An announcement before it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAnnouncement {
    /// The namespace whose people it is for.
    pub namespace: String,
    /// The feed that it is added to.
    pub feed: FeedKey,
    /// The verified name of the person who publishes it.
    pub publisher: String,
    /// What makes a repetition recognisable, for this publisher in this namespace.
    pub key: Option<String>,
    /// The publisher's own fields: the text of one JSON object. Kept as it is.
    pub body: String,
    /// When it was accepted; times are kept to the millisecond.
    pub at: SystemTime,
    /// How much it matters.
    pub priority: Priority,
    /// Whether each reader has to acknowledge it.
    pub require_ack: bool,
    /// Until when it is to be acknowledged.
    pub ack_by: Option<SystemTime>,
    /// When it becomes visible; at once if this is `None` or not later than `at`.
    pub visible_at: Option<SystemTime>,
    /// From when on it does not count as unread any more.
    pub expires_at: Option<SystemTime>,
    /// What it is about.
    pub kind: Kind,
}

impl NewAnnouncement {
    /// An announcement of normal priority that becomes visible at once, stays for good, and
    /// needs no acknowledgement.
    #[must_use]
    pub fn new(
        namespace: &str,
        feed: FeedKey,
        publisher: &str,
        body: &str,
        at: SystemTime,
    ) -> Self {
        Self {
            namespace: String::from(namespace),
            feed,
            publisher: String::from(publisher),
            key: None,
            body: String::from(body),
            at,
            priority: Priority::default(),
            require_ack: false,
            ack_by: None,
            visible_at: None,
            expires_at: None,
            kind: Kind::default(),
        }
    }

    /// Makes a repetition recognisable.
    #[must_use]
    pub fn with_key(self, key: Option<&str>) -> Self {
        Self {
            key: key.map(String::from),
            ..self
        }
    }

    /// Says how much it matters.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// Asks each reader for an acknowledgement, perhaps until some time.
    #[must_use]
    pub fn with_ack(self, by: Option<SystemTime>) -> Self {
        Self {
            require_ack: true,
            ack_by: by,
            ..self
        }
    }

    /// Says when it becomes visible.
    #[must_use]
    pub fn with_visible_at(self, at: Option<SystemTime>) -> Self {
        Self {
            visible_at: at,
            ..self
        }
    }

    /// Says from when on it does not count any more.
    #[must_use]
    pub fn with_expires_at(self, at: Option<SystemTime>) -> Self {
        Self {
            expires_at: at,
            ..self
        }
    }

    /// Says what it is about.
    #[must_use]
    pub fn with_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }
}

/// How much one person has not read yet, feed by feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The number of unread announcements of each feed that the person is in: the public one
    /// first, then the others in order of creation.
    pub counts: Vec<(FeedKey, u64)>,
    /// Grows with every change of the counts, so that of two reports the later one is known.
    pub version: u64,
}
