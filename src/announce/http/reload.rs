//! Settings read anew.

use alloc::format;
use alloc::string::String;

use axum::http::StatusCode;

use crate::announce::code::Code;
use crate::announce::desk::Desk;
use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::route::{Route, post};
use crate::announce::json::{self, Object};

pub(crate) fn routes() -> [Route; 1] {
    [post("/admin/reload", reload)]
}

async fn reload(call: Call) -> Answer {
    call.only(&[])?;
    call.desk().is_operator(call.actor())?;
    let Some(reload) = &call.api.inner.reload else {
        return Err(Desk::not_set_up("this server does not reload its settings").into());
    };
    let names = |names: &[String]| json::list(names.iter().map(String::as_str));
    let reloaded = match reload().await {
        Ok(reloaded) => reloaded,
        Err(faults) => return Ok(refused(&faults)),
    };
    let applied = names(&reloaded.applied);
    let detail = Object::new().raw("applied", &applied).end();
    call.desk()
        .record(call.actor(), "settings.reload", "", detail, call.now)
        .await?;
    let object = Object::new()
        .raw("applied", &applied)
        .raw("needs_restart", &names(&reloaded.needs_restart));
    Ok(answer::ok(object))
}

fn refused(faults: &[String]) -> axum::response::Response {
    let message = format!("nothing has changed: {} faults", faults.len());
    let error = Object::new()
        .text("code", Code::Conflict.as_str())
        .text("message", &message)
        .raw("faults", &json::list(faults.iter().map(String::as_str)));
    answer::json(
        StatusCode::CONFLICT,
        Object::new().raw("error", &error.end()),
    )
}
