//! What is due for one plan, and what is done about it.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::announce::outgoing::Outgoing;
use crate::announce::schedule::audience::{self, Audience, HookError};
use crate::announce::schedule::clock::Clock;
use crate::announce::schedule::cron::last_runs;
use crate::announce::schedule::ledger::{
    Claim, Draft, Ledger, LedgerError, Outcome, Pause, Record, Skipped,
};
use crate::announce::schedule::plan::{CatchUp, Plan};
use crate::announce::schedule::tally::{Fate, Tally};

/// The first delay between two questions to a hook; it doubles up to [`DELAY_MAX`].
const DELAY_MIN: SignedDuration = SignedDuration::from_secs(5);
const DELAY_MAX: SignedDuration = SignedDuration::from_mins(2);

/// Bounds of a runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A run that is this late was missed, and is subject to the plan's catch-up. Default: 2 min.
    pub missed_after: Duration,
    /// How many missed runs of a plan are looked at, the latest; those before them are noted
    /// as skipped in one record. Default: 100. At least 1.
    pub missed_runs_max: usize,
    /// How long a hook that fails is asked again before the run is given up. Default: 10 min.
    pub hook_retry_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            missed_after: Duration::from_secs(120),
            missed_runs_max: 100,
            hook_retry_time: Duration::from_secs(600),
        }
    }
}

/// What the runner remembers of a plan between two turns. All of it may be lost.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Everything due until then is settled; before the first turn the ledger knows.
    pub(crate) after: Option<Timestamp>,
    /// The run whose hook has failed.
    pub(crate) retry: Option<Retry>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    due_at: Timestamp,
    first: Timestamp,
    delay: SignedDuration,
    pub(crate) next: Timestamp,
}

/// What all turns share.
pub(crate) struct Tools<L, C> {
    pub(crate) ledger: L,
    pub(crate) clock: C,
    pub(crate) outgoing: Outgoing,
    pub(crate) settings: Settings,
    pub(crate) tally: Tally,
}

/// What is to become of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Run,
    Skip(Skipped),
}

/// Whether a run is off the table, or waits for its hook.
enum Progress {
    Done,
    Waiting,
}

impl<L: Ledger, C: Clock> Tools<L, C> {
    /// Settles what is due, oldest first. Where this fails or is dropped, what was done stands
    /// in the ledger and the next turn goes on from there.
    pub(crate) async fn turn(&self, plan: &Plan, state: &mut State) -> Result<(), LedgerError> {
        let now = self.clock.now();
        let pause = self.ledger.paused(&plan.id).await?;
        let after = self.settled_until(plan, state, now).await?;
        state.after = Some(after);
        let max = self.settings.missed_runs_max.max(1);
        let (runs, has_more) = last_runs(&plan.cron, &plan.timezone, after, now, max + 1);
        let (bounded, runs) = runs.split_at(runs.len().saturating_sub(max));
        if let Some(at) = bounded.last() {
            tracing::warn!(schedule = plan.id, until = %at, has_more, "missed runs are dropped");
            self.skip(plan, *at, Skipped::Bounded).await?;
        }
        let verdicts = self.verdicts(plan, pause, state, runs, now);
        for (&due_at, verdict) in runs.iter().zip(verdicts) {
            match verdict {
                Verdict::Skip(why) => self.skip(plan, due_at, why).await?,
                Verdict::Run => match self.run(plan, state, due_at).await? {
                    Progress::Done => {}
                    Progress::Waiting => return Ok(()),
                },
            }
            state.after = Some(due_at);
            state.retry = None;
        }
        state.after = Some(now);
        state.retry = None;
        Ok(())
    }

