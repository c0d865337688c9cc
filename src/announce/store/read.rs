//! The thread that reads, and what it reads.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::{mpsc, oneshot};

use crate::announce::announcement::{Announcement, FeedKey, Unread};
use crate::announce::store::error::StoreError;
use crate::announce::store::publish::{announcement, feed_key, unsigned};
use crate::announce::store::shared::Shared;

/// The most announcements on one page.
pub const PAGE_MAX: usize = 200;

/// A page ends with the announcement whose body brings it to this many bytes.
pub const PAGE_BODY_BYTES_MAX: usize = 256 * 1024;

/// The place after which a page begins. Its text is for giving back, not for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    feed_id: i64,
    offset: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.feed_id, self.offset)
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    /// Reads what `Display` has written.
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let number = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            if plain { digits.parse().ok() } else { None }
        };
        let (feed_id, offset) = text
            .split_once('.')
            .ok_or(StoreError::UnknownNotification)?;
        match (number(feed_id), number(offset)) {
            (Some(feed_id), Some(offset)) => Ok(Self { feed_id, offset }),
            _ => Err(StoreError::UnknownNotification),
        }
    }
}

/// A page of what a person has not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadPage {
    /// The announcements, oldest first within each feed.
    pub messages: Vec<Announcement>,
    /// How much is unread altogether.
    pub unread: Unread,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
}

/// Where the answer to a question goes.
type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// A request to the reading thread.
#[derive(Debug)]
pub(crate) enum Read {
    Page {
        namespace: String,
        user: String,
        after: Option<Cursor>,
        limit: usize,
        answer: Answer<UnreadPage>,
    },
    Counts {
        namespace: String,
        user: String,
        answer: Answer<Unread>,
    },
}

/// Reads until the channel is closed and empty.
pub(crate) fn run(
    mut connection: Connection,
    mut reads: mpsc::Receiver<Read>,
    _shared: Arc<Shared>,
) {
    while let Some(read) = reads.blocking_recv() {
        // Whoever asked may have gone; then nobody needs the answer.
        match read {
            Read::Page {
                namespace,
                user,
                after,
                limit,
                answer,
            } => {
                let result = at_once(&mut connection, |c| {
                    page(c, &namespace, &user, after, limit)
                });
                drop(answer.send(result));
            }
            Read::Counts {
                namespace,
                user,
                answer,
            } => {
                drop(answer.send(at_once(&mut connection, |c| count(c, &namespace, &user))));
            }
        }
    }
}

/// Runs several statements on one state of the store.
fn at_once<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction()?;
    work(&transaction)
}

/// A feed as one person sees it.
struct View {
    feed_id: i64,
    key: FeedKey,
    epoch: String,
    top: i64,
    read_upto: i64,
    version: i64,
}

fn views(connection: &Connection, namespace: &str, user: &str) -> Result<Vec<View>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.feed_id, f.kind, f.key, f.epoch, f.top,
                coalesce(c.read_upto, 0), coalesce(c.version, 0)
         FROM feed f LEFT JOIN cursor c
           ON c.namespace = f.namespace AND c.username = ?2 AND c.feed_id = f.feed_id
         WHERE f.namespace = ?1 ORDER BY f.feed_id",
    )?;
    let mut rows = statement.query((namespace, user))?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        views.push(View {
            feed_id: row.get(0)?,
            key: feed_key(&row.get::<_, String>(1)?, &row.get::<_, String>(2)?)?,
            epoch: row.get(3)?,
            top: row.get(4)?,
            read_upto: row.get(5)?,
            version: row.get(6)?,
        });
    }
    Ok(views)
}

/// Counts what a person has not read: what lies above the cursor, without the receipts.
///
/// The version is the sum of everything that changes a count: announcements that came and
/// times that the person read something. Each only grows.
pub(crate) fn count(
    connection: &Connection,
    namespace: &str,
    user: &str,
) -> Result<Unread, StoreError> {
    let views = views(connection, namespace, user)?;
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM receipt
         WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3 AND \"offset\" > ?4",
    )?;
    let mut unread = Unread::default();
    for view in views {
        let key = (namespace, user, view.feed_id, view.read_upto);
        let receipts: i64 = statement.query_row(key, |row| row.get(0))?;
        unread
            .counts
            .push((view.key, unsigned(view.top - view.read_upto - receipts)));
        unread.version += unsigned(view.top) + unsigned(view.version);
    }
    if !unread.counts.iter().any(|(key, _)| key.is_public()) {
        unread.counts.insert(0, (FeedKey::public(), 0));
    }
    Ok(unread)
}

fn page(
    connection: &Connection,
    namespace: &str,
    user: &str,
    after: Option<Cursor>,
    limit: usize,
) -> Result<UnreadPage, StoreError> {
    let limit = limit.clamp(1, PAGE_MAX);
    let mut messages = Vec::new();
    let (mut bytes, mut next) = (0, None);
    'feeds: for view in views(connection, namespace, user)? {
        let mut from = view.read_upto;
        match after {
            Some(cursor) if cursor.feed_id > view.feed_id => continue,
            Some(cursor) if cursor.feed_id == view.feed_id => from = from.max(cursor.offset),
            _ => {}
        }
        while let Some(message) = first_unread(connection, namespace, user, &view, from)? {
            if messages.len() == limit || bytes >= PAGE_BODY_BYTES_MAX {
                next = Some(Cursor {
                    feed_id: view.feed_id,
                    offset: from,
                });
                break 'feeds;
            }
            from = i64::try_from(message.offset).unwrap_or(i64::MAX);
            bytes += message.body.len();
            messages.push(message);
        }
    }
    let unread = count(connection, namespace, user)?;
    Ok(UnreadPage {
        messages,
        unread,
        next,
    })
}

/// The first announcement above `from` that has no receipt.
fn first_unread(
    connection: &Connection,
    namespace: &str,
    user: &str,
    view: &View,
    from: i64,
) -> Result<Option<Announcement>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.id, a.publisher, a.body, a.created_at, e.\"offset\"
         FROM entry e JOIN announcement a ON a.id = e.announcement
         WHERE e.feed_id = ?3 AND e.\"offset\" > ?4 AND e.kind = 'post'
           AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.namespace = ?1
             AND r.username = ?2 AND r.feed_id = ?3 AND r.\"offset\" = e.\"offset\")
         ORDER BY e.\"offset\" LIMIT 1",
    )?;
    Ok(statement
        .query_row((namespace, user, view.feed_id, from), |row| {
            announcement(row, namespace, &view.key, &view.epoch)
        })
        .optional()?)
}
