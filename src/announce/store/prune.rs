//! Removing what is old.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::announce::announcement::FeedKey;
use crate::announce::store::error::StoreError;
use crate::announce::store::feed::note_change;
use crate::announce::store::handle::Store;
use crate::announce::store::row::{feed_key, milliseconds};
use crate::announce::store::tally::bury;

/// The most entries that one transaction removes.
const BATCH_MAX: u64 = 256;

/// How long the entries of feeds are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    default: Option<Duration>,
    feeds: Vec<(FeedKey, Option<Duration>)>,
}

impl Retention {
    /// Keeps every entry for this time; `None` for good.
    #[must_use]
    pub fn new(age: Option<Duration>) -> Self {
        Self {
            default: age,
            feeds: Vec::new(),
        }
    }

    /// Keeps the entries of one feed, in every namespace, for this time; `None` for good.
    #[must_use]
    pub fn with_feed(mut self, feed: FeedKey, age: Option<Duration>) -> Self {
        self.feeds.retain(|(other, _)| *other != feed);
        self.feeds.push((feed, age));
        self
    }

    fn of(&self, feed: &FeedKey) -> Option<Duration> {
        let own = self.feeds.iter().find(|(other, _)| other == feed);
        own.map_or(self.default, |(_, age)| *age)
    }
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Entries.
    pub entries: u64,
    /// Announcements, of which no entry is left.
    pub announcements: u64,
}

impl Store {
    /// Removes the entries that are older than their feed keeps them, from the oldest on, and
    /// the announcements of which nothing is left, with everything that was noted about them;
    /// and the revocations that may be forgotten. Offsets are not used again. The audit stays.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish); what was removed before the error stays removed.
    ///
    /// # Cancel safety
    ///
    /// Each batch is removed whole or not at all; a later call removes the rest.
    pub async fn prune(
        &self,
        retention: &Retention,
        now: SystemTime,
    ) -> Result<Pruned, StoreError> {
        let at = milliseconds(now);
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM revocation WHERE until <= ?1")?
                .execute((at,))?;
            Ok(())
        })
        .await?;
        let feeds = self.read(list_feeds).await?;
        let mut pruned = Pruned::default();
        for (feed_id, namespace, key) in feeds {
            let oldest = retention.of(&key).and_then(|age| now.checked_sub(age));
            let Some(oldest) = oldest.map(milliseconds) else {
                continue;
            };
            loop {
                let namespace = namespace.clone();
                let work = move |connection: &Connection| {
                    prune_feed(connection, feed_id, &namespace, oldest)
                };
                let some = self.write(work).await?;
                pruned.entries += some.entries;
                pruned.announcements += some.announcements;
                if some.entries < BATCH_MAX {
                    break;
                }
            }
        }
        Ok(pruned)
    }
}

type FeedRow = (i64, String, FeedKey);

fn list_feeds(connection: &Connection) -> Result<Vec<FeedRow>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT feed_id, namespace, kind, key FROM feed WHERE top > floor")?;
    let feeds = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?, feed_key(row, 2)?)))?;
    Ok(feeds.collect::<Result<_, _>>()?)
}

fn prune_feed(
    connection: &Connection,
    feed_id: i64,
    namespace: &str,
    oldest: i64,
) -> Result<Pruned, StoreError> {
    let mut pruned = Pruned::default();
    let mut floor = None;
    while pruned.entries < BATCH_MAX {
        let mut statement = connection.prepare_cached(
            "SELECT \"offset\", announcement, released_at FROM entry WHERE feed_id = ?1
             ORDER BY \"offset\" LIMIT 1",
        )?;
        let found = statement.query_row((feed_id,), |row| {
            let id = Uuid::from_bytes(row.get(1)?);
            Ok((row.get::<_, i64>(0)?, id, row.get::<_, i64>(2)?))
        });
        let Some((offset, id, released_at)) = found.optional()? else {
            break;
        };
        if released_at >= oldest {
            break;
        }
        pruned.announcements += u64::from(remove(connection, feed_id, namespace, offset, &id)?);
        pruned.entries += 1;
        floor = Some(offset);
    }
    if let Some(floor) = floor {
        connection
            .prepare_cached("UPDATE feed SET floor = ?2 WHERE feed_id = ?1")?
            .execute((feed_id, floor))?;
        connection
            .prepare_cached(
                "DELETE FROM reading WHERE feed_id = ?1 AND \"offset\" <= ?2 AND upto <= ?2",
            )?
            .execute((feed_id, floor))?;
    }
    Ok(pruned)
}

/// Removes the oldest entry of a feed; returns whether its announcement went with it.
fn remove(
    connection: &Connection,
    feed_id: i64,
    namespace: &str,
    offset: i64,
    id: &Uuid,
) -> Result<bool, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT 1 FROM announcement WHERE id = ?1 AND live = 1 AND place = ?2")?;
    if statement.exists((id.as_bytes(), offset))? {
        bury(connection, feed_id, id, offset)?;
        note_change(connection, namespace, 1)?;
    }
    connection
        .prepare_cached("DELETE FROM entry WHERE feed_id = ?1 AND \"offset\" = ?2")?
        .execute((feed_id, offset))?;
    let mut statement = connection.prepare_cached("SELECT 1 FROM entry WHERE announcement = ?1")?;
    if statement.exists((id.as_bytes(),))? {
        return Ok(false);
    }
    for statement in [
        "DELETE FROM revision WHERE announcement = ?1",
        "DELETE FROM acknowledgement WHERE announcement = ?1",
        "DELETE FROM announcement WHERE id = ?1",
    ] {
        connection
            .prepare_cached(statement)?
            .execute((id.as_bytes(),))?;
    }
    Ok(true)
}
