//! The task that runs schedules, and what can be asked of it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use crate::announce::outgoing::Outgoing;
use crate::announce::schedule::audience::{Audience, HookError};
use crate::announce::schedule::clock::Clock;
use crate::announce::schedule::ledger::{Draft, LastRun, Ledger, LedgerError, Pause, Record};
use crate::announce::schedule::plan::{Plan, PlanError, check_plans};
use crate::announce::schedule::tally::{Fate, Tallied, Tally};
use crate::announce::schedule::turn::{Settings, State, Tools};
use crate::announce::schedule::words::words;

/// The longest wait, so that a clock that was changed is noticed.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The wait after a turn that the ledger did not let come to its end.
const WAIT_AFTER_ERROR: Duration = Duration::from_secs(5);

type Plans = Arc<Vec<Arc<Plan>>>;

struct Shared<L, C> {
    tools: Tools<L, C>,
    plans: Mutex<Plans>,
    wake: Notify,
}

impl<L, C> Shared<L, C> {
    fn plans(&self) -> Plans {
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&plans)
    }
}

/// Runs schedules until it is stopped or dropped.
pub struct Runner<L: Ledger, C: Clock> {
    shared: Arc<Shared<L, C>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl<L: Ledger, C: Clock> fmt::Debug for Runner<L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}

impl<L: Ledger, C: Clock> Drop for Runner<L, C> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why something was not done for a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunError {
    /// No plan has this identifier.
    Unknown,
    /// The hook did not say who is meant.
    Hook(HookError),
    /// The ledger did not do what was asked.
    Ledger(LedgerError),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("no schedule has this id"),
            Self::Hook(error) => error.fmt(f),
            Self::Ledger(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RunError {}

impl From<LedgerError> for RunError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// A run that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The key under which it was published; followed by `/user` for each person.
    pub key: String,
    /// Who was meant.
    pub audience: Audience,
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// When it is due next.
    pub due_at: Option<Timestamp>,
    /// The announcement; its feed stands for each person's own where people are named.
    pub draft: Draft,
    /// Who would be meant at this moment.
    pub audience: Audience,
}

/// A schedule as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its identifier.
    pub id: String,
    /// What is planned.
    pub plan: Arc<Plan>,
    /// When it runs, in English.
    pub words: String,
    /// Whether the plan or somebody has paused it.
    pub is_paused: bool,
    /// When it is due next; it is skipped then if it is still paused.
    pub next_run: Option<Timestamp>,
    /// The latest run that came to its end.
    pub last_run: Option<LastRun>,
}

