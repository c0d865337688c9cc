//! What came after an offset: the log of a feed, for those who were away.

use alloc::string::String;
use alloc::vec::Vec;

use rusqlite::Connection;

use crate::announce::announcement::{FeedKey, State};
use crate::announce::store::entry::{Change, Release};
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::page::{PAGE_BODY_BYTES_MAX, PAGE_MAX};
use crate::announce::store::person::{Access, access};
use crate::announce::store::row::{
    MORE, announcement, feed_key, limit, select_announcement, signed, unsigned,
};

/// What a person missed in a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// What happened, in the order of the offsets. An announcement is shown as it is now,
    /// whatever the entry tells of.
    pub entries: Vec<Release>,
    /// Whether something is missing before the entries: it has been removed, or the offset
    /// belongs to another life of the feed. Then the entries begin with the oldest that is kept.
    pub gap: bool,
    /// The life of the feed that the offsets belong to; empty if it has no entry.
    pub epoch: String,
    /// The offset of the latest entry.
    pub top: u64,
    /// Whether the entries go up to the latest one.
    pub complete: bool,
}

impl Store {
    /// Up to where each feed of each namespace has been released.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn tops(&self) -> Result<Vec<(String, FeedKey, u64)>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT namespace, kind, key, top FROM feed")?;
            let mut rows = statement.query(())?;
            let mut tops = Vec::new();
            while let Some(row) = rows.next()? {
                let feed = feed_key(row, 1)?;
                tops.push((row.get(0)?, feed, unsigned(row.get(3)?)));
            }
            Ok(tops)
        })
        .await
    }

    /// What came after an offset in a feed: at least one and at most [`PAGE_MAX`] entries are
    /// asked for with `most`; it ends early when their bodies exceed [`PAGE_BODY_BYTES_MAX`].
    /// Somebody who came late and sees nothing from before is shown nothing from before.
    ///
    /// Without an epoch the offset is taken to belong to the present life of the feed.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if the person may not read the feed. Else as for
    /// [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn since(
        &self,
        namespace: &str,
        user: &str,
        feed: &FeedKey,
        offset: u64,
        epoch: Option<&str>,
        most: usize,
    ) -> Result<Missed, StoreError> {
        let (namespace, user, key) = (String::from(namespace), String::from(user), feed.clone());
        let epoch = epoch.map(String::from);
        self.read(move |connection| {
            let (feed, since) = match access(connection, &namespace, &user, &key)? {
                Access::Granted { feed, since } => (feed, since),
                Access::Empty => {
                    return Ok(Missed {
                        gap: offset > 0,
                        complete: true,
                        ..Missed::default()
                    });
                }
                Access::Denied => return Err(StoreError::UnknownNotification),
            };
            let is_foreign = epoch.is_some_and(|epoch| epoch != feed.epoch);
            let asked = signed(offset);
            let gap = is_foreign || asked > feed.top || asked.max(since) < feed.floor;
            let from = if gap { feed.floor } else { asked }.max(since);
            let entries = entries(connection, feed.id, from, most.clamp(1, PAGE_MAX))?;
            let last = entries.last().map_or(from, |last| signed(last.offset));
            Ok(Missed {
                entries,
                gap,
                epoch: feed.epoch,
                top: unsigned(feed.top),
                complete: last >= feed.top,
            })
        })
        .await
    }
}

/// The entries of a feed after an offset.
pub(crate) fn entries(
    connection: &Connection,
    feed_id: i64,
    after: i64,
    most: usize,
) -> Result<Vec<Release>, StoreError> {
    let mut statement = connection.prepare_cached(select_announcement!(
        ", e.kind, e.\"offset\"",
        "JOIN entry e ON e.announcement = a.id
         WHERE e.feed_id = ?1 AND e.\"offset\" > ?2 ORDER BY e.\"offset\" LIMIT ?3"
    ))?;
    let mut rows = statement.query((feed_id, after, limit(most)))?;
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let mut announcement = announcement(row)?;
        if announcement.state == State::Recalled {
            announcement.body = String::from("{}");
        }
        let change = Change::new(&row.get::<_, String>(MORE)?);
        bytes += announcement.body.len();
        entries.push(Release::new(change, announcement, row.get(MORE + 1)?));
        if bytes >= PAGE_BODY_BYTES_MAX {
            break;
        }
    }
    Ok(entries)
}
