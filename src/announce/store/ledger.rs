//! Who was told, who has read, who has acknowledged, and who has not.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::time::SystemTime;

use rusqlite::{Connection, ToSql, named_params};

use crate::announce::announcement::{Announcement, FeedKind};
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::row::{Stored, find, limit, signed, time, unsigned};

/// The most people on one page of a ledger.
pub const LEDGER_PAGE_MAX: usize = 1000;

/// Which people of the audience to name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Who {
    /// All of them.
    #[default]
    Everyone,
    /// Those to whom it was not sent.
    NotSent,
    /// Those whom it has not reached.
    NotDelivered,
    /// Those who have not read it.
    NotRead,
    /// Those who have not acknowledged it in a version that counts.
    NotAcknowledged,
}

impl Who {
    const fn condition(self) -> &'static str {
        match self {
            Self::Everyone => "true",
            Self::NotSent => "NOT sent",
            Self::NotDelivered => "NOT delivered",
            Self::NotRead => "NOT has_read",
            Self::NotAcknowledged => "acked_at IS NULL",
        }
    }
}

/// How far an announcement has come with one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub user: String,
    /// Whether it was sent, and the latest time at which that can have been.
    pub sent_at: Option<SystemTime>,
    /// Whether it has arrived, and the latest time at which that can have been.
    pub delivered_at: Option<SystemTime>,
    /// Whether it was read.
    pub is_read: bool,
    /// When, where it is known.
    pub read_at: Option<SystemTime>,
    /// When it was acknowledged.
    pub acknowledged_at: Option<SystemTime>,
}

/// How far an announcement has come.
///
/// The audience are those who were in the feed at any time since the announcement took its
/// place there; of a pending one, those who are in it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The announcement. It was accepted at its `sent_at`.
    pub announcement: Announcement,
    /// How many people it is for.
    pub audience: u64,
    /// To how many of them it was sent.
    pub sent: u64,
    /// How many of them it has reached.
    pub delivered: u64,
    /// How many of them have read it.
    pub read: u64,
    /// How many of them have acknowledged it in a version that counts.
    pub acknowledged: u64,
    /// Those who were asked for, in the order of their names.
    pub people: Vec<Person>,
    /// The name after which the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl Store {
    /// How far an announcement has come, in numbers and with the names that `who` asks for,
    /// from behind the name `after` on. At least one and at most [`LEDGER_PAGE_MAX`] names are
    /// asked for with `most`.
    ///
    /// What is told is about the announcement at the place where it stands now: after an edit
    /// that made it unread again, about the edited one.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if the namespace has no such announcement. Else as
    /// for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn ledger(
        &self,
        namespace: &str,
        id: &str,
        who: Who,
        after: Option<&str>,
        most: usize,
    ) -> Result<Ledger, StoreError> {
        let (namespace, id) = (String::from(namespace), String::from(id));
        let after = String::from(after.unwrap_or_default());
        self.read(move |connection| {
            let stored = find(connection, &namespace, &id)?;
            let most = most.clamp(1, LEDGER_PAGE_MAX);
            let mut people = people(connection, &stored, who, &after, most + 1)?;
            let is_cut = people.len() > most;
            people.truncate(most);
            let next = people.last().filter(|_| is_cut);
            let next = next.map(|last| last.user.clone());
            let [audience, sent, delivered, read, acknowledged] = sums(connection, &stored)?;
            Ok(Ledger {
                announcement: stored.announcement,
                audience,
                sent,
                delivered,
                read,
                acknowledged,
                people,
                next,
            })
        })
        .await
    }
}

/// One row for each person of the audience.
const AUDIENCE: &str = "
    WITH audience (username) AS (
      SELECT DISTINCT username FROM member
      WHERE NOT :own AND feed_id = :feed AND CASE WHEN :place = 0
        THEN until_offset IS NULL
        ELSE since_offset < :place AND (until_offset IS NULL OR until_offset >= :place) END
      UNION ALL SELECT :name WHERE :own),
    person AS (
      SELECT p.username,
        :place > 0 AND coalesce(c.sent_upto, 0) >= :place AS sent, c.sent_at,
        :place > 0 AND coalesce(c.delivered_upto, 0) >= :place AS delivered, c.delivered_at,
        r.upto IS NOT NULL AND r.upto >= :place AS has_read, r.read_at, k.acked_at
      FROM audience p
      LEFT JOIN cursor c
        ON c.namespace = :namespace AND c.username = p.username AND c.feed_id = :feed
      LEFT JOIN reading r
        ON r.namespace = :namespace AND r.username = p.username AND r.feed_id = :feed
        AND r.\"offset\" = (SELECT max(s.\"offset\") FROM reading s
          WHERE s.namespace = :namespace AND s.username = p.username AND s.feed_id = :feed
            AND s.\"offset\" <= :place)
      LEFT JOIN acknowledgement k ON k.announcement = :id AND k.username = p.username
        AND k.version >= :version)";

fn people(
    connection: &Connection,
    stored: &Stored,
    who: Who,
    after: &str,
    most: usize,
) -> Result<Vec<Person>, StoreError> {
    let condition = who.condition();
    let mut statement = connection.prepare_cached(&format!(
        "{AUDIENCE} SELECT * FROM person WHERE username > :after AND {condition}
         ORDER BY username LIMIT :most"
    ))?;
    let most = limit(most);
    let mut named = names(stored);
    let (own, version) = (is_own(stored), signed(stored.ack_version));
    named.extend_from_slice(named_params! {
        ":after": after, ":most": most, ":own": own, ":version": version,
    });
    let found = statement.query_map(named.as_slice(), |row| {
        let at = |column| {
            let at = row.get::<_, Option<i64>>(column)?;
            Ok::<_, rusqlite::Error>(at.map(time))
        };
        Ok(Person {
            user: row.get(0)?,
            sent_at: if row.get(1)? { at(2)? } else { None },
            delivered_at: if row.get(3)? { at(4)? } else { None },
            is_read: row.get(5)?,
            read_at: if row.get(5)? { at(6)? } else { None },
            acknowledged_at: at(7)?,
        })
    })?;
    found
        .map(|person: Result<_, rusqlite::Error>| Ok(person?))
        .collect()
}

fn sums(connection: &Connection, stored: &Stored) -> Result<[u64; 5], StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "{AUDIENCE} SELECT count(*), coalesce(sum(sent), 0), coalesce(sum(delivered), 0),
           coalesce(sum(has_read), 0), count(acked_at) FROM person"
    ))?;
    let mut named = names(stored);
    let (own, version) = (is_own(stored), signed(stored.ack_version));
    named.extend_from_slice(named_params! { ":own": own, ":version": version });
    let sums = statement.query_row(named.as_slice(), |row| {
        let sum = |column| Ok::<_, rusqlite::Error>(unsigned(row.get(column)?));
        Ok([sum(0)?, sum(1)?, sum(2)?, sum(3)?, sum(4)?])
    });
    Ok(sums?)
}

fn is_own(stored: &Stored) -> bool {
    stored.announcement.feed.kind() == FeedKind::User
}

/// The values of [`AUDIENCE`] that stand in an announcement.
fn names(stored: &Stored) -> Vec<(&'static str, &dyn ToSql)> {
    alloc::vec![
        (":feed", &stored.feed_id as &dyn ToSql),
        (":place", &stored.place),
        (":namespace", &stored.announcement.namespace),
        (":id", &stored.uuid_bytes),
        (":name", &stored.own_name),
    ]
}
