//! What is announced, when and to whom.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;
use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::announce::announcement::FeedKey;
use crate::announce::json;
use crate::announce::outgoing::Target;
use crate::announce::schedule::cron::Cron;

/// How many plans one runner takes.
pub const PLANS_MAX: usize = 1000;

/// The longest identifier, in bytes.
const ID_BYTES_MAX: usize = 64;

/// The longest title, body and data together, in bytes.
const TEMPLATE_BYTES_MAX: usize = 32 * 1024;

/// The fields that a title and a text have; data cannot have others of these names.
const OWN_FIELDS: [&str; 2] = ["Title", "Body"];

/// What becomes of runs that fell into a time without a runner, or over which the clock jumped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatchUp {
    /// The latest of them is run; it stands for all. If a run is due on time at that moment,
    /// it is that one which stands for them.
    #[default]
    Once,
    /// None is run.
    None,
    /// All are run, oldest first, up to the bound of the runner's settings.
    All,
}

/// What an announcement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The title; not empty.
    pub title: String,
    /// The text.
    pub body: String,
    /// Further data: the text of one JSON object.
    pub data: Option<String>,
}

impl Template {
    /// The announcement's fields: the text of one JSON object with `Title`, `Body` and, beside
    /// them, the fields of the data under their own names.
    #[must_use]
    pub fn fields(&self) -> String {
        let mut object = json::Object::new()
            .text("Title", &self.title)
            .text("Body", &self.body);
        let data = self.data.as_deref().map(json::object);
        for (name, value) in data.and_then(Result::ok).unwrap_or_default() {
            if !OWN_FIELDS.contains(&name.as_str()) {
                object = object.raw(&name, value.get());
            }
        }
        object.end()
    }
}

/// One schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Names the schedule: letters, digits, `.`, `_` and `-`, 64 at most. What was run is
    /// remembered under this name, so a schedule that is renamed is a new one.
    pub id: String,
    /// The namespace whose people it is for.
    pub namespace: String,
    /// When it is due.
    pub cron: Cron,
    /// Whose clock is meant: see [`time_zone`].
    pub timezone: TimeZone,
    /// What becomes of missed runs.
    pub catch_up: CatchUp,
    /// Where it is announced, unless the audience hook names people.
    pub feed: FeedKey,
    /// What is said.
    pub template: Template,
    /// From 1, the least, to 5.
    pub priority: u8,
    /// Who names the people concerned at the time of the run.
    pub audience_hook: Option<Target>,
    /// While this holds nothing is run, and what falls into that time is not caught up.
    pub paused: bool,
}

/// Why a plan cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// The identifier is empty, too long, or holds other characters than are allowed.
    Id,
    /// Two plans have this identifier.
    Twice(String),
    /// More plans than [`PLANS_MAX`].
    Many,
    /// The namespace is empty.
    Namespace(String),
    /// No time zone has this name.
    Zone(String),
    /// The template cannot be used.
    Template {
        /// The plan.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// The priority is not from 1 to 5.
    Priority(String),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => write!(
                f,
                "the id of a schedule has 1 to {ID_BYTES_MAX} letters, digits, '.', '_' or '-'"
            ),
            Self::Twice(id) => write!(f, "two schedules have the id {id:?}"),
            Self::Many => write!(f, "more than {PLANS_MAX} schedules"),
            Self::Namespace(id) => write!(f, "schedule {id}: the namespace is empty"),
            Self::Zone(name) => write!(
                f,
                "no time zone is named {name:?}: use a name such as Europe/Stockholm"
            ),
            Self::Template { id, reason } => write!(f, "schedule {id}: {reason}"),
            Self::Priority(id) => write!(f, "schedule {id}: the priority is from 1 to 5"),
        }
    }
}

impl core::error::Error for PlanError {}

/// Finds a time zone by its IANA name, such as `Europe/Stockholm` or `UTC`.
///
/// The rules are the system's, or those that came with this version of the program where the
/// system has none.
///
/// # Errors
///
/// [`PlanError::Zone`] if none has this name.
pub fn time_zone(name: &str) -> Result<TimeZone, PlanError> {
    TimeZone::get(name)
        .ok()
        .filter(|zone| zone.iana_name().is_some())
        .ok_or_else(|| PlanError::Zone(name.to_owned()))
}

impl Plan {
    /// Whether the plan can be used.
    ///
    /// # Errors
    ///
    /// [`PlanError`] says what is wrong.
    pub fn check(&self) -> Result<(), PlanError> {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if self.id.is_empty() || self.id.len() > ID_BYTES_MAX || !self.id.bytes().all(is_known) {
            return Err(PlanError::Id);
        }
        if self.namespace.is_empty() {
            return Err(PlanError::Namespace(self.id.clone()));
        }
        if !(1..=5).contains(&self.priority) {
            return Err(PlanError::Priority(self.id.clone()));
        }
        let refused = |reason: &str| {
            Err(PlanError::Template {
                id: self.id.clone(),
                reason: reason.to_owned(),
            })
        };
        let Template { title, body, data } = &self.template;
        let data = data.as_deref();
        if title.trim().is_empty() {
            return refused("the title is empty");
        }
        if title.len() + body.len() + data.map_or(0, str::len) > TEMPLATE_BYTES_MAX {
            return refused("title, body and data are longer than 32 KiB");
        }
        match data.map(json::object) {
            Some(Err(fault)) => refused(&format!("data: {fault}")),
            _ => Ok(()),
        }
    }

    /// What makes a run recognisable: the schedule and the due time in UTC.
    pub(crate) fn key(&self, due_at: Timestamp) -> String {
        format!("{}/{due_at}", self.id)
    }

    /// The name under which a schedule publishes.
    pub(crate) fn publisher(&self) -> String {
        format!("schedule:{}", self.id)
    }
}

/// Whether all plans can be used, and together.
///
/// # Errors
///
/// The first [`PlanError`].
pub fn check_plans(plans: &[Plan]) -> Result<(), PlanError> {
    if plans.len() > PLANS_MAX {
        return Err(PlanError::Many);
    }
    let mut ids = HashSet::new();
    for plan in plans {
        plan.check()?;
        if !ids.insert(&plan.id) {
            return Err(PlanError::Twice(plan.id.to_string()));
        }
    }
    Ok(())
}
