//! What servers that share a store tell each other: a row for whatever an open connection may
//! have to hear of, written in the transaction of what it tells of, so both are there or neither.
//!
//! The rows are numbered in the order of the commits and without a hole. Nothing is written while
//! the store is one server's alone.

use alloc::string::String;
use alloc::vec::Vec;

use rusqlite::{Connection, OptionalExtension as _};

use crate::announce::store::error::StoreError;

/// Who this is, for the rows that it writes; without a row in it, nobody is told anything.
pub(crate) const SHARING: &str = "CREATE TEMP TABLE sharing (id INTEGER NOT NULL) STRICT";

const ENTRY: &str = "entry";
pub(crate) const READ: &str = "read";
pub(crate) const JOINED: &str = "joined";
pub(crate) const LEFT: &str = "left";
pub(crate) const REVOKED: &str = "revoked";

/// How a mark is written: the identifiers or the offset that were named, and what was unread.
pub(crate) type Marked = (Option<Vec<String>>, Option<u64>, Vec<String>);

/// The number of the latest row that there ever was.
pub(crate) fn latest(connection: &Connection) -> Result<i64, rusqlite::Error> {
    let found = connection.query_row(
        "SELECT seq FROM sqlite_sequence WHERE name = 'news'",
        (),
        |row| row.get(0),
    );
    Ok(found.optional()?.unwrap_or(0))
}

/// Tells of an entry in the log of a feed.
pub(crate) fn tell_entry(
    connection: &Connection,
    feed_id: i64,
    offset: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO news (origin, told_at, kind, feed_id, \"offset\")
             SELECT id, unixepoch(), ?1, ?2, ?3 FROM temp.sharing",
        )?
        .execute((ENTRY, feed_id, offset))?;
    Ok(())
}

/// Tells of what a person has read: of what was named, and what of it was unread.
pub(crate) fn tell_read(
    connection: &Connection,
    (namespace, user, feed_id): (&str, &str, i64),
    (ids, upto): (Option<&[String]>, Option<u64>),
    newly_read: &[String],
) -> Result<(), StoreError> {
    if newly_read.is_empty() || !is_shared(connection)? {
        return Ok(());
    }
    let detail = serde_json::to_string(&(ids, upto, newly_read))
        .map_err(|error| StoreError::failed(&error))?;
    tell(connection, READ, (namespace, user, feed_id), Some(&detail))
}

/// Tells that a person has come into a feed, or has left it.
pub(crate) fn tell_member(
    connection: &Connection,
    namespace: &str,
    user: &str,
    feed_id: i64,
    hears: bool,
) -> Result<(), StoreError> {
    let kind = if hears { JOINED } else { LEFT };
    tell(connection, kind, (namespace, user, feed_id), None)
}

/// Tells that tokens were revoked.
pub(crate) fn tell_revoked(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO news (origin, told_at, kind)
             SELECT id, unixepoch(), ?1 FROM temp.sharing",
        )?
        .execute((REVOKED,))?;
    Ok(())
}

fn is_shared(connection: &Connection) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM temp.sharing")?;
    Ok(statement.exists(())?)
}

fn tell(
    connection: &Connection,
    kind: &str,
    (namespace, user, feed_id): (&str, &str, i64),
    detail: Option<&str>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO news (origin, told_at, kind, namespace, username, feed_id, detail)
             SELECT id, unixepoch(), ?1, ?2, ?3, ?4, ?5 FROM temp.sharing",
        )?
        .execute((kind, namespace, user, feed_id, detail))?;
    Ok(())
}
