//! Runs of schedules: each is brought to its end once, whoever asks.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use std::time::SystemTime;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::announce::announcement::NewAnnouncement;
use crate::announce::schedule::{Audience, Claim, LastRun, Outcome, Pause, Record, Skipped};
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::publish::publish;
use crate::announce::store::row::milliseconds;

/// How the audience of an open run is written where it is no list of names.
const EVERYONE: &str = "everyone";
const UNKNOWN: &str = "unknown";

/// How the outcomes are written, save the one that has a number.
const OUTCOMES: [(&str, Outcome); 6] = [
    ("announced", Outcome::Announced),
    ("new", Outcome::Skipped(Skipped::New)),
    ("paused", Outcome::Skipped(Skipped::Paused)),
    ("missed", Outcome::Skipped(Skipped::Missed)),
    ("bounded", Outcome::Skipped(Skipped::Bounded)),
    ("no-audience", Outcome::Skipped(Skipped::NoAudience)),
];
const SENT: &str = "sent";

impl Store {
    /// The run with the latest due time among those that came to their end.
    pub(crate) async fn last_run(&self, schedule: &str) -> Result<Option<LastRun>, StoreError> {
        let schedule = schedule.to_owned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT due_at, outcome, users FROM schedule_run
                 WHERE schedule_id = ?1 AND outcome IS NOT NULL ORDER BY due_at DESC LIMIT 1",
            )?;
            let found = statement.query_row((schedule,), |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
            });
            let Some((due_at, outcome, users)) = found.optional()? else {
                return Ok(None);
            };
            Ok(Some(LastRun {
                due_at: timestamp(due_at)?,
                outcome: read_outcome(&outcome, users)?,
            }))
        })
        .await
    }

    /// What is known about one run.
    pub(crate) async fn run_record(
        &self,
        schedule: &str,
        due_at: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let schedule = schedule.to_owned();
        self.read(move |connection| record(connection, &schedule, due_at))
            .await
    }

    /// Whether somebody has paused a schedule.
    pub(crate) async fn pause_of(&self, schedule: &str) -> Result<Pause, StoreError> {
        let schedule = schedule.to_owned();
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT paused, ended_at FROM schedule WHERE id = ?1")?;
            let found = statement.query_row((schedule,), |row| {
                Ok((row.get::<_, bool>(0)?, row.get::<_, Option<i64>>(1)?))
            });
            Ok(match found.optional()? {
                Some((true, _)) => Pause::Paused,
                Some((false, Some(at))) => Pause::Ended(timestamp(at)?),
                Some((false, None)) | None => Pause::Never,
            })
        })
        .await
    }

    /// Opens a run with its audience, unless it has a record. Answers with the record that
    /// stands afterwards.
    pub(crate) async fn decide_run(
        &self,
        schedule: &str,
        due_at: Timestamp,
        audience: &Audience,
    ) -> Result<Record, StoreError> {
        let (schedule, audience) = (schedule.to_owned(), spelt(audience)?);
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO schedule_run (schedule_id, due_at, audience) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO NOTHING",
                )?
                .execute((&schedule, due_at.as_millisecond(), audience))?;
            record(connection, &schedule, due_at)?.ok_or_else(unreadable)
        })
        .await
    }

    /// Ends a run with its announcement, and stores that, both or neither.
    //= A25
    pub(crate) async fn fire_run(
        &self,
        schedule: &str,
        due_at: Timestamp,
        new: NewAnnouncement,
    ) -> Result<Claim, StoreError> {
        let room = self.room(1).await?;
        let schedule = schedule.to_owned();
        self.release(Some(room), move |connection, out| {
            let claim = settle(connection, &schedule, due_at, Outcome::Announced)?;
            if claim == Claim::Taken {
                return Ok(claim);
            }
            let published = publish(connection, &new, out)?;
            let id = Uuid::try_parse(&published.announcement.id)
                .map_err(|error| StoreError::failed(&error))?;
            connection
                .prepare_cached(
                    "UPDATE schedule_run SET announcement = ?3
                     WHERE schedule_id = ?1 AND due_at = ?2",
                )?
                .execute((&schedule, due_at.as_millisecond(), id.as_bytes()))?;
            Ok(claim)
        })
        .await
    }

    /// Ends a run, open or without a record, and stores nothing else.
    pub(crate) async fn settle_run(
        &self,
        schedule: &str,
        due_at: Timestamp,
        outcome: Outcome,
    ) -> Result<Claim, StoreError> {
        let schedule = schedule.to_owned();
        self.write(move |connection| settle(connection, &schedule, due_at, outcome))
            .await
    }

    /// Pauses a schedule, or lets it go on from the time `now`. What was due before that time is
    /// not made up.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is done or not; asking again changes nothing more, save the time.
    pub async fn set_paused(
        &self,
        schedule: &str,
        paused: bool,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let schedule = schedule.to_owned();
        let ended_at = (!paused).then(|| milliseconds(now));
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO schedule (id, paused, ended_at) VALUES (?1, ?2, ?3)
                     ON CONFLICT (id) DO UPDATE
                     SET paused = excluded.paused, ended_at = excluded.ended_at",
                )?
                .execute((schedule, paused, ended_at))?;
            Ok(())
        })
        .await
    }
}

