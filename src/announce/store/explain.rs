//! Why somebody did, or did not, get an announcement.

use alloc::string::String;
use alloc::vec::Vec;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _};

use crate::announce::announcement::{FeedKind, State};
use crate::announce::store::entry::Change;
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::row::{Stored, find, milliseconds, signed, time, unsigned};

/// One thing that happened, or did not, on the way of an announcement to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// It was stored.
    Stored,
    /// The person is in its audience.
    InAudience,
    /// The person is not: they were not in the feed at any time since.
    NotInAudience,
    /// It became visible, at this offset.
    Visible {
        /// The offset.
        offset: u64,
    },
    /// It is not visible before the time of the step.
    NotVisibleYet,
    /// Its body changed.
    Edited {
        /// The version since then.
        version: u64,
        /// The offset of the entry that tells it.
        offset: u64,
    },
    /// It was sent to the person, at the latest at the time of the step.
    Sent,
    /// It was not sent to the person while it was new.
    NotSent,
    /// The person's client has confirmed it, at the latest at the time of the step.
    Delivered,
    /// No client has confirmed it.
    NotDelivered,
    /// The person has read it.
    Read,
    /// The person has not.
    NotRead,
    /// The person has acknowledged it.
    Acknowledged {
        /// In this version.
        version: u64,
        /// Whether that version still counts.
        is_valid: bool,
    },
    /// It is to be acknowledged, until the time of the step if there is one, and was not.
    NotAcknowledged,
    /// It was taken back.
    Recalled,
    /// It does not count as unread any more.
    Expired,
}

/// A step on the way of an announcement to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happened.
    pub what: What,
    /// When, where it is known.
    pub at: Option<SystemTime>,
}

impl Store {
    /// The way of an announcement to a person, step by step: stored, for whom, visible, edited,
    /// sent, delivered, read, acknowledged, recalled, expired. Of a step that did not happen it
    /// says so. Somebody who is not in the audience has no steps of their own.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if the namespace has no such announcement. Else as
    /// for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn explain(
        &self,
        namespace: &str,
        id: &str,
        user: &str,
        now: SystemTime,
    ) -> Result<Vec<Step>, StoreError> {
        let (namespace, id) = (String::from(namespace), String::from(id));
        let user = String::from(user);
        self.read(move |connection| {
            let stored = find(connection, &namespace, &id)?;
            steps(connection, &stored, &user, milliseconds(now))
        })
        .await
    }
}

fn steps(
    connection: &Connection,
    stored: &Stored,
    user: &str,
    now: i64,
) -> Result<Vec<Step>, StoreError> {
    let announcement = &stored.announcement;
    let mut steps = Vec::new();
    let mut add = |what, at| steps.push(Step { what, at });
    add(What::Stored, Some(announcement.sent_at));
    let audience = audience(connection, stored, user)?;
    match audience {
        Some(since) => add(What::InAudience, since),
        None => add(What::NotInAudience, None),
    }
    for (change, offset, version, at) in entries(connection, stored)? {
        match change {
            Change::Posted => add(What::Visible { offset }, Some(at)),
            Change::Edited => add(What::Edited { version, offset }, Some(at)),
            Change::Recalled => {}
        }
    }
    if announcement.state == State::Pending {
        add(What::NotVisibleYet, Some(announcement.visible_at));
    } else if audience.is_some() {
        add_progress(connection, stored, user, &mut add)?;
        add_answers(connection, stored, user, &mut add)?;
    }
    if announcement.state == State::Recalled {
        add(What::Recalled, recalled_at(connection, stored)?);
    }
    if announcement
        .expires_at
        .is_some_and(|at| milliseconds(at) <= now)
    {
        add(What::Expired, announcement.expires_at);
    }
    Ok(steps)
}

