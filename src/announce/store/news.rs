//! What servers that share a store have told each other, read.
//!
//! Whoever knows the number up to which it has heard misses nothing, and can tell when rows that
//! it has not heard are gone.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use rusqlite::Connection;

use crate::announce::announcement::FeedKey;
use crate::announce::store::entry::Release;
use crate::announce::store::error::StoreError;
use crate::announce::store::feed::find_feed;
use crate::announce::store::handle::Store;
use crate::announce::store::log::entries;
use crate::announce::store::mark::ReadMark;
use crate::announce::store::row::{feed_key, limit, signed};
use crate::announce::store::tell::{JOINED, LEFT, Marked, READ, REVOKED};

/// How many rows are read at once.
const PAGE: usize = 256;

/// How many entries of one feed are read at once where rows are gone.
const ENTRIES: usize = 64;

/// What another server has done, besides what stands in the log of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A person has read something.
    Read {
        namespace: String,
        user: String,
        feed: FeedKey,
        mark: ReadMark,
        newly_read: Vec<String>,
    },
    /// A person has come into a feed, or has left it.
    Member {
        namespace: String,
        user: String,
        feed: FeedKey,
        hears: bool,
    },
    /// Tokens have been revoked.
    Revoked,
}

/// What was told since a number.
#[derive(Debug)]
pub(crate) struct Told<T> {
    pub(crate) news: Vec<T>,
    /// The number up to which this tells.
    pub(crate) upto: i64,
    /// Whether there is nothing beyond that.
    pub(crate) is_all: bool,
    /// Whether rows are missing that came before these.
    pub(crate) is_torn: bool,
}

/// A row: number, who wrote it, and what.
struct Row {
    seq: i64,
    origin: i64,
    kind: String,
    namespace: Option<String>,
    user: Option<String>,
    feed_id: Option<i64>,
    offset: Option<i64>,
    feed: Option<FeedKey>,
    detail: Option<String>,
}

impl Store {
    /// What came into the logs of feeds after a number, from whatever server, in the order of
    /// the commits. An announcement is shown as it is now, whatever the entry tells of.
    pub(crate) async fn released_since(&self, after: i64) -> Result<Told<Release>, StoreError> {
        self.read(move |connection| {
            told(connection, after, |row| {
                let (Some(feed_id), Some(offset)) = (row.feed_id, row.offset) else {
                    return Ok(None);
                };
                // What has been removed since is not told any more.
                let found = entries(connection, feed_id, offset - 1, 1)?;
                let found = found.into_iter().next();
                Ok(found.filter(|entry| signed(entry.offset) == offset))
            })
        })
        .await
    }

    /// What other servers did after a number, besides what came into the logs of feeds.
    pub(crate) async fn news_since(&self, after: i64) -> Result<Told<News>, StoreError> {
        let own = self.shared.sharing.map(|it| it.origin);
        self.read(move |connection| {
            told(connection, after, |row| match Some(row.origin) == own {
                true => Ok(None),
                false => news(row),
            })
        })
        .await
    }

    /// The entries of a feed after an offset, for nobody in particular.
    pub(crate) async fn entries_after(
        &self,
        namespace: &str,
        feed: &FeedKey,
        offset: u64,
    ) -> Result<Vec<Release>, StoreError> {
        let (namespace, feed) = (String::from(namespace), feed.clone());
        self.read(move |connection| {
            let found = find_feed(connection, &namespace, &feed)?;
            found.map_or_else(
                || Ok(Vec::new()),
                |feed| entries(connection, feed.id, signed(offset), ENTRIES),
            )
        })
        .await
    }

    /// Waits until this server has committed something, or for `nap`, after which another may
    /// have: SQLite tells a process nothing of the commits of others, so there is no event to
    /// await, and asking for what came after a number is as cheap as asking whether anything did.
    pub(crate) async fn until_told(&self, nap: Duration) {
        tokio::select! {
            () = self.shared.told.notified() => {}
            () = tokio::time::sleep(nap) => {}
        }
    }

    /// Forgets what was told longer ago than this. The latest row stays, which shows what has
    /// gone before it.
    pub(crate) async fn forget_news(&self, age: Duration) -> Result<(), StoreError> {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "DELETE FROM news WHERE told_at < unixepoch() - ?1
                       AND seq < (SELECT max(seq) FROM news)",
                )?
                .execute((seconds,))?;
            Ok(())
        })
        .await
    }
}

/// The rows after a number that `read` makes something of.
fn told<T>(
    connection: &Connection,
    after: i64,
    mut read: impl FnMut(&Row) -> Result<Option<T>, StoreError>,
) -> Result<Told<T>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT n.seq, n.origin, n.kind, n.namespace, n.username, n.feed_id, n.\"offset\",
           f.kind, f.key, n.detail
         FROM news n LEFT JOIN feed f ON f.feed_id = n.feed_id
         WHERE n.seq > ?1 ORDER BY n.seq LIMIT ?2",
    )?;
    let mut rows = statement.query((after, limit(PAGE)))?;
    let (mut news, mut upto, mut count, mut is_torn) = (Vec::new(), after, 0, false);
    while let Some(row) = rows.next()? {
        let row = Row {
            seq: row.get(0)?,
            origin: row.get(1)?,
            kind: row.get(2)?,
            namespace: row.get(3)?,
            user: row.get(4)?,
            feed_id: row.get(5)?,
            offset: row.get(6)?,
            feed: match row.get::<_, Option<String>>(7)? {
                Some(_) => Some(feed_key(row, 7)?),
                None => None,
            },
            detail: row.get(9)?,
        };
        is_torn |= row.seq != upto + 1;
        upto = row.seq;
        count += 1;
        news.extend(read(&row)?);
    }
    Ok(Told {
        news,
        upto,
        is_all: count < PAGE,
        is_torn,
    })
}

fn news(row: &Row) -> Result<Option<News>, StoreError> {
    if row.kind == REVOKED {
        return Ok(Some(News::Revoked));
    }
    let (Some(namespace), Some(user), Some(feed)) = (&row.namespace, &row.user, &row.feed) else {
        return Ok(None);
    };
    let (namespace, user, feed) = (namespace.clone(), user.clone(), feed.clone());
    Ok(match row.kind.as_str() {
        READ => {
            let detail = row.detail.as_deref().unwrap_or_default();
            let (ids, upto, newly_read): Marked =
                serde_json::from_str(detail).map_err(|error| StoreError::failed(&error))?;
            Some(News::Read {
                namespace,
                user,
                feed,
                mark: match ids {
                    Some(ids) => ReadMark::Ids(ids),
                    None => ReadMark::UpTo(upto.unwrap_or(0)),
                },
                newly_read,
            })
        }
        JOINED | LEFT => Some(News::Member {
            namespace,
            user,
            feed,
            hears: row.kind == JOINED,
        }),
        // A kind of a later version is none that this one could tell of.
        _ => None,
    })
}
