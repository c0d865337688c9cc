//! What is announced at its time.

use alloc::format;
use alloc::string::ToString as _;
use alloc::sync::Arc;

use jiff::Timestamp;

use crate::announce::code::Code;
use crate::announce::desk::Desk;
use crate::announce::http::answer;
use crate::announce::http::api::Schedules;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::problem::Problem;
use crate::announce::http::route::{Route, get, post};
use crate::announce::http::words::{boolean, list};
use crate::announce::json::{self, Object};
use crate::announce::schedule::{Audience, LastRun, Listed, Outcome, RunError};

/// How many of the next runs are told.
const RUNS: usize = 3;

/// How many people of a preview are named.
const NAMED_MAX: usize = 1000;

pub(crate) fn routes() -> [Route; 5] {
    [
        get("/api/v1/schedules", all),
        post("/api/v1/schedules/{id}/run", run),
        post("/api/v1/schedules/{id}/pause", pause),
        post("/api/v1/schedules/{id}/resume", resume),
        post("/api/v1/schedules/{id}/preview", preview),
    ]
}

/// The schedules, for an operator.
fn schedules(call: &Call) -> Result<Arc<dyn Schedules>, Problem> {
    call.desk().is_operator(call.actor())?;
    let schedules = call.api.inner.schedules.clone();
    schedules.ok_or_else(|| Desk::not_set_up("this server has no schedules").into())
}

/// The schedules, where there is one of this identifier in the namespace.
async fn with(call: &Call) -> Result<(Arc<dyn Schedules>, Arc<Listed>), Problem> {
    call.only(&[])?;
    let schedules = schedules(call)?;
    let listed = schedules.list().await.map_err(failed)?;
    let found = listed
        .into_iter()
        .find(|it| it.id == call.part("id") && it.plan.namespace == call.identity.namespace);
    let found = found.ok_or_else(Problem::not_found)?;
    Ok((schedules, Arc::new(found)))
}

fn failed(error: RunError) -> Problem {
    match error {
        RunError::Unknown => Problem::not_found(),
        RunError::Hook(error) => Problem::new(Code::Unavailable, error.to_string()),
        RunError::Ledger(error) => {
            tracing::error!(%error, "a schedule was not run");
            Problem::new(Code::Unavailable, "the store failed; try again later")
        }
    }
}

async fn all(call: Call) -> Answer {
    call.only(&[])?;
    let mut listed = schedules(&call)?.list().await.map_err(failed)?;
    listed.retain(|it| it.plan.namespace == call.identity.namespace);
    let object = Object::new().raw("schedules", &list(listed.iter().map(schedule)));
    Ok(answer::ok(object))
}

fn schedule(listed: &Listed) -> Object {
    let plan = &listed.plan;
    let now = Timestamp::now();
    let runs = plan.cron.runs_after(&plan.timezone, now).take(RUNS);
    let runs = list(runs.map(|at| {
        let local = at.to_zoned(plan.timezone.clone());
        Object::new()
            .text("local", &local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
            .text("utc", &at.to_string())
    }));
    let last = listed.last_run.as_ref().map(|run| last_run(run).end());
    Object::new()
        .text("id", &listed.id)
        .text("words", &listed.words)
        .text(
            "timezone",
            plan.timezone.iana_name().unwrap_or("local time"),
        )
        .text("cron", plan.cron.as_str())
        .text("feed", plan.feed.as_str())
        .raw("paused", boolean(listed.is_paused))
        .raw("next_runs", &runs)
        .raw("last_run", last.as_deref().unwrap_or("null"))
}

fn last_run(run: &LastRun) -> Object {
    let outcome = match &run.outcome {
        Outcome::Skipped(_) => "skipped",
        _ => "announced",
    };
    Object::new()
        .text("due_at", &run.due_at.to_string())
        .text("outcome", outcome)
}

fn audience(audience: &Audience) -> Object {
    match audience {
        Audience::Everyone => Object::new().text("kind", "everyone"),
        Audience::Users(users) => {
            let named = users.iter().take(NAMED_MAX).map(AsRef::as_ref);
            Object::new()
                .text("kind", "users")
                .number("count", users.len() as u64)
                .raw("users", &json::list(named))
        }
        _ => Object::new().text("kind", "unknown"),
    }
}

async fn run(call: Call) -> Answer {
    let (schedules, found) = with(&call).await?;
    let started = match call.key(None)? {
        // The key is the caller's own, as it is in an announcement.
        Some(key) => {
            let key = format!("{}/{key}", call.identity.user());
            schedules.run_once(&found.id, &key).await
        }
        None => schedules.run_now(&found.id).await,
    };
    let started = started.map_err(failed)?;
    let detail = Object::new().text("key", &started.key).end();
    call.desk()
        .record(call.actor(), "schedule.run", &found.id, detail, call.now)
        .await?;
    let object = Object::new()
        .text("key", &started.key)
        .raw("audience", &audience(&started.audience).end());
    Ok(answer::ok(object))
}

async fn preview(call: Call) -> Answer {
    let (schedules, found) = with(&call).await?;
    let preview = schedules.preview(&found.id).await.map_err(failed)?;
    let due = preview.due_at.map(|at| json::quoted(&format!("{at}")));
    let object = Object::new()
        .raw("due_at", due.as_deref().unwrap_or("null"))
        .text("feed", preview.draft.feed.as_str())
        .raw("fields", &preview.draft.body)
        .raw("audience", &audience(&preview.audience).end());
    Ok(answer::ok(object))
}

async fn pause(call: Call) -> Answer {
    set_paused(call, true).await
}

async fn resume(call: Call) -> Answer {
    set_paused(call, false).await
}

async fn set_paused(call: Call, is_paused: bool) -> Answer {
    let (schedules, found) = with(&call).await?;
    call.desk()
        .pause(call.actor(), &found.id, is_paused, call.now)
        .await?;
    schedules.wake();
    // What the plan itself has paused stays so.
    let paused = boolean(is_paused || found.plan.paused);
    Ok(answer::ok(Object::new().raw("paused", paused)))
}
