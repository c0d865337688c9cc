//! Announcements at set times.
//!
//! A [`Plan`] says when ([`Cron`] and a time zone), what and to whom. The [`Runner`] is one task
//! that asks the clock at least once a minute which runs are due, and brings each to an end
//! exactly once: what was settled stands in the [`Ledger`] under the schedule and the due time,
//! and whoever writes there first wins. Any number of runners may share one ledger.
//!
//! ```text
//!   runner     the task, run-now, preview and the list
//!   turn       what is due for one plan, and what is done about it
//!   audience   who is meant: everyone of the feed, or those whom another server names
//!   ledger     what the store has to hold          clock     the time, and waiting
//!   words      a plan in English                   plan      what is announced, and when
//!   cron       when it is due                      tally    how runs came to their end
//! ```

mod audience;
mod clock;
mod cron;
mod ledger;
mod plan;
mod runner;
mod tally;
mod turn;
mod words;

pub use audience::{AUDIENCE_USERS_MAX, Audience, HookError};
pub use clock::{Clock, SystemClock};
pub use cron::{CRON_BYTES_MAX, Cron, CronError, Field, Runs, next_runs};
pub use ledger::{Claim, Draft, LastRun, Ledger, LedgerError, Outcome, Pause, Record, Skipped};
pub use plan::{CatchUp, PLANS_MAX, Plan, PlanError, Template, check_plans, time_zone};
pub use runner::{Listed, Preview, RunError, Runner, Started};
pub use tally::Tallied;
pub use turn::Settings;
pub use words::{cron_words, words};
