//! Announcements for those who look after them.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use rusqlite::Connection;
use uuid::Uuid;

use crate::announce::announcement::{Announcement, FeedKey, State};
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::page::{PAGE_BODY_BYTES_MAX, PAGE_MAX};
use crate::announce::store::row::{announcement, find, kind_and_name, limit, select_announcement};

/// Which announcements to list; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this feed.
    pub feed: Option<FeedKey>,
    /// Those in this state.
    pub state: Option<State>,
    /// Those of this publisher.
    pub publisher: Option<String>,
}

/// A page of announcements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The announcements, the latest to be accepted first.
    pub announcements: Vec<Announcement>,
    /// The identifier after which the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl Store {
    /// An announcement of a namespace, in whatever state. Who may see it is not asked here.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if there is none. Else as for
    /// [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn get(&self, namespace: &str, id: &str) -> Result<Announcement, StoreError> {
        let (namespace, id) = (String::from(namespace), String::from(id));
        self.read(move |connection| Ok(find(connection, &namespace, &id)?.announcement))
            .await
    }

    /// The announcements of a namespace, the latest first, from behind the one with the
    /// identifier `after` on. At least one and at most [`PAGE_MAX`] are asked for with `most`;
    /// a page ends early when their bodies exceed [`PAGE_BODY_BYTES_MAX`]. Who may see them is
    /// not asked here.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if `after` is no identifier. Else as for
    /// [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn list(
        &self,
        namespace: &str,
        filter: Filter,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listed, StoreError> {
        let namespace = String::from(namespace);
        let after = match after {
            Some(after) => Uuid::try_parse(after).map_err(|_| StoreError::UnknownNotification)?,
            None => Uuid::max(),
        };
        self.read(move |connection| {
            page(
                connection,
                &namespace,
                &filter,
                after,
                most.clamp(1, PAGE_MAX),
            )
        })
        .await
    }
}

fn page(
    connection: &Connection,
    namespace: &str,
    filter: &Filter,
    after: Uuid,
    most: usize,
) -> Result<Listed, StoreError> {
    let mut statement = connection.prepare_cached(select_announcement!(
        "",
        "WHERE a.namespace = ?1 AND a.id < ?2
           AND (?3 IS NULL OR (f.kind = ?3 AND f.key = ?4))
           AND (?5 IS NULL OR a.state = ?5) AND (?6 IS NULL OR a.publisher = ?6)
         ORDER BY a.id DESC LIMIT ?7"
    ))?;
    let feed = filter.feed.as_ref().map(kind_and_name);
    let mut rows = statement.query((
        namespace,
        after.as_bytes(),
        feed.map(|feed| feed.0),
        feed.map(|feed| feed.1),
        filter.state.map(State::as_str),
        &filter.publisher,
        limit(most + 1),
    ))?;
    let (mut announcements, mut bytes) = (Vec::<Announcement>::new(), 0);
    let mut next = None;
    while let Some(row) = rows.next()? {
        if announcements.len() == most || bytes >= PAGE_BODY_BYTES_MAX {
            next = announcements.last().map(|last| last.id.to_string());
            break;
        }
        let found = announcement(row)?;
        bytes += found.body.len();
        announcements.push(found);
    }
    Ok(Listed {
        announcements,
        next,
    })
}
