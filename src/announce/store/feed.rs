//! Feeds as the tables know them.

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::announce::announcement::FeedKey;
use crate::announce::random::{hex, random};
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::row::kind_and_name;

use alloc::string::String;

/// A feed as the tables know it.
pub(crate) struct Feed {
    pub(crate) id: i64,
    pub(crate) epoch: String,
    pub(crate) top: i64,
    /// Everything up to this offset has been removed.
    pub(crate) floor: i64,
}

impl Store {
    /// Whether anything was ever published in a feed, or anybody was ever in it. The public
    /// feed always exists.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn feed_exists(&self, namespace: &str, feed: &FeedKey) -> Result<bool, StoreError> {
        let (namespace, feed) = (String::from(namespace), feed.clone());
        self.read(move |connection| {
            Ok(feed.is_public() || find_feed(connection, &namespace, &feed)?.is_some())
        })
        .await
    }
}

/// Finds a feed.
pub(crate) fn find_feed(
    connection: &Connection,
    namespace: &str,
    feed: &FeedKey,
) -> Result<Option<Feed>, StoreError> {
    let (kind, name) = kind_and_name(feed);
    let mut statement = connection.prepare_cached(
        "SELECT feed_id, epoch, top, floor FROM feed
         WHERE namespace = ?1 AND kind = ?2 AND key = ?3",
    )?;
    Ok(statement
        .query_row((namespace, kind, name), read_feed)
        .optional()?)
}

/// Finds a feed, or creates it without an entry.
pub(crate) fn ensure_feed(
    connection: &Connection,
    namespace: &str,
    feed: &FeedKey,
) -> Result<Feed, StoreError> {
    if let Some(found) = find_feed(connection, namespace, feed)? {
        return Ok(found);
    }
    let (kind, name) = kind_and_name(feed);
    let epoch = hex(&random::<8>().map_err(|error| StoreError::failed(&error))?);
    let mut create = connection.prepare_cached(
        "INSERT INTO feed (namespace, kind, key, epoch) VALUES (?1, ?2, ?3, ?4)
         RETURNING feed_id, epoch, top, floor",
    )?;
    Ok(create.query_row((namespace, kind, name, epoch), read_feed)?)
}

/// Takes the next offset of a feed. Returns it with the time by which its entry is ordered,
/// which is never before that of the entry below it.
pub(crate) fn take_offset(
    connection: &Connection,
    feed_id: i64,
    at: i64,
) -> Result<(i64, i64), StoreError> {
    let mut advance = connection.prepare_cached(
        "UPDATE feed SET top = top + 1, shown_at = max(shown_at, ?2) WHERE feed_id = ?1
         RETURNING top, shown_at",
    )?;
    Ok(advance.query_row((feed_id, at), |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Notes that counts of people in this namespace may have changed.
pub(crate) fn note_change(
    connection: &Connection,
    namespace: &str,
    changes: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO namespace (namespace, changes) VALUES (?1, ?2)
             ON CONFLICT (namespace) DO UPDATE SET changes = changes + excluded.changes",
        )?
        .execute((namespace, changes))?;
    Ok(())
}

fn read_feed(row: &Row<'_>) -> Result<Feed, rusqlite::Error> {
    Ok(Feed {
        id: row.get(0)?,
        epoch: row.get(1)?,
        top: row.get(2)?,
        floor: row.get(3)?,
    })
}
