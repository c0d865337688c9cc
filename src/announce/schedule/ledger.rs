//! What the store holds for schedules.

use alloc::string::String;
use core::fmt;

use jiff::Timestamp;

use crate::announce::announcement::FeedKey;
use crate::announce::schedule::audience::Audience;

/// An announcement that a schedule wants stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The namespace whose people it is for.
    pub namespace: String,
    /// The feed that it is added to.
    pub feed: FeedKey,
    /// `schedule:` and the schedule's identifier.
    pub publisher: String,
    /// What makes a repetition recognisable: `id/due time`, with `/user` for one person.
    pub key: String,
    /// The text of one JSON object.
    pub body: String,
    /// From 1, the least, to 5.
    pub priority: u8,
    /// When it was made.
    pub at: Timestamp,
}

/// Whether a write was the first of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// It was the first, and is stored.
    Fired,
    /// It was there before; nothing has changed.
    Taken,
}

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was announced in the feed of the plan.
    Announced,
    /// It was announced to so many people, each in a feed of their own.
    Sent {
        /// How many.
        users: u32,
    },
    /// It was not announced.
    Skipped(Skipped),
}

/// Why a run was not announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skipped {
    /// No run: the schedule was seen for the first time, and nothing earlier is owed.
    New,
    /// It fell into a pause.
    Paused,
    /// It was missed, and the plan does not catch it up.
    Missed,
    /// It was missed, with others before it that have no record of their own: there were more
    /// than the bound allows.
    Bounded,
    /// Nobody could say who is meant.
    NoAudience,
}

/// What is known about one run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// It is settled who is meant; not all of it has been announced.
    Open(Audience),
    /// It came to its end.
    Settled(Outcome),
}

/// The latest run that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// When it was due.
    pub due_at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
}

/// Whether somebody has paused a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pause {
    /// Never.
    Never,
    /// It is paused now.
    Paused,
    /// It was paused until this time.
    Ended(Timestamp),
}

/// Why the ledger did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerError {
    /// What was said about it.
    pub reason: String,
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the ledger could not do that: {}", self.reason)
    }
}

impl core::error::Error for LedgerError {}

/// The record of all runs, shared by all runners and kept over restarts.
///
/// A run is known by its schedule and its due time, which together are unique. Each call is one
/// transaction. A future that is dropped has done all of it or nothing.
pub trait Ledger: Send + Sync + 'static {
    /// The run with the latest due time among those that came to their end.
    fn last_run(
        &self,
        schedule: &str,
    ) -> impl Future<Output = Result<Option<LastRun>, LedgerError>> + Send;

    /// What is known about one run.
    fn record(
        &self,
        schedule: &str,
        due_at: Timestamp,
    ) -> impl Future<Output = Result<Option<Record>, LedgerError>> + Send;

    /// Whether somebody has paused the schedule.
    fn paused(&self, schedule: &str) -> impl Future<Output = Result<Pause, LedgerError>> + Send;

    /// Opens a run with its audience, unless it has a record. Answers with the record that
    /// stands afterwards, so that all who work on the run follow the first.
    fn decide(
        &self,
        schedule: &str,
        due_at: Timestamp,
        audience: &Audience,
    ) -> impl Future<Output = Result<Record, LedgerError>> + Send;

    /// Ends a run with [`Outcome::Announced`] and stores its announcement, both or neither.
    /// [`Claim::Taken`] if it has come to its end before.
    fn fire(
        &self,
        schedule: &str,
        due_at: Timestamp,
        draft: Draft,
    ) -> impl Future<Output = Result<Claim, LedgerError>> + Send;

    /// Stores an announcement, unless its publisher has stored one with this key.
    fn publish(&self, draft: Draft) -> impl Future<Output = Result<Claim, LedgerError>> + Send;

    /// Ends a run, open or without a record, and stores nothing else. [`Claim::Taken`] if it has
    /// come to its end before.
    fn settle(
        &self,
        schedule: &str,
        due_at: Timestamp,
        outcome: Outcome,
    ) -> impl Future<Output = Result<Claim, LedgerError>> + Send;
}