    /// From where on runs are looked for. Never later than now: where the clock went back, due
    /// times come again, and the ledger knows which of them were settled.
    async fn settled_until(
        &self,
        plan: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<Timestamp, LedgerError> {
        if let Some(after) = state.after {
            return Ok(after.min(now));
        }
        if let Some(last) = self.ledger.last_run(&plan.id).await? {
            return Ok(last.due_at.min(now));
        }
        // Remembered, so that a run which is missed before the first one is caught up.
        let before = SignedDuration::from_millis(1);
        let start = now.checked_sub(before).unwrap_or(now);
        self.skip(plan, start, Skipped::New).await?;
        Ok(start)
    }

    fn verdicts(
        &self,
        plan: &Plan,
        pause: Pause,
        state: &State,
        runs: &[Timestamp],
        now: Timestamp,
    ) -> Vec<Verdict> {
        //= A25
        let is_paused = |at: Timestamp| match pause {
            _ if plan.paused => true,
            Pause::Paused => true,
            Pause::Ended(end) => at <= end,
            Pause::Never => false,
        };
        let late = SignedDuration::try_from(self.settings.missed_after);
        let late = late.unwrap_or(SignedDuration::MAX);
        let waits = |at: Timestamp| state.retry.is_some_and(|retry| retry.due_at == at);
        let is_missed = |at: Timestamp| now.duration_since(at) > late && !waits(at);
        let latest = runs.last().copied();
        let verdict = |&at: &Timestamp| match plan.catch_up {
            _ if is_paused(at) => Verdict::Skip(Skipped::Paused),
            _ if !is_missed(at) => Verdict::Run,
            CatchUp::All => Verdict::Run,
            CatchUp::Once if Some(at) == latest => Verdict::Run,
            CatchUp::Once | CatchUp::None => Verdict::Skip(Skipped::Missed),
        };
        runs.iter().map(verdict).collect()
    }

    async fn skip(&self, plan: &Plan, due_at: Timestamp, why: Skipped) -> Result<(), LedgerError> {
        let outcome = Outcome::Skipped(why);
        let claim = self.ledger.settle(&plan.id, due_at, outcome).await?;
        if claim == Claim::Fired && why != Skipped::New {
            let is_failed = why == Skipped::NoAudience;
            let fate = if is_failed {
                Fate::Failed
            } else {
                Fate::Skipped
            };
            self.tally.count(&plan.id, fate);
            tracing::info!(schedule = plan.id, %due_at, ?why, "a run was skipped");
        }
        Ok(())
    }

    async fn run(
        &self,
        plan: &Plan,
        state: &mut State,
        due_at: Timestamp,
    ) -> Result<Progress, LedgerError> {
        let record = match self.ledger.record(&plan.id, due_at).await? {
            Some(record) => record,
            None => {
                let Some(audience) = self.audience(plan, state, due_at).await else {
                    return Ok(Progress::Waiting);
                };
                match (&plan.audience_hook, audience) {
                    (None, audience) => Record::Open(audience),
                    (Some(_), audience) => {
                        let decided = self.ledger.decide(&plan.id, due_at, &audience);
                        decided.await?
                    }
                }
            }
        };
        match record {
            Record::Settled(_) => {}
            Record::Open(audience) => self.announce(plan, due_at, audience).await?,
        }
        Ok(Progress::Done)
    }

    /// Brings an open run to its end.
    async fn announce(
        &self,
        plan: &Plan,
        due_at: Timestamp,
        audience: Audience,
    ) -> Result<(), LedgerError> {
        let key = plan.key(due_at);
        match audience {
            Audience::Everyone => {
                let draft = self.draft(plan, key);
                let claim = self.ledger.fire(&plan.id, due_at, draft).await?;
                self.announced(plan, claim);
                tracing::info!(schedule = plan.id, %due_at, ?claim, "a schedule was run");
            }
            Audience::Users(users) => {
                self.announce_to(plan, &key, &users).await?;
                let count = u32::try_from(users.len()).unwrap_or(u32::MAX);
                let outcome = Outcome::Sent { users: count };
                let claim = self.ledger.settle(&plan.id, due_at, outcome).await?;
                self.announced(plan, claim);
                tracing::info!(schedule = plan.id, %due_at, ?claim, count, "a schedule was run");
            }
            Audience::Unknown => {
                tracing::error!(
                    schedule = plan.id, %due_at,
                    "nobody said who is meant: the run is not announced"
                );
                self.skip(plan, due_at, Skipped::NoAudience).await?;
            }
        }
        Ok(())
    }

    /// Whoever else may work on the same run, one of them has ended it.
    fn announced(&self, plan: &Plan, claim: Claim) {
        if claim == Claim::Fired {
            self.tally.count(&plan.id, Fate::Announced);
        }
    }

    /// One announcement for each person. Those that were stored before are not stored again.
    pub(crate) async fn announce_to(
        &self,
        plan: &Plan,
        key: &str,
        users: &[String],
    ) -> Result<(), LedgerError> {
        for user in users {
            let Some(feed) = audience::feed_of(user) else {
                continue;
            };
            let mut draft = self.draft(plan, alloc::format!("{key}/{user}"));
            draft.feed = feed;
            self.ledger.publish(draft).await?;
        }
        Ok(())
    }

    /// What is announced by hand, under a key of its own.
    pub(crate) async fn announce_now(
        &self,
        plan: &Plan,
        key: &str,
        audience: &Audience,
    ) -> Result<(), LedgerError> {
        match audience {
            Audience::Users(users) => self.announce_to(plan, key, users).await,
            Audience::Everyone => {
                let draft = self.draft(plan, key.to_owned());
                self.ledger.publish(draft).await.map(drop)
            }
            Audience::Unknown => Ok(()),
        }
    }

    pub(crate) fn draft(&self, plan: &Plan, key: String) -> Draft {
        //= A23
        //= A24
        Draft {
            namespace: plan.namespace.clone(),
            feed: plan.feed.clone(),
            publisher: plan.publisher(),
            key,
            body: plan.template.fields(),
            priority: plan.priority,
            at: self.clock.now(),
        }
    }

    /// Asks the hook, if there is one and it may be asked again; `None` while that is to be
    /// waited for.
    async fn audience(
        &self,
        plan: &Plan,
        state: &mut State,
        due_at: Timestamp,
    ) -> Option<Audience> {
        let now = self.clock.now();
        let retry = state.retry.filter(|retry| retry.due_at == due_at);
        // A clock that went back does not put the next question off.
        if retry.is_some_and(|retry| now < retry.next && now >= retry.first) {
            return None;
        }
        let error = match self.ask(plan, due_at).await {
            Ok(audience) => return Some(audience),
            Err(error) => error,
        };
        let now = self.clock.now();
        let first = retry.map_or(now, |retry| retry.first.min(now));
        let delay = retry.map_or(DELAY_MIN, |retry| {
            retry.delay.saturating_mul(2).min(DELAY_MAX)
        });
        let time = SignedDuration::try_from(self.settings.hook_retry_time);
        let is_over = now.duration_since(first) >= time.unwrap_or(SignedDuration::MAX);
        tracing::warn!(schedule = plan.id, %due_at, %error, is_over, "no audience");
        if is_over {
            return Some(Audience::Unknown);
        }
        state.retry = Some(Retry {
            due_at,
            first,
            delay,
            next: now.checked_add(delay).unwrap_or(now),
        });
        None
    }

    /// Asks the hook of a plan once; without one, everyone is meant.
    pub(crate) async fn ask(&self, plan: &Plan, due_at: Timestamp) -> Result<Audience, HookError> {
        let Some(hook) = &plan.audience_hook else {
            return Ok(Audience::Everyone);
        };
        let namespace = plan.namespace.to_owned();
        audience::ask(&self.outgoing, hook, &plan.id, due_at, &namespace).await
    }
}
