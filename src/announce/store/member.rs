//! Who is in which feed.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use std::time::SystemTime;

use rusqlite::Connection;

use crate::announce::announcement::{FeedKey, FeedKind, Unread};
use crate::announce::store::error::StoreError;
use crate::announce::store::feed::{ensure_feed, find_feed};
use crate::announce::store::handle::Store;
use crate::announce::store::person::{
    Access, LateJoiner, access, note_own_change, note_person, open_window, views,
};
use crate::announce::store::row::{feed_key, limit, milliseconds, time, unsigned};
use crate::announce::store::tell::tell_member;
use crate::announce::store::unread::count;

/// The most feeds that one request may name, and the most names on one page of members.
pub const MEMBERS_MAX: usize = 1000;

/// What gave a person a place in a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// A claim of the token with which they last signed in.
    Claim,
    /// Somebody who added them.
    Api,
    /// Being in the namespace: the public feed.
    Everyone,
}

/// A feed that a person is a member of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The feed.
    pub feed: FeedKey,
    /// What gave it to them.
    pub source: Source,
    /// They see what lies above this offset.
    pub since: u64,
    /// When they came, where it is known.
    pub joined_at: Option<SystemTime>,
}

/// A page of the people in a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    /// Their names, in order.
    pub users: Vec<String>,
    /// The name after which the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// A feed as a person finds it when they sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedState {
    /// The feed.
    pub feed: FeedKey,
    /// The life of the feed that its offsets belong to.
    pub epoch: String,
    /// The offset of the latest entry; 0 if there is none.
    pub top: u64,
    /// Everything up to this offset has been removed.
    pub floor: u64,
    /// Everything up to this offset counts as read.
    pub read_upto: u64,
    /// How much is unread.
    pub unread: u64,
}

/// What a person finds when they sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Their feeds: the public one first, then in order of creation.
    pub feeds: Vec<FeedState>,
    /// How much is unread.
    pub unread: Unread,
}

impl Store {
    /// Notes that a person is here, and gives them the channels and roles that their token
    /// names. Those that an earlier token gave and this one does not name are taken away; what
    /// [`join`](Self::join) gave stays. Feeds of other kinds in the list give nothing.
    ///
    /// `late` says what is unread for somebody who is new to a feed.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooMany`] if more than [`MEMBERS_MAX`] feeds are named. Else as for
    /// [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// All of it is noted or nothing; asking again changes nothing more.
    pub async fn sign_in(
        &self,
        namespace: &str,
        user: &str,
        feeds_by_claim: &[FeedKey],
        late: LateJoiner,
        at: SystemTime,
    ) -> Result<SignedIn, StoreError> {
        if feeds_by_claim.len() > MEMBERS_MAX {
            return Err(StoreError::TooMany { most: MEMBERS_MAX });
        }
        let (namespace, user) = (String::from(namespace), String::from(user));
        let claimed: BTreeSet<FeedKey> = feeds_by_claim
            .iter()
            .filter(|feed| may_be_joined(feed))
            .cloned()
            .collect();
        let now = self.shared.counting_time(at);
        self.write(move |connection| {
            let at = milliseconds(at);
            note_person(connection, &namespace, &user, late, at)?;
            synchronise(connection, &namespace, &user, &claimed, late, at)?;
            let mut feeds = Vec::new();
            let unread = count(connection, &namespace, &user, now)?;
            let counted = unread.counts.iter();
            for (view, (_, number)) in views(connection, &namespace, &user)?
                .into_iter()
                .zip(counted)
            {
                feeds.push(FeedState {
                    feed: view.key,
                    epoch: view.feed.epoch,
                    top: unsigned(view.feed.top),
                    floor: unsigned(view.feed.floor),
                    read_upto: unsigned(view.read_upto),
                    unread: *number,
                });
            }
            Ok(SignedIn { feeds, unread })
        })
        .await
    }

