//! Noting what was read.
//!
//! A person has for each feed a cursor, up to which everything counts as read, and receipts of
//! single announcements above it. When everything up to a receipt is read, or does not count
//! any more, the cursor moves over it. The receipts stay, as runs of offsets, to tell who has
//! read what, and when.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::announce::announcement::{FeedKey, State, Unread};
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::person::{Access, LateJoiner, access, note_own_change, note_person};
use crate::announce::store::row::{find, limit, milliseconds};
use crate::announce::store::tell::tell_read;
use crate::announce::store::unread::{count, has_read};

/// The most identifiers that [`ReadState::newly_read`] lists.
pub const NEWLY_READ_MAX: usize = 1000;

/// What a person has read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadMark {
    /// The announcements with these identifiers.
    Ids(Vec<String>),
    /// Every announcement with this offset or a smaller one.
    UpTo(u64),
}

/// What a person has read and not read after a [`ReadMark`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadState {
    /// How much is still unread.
    pub unread: Unread,
    /// What was unread before and is not any more, by offset; the first [`NEWLY_READ_MAX`].
    pub newly_read: Vec<String>,
}

impl Store {
    /// Notes what a person has read in a feed. Repeating it changes nothing, and nothing that
    /// was read becomes unread, but by an edit that asks for it.
    ///
    /// What was recalled or has expired may be named; that changes no count.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if anything that is named does not stand in the
    /// feed, or the person may not read it; then nothing has been changed. Else as for
    /// [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// All of it is noted or nothing; asking again changes nothing more.
    pub async fn mark_read(
        &self,
        namespace: &str,
        user: &str,
        feed: &FeedKey,
        mark: ReadMark,
        now: SystemTime,
    ) -> Result<ReadState, StoreError> {
        let (namespace, user, feed) = (String::from(namespace), String::from(user), feed.clone());
        let counting = self.shared.counting_time(now);
        self.write(move |connection| {
            let newly_read = match access(connection, &namespace, &user, &feed)? {
                Access::Denied => return Err(StoreError::UnknownNotification),
                Access::Empty if matches!(mark, ReadMark::UpTo(0)) => Vec::new(),
                Access::Empty => return Err(StoreError::UnknownNotification),
                Access::Granted { feed, since } => {
                    let at = milliseconds(now);
                    note_person(connection, &namespace, &user, LateJoiner::All, at)?;
                    let place = Place {
                        connection,
                        namespace: &namespace,
                        user: &user,
                        feed_id: feed.id,
                        at,
                        now: counting,
                    };
                    let newly_read = match &mark {
                        ReadMark::Ids(ids) => place.mark_ids(ids, since)?,
                        ReadMark::UpTo(offset) => place.mark_upto(*offset, feed.top)?,
                    };
                    let named = match &mark {
                        ReadMark::Ids(ids) => (Some(ids.as_slice()), None),
                        ReadMark::UpTo(offset) => (None, Some(*offset)),
                    };
                    let whose = (namespace.as_str(), user.as_str(), feed.id);
                    tell_read(connection, whose, named, &newly_read)?;
                    newly_read
                }
            };
            Ok(ReadState {
                unread: count(connection, &namespace, &user, counting)?,
                newly_read,
            })
        })
        .await
    }
}

/// One person's place in one feed.
pub(crate) struct Place<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) namespace: &'a str,
    pub(crate) user: &'a str,
    pub(crate) feed_id: i64,
    /// When it was read.
    pub(crate) at: i64,
    /// By which time to tell what has expired.
    pub(crate) now: i64,
}

/// Where a cursor stands.
#[derive(Clone, Copy)]
struct Mark {
    read_upto: i64,
    above: i64,
}

