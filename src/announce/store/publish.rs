//! Adding to a feed.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::announce::announcement::{
    Announcement, FeedKey, Kind, NewAnnouncement, Priority, State,
};
use crate::announce::random::{hex, random};
use crate::announce::store::StoreError;

/// What became of a [`NewAnnouncement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The announcement as stored.
    pub announcement: Announcement,
    /// Whether it had been stored before under the same key.
    pub duplicate: bool,
}

/// A feed as the tables know it.
pub(crate) struct Feed {
    pub(crate) id: i64,
    pub(crate) epoch: String,
    pub(crate) top: i64,
}

pub(crate) fn publish(
    connection: &Connection,
    new: NewAnnouncement,
) -> Result<Published, StoreError> {
    if let Some(announcement) = earlier(connection, &new)? {
        return Ok(Published {
            announcement,
            duplicate: true,
        });
    }
    let feed = feed_with_room(connection, &new.namespace, &new.feed)?;
    let id = Uuid::now_v7();
    let at = milliseconds(new.at);
    connection
        .prepare_cached(
            "INSERT INTO announcement
               (id, namespace, intent, publisher, idem_key, body, created_at, state)
             VALUES (?1, ?2, 'Public announcement', ?3, ?4, ?5, ?6, 'released')",
        )?
        .execute((
            id.as_bytes(),
            &new.namespace,
            &new.publisher,
            &new.key,
            &new.body,
            at,
        ))?;
    connection
        .prepare_cached(
            "INSERT INTO entry (feed_id, \"offset\", announcement, kind, released_at)
             VALUES (?1, ?2, ?3, 'post', ?4)",
        )?
        .execute((feed.id, feed.top, id.as_bytes(), at))?;
    let announcement = Announcement {
        id: id.to_string(),
        namespace: new.namespace,
        feed: new.feed,
        offset: unsigned(feed.top),
        epoch: feed.epoch,
        publisher: new.publisher,
        sent_at: time(at),
        body: new.body,
        version: 1,
        priority: Priority::default(),
        require_ack: false,
        ack_by: None,
        visible_at: time(at),
        expires_at: None,
        kind: Kind::default(),
        state: State::Released,
    };
    Ok(Published {
        announcement,
        duplicate: false,
    })
}

/// Finds a feed.
pub(crate) fn find_feed(
    connection: &Connection,
    namespace: &str,
    feed: &FeedKey,
) -> Result<Option<Feed>, StoreError> {
    let (kind, key) = kind_and_key(feed);
    let mut statement = connection.prepare_cached(
        "SELECT feed_id, epoch, top FROM feed WHERE namespace = ?1 AND kind = ?2 AND key = ?3",
    )?;
    Ok(statement
        .query_row((namespace, kind, key), |row| {
            Ok(Feed {
                id: row.get(0)?,
                epoch: row.get(1)?,
                top: row.get(2)?,
            })
        })
        .optional()?)
}

/// The name of a feed from what the tables hold.
pub(crate) fn feed_key(kind: &str, key: &str) -> Result<FeedKey, StoreError> {
    let found = if kind == "public" {
        Some(FeedKey::public())
    } else {
        FeedKey::new(key)
    };
    found.ok_or_else(|| StoreError::Failed {
        reason: "a feed has no usable name".to_owned(),
    })
}

/// A stored announcement from a row of
/// `a.id, a.publisher, a.body, a.created_at, e."offset"`.
pub(crate) fn announcement(
    row: &rusqlite::Row<'_>,
    namespace: &str,
    feed: &FeedKey,
    epoch: &str,
) -> Result<Announcement, rusqlite::Error> {
    Ok(Announcement {
        id: Uuid::from_bytes(row.get(0)?).to_string(),
        namespace: namespace.to_owned(),
        feed: feed.clone(),
        offset: unsigned(row.get(4)?),
        epoch: epoch.to_owned(),
        publisher: row.get(1)?,
        sent_at: time(row.get(3)?),
        body: row.get(2)?,
        version: 1,
        priority: Priority::default(),
        require_ack: false,
        ack_by: None,
        visible_at: time(row.get(3)?),
        expires_at: None,
        kind: Kind::default(),
        state: State::Released,
    })
}

/// Numbers of this store are never negative; a damaged one counts as none.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(crate) fn milliseconds(time: SystemTime) -> i64 {
    let elapsed = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    i64::try_from(elapsed).unwrap_or(i64::MAX)
}

fn time(milliseconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unsigned(milliseconds))
}

fn kind_and_key(feed: &FeedKey) -> (&'static str, &str) {
    if feed.is_public() {
        ("public", "")
    } else {
        ("channel", feed.as_str())
    }
}

/// Takes the next offset of a feed, which comes into being with its first announcement.
fn feed_with_room(
    connection: &Connection,
    namespace: &str,
    feed: &FeedKey,
) -> Result<Feed, StoreError> {
    let (kind, key) = kind_and_key(feed);
    let mut advance = connection.prepare_cached(
        "UPDATE feed SET top = top + 1 WHERE namespace = ?1 AND kind = ?2 AND key = ?3
         RETURNING feed_id, epoch, top",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Feed {
            id: row.get(0)?,
            epoch: row.get(1)?,
            top: row.get(2)?,
        })
    };
    if let Some(feed) = advance.query_row((namespace, kind, key), read).optional()? {
        return Ok(feed);
    }
    let epoch = hex(&random::<8>().map_err(|error| StoreError::failed(&error))?);
    let mut create = connection.prepare_cached(
        "INSERT INTO feed (namespace, kind, key, epoch, top) VALUES (?1, ?2, ?3, ?4, 1)
         RETURNING feed_id, epoch, top",
    )?;
    Ok(create.query_row((namespace, kind, key, epoch), read)?)
}

/// The announcement that the same publisher has stored under the same key.
fn earlier(
    connection: &Connection,
    new: &NewAnnouncement,
) -> Result<Option<Announcement>, StoreError> {
    let Some(key) = &new.key else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT a.id, a.publisher, a.body, a.created_at, e.\"offset\", f.kind, f.key, f.epoch
         FROM announcement a
         JOIN entry e ON e.announcement = a.id AND e.kind = 'post'
         JOIN feed f ON f.feed_id = e.feed_id
         WHERE a.namespace = ?1 AND a.publisher = ?2 AND a.idem_key = ?3",
    )?;
    let mut rows = statement.query((&new.namespace, &new.publisher, key))?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let feed = feed_key(&row.get::<_, String>(5)?, &row.get::<_, String>(6)?)?;
    Ok(Some(announcement(
        row,
        &new.namespace,
        &feed,
        &row.get::<_, String>(7)?,
    )?))
}
