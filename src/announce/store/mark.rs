//! Noting what was read.
//!
//! A person has for each feed a cursor, up to which everything is read, and receipts for single
//! announcements above it. Receipts that follow on the cursor are folded into it, so what is
//! kept for a person who reads everything is one row for each feed.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::announce::announcement::{FeedKey, Unread};
use crate::announce::store::StoreError;
use crate::announce::store::publish::{find_feed, milliseconds};
use crate::announce::store::read::count;

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

/// One person's place in one feed.
struct Place<'a> {
    connection: &'a Connection,
    namespace: &'a str,
    user: &'a str,
    feed_id: i64,
}

pub(crate) fn mark_read(
    connection: &Connection,
    namespace: &str,
    user: &str,
    feed: &FeedKey,
    mark: &ReadMark,
) -> Result<ReadState, StoreError> {
    let newly_read = match find_feed(connection, namespace, feed)? {
        Some(feed) => {
            let place = Place {
                connection,
                namespace,
                user,
                feed_id: feed.id,
            };
            place.mark(mark, feed.top)?
        }
        None if matches!(mark, ReadMark::UpTo(0)) => Vec::new(),
        None => return Err(StoreError::UnknownNotification),
    };
    Ok(ReadState {
        unread: count(connection, namespace, user)?,
        newly_read,
    })
}

impl Place<'_> {
    fn mark(&self, mark: &ReadMark, top: i64) -> Result<Vec<String>, StoreError> {
        let before = self.read_upto()?;
        let (newly_read, reached) = match mark {
            ReadMark::Ids(ids) => (self.add_receipts(ids, before)?, before),
            ReadMark::UpTo(offset) => {
                let offset = i64::try_from(*offset).ok().filter(|offset| *offset <= top);
                let offset = offset.ok_or(StoreError::UnknownNotification)?;
                (self.unread_between(before, offset)?, before.max(offset))
            }
        };
        if newly_read.is_empty() {
            return Ok(newly_read);
        }
        self.advance(self.fold(reached)?)?;
        Ok(newly_read)
    }

    fn read_upto(&self) -> Result<i64, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT read_upto FROM cursor
             WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3",
        )?;
        let found = statement
            .query_row(self.key(), |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or(0))
    }

    /// Adds a receipt for each announcement that has none and lies above the cursor; returns
    /// those, by offset.
    fn add_receipts(&self, ids: &[String], read_upto: i64) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.push((self.offset(id)?, id));
        }
        found.sort_unstable();
        let now = milliseconds(SystemTime::now());
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO receipt (namespace, username, feed_id, \"offset\", read_at)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?;
        let mut newly_read = Vec::new();
        for (offset, id) in found {
            let (namespace, user, feed_id) = self.key();
            let above = offset > read_upto;
            if above && insert.execute((namespace, user, feed_id, offset, now))? == 1 {
                newly_read.push(id.clone());
            }
        }
        newly_read.truncate(NEWLY_READ_MAX);
        Ok(newly_read)
    }

    /// The offset of an announcement in this feed. An identifier has one spelling.
    fn offset(&self, id: &str) -> Result<i64, StoreError> {
        let uuid = Uuid::try_parse(id)
            .ok()
            .filter(|uuid| uuid.to_string() == id);
        let uuid = uuid.ok_or(StoreError::UnknownNotification)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT \"offset\" FROM entry
             WHERE announcement = ?1 AND feed_id = ?2 AND kind = 'post'",
        )?;
        let found = statement.query_row((uuid.as_bytes(), self.feed_id), |row| row.get(0));
        found.optional()?.ok_or(StoreError::UnknownNotification)
    }

    fn unread_between(&self, after: i64, upto: i64) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT e.announcement FROM entry e
             WHERE e.feed_id = ?3 AND e.\"offset\" > ?4 AND e.\"offset\" <= ?5
               AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.namespace = ?1
                 AND r.username = ?2 AND r.feed_id = ?3 AND r.\"offset\" = e.\"offset\")
             ORDER BY e.\"offset\" LIMIT ?6",
        )?;
        let (namespace, user, feed_id) = self.key();
        let limit = i64::try_from(NEWLY_READ_MAX).unwrap_or(i64::MAX);
        let ids = statement.query_map((namespace, user, feed_id, after, upto, limit), |row| {
            Ok(Uuid::from_bytes(row.get(0)?).to_string())
        })?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// How far the cursor can go from `reached` on receipts that follow without a gap.
    fn fold(&self, reached: i64) -> Result<i64, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT \"offset\" FROM receipt
             WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3 AND \"offset\" > ?4
             ORDER BY \"offset\"",
        )?;
        let (namespace, user, feed_id) = self.key();
        let mut rows = statement.query((namespace, user, feed_id, reached))?;
        let mut folded = reached;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(0)? != folded + 1 {
                break;
            }
            folded += 1;
        }
        Ok(folded)
    }

    /// Sets the cursor, counts the change, and removes the receipts that it covers.
    fn advance(&self, read_upto: i64) -> Result<(), StoreError> {
        let (namespace, user, feed_id) = self.key();
        self.connection
            .prepare_cached(
                "INSERT INTO cursor (namespace, username, feed_id, read_upto, version)
                 VALUES (?1, ?2, ?3, ?4, 1)
                 ON CONFLICT (namespace, username, feed_id)
                 DO UPDATE SET read_upto = max(read_upto, excluded.read_upto),
                               version = version + 1",
            )?
            .execute((namespace, user, feed_id, read_upto))?;
        self.connection
            .prepare_cached(
                "DELETE FROM receipt
                 WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3 AND \"offset\" <= ?4",
            )?
            .execute((namespace, user, feed_id, read_upto))?;
        Ok(())
    }

    fn key(&self) -> (&str, &str, i64) {
        (self.namespace, self.user, self.feed_id)
    }
}
