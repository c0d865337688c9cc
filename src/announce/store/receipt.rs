//! What was sent to a person, what has reached them, and what they acknowledged.

use alloc::string::String;
use alloc::vec::Vec;
use core::slice;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _};

use crate::announce::announcement::{FeedKey, State, Unread};
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::mark::Place;
use crate::announce::store::person::{Access, LateJoiner, access, note_person};
use crate::announce::store::row::{find, milliseconds, signed};
use crate::announce::store::unread::count;

/// What came of an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The feed that the announcement stands in.
    pub feed: FeedKey,
    /// Whether it had not been acknowledged before, in a version that still counts.
    pub is_first: bool,
    /// Whether it was unread before.
    pub newly_read: bool,
    /// How much is still unread.
    pub unread: Unread,
}

/// Up to where a feed has been written to a socket of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The namespace.
    pub namespace: String,
    /// The person.
    pub user: String,
    /// The feed.
    pub feed: FeedKey,
    /// The last offset.
    pub up_to: u64,
}

const SENT: &str = "INSERT INTO cursor (namespace, username, feed_id, sent_upto, sent_at)
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (namespace, username, feed_id)
     DO UPDATE SET sent_upto = excluded.sent_upto, sent_at = excluded.sent_at
     WHERE excluded.sent_upto > sent_upto";

impl Store {
    /// Notes that everything up to an offset of a feed was sent to a person: written to a
    /// connection of theirs. A smaller offset than noted before changes nothing, and one beyond
    /// the last entry stands for the last.
    ///
    /// Kept are the offset and the time of the latest note, so the time that is told of an
    /// earlier announcement is the latest at which it can have been sent.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if the person may not read the feed. Else as for
    /// [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is noted or not; asking again changes nothing more.
    pub async fn note_sent(
        &self,
        namespace: &str,
        user: &str,
        feed: &FeedKey,
        up_to: u64,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        self.note_progress(SENT, namespace, user, feed, up_to, at)
            .await
    }

