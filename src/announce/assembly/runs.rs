//! What the store holds for schedules, and how an announcement of one is stored.

use alloc::string::ToString as _;
use alloc::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;

use crate::announce::announcement::{NewAnnouncement, Priority};
use crate::announce::desk::Desk;
use crate::announce::schedule::{
    Audience, Claim, Draft, LastRun, Ledger, LedgerError, Outcome, Pause, Record, Runner,
    SystemClock,
};
use crate::announce::store::StoreError;

/// Schedules that run on the clock of the system.
pub type Schedules = Runner<Runs, SystemClock>;

/// The record of all runs in the store behind a desk. What a schedule announces goes by the
/// rules of its feed, as if a person had announced it.
#[derive(Clone, Debug)]
pub struct Runs(Arc<Desk>);

impl Runs {
    /// The record in the store of this desk.
    #[must_use]
    pub const fn new(desk: Arc<Desk>) -> Self {
        Self(desk)
    }

    fn new_of(&self, draft: Draft) -> NewAnnouncement {
        let required = self.0.policy().of(&draft.feed).require_ack;
        let at = SystemTime::from(draft.at);
        let new = NewAnnouncement::new(
            &draft.namespace,
            draft.feed,
            &draft.publisher,
            &draft.body,
            at,
        )
        .with_key(Some(&draft.key))
        .with_priority(priority(draft.priority));
        match required {
            true => new.with_ack(None),
            false => new,
        }
    }
}

/// A plan knows five degrees, an announcement four.
fn priority(degree: u8) -> Priority {
    match degree {
        0 | 1 => Priority::Low,
        2 | 3 => Priority::Normal,
        4 => Priority::High,
        _ => Priority::Urgent,
    }
}

fn failed(error: &StoreError) -> LedgerError {
    LedgerError {
        reason: error.to_string(),
    }
}

impl Ledger for Runs {
    async fn last_run(&self, schedule: &str) -> Result<Option<LastRun>, LedgerError> {
        let found = self.0.store().last_run(schedule).await;
        found.map_err(|error| failed(&error))
    }

    async fn record(
        &self,
        schedule: &str,
        due_at: Timestamp,
    ) -> Result<Option<Record>, LedgerError> {
        let found = self.0.store().run_record(schedule, due_at).await;
        found.map_err(|error| failed(&error))
    }

    async fn paused(&self, schedule: &str) -> Result<Pause, LedgerError> {
        let found = self.0.store().pause_of(schedule).await;
        found.map_err(|error| failed(&error))
    }

    async fn decide(
        &self,
        schedule: &str,
        due_at: Timestamp,
        audience: &Audience,
    ) -> Result<Record, LedgerError> {
        let decided = self.0.store().decide_run(schedule, due_at, audience).await;
        decided.map_err(|error| failed(&error))
    }

    async fn fire(
        &self,
        schedule: &str,
        due_at: Timestamp,
        draft: Draft,
    ) -> Result<Claim, LedgerError> {
        let new = self.new_of(draft);
        let claim = self.0.store().fire_run(schedule, due_at, new).await;
        claim.map_err(|error| failed(&error))
    }

    async fn publish(&self, draft: Draft) -> Result<Claim, LedgerError> {
        let published = self.0.store().publish(self.new_of(draft)).await;
        let published = published.map_err(|error| failed(&error))?;
        Ok(match published.duplicate {
            true => Claim::Taken,
            false => Claim::Fired,
        })
    }

    async fn settle(
        &self,
        schedule: &str,
        due_at: Timestamp,
        outcome: Outcome,
    ) -> Result<Claim, LedgerError> {
        let claim = self.0.store().settle_run(schedule, due_at, outcome).await;
        claim.map_err(|error| failed(&error))
    }
}