    /// Puts a person into a channel or a role, which comes into being with its first member.
    /// Returns whether they were not in it before. It stays, whatever their tokens say.
    ///
    /// # Errors
    ///
    /// [`StoreError::FixedAudience`] for the public feed and those of single persons. Else as
    /// for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is done whole or not at all; asking again changes nothing more.
    pub async fn join(
        &self,
        namespace: &str,
        user: &str,
        feed: &FeedKey,
        late: LateJoiner,
        at: SystemTime,
    ) -> Result<bool, StoreError> {
        if !may_be_joined(feed) {
            return Err(StoreError::FixedAudience);
        }
        let (namespace, user, feed) = (String::from(namespace), String::from(user), feed.clone());
        self.write(move |connection| {
            let at = milliseconds(at);
            let feed = ensure_feed(connection, &namespace, &feed)?;
            let kept = connection
                .prepare_cached(
                    "UPDATE member SET source = 'api' WHERE namespace = ?1 AND username = ?2
                       AND feed_id = ?3 AND until_offset IS NULL",
                )?
                .execute((&namespace, &user, feed.id))?;
            tell_member(connection, &namespace, &user, feed.id, true)?;
            if kept > 0 {
                return Ok(false);
            }
            open_window(connection, &namespace, &user, &feed, "api", late, at)?;
            Ok(true)
        })
        .await
    }

    /// Takes a person out of a channel or a role. Returns whether they were in it. A token that
    /// names the feed brings them back when they sign in.
    ///
    /// # Errors
    ///
    /// As for [`join`](Self::join).
    ///
    /// # Cancel safety
    ///
    /// It is done whole or not at all; asking again changes nothing more.
    pub async fn leave(
        &self,
        namespace: &str,
        user: &str,
        feed: &FeedKey,
        at: SystemTime,
    ) -> Result<bool, StoreError> {
        if !may_be_joined(feed) {
            return Err(StoreError::FixedAudience);
        }
        let (namespace, user, feed) = (String::from(namespace), String::from(user), feed.clone());
        self.write(move |connection| {
            let Some(feed) = find_feed(connection, &namespace, &feed)? else {
                return Ok(false);
            };
            tell_member(connection, &namespace, &user, feed.id, false)?;
            close_window(connection, &namespace, &user, feed.id, milliseconds(at))
        })
        .await
    }

    /// The feeds that a person is a member of. Their own feed is theirs without a membership,
    /// and so is the public one for somebody who was never here.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn memberships(
        &self,
        namespace: &str,
        user: &str,
    ) -> Result<Vec<Membership>, StoreError> {
        let (namespace, user) = (String::from(namespace), String::from(user));
        self.read(move |connection| list_memberships(connection, &namespace, &user))
            .await
    }

    /// Whether a person may read a feed.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn is_member(
        &self,
        namespace: &str,
        user: &str,
        feed: &FeedKey,
    ) -> Result<bool, StoreError> {
        let (namespace, user, feed) = (String::from(namespace), String::from(user), feed.clone());
        self.read(move |connection| {
            let access = access(connection, &namespace, &user, &feed)?;
            Ok(!matches!(access, Access::Denied))
        })
        .await
    }

    /// The names of those who are in a feed, from behind the name `after` on; at least one and
    /// at most [`MEMBERS_MAX`] are asked for with `most`. In the public feed is everyone who
    /// was ever here.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn members(
        &self,
        namespace: &str,
        feed: &FeedKey,
        after: Option<&str>,
        most: usize,
    ) -> Result<Members, StoreError> {
        let (namespace, feed) = (String::from(namespace), feed.clone());
        let after = after.map(String::from);
        self.read(move |connection| {
            let most = most.clamp(1, MEMBERS_MAX);
            if feed.kind() == FeedKind::User {
                let is_before = after.is_none_or(|after| after.as_str() < feed.name());
                let users = is_before.then(|| String::from(feed.name()));
                return Ok(Members {
                    users: users.into_iter().collect(),
                    next: None,
                });
            }
            let Some(feed) = find_feed(connection, &namespace, &feed)? else {
                return Ok(Members {
                    users: Vec::new(),
                    next: None,
                });
            };
            let mut statement = connection.prepare_cached(
                "SELECT username FROM member WHERE feed_id = ?1 AND username > ?2
                   AND until_offset IS NULL ORDER BY username LIMIT ?3",
            )?;
            let after = after.unwrap_or_default();
            let names = statement.query_map((feed.id, after, limit(most + 1)), |row| row.get(0))?;
            let mut users: Vec<String> = names.collect::<Result<_, _>>()?;
            let is_cut = users.len() > most;
            users.truncate(most);
            let next = users.last().filter(|_| is_cut).cloned();
            Ok(Members { users, next })
        })
        .await
    }

    /// How many people are in a feed at present. A person's own feed has one.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn audience_size(&self, namespace: &str, feed: &FeedKey) -> Result<u64, StoreError> {
        let (namespace, feed) = (String::from(namespace), feed.clone());
        self.read(move |connection| {
            if feed.kind() == FeedKind::User {
                return Ok(1);
            }
            let Some(feed) = find_feed(connection, &namespace, &feed)? else {
                return Ok(0);
            };
            let mut statement = connection.prepare_cached(
                "SELECT count(*) FROM member WHERE feed_id = ?1 AND until_offset IS NULL",
            )?;
            Ok(unsigned(statement.query_row((feed.id,), |row| row.get(0))?))
        })
        .await
    }
}

