//! The schedules of a configuration as plans.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use crate::announce::announcement::FeedKey;
use crate::announce::assembly::error::StartError;
use crate::announce::config::{CatchUp, Config, Priority, Schedule};
use crate::announce::outgoing::Target;
use crate::announce::schedule::{self, Cron, Plan, Template, check_plans, time_zone};

/// The path of the key that all of this comes from.
const PATH: &str = "announcements.schedules";

/// The plans, in the order of the file.
///
/// # Errors
///
/// [`StartError`] if one of them cannot be used, such as for an address of a hook that would be
/// asked in the clear.
//= A20
//= A21
pub fn plans(config: &Config) -> Result<Vec<Plan>, StartError> {
    let schedules = config.announcements.schedules.iter();
    let plans = schedules.map(plan).collect::<Result<Vec<_>, _>>()?;
    check_plans(&plans).map_err(|error| StartError::new(PATH, error))?;
    Ok(plans)
}

fn plan(from: &Schedule) -> Result<Plan, StartError> {
    let failed = |error: &dyn core::fmt::Display| {
        StartError::new(PATH, alloc::format!("schedule {}: {error}", from.id))
    };
    let hook = from.audience_hook.as_deref();
    let hook = hook.map(|url| Target::new(url, false)).transpose();
    Ok(Plan {
        id: from.id.clone(),
        namespace: from.namespace.clone(),
        cron: Cron::new(&from.cron).map_err(|error| failed(&error))?,
        timezone: time_zone(&from.timezone).map_err(|error| failed(&error))?,
        catch_up: match from.catch_up {
            CatchUp::Once => schedule::CatchUp::Once,
            CatchUp::None => schedule::CatchUp::None,
            CatchUp::All => schedule::CatchUp::All,
        },
        feed: FeedKey::new(&from.feed).ok_or_else(|| failed(&"there is no such feed"))?,
        template: Template {
            title: from.title.clone(),
            body: from.body.clone(),
            data: from.data.as_ref().map(|data| data.to_string()),
        },
        priority: match from.priority {
            Priority::Low => 1,
            Priority::Normal => 3,
            Priority::High => 4,
            Priority::Urgent => 5,
        },
        audience_hook: hook.map_err(|error| failed(&error))?,
        paused: from.paused,
    })
}
