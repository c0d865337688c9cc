//! Changing what was said, and taking it back.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::time::SystemTime;

use rusqlite::Connection;

use crate::announce::announcement::{Announcement, State};
use crate::announce::store::audit::{AuditEntry, append_audit};
use crate::announce::store::entry::{Change, Release};
use crate::announce::store::error::StoreError;
use crate::announce::store::feed::note_change;
use crate::announce::store::handle::Store;
use crate::announce::store::release::append;
use crate::announce::store::row::{Stored, find, milliseconds, signed};
use crate::announce::store::tally::{bury, revive};

/// A new body for an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The verified name of the person who edits.
    pub by: String,
    /// The new body: the text of one JSON object.
    pub body: String,
    /// The version that the editor has seen; `None` to edit whatever stands there.
    pub expected_version: Option<u64>,
    /// Whether the announcement is to be unread again for everyone, and, if it requires
    /// acknowledgement, to be acknowledged again.
    pub again: bool,
    /// When.
    pub at: SystemTime,
}

impl Store {
    /// Gives an announcement a new body, which is the one that everybody sees from now on. The
    /// earlier one is kept aside.
    ///
    /// The feed's log gets an entry, unless the announcement is still pending.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if the namespace has no such announcement,
    /// [`StoreError::Recalled`] if it was taken back, [`StoreError::Outdated`] if it is at
    /// another version than expected. Else as for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is edited whole or not at all; with an expected version, asking again tells which.
    pub async fn edit(
        &self,
        namespace: &str,
        id: &str,
        edit: Edit,
    ) -> Result<Announcement, StoreError> {
        let room = self.room(1).await?;
        let (namespace, id) = (String::from(namespace), String::from(id));
        self.release(Some(room), move |connection, out| {
            change_body(connection, &namespace, &id, &edit, out)
        })
        .await
    }

    /// Takes an announcement back: it leaves every count and every list of the unread at once,
    /// and a pending one never becomes visible. Taking it back again changes nothing.
    ///
    /// The feed's log gets an entry, unless the announcement was still pending.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if the namespace has no such announcement. Else as
    /// for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is recalled whole or not at all; asking again changes nothing more.
    pub async fn recall(
        &self,
        namespace: &str,
        id: &str,
        by: &str,
        at: SystemTime,
    ) -> Result<Announcement, StoreError> {
        let room = self.room(1).await?;
        let (namespace, id, by) = (String::from(namespace), String::from(id), String::from(by));
        self.release(Some(room), move |connection, out| {
            take_back(connection, &namespace, &id, &by, at, out)
        })
        .await
    }
}

fn change_body(
    connection: &Connection,
    namespace: &str,
    id: &str,
    edit: &Edit,
    out: &mut Vec<Release>,
) -> Result<Announcement, StoreError> {
    let stored = find(connection, namespace, id)?;
    let current = stored.announcement.version;
    if stored.announcement.state == State::Recalled {
        return Err(StoreError::Recalled);
    }
    if edit
        .expected_version
        .is_some_and(|expected| expected != current)
    {
        return Err(StoreError::Outdated { version: current });
    }
    keep_revision(connection, &stored, &edit.by, edit.at)?;
    connection
        .prepare_cached("UPDATE announcement SET body = ?2 WHERE id = ?1")?
        .execute((stored.uuid.as_bytes(), &edit.body))?;
    if edit.again {
        connection
            .prepare_cached("UPDATE announcement SET ack_version = version WHERE id = ?1")?
            .execute((stored.uuid.as_bytes(),))?;
    }
    if stored.announcement.state == State::Pending {
        note(connection, "edit", &stored, &edit.by, edit.at)?;
        return Ok(find(connection, namespace, id)?.announcement);
    }
    let offset = add_entry(connection, &stored, Change::Edited, edit.at, edit.again)?;
    note(connection, "edit", &stored, &edit.by, edit.at)?;
    let announcement = find(connection, namespace, id)?.announcement;
    out.push(Release::new(Change::Edited, announcement.clone(), offset));
    Ok(announcement)
}

fn take_back(
    connection: &Connection,
    namespace: &str,
    id: &str,
    by: &str,
    at: SystemTime,
    out: &mut Vec<Release>,
) -> Result<Announcement, StoreError> {
    let stored = find(connection, namespace, id)?;
    if stored.announcement.state == State::Recalled {
        return Ok(stored.announcement);
    }
    keep_revision(connection, &stored, by, at)?;
    connection
        .prepare_cached("UPDATE announcement SET state = 'recalled' WHERE id = ?1")?
        .execute((stored.uuid.as_bytes(),))?;
    let offset = if stored.announcement.state == State::Pending {
        None
    } else {
        if stored.live {
            bury(connection, stored.feed_id, &stored.uuid, stored.place)?;
        }
        Some(add_entry(connection, &stored, Change::Recalled, at, false)?)
    };
    note(connection, "recall", &stored, by, at)?;
    let announcement = find(connection, namespace, id)?.announcement;
    if let Some(offset) = offset {
        let mut told = announcement.clone();
        told.body = String::from("{}");
        out.push(Release::new(Change::Recalled, told, offset));
    }
    Ok(announcement)
}

/// Puts the present body aside and raises the version.
fn keep_revision(
    connection: &Connection,
    stored: &Stored,
    by: &str,
    at: SystemTime,
) -> Result<(), StoreError> {
    let version = signed(stored.announcement.version);
    connection
        .prepare_cached(
            "INSERT INTO revision (announcement, version, body, changed_at, changed_by)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            stored.uuid.as_bytes(),
            version,
            &stored.announcement.body,
            milliseconds(at),
            by,
        ))?;
    connection
        .prepare_cached("UPDATE announcement SET version = version + 1 WHERE id = ?1")?
        .execute((stored.uuid.as_bytes(),))?;
    Ok(())
}

/// Adds the entry of a change; with `again` the announcement moves to its place.
fn add_entry(
    connection: &Connection,
    stored: &Stored,
    change: Change,
    at: SystemTime,
    again: bool,
) -> Result<i64, StoreError> {
    let at = milliseconds(at);
    let version = signed(stored.announcement.version).saturating_add(1);
    let (feed_id, id) = (stored.feed_id, &stored.uuid);
    let (offset, shown_at) = append(connection, feed_id, id, change, version, at)?;
    if again {
        if stored.live {
            bury(connection, feed_id, id, stored.place)?;
        }
        connection
            .prepare_cached("UPDATE announcement SET visible_at = ?2 WHERE id = ?1")?
            .execute((id.as_bytes(), shown_at))?;
        revive(connection, feed_id, id, offset)?;
    }
    note_change(connection, &stored.announcement.namespace, 1)?;
    Ok(offset)
}

fn note(
    connection: &Connection,
    action: &str,
    stored: &Stored,
    by: &str,
    at: SystemTime,
) -> Result<(), StoreError> {
    let entry = AuditEntry {
        namespace: stored.announcement.namespace.clone(),
        at,
        actor: String::from(by),
        action: format!("announcement.{action}"),
        subject: stored.announcement.id.clone(),
        detail: format!("{{\"version\":{}}}", stored.announcement.version + 1),
    };
    append_audit(connection, &entry)?;
    Ok(())
}
