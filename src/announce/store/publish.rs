//! Accepting announcements.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::announce::announcement::{Announcement, NewAnnouncement, State};
use crate::announce::store::entry::Release;
use crate::announce::store::error::StoreError;
use crate::announce::store::feed::ensure_feed;
use crate::announce::store::handle::Store;
use crate::announce::store::release::show;
use crate::announce::store::row::{
    announcement, find, milliseconds, priority_number, select_announcement,
};

/// What became of a [`NewAnnouncement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The announcement as stored.
    pub announcement: Announcement,
    /// Whether it had been stored before under the same key.
    pub duplicate: bool,
}

impl Store {
    /// Stores an announcement: at the end of its feed, or, if it is to become visible later,
    /// as pending until [`release_due`](Self::release_due) finds that it is time.
    ///
    /// A key that the same publisher has used before in the same namespace stores nothing: the
    /// first announcement is returned, marked as a duplicate, whatever the second one says. A
    /// key is known for as long as its announcement is kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::Failed`] if it could not be stored, [`StoreError::Closed`] if the store
    /// has ended.
    ///
    /// # Cancel safety
    ///
    /// The announcement is stored whole or not at all; with a key, asking again tells which.
    pub async fn publish(&self, new: NewAnnouncement) -> Result<Published, StoreError> {
        let room = self.room(1).await?;
        let published = self
            .release(Some(room), move |connection, out| {
                publish(connection, &new, out)
            })
            .await?;
        if published.announcement.state == State::Pending {
            self.shared.pending.notify_one();
        }
        Ok(published)
    }
}

pub(crate) fn publish(
    connection: &Connection,
    new: &NewAnnouncement,
    out: &mut Vec<Release>,
) -> Result<Published, StoreError> {
    if let Some(announcement) = earlier(connection, new)? {
        return Ok(Published {
            announcement,
            duplicate: true,
        });
    }
    let feed = ensure_feed(connection, &new.namespace, &new.feed)?;
    let id = Uuid::now_v7();
    let at = milliseconds(new.at);
    let visible_at = new.visible_at.map_or(at, milliseconds);
    connection
        .prepare_cached(
            "INSERT INTO announcement
               (id, namespace, feed_id, intent, publisher, idem_key, body, created_at, state,
                priority, require_ack, ack_by, visible_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending', ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute((
            id.as_bytes(),
            &new.namespace,
            feed.id,
            new.kind.as_str(),
            &new.publisher,
            &new.key,
            &new.body,
            at,
            priority_number(new.priority),
            new.require_ack,
            new.ack_by.map(milliseconds),
            visible_at,
            new.expires_at.map(milliseconds),
        ))?;
    let announcement = if visible_at <= at {
        show(connection, &new.namespace, &id, feed.id, at, out)?
    } else {
        find(connection, &new.namespace, &id.to_string())?.announcement
    };
    Ok(Published {
        announcement,
        duplicate: false,
    })
}

/// The announcement that the same publisher has stored under the same key.
fn earlier(
    connection: &Connection,
    new: &NewAnnouncement,
) -> Result<Option<Announcement>, StoreError> {
    let Some(key) = &new.key else { return Ok(None) };
    let mut statement = connection.prepare_cached(select_announcement!(
        "",
        "WHERE a.namespace = ?1 AND a.publisher = ?2 AND a.idem_key = ?3"
    ))?;
    let found = statement.query_row((&new.namespace, &new.publisher, key), announcement);
    Ok(found.optional()?)
}