fn may_be_joined(feed: &FeedKey) -> bool {
    matches!(feed.kind(), FeedKind::Channel | FeedKind::Role)
}

/// Gives a person the feeds that are claimed, and takes away those that were.
fn synchronise(
    connection: &Connection,
    namespace: &str,
    user: &str,
    claimed: &BTreeSet<FeedKey>,
    late: LateJoiner,
    at: i64,
) -> Result<(), StoreError> {
    let present = list_memberships(connection, namespace, user)?;
    for membership in &present {
        if membership.source == Source::Claim && !claimed.contains(&membership.feed) {
            let feed = ensure_feed(connection, namespace, &membership.feed)?;
            close_window(connection, namespace, user, feed.id, at)?;
        }
    }
    let present: BTreeSet<&FeedKey> = present.iter().map(|one| &one.feed).collect();
    for key in claimed.iter().filter(|key| !present.contains(key)) {
        let feed = ensure_feed(connection, namespace, key)?;
        open_window(connection, namespace, user, &feed, "claim", late, at)?;
    }
    Ok(())
}

fn close_window(
    connection: &Connection,
    namespace: &str,
    user: &str,
    feed_id: i64,
    at: i64,
) -> Result<bool, StoreError> {
    let closed = connection
        .prepare_cached(
            "UPDATE member SET left_at = ?4,
               until_offset = (SELECT top FROM feed WHERE feed_id = ?3)
             WHERE namespace = ?1 AND username = ?2 AND feed_id = ?3 AND until_offset IS NULL",
        )?
        .execute((namespace, user, feed_id, at))?;
    if closed > 0 {
        note_own_change(connection, namespace, user)?;
    }
    Ok(closed > 0)
}

fn list_memberships(
    connection: &Connection,
    namespace: &str,
    user: &str,
) -> Result<Vec<Membership>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.kind, f.key, m.source, m.since_offset, m.joined_at
         FROM member m JOIN feed f ON f.feed_id = m.feed_id
         WHERE m.namespace = ?1 AND m.username = ?2 AND m.until_offset IS NULL
         ORDER BY f.kind <> 'public', f.feed_id",
    )?;
    let found = statement.query_map((namespace, user), |row| {
        Ok(Membership {
            feed: feed_key(row, 0)?,
            source: match row.get::<_, String>(2)?.as_str() {
                "claim" => Source::Claim,
                "everyone" => Source::Everyone,
                _ => Source::Api,
            },
            since: unsigned(row.get(3)?),
            joined_at: row.get::<_, Option<i64>>(4)?.map(time),
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