impl<L: Ledger, C: Clock> Runner<L, C> {
    /// Starts the task on the tokio runtime of the caller.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if a plan cannot be used; then nothing has started.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(
        plans: Vec<Plan>,
        ledger: L,
        clock: C,
        outgoing: Outgoing,
        settings: Settings,
    ) -> Result<Self, PlanError> {
        let plans = checked(plans)?;
        let shared = Arc::new(Shared {
            tools: Tools {
                ledger,
                clock,
                outgoing,
                settings,
                tally: Tally::default(),
            },
            plans: Mutex::new(plans),
            wake: Notify::new(),
        });
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(Arc::clone(&shared), stopped));
        Ok(Self { shared, stop, task })
    }

    /// Puts other plans in place of the present ones.
    ///
    /// What the old plans owe until this moment is settled first. A plan that stays, by its
    /// identifier, keeps its place; one with another expression or time zone owes nothing of the
    /// time before. A schedule that is left out ends.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if a plan cannot be used; then the present ones stay.
    pub fn reload(&self, plans: Vec<Plan>) -> Result<(), PlanError> {
        let plans = checked(plans)?;
        let mut present = self
            .shared
            .plans
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *present = plans;
        drop(present);
        self.wake();
        Ok(())
    }

    /// Lets the task look at once instead of within a minute, as after a pause.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// Runs a schedule now, beside its due times and even if it is paused.
    ///
    /// # Errors
    ///
    /// [`RunError`]; a hook is asked once.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have announced to nobody, to everyone, or to some of the people named.
    /// Another call is another run.
    pub async fn run_now(&self, id: &str) -> Result<Started, RunError> {
        //= A26
        let plan = self.plan(id)?;
        let key = alloc::format!("{id}/now/{}", Uuid::now_v7());
        let tools = &self.shared.tools;
        let run = async {
            let audience = tools.ask(&plan, tools.clock.now()).await;
            let audience = audience.map_err(RunError::Hook)?;
            tools.announce_now(&plan, &key, &audience).await?;
            Ok(audience)
        };
        let audience = self.counted(&plan, run.await)?;
        Ok(Started { key, audience })
    }

    /// As [`run_now`](Self::run_now), once for each key, which is any text: whoever asks again by
    /// the same key is given the same answer. Who is meant is asked the first time, and kept; what
    /// that call has left undone is done by the next.
    ///
    /// # Errors
    ///
    /// [`RunError`]; until a hook has answered, nothing is kept of the key.
    ///
    /// # Cancel safety
    ///
    /// As for [`run_now`](Self::run_now), but that another call goes on with this run.
    pub async fn run_once(&self, id: &str, key: &str) -> Result<Started, RunError> {
        let plan = self.plan(id)?;
        let digest = Sha256::digest(key.as_bytes());
        // No plan has a stroke in its identifier, so this run is among those of none.
        let key = alloc::format!("{id}/once/{}", URL_SAFE_NO_PAD.encode(digest));
        let due_at = Timestamp::UNIX_EPOCH;
        let tools = &self.shared.tools;
        let run = async {
            let known = tools.ledger.record(&key, due_at).await?;
            let is_new = known.is_none();
            let record = match known {
                Some(record) => record,
                None => {
                    let audience = tools.ask(&plan, tools.clock.now()).await;
                    let audience = audience.map_err(RunError::Hook)?;
                    tools.ledger.decide(&key, due_at, &audience).await?
                }
            };
            let audience = match record {
                Record::Open(audience) => audience,
                // Nobody ends these runs, so that their audience can be told again.
                Record::Settled(_) => Audience::Unknown,
            };
            tools.announce_now(&plan, &key, &audience).await?;
            Ok((audience, is_new))
        };
        let audience = match run.await {
            Ok((audience, false)) => audience,
            Ok((audience, true)) => self.counted(&plan, Ok(audience))?,
            Err(error) => self.counted(&plan, Err(error))?,
        };
        Ok(Started { key, audience })
    }

    fn counted(&self, plan: &Plan, run: Result<Audience, RunError>) -> Result<Audience, RunError> {
        let fate = run.as_ref().map_or(Fate::Failed, |_| Fate::Announced);
        self.shared.tools.tally.count(&plan.id, fate);
        tracing::info!(schedule = plan.id, ?fate, "a schedule was run by hand");
        run
    }

    /// How the runs of each schedule came to their end since this runner began.
    #[must_use]
    pub fn tallies(&self) -> Vec<(String, Tallied)> {
        self.shared.tools.tally.all()
    }

    /// What a run would announce, and to whom, at this moment. Nothing is stored.
    ///
    /// # Errors
    ///
    /// [`RunError`]; a hook is asked once.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn preview(&self, id: &str) -> Result<Preview, RunError> {
        let tools = &self.shared.tools;
        let plan = self.plan(id)?;
        let now = tools.clock.now();
        let due_at = plan.cron.next_after(&plan.timezone, now);
        let at = due_at.unwrap_or(now);
        let audience = tools.ask(&plan, at).await.map_err(RunError::Hook)?;
        let draft = tools.draft(&plan, plan.key(at));
        Ok(Preview {
            due_at,
            draft,
            audience,
        })
    }

    /// All schedules with their next and their last run, in the order of the plans.
    ///
    /// # Errors
    ///
    /// [`RunError::Ledger`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn list(&self) -> Result<Vec<Listed>, RunError> {
        let tools = &self.shared.tools;
        let now = tools.clock.now();
        let mut listed = Vec::new();
        for plan in self.shared.plans().iter() {
            let pause = tools.ledger.paused(&plan.id).await?;
            listed.push(Listed {
                id: plan.id.clone(),
                plan: Arc::clone(plan),
                words: words(plan),
                is_paused: plan.paused || pause == Pause::Paused,
                next_run: plan.cron.next_after(&plan.timezone, now),
                last_run: tools.ledger.last_run(&plan.id).await?,
            });
        }
        Ok(listed)
    }

    /// Ends the task, and does not wait for it; what [`stop`](Self::stop) does otherwise.
    pub fn end(&self) {
        self.stop.send_replace(true);
    }

    /// Ends the task. A run that is under way is left where it is; whoever comes next goes on
    /// with it.
    ///
    /// # Cancel safety
    ///
    /// A dropped call ends the task all the same.
    pub async fn stop(mut self) {
        self.end();
        if let Err(error) = (&mut self.task).await
            && error.is_panic()
        {
            tracing::error!("the task of the schedules had panicked");
        }
    }

    fn plan(&self, id: &str) -> Result<Arc<Plan>, RunError> {
        let plans = self.shared.plans();
        let plan = plans.iter().find(|plan| plan.id == id);
        plan.cloned().ok_or(RunError::Unknown)
    }
}