    /// As [`note_sent`](Self::note_sent) for many at once. Who may not read a feed is passed by.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be stored.
    ///
    /// # Cancel safety
    ///
    /// All of it is noted or nothing; asking again changes nothing more.
    pub async fn note_all_sent(&self, sent: Vec<Sent>, at: SystemTime) -> Result<(), StoreError> {
        self.write(move |connection| {
            for it in &sent {
                let noted = progress(
                    connection,
                    SENT,
                    (&it.namespace, &it.user),
                    &it.feed,
                    it.up_to,
                    at,
                );
                match noted {
                    Ok(()) | Err(StoreError::UnknownNotification) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
        .await
    }

    /// Notes that everything up to an offset of a feed has reached a person: their client said
    /// so. Otherwise as [`note_sent`](Self::note_sent).
    ///
    /// # Errors
    ///
    /// As for [`note_sent`](Self::note_sent).
    ///
    /// # Cancel safety
    ///
    /// It is noted or not; asking again changes nothing more.
    pub async fn note_delivered(
        &self,
        namespace: &str,
        user: &str,
        feed: &FeedKey,
        up_to: u64,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        const DELIVERED: &str = "INSERT INTO cursor
               (namespace, username, feed_id, delivered_upto, delivered_at)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (namespace, username, feed_id)
             DO UPDATE SET delivered_upto = excluded.delivered_upto,
                           delivered_at = excluded.delivered_at
             WHERE excluded.delivered_upto > delivered_upto";
        self.note_progress(DELIVERED, namespace, user, feed, up_to, at)
            .await
    }

    /// Notes that a person has acknowledged an announcement in the version that they have seen,
    /// which also reads it. An edit that asks for it makes an earlier acknowledgement void.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if the person may not read it, or it never had that
    /// version; [`StoreError::Recalled`] if it was taken back; [`StoreError::Outdated`] if a
    /// later version is to be acknowledged. Else as for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is noted whole or not at all; asking again changes nothing more.
    pub async fn acknowledge(
        &self,
        namespace: &str,
        user: &str,
        id: &str,
        version: u64,
        at: SystemTime,
    ) -> Result<Acknowledged, StoreError> {
        let (namespace, user) = (String::from(namespace), String::from(user));
        let id = String::from(id);
        let now = self.shared.counting_time(at);
        self.write(move |connection| {
            let at = milliseconds(at);
            note_acknowledged(connection, (&namespace, &user), &id, version, (at, now))
        })
        .await
    }

    async fn note_progress(
        &self,
        statement: &'static str,
        namespace: &str,
        user: &str,
        feed: &FeedKey,
        up_to: u64,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        let (namespace, user, feed) = (String::from(namespace), String::from(user), feed.clone());
        self.write(move |connection| {
            progress(connection, statement, (&namespace, &user), &feed, up_to, at)
        })
        .await
    }
}

/// Moves one of the cumulative marks of a person in a feed.
fn progress(
    connection: &Connection,
    statement: &'static str,
    (namespace, user): (&str, &str),
    feed: &FeedKey,
    up_to: u64,
    at: SystemTime,
) -> Result<(), StoreError> {
    let feed = match access(connection, namespace, user, feed)? {
        Access::Granted { feed, .. } => feed,
        Access::Empty => return Ok(()),
        Access::Denied => return Err(StoreError::UnknownNotification),
    };
    let up_to = signed(up_to).min(feed.top);
    connection.prepare_cached(statement)?.execute((
        namespace,
        user,
        feed.id,
        up_to,
        milliseconds(at),
    ))?;
    Ok(())
}

fn note_acknowledged(
    connection: &Connection,
    (namespace, user): (&str, &str),
    id: &str,
    version: u64,
    (at, now): (i64, i64),
) -> Result<Acknowledged, StoreError> {
    let stored = find(connection, namespace, id)?;
    let key = &stored.announcement.feed;
    let (feed, since) = match access(connection, namespace, user, key)? {
        Access::Granted { feed, since } if stored.place > since => (feed, since),
        _ => return Err(StoreError::UnknownNotification),
    };
    let current = stored.announcement.version;
    match stored.announcement.state {
        State::Pending => return Err(StoreError::UnknownNotification),
        State::Recalled => return Err(StoreError::Recalled),
        State::Released if version == 0 || version > current => {
            return Err(StoreError::UnknownNotification);
        }
        State::Released if version < stored.ack_version => {
            return Err(StoreError::Outdated { version: current });
        }
        State::Released => {}
    }
    note_person(connection, namespace, user, LateJoiner::All, at)?;
    let earlier = earlier_version(connection, &stored.uuid, user)?;
    connection
        .prepare_cached(
            "INSERT INTO acknowledgement (announcement, username, version, acked_at)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (announcement, username)
             DO UPDATE SET version = excluded.version, acked_at = excluded.acked_at
             WHERE version < ?5",
        )?
        .execute((
            stored.uuid.as_bytes(),
            user,
            signed(version),
            at,
            signed(stored.ack_version),
        ))?;
    let place = Place {
        connection,
        namespace,
        user,
        feed_id: feed.id,
        at,
        now,
    };
    let newly_read: Vec<String> =
        place.mark_ids(slice::from_ref(&stored.announcement.id), since)?;
    Ok(Acknowledged {
        feed: key.clone(),
        is_first: earlier.is_none_or(|earlier| earlier < signed(stored.ack_version)),
        newly_read: !newly_read.is_empty(),
        unread: count(connection, namespace, user, now)?,
    })
}

fn earlier_version(
    connection: &Connection,
    id: &uuid::Uuid,
    user: &str,
) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT version FROM acknowledgement WHERE announcement = ?1 AND username = ?2",
    )?;
    let found = statement.query_row((id.as_bytes(), user), |row| row.get(0));
    Ok(found.optional()?)
}
