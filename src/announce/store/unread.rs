//! How much a person has not read.

use alloc::string::String;
use alloc::vec::Vec;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _};

use crate::announce::announcement::{FeedKey, Unread};
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::person::{View, views};
use crate::announce::store::row::unsigned;
use crate::announce::store::tally::live_upto;

impl Store {
    /// Counts what a person has not read, in each feed that they are in. What has expired by
    /// `now`, was recalled, or is not visible yet does not count.
    ///
    /// # Errors
    ///
    /// [`StoreError::Failed`] if it could not be read, [`StoreError::Closed`] if the store has
    /// ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn counts(
        &self,
        namespace: &str,
        user: &str,
        now: SystemTime,
    ) -> Result<Unread, StoreError> {
        let now = self.shared.counting_time(now);
        let (namespace, user) = (String::from(namespace), String::from(user));
        self.read(move |connection| count(connection, &namespace, &user, now))
            .await
    }
}

/// An announcement that has expired and is still among those that count.
struct Expired {
    feed_id: i64,
    place: i64,
}

/// Counts what a person has not read: what counts above the cursor, without what was read
/// there, and without what has expired since the last [`Store::release_due`].
///
/// The version is the sum of everything that changes a count: changes in the namespace, changes
/// of the person's own, and what has expired. What is expired moves from the third to the first
/// when `release_due` finds it, so the sum only grows.
pub(crate) fn count(
    connection: &Connection,
    namespace: &str,
    user: &str,
    now: i64,
) -> Result<Unread, StoreError> {
    let expired = expired(connection, namespace, now)?;
    let mut counts = Vec::new();
    for view in views(connection, namespace, user)? {
        let mut number = unread_of(connection, &view)?;
        for one in expired.iter().filter(|one| one.feed_id == view.feed.id) {
            let is_above = one.place > view.read_upto;
            if is_above && !has_read(connection, namespace, user, one.feed_id, one.place)? {
                number -= 1;
            }
        }
        counts.push((view.key, unsigned(number)));
    }
    if !counts.iter().any(|(key, _)| key.is_public()) {
        counts.insert(0, (FeedKey::public(), 0));
    }
    let version = changes(connection, namespace, user)? + expired.len() as u64;
    Ok(Unread { counts, version })
}

fn unread_of(connection: &Connection, view: &View) -> Result<i64, StoreError> {
    if view.read_upto >= view.feed.top {
        return Ok(0);
    }
    let below = live_upto(connection, view.feed.id, view.read_upto)?;
    Ok(view.live - below - view.above)
}

/// Whether there is a receipt for exactly this place; for places above the cursor.
pub(crate) fn has_read(
    connection: &Connection,
    namespace: &str,
    user: &str,
    feed_id: i64,
    place: i64,
) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM reading
         WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3 AND \"offset\" = ?4",
    )?;
    Ok(statement.exists((namespace, user, feed_id, place))?)
}

fn expired(connection: &Connection, namespace: &str, now: i64) -> Result<Vec<Expired>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT feed_id, place FROM announcement
         WHERE namespace = ?1 AND live = 1 AND expires_at IS NOT NULL AND expires_at <= ?2",
    )?;
    let found = statement.query_map((namespace, now), |row| {
        Ok(Expired {
            feed_id: row.get(0)?,
            place: row.get(1)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn changes(connection: &Connection, namespace: &str, user: &str) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce((SELECT changes FROM namespace WHERE namespace = ?1), 0)
              + coalesce((SELECT changes FROM person WHERE namespace = ?1 AND username = ?2), 0)",
    )?;
    let sum = statement.query_row((namespace, user), |row| row.get(0));
    Ok(unsigned(sum.optional()?.unwrap_or(0)))
}