fn checked(plans: Vec<Plan>) -> Result<Plans, PlanError> {
    check_plans(&plans)?;
    Ok(Arc::new(plans.into_iter().map(Arc::new).collect()))
}

/// The task.
async fn run<L: Ledger, C: Clock>(shared: Arc<Shared<L, C>>, mut stop: watch::Receiver<bool>) {
    let work = Box::pin(work(&shared));
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => {}
        () = work => {}
    }
}

async fn work<L: Ledger, C: Clock>(shared: &Arc<Shared<L, C>>) {
    let mut plans = Plans::default();
    let mut states = HashMap::new();
    loop {
        let is_whole = turn_all(shared, &plans, &mut states).await;
        let wanted = shared.plans();
        if !Arc::ptr_eq(&plans, &wanted) {
            states = carried_over(&plans, &wanted, states, shared.tools.clock.now());
            plans = wanted;
            continue;
        }
        let wait = match is_whole {
            true => until_next(&plans, &states, shared.tools.clock.now()),
            false => WAIT_AFTER_ERROR,
        };
        tokio::select! {
            () = shared.wake.notified() => {}
            () = shared.tools.clock.sleep(wait) => {}
        }
    }
}

/// Turns every plan, side by side so that a slow hook holds up no other schedule. Whether all
/// came to their end.
async fn turn_all<L: Ledger, C: Clock>(
    shared: &Arc<Shared<L, C>>,
    plans: &Plans,
    states: &mut HashMap<String, State>,
) -> bool {
    let mut turns = JoinSet::new();
    for plan in plans.iter() {
        let mut state = states.remove(&plan.id).unwrap_or_default();
        let (shared, plan) = (Arc::clone(shared), Arc::clone(plan));
        turns.spawn(async move {
            let result = shared.tools.turn(&plan, &mut state).await;
            (plan, state, result)
        });
    }
    let mut is_whole = true;
    while let Some(joined) = turns.join_next().await {
        match joined {
            Ok((plan, state, result)) => {
                if let Err(error) = result {
                    shared.tools.tally.count(&plan.id, Fate::Failed);
                    tracing::error!(schedule = plan.id, %error, "a schedule has to wait");
                    is_whole = false;
                }
                states.insert(plan.id.clone(), state);
            }
            Err(_) => {
                // Its state is read from the ledger again.
                tracing::error!("a schedule has panicked");
                is_whole = false;
            }
        }
    }
    is_whole
}

/// The states of the plans that stay. One whose due times are others begins now.
fn carried_over(
    old: &Plans,
    new: &Plans,
    mut states: HashMap<String, State>,
    now: Timestamp,
) -> HashMap<String, State> {
    let mut carried = HashMap::new();
    for plan in new.iter() {
        let Some(before) = old.iter().find(|before| before.id == plan.id) else {
            continue;
        };
        let is_same = before.cron == plan.cron && before.timezone == plan.timezone;
        let state = match is_same {
            true => states.remove(&plan.id).unwrap_or_default(),
            false => State {
                after: Some(now),
                retry: None,
            },
        };
        carried.insert(plan.id.clone(), state);
    }
    carried
}

/// The time until something is due, a minute at most.
fn until_next(plans: &Plans, states: &HashMap<String, State>, now: Timestamp) -> Duration {
    let next = |plan: &Arc<Plan>| {
        let state = states.get(&plan.id);
        match state.and_then(|state| state.retry) {
            Some(retry) => Some(retry.next),
            // Counted from the turn, not from now: what has come due since is due at once.
            None => {
                let turned = state.and_then(|state| state.after).unwrap_or(now);
                plan.cron.next_after(&plan.timezone, turned)
            }
        }
    };
    let first = plans.iter().filter_map(next).min();
    let wait = first.map_or(WAIT_MAX, |at| {
        Duration::try_from(at.duration_since(now)).unwrap_or_default()
    });
    wait.min(WAIT_MAX)
}
