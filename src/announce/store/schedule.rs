//! Runs of schedules: each is claimed once, whoever asks.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::announce::announcement::NewAnnouncement;
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::publish::{Published, publish};
use crate::announce::store::row::{milliseconds, time};

/// What came of firing a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fire {
    /// The run was free, and what it announces is stored.
    Fired(Box<Published>),
    /// The run had been claimed before; nothing was stored.
    Taken,
}

/// A run of a schedule that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it was due.
    pub due_at: SystemTime,
    /// What it announced; `None` if it was skipped.
    pub announcement: Option<String>,
}

impl Store {
    /// Claims a run of a schedule and stores what it announces, both or neither.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish); then the run is still free.
    ///
    /// # Cancel safety
    ///
    /// It is done whole or not at all; asking again tells, by [`Fire::Taken`].
    pub async fn fire(
        &self,
        schedule_id: &str,
        due_at: SystemTime,
        new: NewAnnouncement,
    ) -> Result<Fire, StoreError> {
        let room = self.room(1).await?;
        let schedule_id = String::from(schedule_id);
        let due_at = milliseconds(due_at);
        self.release(Some(room), move |connection, out| {
            //= A25
            if !claim(connection, &schedule_id, due_at)? {
                return Ok(Fire::Taken);
            }
            let published = publish(connection, &new, out)?;
            let id = Uuid::try_parse(&published.announcement.id)
                .map_err(|error| StoreError::failed(&error))?;
            connection
                .prepare_cached(
                    "UPDATE schedule_run SET announcement = ?3
                     WHERE schedule_id = ?1 AND due_at = ?2",
                )?
                .execute((&schedule_id, due_at, id.as_bytes()))?;
            Ok(Fire::Fired(Box::new(published)))
        })
        .await
    }

    /// Claims a run of a schedule that announces nothing. Returns whether it was free.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is claimed or not; asking again tells.
    pub async fn claim_without(
        &self,
        schedule_id: &str,
        due_at: SystemTime,
    ) -> Result<bool, StoreError> {
        let schedule_id = String::from(schedule_id);
        self.write(move |connection| claim(connection, &schedule_id, milliseconds(due_at)))
            .await
    }

    /// The claimed run of a schedule that was due last.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn last_run(&self, schedule_id: &str) -> Result<Option<Run>, StoreError> {
        let schedule_id = String::from(schedule_id);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT due_at, announcement FROM schedule_run WHERE schedule_id = ?1
                 ORDER BY due_at DESC LIMIT 1",
            )?;
            let found = statement.query_row((schedule_id,), |row| {
                let id: Option<[u8; 16]> = row.get(1)?;
                Ok(Run {
                    due_at: time(row.get(0)?),
                    announcement: id.map(|id| Uuid::from_bytes(id).to_string()),
                })
            });
            Ok(found.optional()?)
        })
        .await
    }

    /// Pauses a schedule, or lets it go on.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is done or not; asking again changes nothing more.
    pub async fn set_paused(&self, schedule_id: &str, paused: bool) -> Result<(), StoreError> {
        let schedule_id = String::from(schedule_id);
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO schedule (id, paused) VALUES (?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET paused = excluded.paused",
                )?
                .execute((schedule_id, paused))?;
            Ok(())
        })
        .await
    }

    /// Whether a schedule is paused.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn paused(&self, schedule_id: &str) -> Result<bool, StoreError> {
        let schedule_id = String::from(schedule_id);
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT 1 FROM schedule WHERE id = ?1 AND paused")?;
            Ok(statement.exists((schedule_id,))?)
        })
        .await
    }
}

/// Whoever inserts the row has the run.
fn claim(connection: &Connection, schedule_id: &str, due_at: i64) -> Result<bool, StoreError> {
    let claimed = connection
        .prepare_cached(
            "INSERT INTO schedule_run (schedule_id, due_at) VALUES (?1, ?2)
             ON CONFLICT DO NOTHING",
        )?
        .execute((schedule_id, due_at))?;
    Ok(claimed == 1)
}
