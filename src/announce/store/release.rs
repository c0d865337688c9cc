//! Becoming visible: offsets, entries, and what is told to those who send.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::announce::announcement::Announcement;
use crate::announce::store::entry::{Change, Release};
use crate::announce::store::error::StoreError;
use crate::announce::store::feed::{note_change, take_offset};
use crate::announce::store::handle::Store;
use crate::announce::store::row::{find, milliseconds, time};
use crate::announce::store::tally::{bury, revive};
use crate::announce::store::tell::tell_entry;

/// The most that one transaction releases, and the most that one takes out of the counts.
const BATCH_MAX: u32 = 64;

/// What [`Store::release_due`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// How many announcements became visible.
    pub released: u64,
    /// How many left the counts because they had expired.
    pub expired: u64,
}

impl Store {
    /// Makes visible what waited for a time not later than `now`, in the order of those times,
    /// and takes what has expired out of the counts.
    ///
    /// Nothing waits for the second to be right: what has expired is left out of every answer
    /// from that moment on. It keeps the answers fast.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish); what was done before the error stays done.
    ///
    /// # Cancel safety
    ///
    /// Each announcement is released whole or not at all; a later call does the rest.
    pub async fn release_due(&self, now: SystemTime) -> Result<Due, StoreError> {
        let at = milliseconds(now);
        let mut due = Due::default();
        loop {
            let room = self.room(BATCH_MAX).await?;
            let some = self
                .release(Some(room), move |connection, out| {
                    Ok(Due {
                        released: show_due(connection, at, out)?,
                        expired: bury_expired(connection, at)?,
                    })
                })
                .await?;
            due.released += some.released;
            due.expired += some.expired;
            if some.released.max(some.expired) < u64::from(BATCH_MAX) {
                return Ok(due);
            }
        }
    }

    /// Waits until [`release_due`](Self::release_due) has something to do, as far as that is
    /// known; it may be early, and is never more than `nap` late.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only waits.
    pub async fn until_due(&self, nap: Duration) {
        let stored = self.shared.pending.notified();
        let left = match self.next_release().await {
            Ok(Some(at)) => at.duration_since(SystemTime::now()).unwrap_or_default(),
            _ => nap,
        };
        tokio::select! {
            () = stored => {}
            () = tokio::time::sleep(left.min(nap)) => {}
        }
    }

    /// When [`release_due`](Self::release_due) has something to do next; `None` if nothing
    /// waits to become visible or to expire.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn next_release(&self) -> Result<Option<SystemTime>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT min(at) FROM (
                   SELECT min(visible_at) AS at FROM announcement WHERE state = 'pending'
                   UNION ALL
                   SELECT min(expires_at) FROM announcement
                   WHERE live = 1 AND expires_at IS NOT NULL)",
            )?;
            let next: Option<i64> = statement.query_row((), |row| row.get(0))?;
            Ok(next.map(time))
        })
        .await
    }
}

/// Makes a stored announcement visible.
pub(crate) fn show(
    connection: &Connection,
    namespace: &str,
    id: &Uuid,
    feed_id: i64,
    at: i64,
    out: &mut Vec<Release>,
) -> Result<Announcement, StoreError> {
    let (offset, shown_at) = append(connection, feed_id, id, Change::Posted, 1, at)?;
    connection
        .prepare_cached(
            "UPDATE announcement SET state = 'released', visible_at = ?2 WHERE id = ?1",
        )?
        .execute((id.as_bytes(), shown_at))?;
    revive(connection, feed_id, id, offset)?;
    note_change(connection, namespace, 1)?;
    let announcement = find(connection, namespace, &alloc::format!("{id}"))?.announcement;
    out.push(Release::new(Change::Posted, announcement.clone(), offset));
    Ok(announcement)
}

/// Adds an entry at the end of a feed. Returns its offset and the time by which it is ordered.
pub(crate) fn append(
    connection: &Connection,
    feed_id: i64,
    id: &Uuid,
    change: Change,
    version: i64,
    at: i64,
) -> Result<(i64, i64), StoreError> {
    let (offset, shown_at) = take_offset(connection, feed_id, at)?;
    connection
        .prepare_cached(
            "INSERT INTO entry (feed_id, \"offset\", announcement, kind, version, released_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((feed_id, offset, id.as_bytes(), change.as_str(), version, at))?;
    tell_entry(connection, feed_id, offset)?;
    Ok((offset, shown_at))
}

fn show_due(connection: &Connection, at: i64, out: &mut Vec<Release>) -> Result<u64, StoreError> {
    let mut released = 0;
    while released < u64::from(BATCH_MAX) {
        let mut statement = connection.prepare_cached(
            "SELECT id, namespace, feed_id FROM announcement
             WHERE state = 'pending' AND visible_at <= ?1 ORDER BY visible_at, id LIMIT 1",
        )?;
        let found = statement.query_row((at,), |row| {
            let id = Uuid::from_bytes(row.get(0)?);
            Ok((id, row.get::<_, String>(1)?, row.get(2)?))
        });
        let Some((id, namespace, feed_id)) = found.optional()? else {
            break;
        };
        show(connection, &namespace, &id, feed_id, at, out)?;
        released += 1;
    }
    Ok(released)
}

/// The counts of the expired have been left out already, so the version, to which they were
/// added one by one, does not change here.
fn bury_expired(connection: &Connection, at: i64) -> Result<u64, StoreError> {
    let mut expired = 0;
    while expired < u64::from(BATCH_MAX) {
        let mut statement = connection.prepare_cached(
            "SELECT id, namespace, feed_id, place FROM announcement
             WHERE live = 1 AND expires_at IS NOT NULL AND expires_at <= ?1
             ORDER BY expires_at LIMIT 1",
        )?;
        let found = statement.query_row((at,), |row| {
            let id = Uuid::from_bytes(row.get(0)?);
            Ok((id, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
        });
        let Some((id, namespace, feed_id, place)) = found.optional()? else {
            break;
        };
        bury(connection, feed_id, &id, place)?;
        note_change(connection, &namespace, 1)?;
        expired += 1;
    }
    Ok(expired)
}