/// Whoever writes the outcome has ended the run. The names of its audience go with that.
fn settle(
    connection: &Connection,
    schedule: &str,
    due_at: Timestamp,
    outcome: Outcome,
) -> Result<Claim, StoreError> {
    let (outcome, users) = match outcome {
        Outcome::Sent { users } => (SENT, Some(users)),
        other => {
            let mut known = OUTCOMES.iter().filter(|(_, outcome)| *outcome == other);
            (known.next().ok_or_else(unreadable)?.0, None)
        }
    };
    let written = connection
        .prepare_cached(
            "INSERT INTO schedule_run (schedule_id, due_at, outcome, users) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (schedule_id, due_at) DO UPDATE
             SET outcome = excluded.outcome, users = excluded.users, audience = NULL
             WHERE outcome IS NULL",
        )?
        .execute((schedule, due_at.as_millisecond(), outcome, users))?;
    Ok(match written {
        0 => Claim::Taken,
        _ => Claim::Fired,
    })
}

fn record(
    connection: &Connection,
    schedule: &str,
    due_at: Timestamp,
) -> Result<Option<Record>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT outcome, users, audience FROM schedule_run WHERE schedule_id = ?1 AND due_at = ?2",
    )?;
    let found = statement.query_row((schedule, due_at.as_millisecond()), |row| {
        let outcome: Option<String> = row.get(0)?;
        let audience: Option<String> = row.get(2)?;
        Ok((outcome, row.get(1)?, audience))
    });
    match found.optional()? {
        None => Ok(None),
        Some((Some(outcome), users, _)) => {
            Ok(Some(Record::Settled(read_outcome(&outcome, users)?)))
        }
        Some((None, _, Some(audience))) => Ok(Some(Record::Open(read_audience(&audience)?))),
        Some((None, _, None)) => Err(unreadable()),
    }
}

fn read_outcome(text: &str, users: Option<u32>) -> Result<Outcome, StoreError> {
    if let (SENT, Some(users)) = (text, users) {
        return Ok(Outcome::Sent { users });
    }
    let mut known = OUTCOMES.iter().filter(|(name, _)| *name == text);
    known
        .next()
        .map(|(_, outcome)| *outcome)
        .ok_or_else(unreadable)
}

fn spelt(audience: &Audience) -> Result<String, StoreError> {
    Ok(match audience {
        Audience::Everyone => EVERYONE.to_owned(),
        Audience::Unknown => UNKNOWN.to_owned(),
        Audience::Users(users) => {
            serde_json::to_string(users).map_err(|error| StoreError::failed(&error))?
        }
    })
}

fn read_audience(text: &str) -> Result<Audience, StoreError> {
    match text {
        EVERYONE => Ok(Audience::Everyone),
        UNKNOWN => Ok(Audience::Unknown),
        list => serde_json::from_str(list)
            .map(Audience::Users)
            .map_err(|error| StoreError::failed(&error)),
    }
}

fn timestamp(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|error| StoreError::failed(&error))
}

fn unreadable() -> StoreError {
    StoreError::Failed {
        reason: "a run of a schedule cannot be read".to_string(),
    }
}
