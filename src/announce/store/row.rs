//! Rows and values: from what the tables hold to the words of this floor, and back.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row};
use uuid::Uuid;

use crate::announce::announcement::{Announcement, FeedKey, FeedKind, Kind, Priority, State};
use crate::announce::store::error::StoreError;

/// A statement that yields announcements for [`announcement`]; `a` is the announcement and `f`
/// its feed.
macro_rules! select_announcement {
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT a.id, a.namespace, f.kind, f.key, a.place, f.epoch, a.publisher, ",
            "a.created_at, a.body, a.version, a.priority, a.require_ack, a.ack_by, ",
            "a.visible_at, a.expires_at, a.intent, a.state",
            $more,
            " FROM announcement a JOIN feed f ON f.feed_id = a.feed_id ",
            $rest
        )
    };
}
pub(crate) use select_announcement;

/// The first column behind those of [`announcement`].
pub(crate) const MORE: usize = 17;

/// An announcement from a row of [`select_announcement`].
pub(crate) fn announcement(row: &Row<'_>) -> Result<Announcement, rusqlite::Error> {
    let kind: String = row.get(15)?;
    let state: String = row.get(16)?;
    Ok(Announcement {
        id: Uuid::from_bytes(row.get(0)?).to_string(),
        namespace: row.get(1)?,
        feed: feed_key(row, 2)?,
        offset: unsigned(row.get(4)?),
        epoch: if row.get::<_, i64>(4)? == 0 {
            String::new()
        } else {
            row.get(5)?
        },
        publisher: row.get(6)?,
        sent_at: time(row.get(7)?),
        body: row.get(8)?,
        version: unsigned(row.get(9)?),
        priority: priority(row.get(10)?),
        require_ack: row.get(11)?,
        ack_by: row.get::<_, Option<i64>>(12)?.map(time),
        visible_at: time(row.get(13)?),
        expires_at: row.get::<_, Option<i64>>(14)?.map(time),
        kind: Kind::new(&kind).ok_or_else(|| unreadable(15, "an unknown kind"))?,
        state: State::new(&state).ok_or_else(|| unreadable(16, "an unknown state"))?,
    })
}

/// An announcement with what a write needs to know besides.
pub(crate) struct Stored {
    pub(crate) announcement: Announcement,
    pub(crate) uuid: Uuid,
    pub(crate) uuid_bytes: [u8; 16],
    /// The name of the channel, the role or the person.
    pub(crate) own_name: String,
    pub(crate) feed_id: i64,
    pub(crate) place: i64,
    pub(crate) live: bool,
    /// The first version whose acknowledgement counts.
    pub(crate) ack_version: u64,
}

/// Finds an announcement of a namespace. An identifier has one spelling.
pub(crate) fn find(
    connection: &Connection,
    namespace: &str,
    id: &str,
) -> Result<Stored, StoreError> {
    let uuid = Uuid::try_parse(id)
        .ok()
        .filter(|uuid| uuid.to_string() == id)
        .ok_or(StoreError::UnknownNotification)?;
    let mut statement = connection.prepare_cached(select_announcement!(
        ", a.feed_id, a.live, a.ack_version",
        "WHERE a.id = ?1 AND a.namespace = ?2"
    ))?;
    let found = statement.query_row((uuid.as_bytes(), namespace), |row| {
        let announcement = announcement(row)?;
        Ok(Stored {
            own_name: announcement.feed.name().to_owned(),
            announcement,
            uuid,
            uuid_bytes: *uuid.as_bytes(),
            feed_id: row.get(MORE)?,
            place: row.get(4)?,
            live: row.get(MORE + 1)?,
            ack_version: unsigned(row.get(MORE + 2)?),
        })
    });
    found.optional()?.ok_or(StoreError::UnknownNotification)
}

/// A feed key from two columns, the kind and the name.
pub(crate) fn feed_key(row: &Row<'_>, at: usize) -> Result<FeedKey, rusqlite::Error> {
    let (kind, name): (String, String) = (row.get(at)?, row.get(at + 1)?);
    let found = match kind.as_str() {
        "public" => Some(FeedKey::public()),
        "role" => FeedKey::role(&name),
        "user" => FeedKey::user(&name),
        _ => FeedKey::channel(&name),
    };
    found.ok_or_else(|| unreadable(at, "a feed without a usable name"))
}

/// The two columns of a feed key.
pub(crate) fn kind_and_name(feed: &FeedKey) -> (&'static str, &str) {
    match feed.kind() {
        FeedKind::Public => (FeedKind::Public.as_str(), ""),
        kind => (kind.as_str(), feed.name()),
    }
}

fn unreadable(at: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, what.to_owned().into())
}

pub(crate) fn priority_number(priority: Priority) -> i64 {
    match priority {
        Priority::Low => 0,
        Priority::Normal => 1,
        Priority::High => 2,
        Priority::Urgent => 3,
    }
}

/// A damaged number counts as normal.
pub(crate) fn priority(number: i64) -> Priority {
    let mut all = Priority::DESCENDING.into_iter();
    all.find(|priority| priority_number(*priority) == number)
        .unwrap_or_default()
}

/// Numbers of this store are never negative; a damaged one counts as none.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A number for the tables; one that they cannot hold is as large as they can hold.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A length as the limit of a statement.
pub(crate) fn limit(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn milliseconds(time: SystemTime) -> i64 {
    let elapsed = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    i64::try_from(elapsed).unwrap_or(i64::MAX)
}

/// The time of a row, or the last one that the machine can hold.
pub(crate) fn time(milliseconds: i64) -> SystemTime {
    let elapsed = Duration::from_millis(unsigned(milliseconds));
    UNIX_EPOCH.checked_add(elapsed).unwrap_or(UNIX_EPOCH)
}