impl Place<'_> {
    /// Notes single announcements, which have to stand above `since`; returns those that were
    /// unread, by offset.
    pub(crate) fn mark_ids(&self, ids: &[String], since: i64) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let stored = find(self.connection, self.namespace, id)?;
            let is_shown = stored.announcement.state != State::Pending;
            if stored.feed_id != self.feed_id || !is_shown || stored.place <= since {
                return Err(StoreError::UnknownNotification);
            }
            found.push(stored);
        }
        found.sort_unstable_by_key(|stored| stored.place);
        let mut mark = self.mark()?;
        let mut newly_read = Vec::new();
        let mut is_changed = false;
        for stored in found {
            if stored.place <= mark.read_upto || !self.add_run(stored.place, stored.place)? {
                continue;
            }
            is_changed = true;
            if stored.live {
                mark.above += 1;
                let expires_at = stored.announcement.expires_at.map(milliseconds);
                if expires_at.is_none_or(|at| at > self.now) {
                    newly_read.push(stored.announcement.id);
                }
            }
        }
        newly_read.truncate(NEWLY_READ_MAX);
        if is_changed {
            self.settle(mark)?;
        }
        Ok(newly_read)
    }

    /// Notes everything up to an offset; returns what was unread.
    fn mark_upto(&self, offset: u64, top: i64) -> Result<Vec<String>, StoreError> {
        let offset = i64::try_from(offset).ok().filter(|offset| *offset <= top);
        let offset = offset.ok_or(StoreError::UnknownNotification)?;
        let mut mark = self.mark()?;
        if offset <= mark.read_upto || !self.anything_counts(mark.read_upto, offset)? {
            return Ok(Vec::new());
        }
        let newly_read = self.unread_between(mark.read_upto, offset)?;
        mark.above -= self.receipts_between(mark.read_upto, offset)?;
        self.fill_gaps(mark.read_upto, offset)?;
        mark.read_upto = offset;
        self.settle(mark)?;
        Ok(newly_read)
    }

    fn mark(&self) -> Result<Mark, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT read_upto, above FROM cursor
             WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3",
        )?;
        let found = statement.query_row(self.key(), |row| {
            Ok(Mark {
                read_upto: row.get(0)?,
                above: row.get(1)?,
            })
        });
        Ok(found.optional()?.unwrap_or(Mark {
            read_upto: 0,
            above: 0,
        }))
    }

    /// Notes a run of offsets as read; returns whether there was none that begins there.
    fn add_run(&self, first: i64, last: i64) -> Result<bool, StoreError> {
        let (namespace, user, feed_id) = self.key();
        let added = self
            .connection
            .prepare_cached(
                "INSERT INTO reading (namespace, username, feed_id, \"offset\", upto, read_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            )?
            .execute((namespace, user, feed_id, first, last, self.at))?;
        Ok(added == 1)
    }

    /// Notes as read what lies between the receipts above `after`, up to `upto`.
    fn fill_gaps(&self, after: i64, upto: i64) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT \"offset\" FROM reading WHERE namespace = ?1 AND username = ?2
               AND feed_id = ?3 AND \"offset\" > ?4 AND \"offset\" <= ?5 ORDER BY \"offset\"",
        )?;
        let (namespace, user, feed_id) = self.key();
        let receipts = statement.query_map((namespace, user, feed_id, after, upto), |row| {
            row.get::<_, i64>(0)
        })?;
        let receipts: Vec<i64> = receipts.collect::<Result<_, _>>()?;
        let mut first = after + 1;
        for receipt in receipts {
            if first < receipt {
                self.add_run(first, receipt - 1)?;
            }
            first = receipt + 1;
        }
        if first <= upto {
            self.add_run(first, upto)?;
        }
        Ok(())
    }

    /// Whether anything between two offsets counts and has no receipt.
    fn anything_counts(&self, after: i64, upto: i64) -> Result<bool, StoreError> {
        let (namespace, user, feed_id) = self.key();
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM announcement a
             WHERE a.feed_id = ?3 AND a.live = 1 AND a.place > ?4 AND a.place <= ?5
               AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.namespace = ?1
                 AND r.username = ?2 AND r.feed_id = ?3 AND r.\"offset\" = a.place)",
        )?;
        Ok(statement.exists((namespace, user, feed_id, after, upto))?)
    }

    fn unread_between(&self, after: i64, upto: i64) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT a.id FROM announcement a
             WHERE a.feed_id = ?3 AND a.live = 1 AND a.place > ?4 AND a.place <= ?5
               AND (a.expires_at IS NULL OR a.expires_at > ?6)
               AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.namespace = ?1
                 AND r.username = ?2 AND r.feed_id = ?3 AND r.\"offset\" = a.place)
             ORDER BY a.place LIMIT ?7",
        )?;
        let (namespace, user, feed_id) = self.key();
        let most = limit(NEWLY_READ_MAX);
        let key = (namespace, user, feed_id, after, upto, self.now, most);
        let ids = statement.query_map(key, |row| Ok(Uuid::from_bytes(row.get(0)?).to_string()))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// How many that count between two offsets have a receipt.
    fn receipts_between(&self, after: i64, upto: i64) -> Result<i64, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) FROM reading r
             JOIN announcement a ON a.feed_id = ?3 AND a.live = 1 AND a.place = r.\"offset\"
             WHERE r.namespace = ?1 AND r.username = ?2 AND r.feed_id = ?3
               AND r.\"offset\" > ?4 AND r.\"offset\" <= ?5",
        )?;
        let (namespace, user, feed_id) = self.key();
        Ok(statement.query_row((namespace, user, feed_id, after, upto), |row| row.get(0))?)
    }

    /// Moves the cursor up to the first that counts and was not read, and keeps it there.
    fn settle(&self, mut mark: Mark) -> Result<(), StoreError> {
        let mut top = None;
        {
            let mut statement = self.connection.prepare_cached(
                "SELECT place FROM announcement
                 WHERE feed_id = ?1 AND live = 1 AND place > ?2 ORDER BY place",
            )?;
            let mut rows = statement.query((self.feed_id, mark.read_upto))?;
            while let Some(row) = rows.next()? {
                let place: i64 = row.get(0)?;
                let (connection, feed_id) = (self.connection, self.feed_id);
                if !has_read(connection, self.namespace, self.user, feed_id, place)? {
                    top = Some(place - 1);
                    break;
                }
                mark.above -= 1;
            }
        }
        let (namespace, user, feed_id) = self.key();
        self.connection
            .prepare_cached(
                "INSERT INTO cursor (namespace, username, feed_id, read_upto, above)
                 VALUES (?1, ?2, ?3,
                   coalesce(?4, (SELECT top FROM feed WHERE feed_id = ?3)), ?5)
                 ON CONFLICT (namespace, username, feed_id)
                 DO UPDATE SET read_upto = excluded.read_upto, above = excluded.above",
            )?
            .execute((namespace, user, feed_id, top, mark.above))?;
        note_own_change(self.connection, namespace, user)
    }

    fn key(&self) -> (&str, &str, i64) {
        (self.namespace, self.user, self.feed_id)
    }
}
