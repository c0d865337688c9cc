//! What a person has not read, page by page.
//!
//! Within one feed and one priority, announcements become visible in the order of their
//! places. So a page is merged from short sorted runs, one for each feed, one priority after
//! the other, and nothing is sorted that is not shown.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _};

use crate::announce::announcement::{Announcement, Priority, Unread};
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::person::{View, views};
use crate::announce::store::row::{
    announcement, milliseconds, priority_number, select_announcement, signed,
};
use crate::announce::store::unread::count;

/// The most announcements on one page.
pub const PAGE_MAX: usize = 200;

/// A page ends with the announcement whose body brings it to this many bytes.
pub const PAGE_BODY_BYTES_MAX: usize = 256 * 1024;

/// The place after which a page begins. Its text is for giving back, not for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    priority: i64,
    visible_at: i64,
    offset: i64,
    feed_id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            priority,
            visible_at,
            offset,
            feed_id,
        } = self;
        write!(f, "{priority}.{visible_at}.{offset}.{feed_id}")
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
        let numbers: Option<Vec<i64>> = text.split('.').map(number).collect();
        match numbers.as_deref() {
            Some(&[priority, visible_at, offset, feed_id]) => Ok(Self {
                priority,
                visible_at,
                offset,
                feed_id,
            }),
            _ => Err(StoreError::UnknownNotification),
        }
    }
}

/// A page of what a person has not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadPage {
    /// The announcements: the most important first, then by the time at which they became
    /// visible, then by offset.
    pub messages: Vec<Announcement>,
    /// How much is unread altogether.
    pub unread: Unread,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
}

impl Store {
    /// Reads a page of what a person has not read, in every feed that they are in, beginning
    /// after `after`.
    ///
    /// At least one and at most [`PAGE_MAX`] announcements are asked for with `limit`; a page
    /// ends early when their bodies exceed [`PAGE_BODY_BYTES_MAX`]. What is added between two
    /// pages repeats nothing and hides nothing that was there; what sorts before the next page
    /// is on the first one of a new list.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn unread(
        &self,
        namespace: &str,
        user: &str,
        after: Option<Cursor>,
        limit: usize,
        now: SystemTime,
    ) -> Result<UnreadPage, StoreError> {
        let now = self.shared.counting_time(now);
        let (namespace, user) = (String::from(namespace), String::from(user));
        self.read(move |connection| {
            let reader = Reader {
                connection,
                namespace: &namespace,
                user: &user,
                now,
            };
            let (messages, next) = reader.page(after, limit.clamp(1, PAGE_MAX))?;
            let unread = count(connection, &namespace, &user, now)?;
            Ok(UnreadPage {
                messages,
                unread,
                next,
            })
        })
        .await
    }
}

/// Where a run is: the visible time, the place and the feed of what was taken last.
type Position = (i64, i64, i64);

struct Reader<'a> {
    connection: &'a Connection,
    namespace: &'a str,
    user: &'a str,
    now: i64,
}

impl Reader<'_> {
    fn page(
        &self,
        after: Option<Cursor>,
        most: usize,
    ) -> Result<(Vec<Announcement>, Option<Cursor>), StoreError> {
        let mut starts = Vec::new();
        for view in views(self.connection, self.namespace, self.user)? {
            if let Some(start) = self.first_unread(&view)? {
                starts.push((start, view));
            }
        }
        let mut messages = Vec::new();
        let (mut bytes, mut last) = (0, None);
        for priority in Priority::DESCENDING {
            let number = priority_number(priority);
            if after.is_some_and(|after| after.priority < number) {
                continue;
            }
            let after = after.filter(|after| after.priority == number);
            let mut heads = self.heads(&starts, number, after)?;
            while let Some((position, message)) = heads.pop_first() {
                if messages.len() == most || bytes >= PAGE_BODY_BYTES_MAX {
                    return Ok((messages, last));
                }
                if let Some(next) = self.next(position, number)? {
                    heads.insert(next.0, next.1);
                }
                bytes += message.body.len();
                last = Some(cursor(position, number));
                messages.push(message);
            }
        }
        Ok((messages, None))
    }

    /// The first of each run.
    fn heads(
        &self,
        starts: &[((i64, i64), View)],
        number: i64,
        after: Option<Cursor>,
    ) -> Result<BTreeMap<Position, Announcement>, StoreError> {
        let mut heads = BTreeMap::new();
        for ((visible_at, place), view) in starts {
            let feed_id = view.feed.id;
            let mut from = (*visible_at, *place - 1);
            if let Some(after) = after {
                // Of two with one time and one offset, that of the earlier feed comes first.
                let is_before = feed_id > after.feed_id;
                from = from.max((after.visible_at, after.offset - i64::from(is_before)));
            }
            if let Some(head) = self.next((from.0, from.1, feed_id), number)? {
                heads.insert(head.0, head.1);
            }
        }
        Ok(heads)
    }

    /// Where the unread of a feed begin: the time and the place of the first that counts above
    /// the cursor.
    fn first_unread(&self, view: &View) -> Result<Option<(i64, i64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT visible_at, place FROM announcement
             WHERE feed_id = ?1 AND live = 1 AND place > ?2 ORDER BY place LIMIT 1",
        )?;
        let found = statement.query_row((view.feed.id, view.read_upto), |row| {
            Ok((row.get(0)?, row.get(1)?))
        });
        Ok(found.optional()?)
    }

    /// The next of a run that was not read and has not expired.
    fn next(
        &self,
        (visible_at, place, feed_id): Position,
        number: i64,
    ) -> Result<Option<(Position, Announcement)>, StoreError> {
        let mut statement = self.connection.prepare_cached(select_announcement!(
            "",
            "WHERE a.feed_id = ?1 AND a.live = 1 AND a.priority = ?2
               AND (a.visible_at, a.place) > (?3, ?4)
               AND (a.expires_at IS NULL OR a.expires_at > ?5)
               AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.namespace = ?6
                 AND r.username = ?7 AND r.feed_id = ?1 AND r.\"offset\" = a.place)
             ORDER BY a.visible_at, a.place LIMIT 1"
        ))?;
        let key = (
            feed_id,
            number,
            visible_at,
            place,
            self.now,
            self.namespace,
            self.user,
        );
        let found = statement.query_row(key, announcement).optional()?;
        Ok(found.map(|found| {
            let visible_at = milliseconds(found.visible_at);
            ((visible_at, signed(found.offset), feed_id), found)
        }))
    }
}

fn cursor((visible_at, offset, feed_id): Position, number: i64) -> Cursor {
    Cursor {
        priority: number,
        visible_at,
        offset,
        feed_id,
    }
}