/// Whether a person is in the audience, and since when they are in the feed.
fn audience(
    connection: &Connection,
    stored: &Stored,
    user: &str,
) -> Result<Option<Option<SystemTime>>, StoreError> {
    let feed = &stored.announcement.feed;
    if feed.kind() == FeedKind::User {
        return Ok((feed.name() == user).then_some(None));
    }
    let mut statement = connection.prepare_cached(
        "SELECT joined_at FROM member
         WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3
           AND CASE WHEN ?4 = 0 THEN until_offset IS NULL
               ELSE since_offset < ?4 AND (until_offset IS NULL OR until_offset >= ?4) END
         ORDER BY member_id LIMIT 1",
    )?;
    let key = (
        &stored.announcement.namespace,
        user,
        stored.feed_id,
        stored.place,
    );
    let found = statement.query_row(key, |row| Ok(row.get::<_, Option<i64>>(0)?.map(time)));
    Ok(found.optional()?)
}

type Entry = (Change, u64, u64, SystemTime);

fn entries(connection: &Connection, stored: &Stored) -> Result<Vec<Entry>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, \"offset\", version, released_at FROM entry
         WHERE announcement = ?1 ORDER BY \"offset\" LIMIT 1000",
    )?;
    let found = statement.query_map((stored.uuid.as_bytes(),), |row| {
        Ok((
            Change::new(&row.get::<_, String>(0)?),
            unsigned(row.get(1)?),
            unsigned(row.get(2)?),
            time(row.get(3)?),
        ))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn add_progress(
    connection: &Connection,
    stored: &Stored,
    user: &str,
    add: &mut impl FnMut(What, Option<SystemTime>),
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT CASE WHEN sent_upto >= ?4 THEN sent_at END,
                CASE WHEN delivered_upto >= ?4 THEN delivered_at END
         FROM cursor WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3",
    )?;
    let key = (
        &stored.announcement.namespace,
        user,
        stored.feed_id,
        stored.place,
    );
    let found = statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?)));
    let (sent, delivered): (Option<i64>, Option<i64>) = found.optional()?.unwrap_or_default();
    add(sent.map_or(What::NotSent, |_| What::Sent), sent.map(time));
    let what = delivered.map_or(What::NotDelivered, |_| What::Delivered);
    add(what, delivered.map(time));
    Ok(())
}

fn add_answers(
    connection: &Connection,
    stored: &Stored,
    user: &str,
    add: &mut impl FnMut(What, Option<SystemTime>),
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT upto, read_at FROM reading WHERE namespace = ?1 AND username = ?2
           AND feed_id = ?3 AND \"offset\" <= ?4 ORDER BY \"offset\" DESC LIMIT 1",
    )?;
    let key = (
        &stored.announcement.namespace,
        user,
        stored.feed_id,
        stored.place,
    );
    let run = statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?)));
    let run: Option<(i64, Option<i64>)> = run.optional()?;
    match run.filter(|(upto, _)| *upto >= stored.place) {
        Some((_, at)) => add(What::Read, at.map(time)),
        None => add(What::NotRead, None),
    }
    let mut statement = connection.prepare_cached(
        "SELECT version, acked_at FROM acknowledgement WHERE announcement = ?1 AND username = ?2",
    )?;
    let found = statement.query_row((stored.uuid.as_bytes(), user), |row| {
        Ok((row.get::<_, i64>(0)?, row.get(1)?))
    });
    match found.optional()? {
        Some((version, at)) => {
            let is_valid = version >= signed(stored.ack_version);
            let version = unsigned(version);
            add(What::Acknowledged { version, is_valid }, Some(time(at)));
        }
        None if stored.announcement.require_ack => {
            add(What::NotAcknowledged, stored.announcement.ack_by);
        }
        None => {}
    }
    Ok(())
}

fn recalled_at(connection: &Connection, stored: &Stored) -> Result<Option<SystemTime>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT changed_at FROM revision WHERE announcement = ?1 ORDER BY version DESC LIMIT 1",
    )?;
    let found = statement.query_row((stored.uuid.as_bytes(),), |row| row.get(0));
    Ok(found.optional()?.map(time))
}
