//! What the log of a feed consists of.

use crate::announce::announcement::Announcement;
use crate::announce::store::row::unsigned;

/// What happened to an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// It became visible.
    Posted,
    /// Its body changed.
    Edited,
    /// It was taken back.
    Recalled,
}

impl Change {
    /// The name in the log of a feed.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "post",
            Self::Edited => "edit",
            Self::Recalled => "recall",
        }
    }

    pub(crate) fn new(name: &str) -> Self {
        match name {
            "edit" => Self::Edited,
            "recall" => Self::Recalled,
            _ => Self::Posted,
        }
    }
}

/// An entry in the log of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// What happened.
    pub change: Change,
    /// To which announcement, as it is after that. The body of a recalled one is `{}`.
    pub announcement: Announcement,
    /// The place of this entry in the feed. That of the announcement may be another.
    pub offset: u64,
    /// The place of the entry before this one; 0 if this is the first of the feed.
    pub prev_offset: u64,
}

impl Release {
    pub(crate) fn new(change: Change, announcement: Announcement, offset: i64) -> Self {
        Self {
            change,
            announcement,
            offset: unsigned(offset),
            prev_offset: unsigned(offset - 1),
        }
    }
}
