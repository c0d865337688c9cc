//! Why the store did not do what was asked.

use alloc::string::{String, ToString as _};
use core::fmt;
use std::path::{Path, PathBuf};

/// Why the store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process works on the same file.
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The file cannot be opened or prepared.
    Open {
        /// The file.
        path: PathBuf,
        /// What was said about it.
        reason: String,
    },
    /// The file is an SQLite database of some other program.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a later version of this program.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        version: i64,
    },
    /// This build carries an SQLite that can lose committed data.
    Sqlite {
        /// Its version number.
        version: i32,
    },
    /// Something that was to be marked as read does not stand in the feed.
    UnknownNotification,
    /// The announcement is at another version than the one that was named.
    Outdated {
        /// The version that it is at.
        version: u64,
    },
    /// The announcement has been taken back.
    Recalled,
    /// The public feed and those of single persons have no members to add or remove.
    FixedAudience,
    /// More was named in one request than is taken.
    TooMany {
        /// The most that is taken.
        most: usize,
    },
    /// The request was not carried out.
    Failed {
        /// What was said about it.
        reason: String,
    },
    /// The store has ended.
    Closed,
}

impl StoreError {
    pub(crate) fn failed(error: &dyn core::error::Error) -> Self {
        Self::Failed {
            reason: error.to_string(),
        }
    }

    pub(crate) fn open(path: &Path, error: &dyn core::error::Error) -> Self {
        Self::Open {
            path: path.into(),
            reason: error.to_string(),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::failed(&error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { path } => write!(
                f,
                "another server holds {}: stop it, choose another data folder, or set \
                 store.shared for each server of this store",
                path.display()
            ),
            Self::Open { path, reason } => {
                write!(f, "cannot open the store {}: {reason}", path.display())
            }
            Self::Foreign { path } => write!(
                f,
                "{} is a database of another program: choose another data folder",
                path.display()
            ),
            Self::Newer { path, version } => write!(
                f,
                "{} has schema version {version}, written by a later release: run that release",
                path.display()
            ),
            Self::Sqlite { version } => write!(
                f,
                "SQLite {version} can lose committed data: build with 3.51.3 (3051003) or later"
            ),
            Self::UnknownNotification => f.write_str("no such notification in this feed"),
            Self::Outdated { version } => {
                write!(f, "the announcement is at version {version} by now")
            }
            Self::Recalled => f.write_str("the announcement has been recalled"),
            Self::FixedAudience => f.write_str("nobody can be added to or removed from this feed"),
            Self::TooMany { most } => write!(f, "more than {most} in one request"),
            Self::Failed { reason } => write!(f, "the store could not do that: {reason}"),
            Self::Closed => f.write_str("the store has ended"),
        }
    }
}

impl core::error::Error for StoreError {}
