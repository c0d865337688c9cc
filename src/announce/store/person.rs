//! People, and the feeds that they may read.

use alloc::vec::Vec;

use rusqlite::{Connection, OptionalExtension as _};

use crate::announce::announcement::{FeedKey, FeedKind};
use crate::announce::store::error::StoreError;
use crate::announce::store::feed::{Feed, ensure_feed, find_feed};
use crate::announce::store::row::feed_key;

/// What somebody who comes late to a feed finds unread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LateJoiner {
    /// Everything that the feed still holds.
    #[default]
    All,
    /// Nothing from before they came. Nor can they read it.
    Nothing,
}

/// A feed that a person may read, and their place in it.
pub(crate) struct View {
    pub(crate) feed: Feed,
    pub(crate) key: FeedKey,
    /// How many announcements of the feed count.
    pub(crate) live: i64,
    /// Everything up to this offset counts as read.
    pub(crate) read_upto: i64,
    /// How many of those above that count and were read.
    pub(crate) above: i64,
}

/// The feeds that a person may read: the public one and their own, if they exist, and those
/// that they are a member of; the public one first, then in order of creation.
pub(crate) fn views(
    connection: &Connection,
    namespace: &str,
    user: &str,
) -> Result<Vec<View>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.kind, f.key, f.feed_id, f.epoch, f.top, f.floor, f.live,
                coalesce(c.read_upto, 0), coalesce(c.above, 0)
         FROM (SELECT feed_id FROM member
                 WHERE namespace = ?1 AND username = ?2 AND until_offset IS NULL
               UNION SELECT feed_id FROM feed WHERE namespace = ?1 AND kind = 'public'
               UNION SELECT feed_id FROM feed
                 WHERE namespace = ?1 AND kind = 'user' AND key = ?2) AS mine
         JOIN feed f ON f.feed_id = mine.feed_id
         LEFT JOIN cursor c
           ON c.namespace = ?1 AND c.username = ?2 AND c.feed_id = f.feed_id
         ORDER BY f.kind <> 'public', f.feed_id",
    )?;
    let views = statement.query_map((namespace, user), |row| {
        Ok(View {
            key: feed_key(row, 0)?,
            feed: Feed {
                id: row.get(2)?,
                epoch: row.get(3)?,
                top: row.get(4)?,
                floor: row.get(5)?,
            },
            live: row.get(6)?,
            read_upto: row.get(7)?,
            above: row.get(8)?,
        })
    })?;
    Ok(views.collect::<Result<_, _>>()?)
}

/// How a person stands to a feed.
pub(crate) enum Access {
    /// They may read it, from behind this offset on.
    Granted { feed: Feed, since: i64 },
    /// It is theirs to read, and nothing was ever in it.
    Empty,
    /// They may not read it, or there is none; nobody is told which.
    Denied,
}

pub(crate) fn access(
    connection: &Connection,
    namespace: &str,
    user: &str,
    key: &FeedKey,
) -> Result<Access, StoreError> {
    let is_open = match key.kind() {
        FeedKind::Public => true,
        FeedKind::User => key.name() == user,
        FeedKind::Channel | FeedKind::Role => false,
    };
    let Some(feed) = find_feed(connection, namespace, key)? else {
        return Ok(if is_open {
            Access::Empty
        } else {
            Access::Denied
        });
    };
    let mut statement = connection.prepare_cached(
        "SELECT since_offset FROM member WHERE namespace = ?1 AND username = ?2
           AND feed_id = ?3 AND until_offset IS NULL",
    )?;
    let since = statement.query_row((namespace, user, feed.id), |row| row.get(0));
    Ok(match since.optional()? {
        Some(since) => Access::Granted { feed, since },
        None if is_open => Access::Granted { feed, since: 0 },
        None => Access::Denied,
    })
}

/// Notes that a person was here. The first time they come into the public feed.
pub(crate) fn note_person(
    connection: &Connection,
    namespace: &str,
    user: &str,
    late: LateJoiner,
    at: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO person (namespace, username, first_seen, last_seen)
             VALUES (?1, ?2, ?3, ?3) ON CONFLICT (namespace, username) DO UPDATE SET
               first_seen = coalesce(first_seen, excluded.first_seen),
               last_seen = max(coalesce(last_seen, 0), excluded.last_seen)",
        )?
        .execute((namespace, user, at))?;
    let feed = ensure_feed(connection, namespace, &FeedKey::public())?;
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM member WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3
           AND until_offset IS NULL",
    )?;
    if statement.exists((namespace, user, feed.id))? {
        return Ok(());
    }
    open_window(connection, namespace, user, &feed, "everyone", late, at)
}

/// Lets a person into a feed in which they are not.
///
/// Somebody who left and comes back before anything was added goes on as if they had stayed.
pub(crate) fn open_window(
    connection: &Connection,
    namespace: &str,
    user: &str,
    feed: &Feed,
    source: &str,
    late: LateJoiner,
    at: i64,
) -> Result<(), StoreError> {
    let reopened = connection
        .prepare_cached(
            "UPDATE member SET until_offset = NULL, left_at = NULL, source = ?5
             WHERE member_id = (SELECT max(member_id) FROM member
                 WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3)
               AND until_offset = ?4 AND (since_offset = 0 OR ?6)",
        )?
        .execute((
            namespace,
            user,
            feed.id,
            feed.top,
            source,
            late == LateJoiner::Nothing,
        ))?;
    if reopened == 0 {
        let since = match late {
            LateJoiner::All => 0,
            LateJoiner::Nothing => feed.top,
        };
        connection
            .prepare_cached(
                "INSERT INTO member
                   (namespace, username, feed_id, since_offset, source, joined_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((namespace, user, feed.id, since, source, at))?;
        if since > 0 {
            skip_to(connection, namespace, user, feed.id, since)?;
        }
    }
    note_own_change(connection, namespace, user)
}

/// Lets everything up to an offset count as read.
fn skip_to(
    connection: &Connection,
    namespace: &str,
    user: &str,
    feed_id: i64,
    offset: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO cursor (namespace, username, feed_id, read_upto) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (namespace, username, feed_id)
             DO UPDATE SET read_upto = max(read_upto, excluded.read_upto), above = 0",
        )?
        .execute((namespace, user, feed_id, offset))?;
    Ok(())
}

/// Notes that the counts of one person may have changed.
pub(crate) fn note_own_change(
    connection: &Connection,
    namespace: &str,
    user: &str,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO person (namespace, username, changes) VALUES (?1, ?2, 1)
             ON CONFLICT (namespace, username) DO UPDATE SET changes = changes + 1",
        )?
        .execute((namespace, user))?;
    Ok(())
}
