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

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use core::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::announce::store::schema;

    /// How many instructions SQLite takes for the counts of somebody whose cursor stands in the
    /// middle, with this many entries.
    fn instructions(entries: i64) -> (u64, u64) {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = schema::open(&folder.path().join("announce.db")).unwrap();
        let fill = "INSERT INTO feed (feed_id, namespace, kind, key, epoch, top, live)
               VALUES (1, 'main', 'public', '', 'e', ENTRIES, ENTRIES);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ENTRIES)
               INSERT INTO announcement (id, namespace, intent, publisher, body, created_at,
                 state, feed_id, place, live)
               SELECT unhex(printf('%032x', i)), 'main', 'Public announcement', 'alice', '{}', 0,
                 'released', 1, i, 1 FROM n;
             INSERT INTO tally SELECT 1, 1, place >> 6, count(*) FROM announcement GROUP BY 3;
             INSERT INTO tally SELECT 1, 2, place >> 12, count(*) FROM announcement GROUP BY 3;
             INSERT INTO tally SELECT 1, 3, place >> 18, count(*) FROM announcement GROUP BY 3;
             INSERT INTO cursor (namespace, username, feed_id, read_upto)
               VALUES ('main', 'bob', 1, ENTRIES / 2);";
        connection
            .execute_batch(&fill.replace("ENTRIES", &alloc::format!("{entries}")))
            .unwrap();
        let steps = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&steps);
        let each = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.progress_handler(1, Some(each)).unwrap();
        let unread = count(&connection, "main", "bob", 0).unwrap();
        (unread.counts[0].1, steps.load(Ordering::Relaxed))
    }

    #[test]
    fn a_count_does_not_cost_more_where_there_is_more_to_count() {
        let (few, some) = instructions(6_000);
        let (many, more) = instructions(100_000);
        assert_eq!((few, many), (3_000, 50_000));
        // At most 63 rows of each of three sizes, and 64 offsets, at a few instructions each.
        assert!(
            more < 2_500,
            "{some} instructions for 6,000 entries, {more} for 100,000"
        );
    }
}
