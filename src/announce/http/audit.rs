//! The record of who did what.

use crate::announce::fields::Fault;
use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::route::{Route, get};
use crate::announce::http::words::{list, text, time};
use crate::announce::json::Object;
use crate::announce::store::{AUDIT_PAGE_MAX, AuditRecord};

pub(crate) fn routes() -> [Route; 1] {
    [get("/api/v1/audit", all)]
}

async fn all(call: Call) -> Answer {
    call.only(&["cursor", "limit"])?;
    let wrong = |_| Fault::wrong("cursor", "one that this server has given");
    let after = call.asked("cursor").map(|text| text.parse().map_err(wrong));
    let after = after.transpose()?.unwrap_or(0);
    let most = call.limit()?.min(AUDIT_PAGE_MAX);
    let found = call.desk().audit_log(call.actor(), after, most).await?;
    let is_cut = found.len() == most;
    let next = found.last().filter(|_| is_cut);
    let next = next.map(|record| alloc::format!("{}", record.seq));
    let object = Object::new()
        .raw("records", &list(found.iter().map(record)))
        .raw("cursor", &text(next.as_deref()));
    Ok(answer::ok(object))
}

fn record(record: &AuditRecord) -> Object {
    let entry = &record.entry;
    Object::new()
        .number("seq", record.seq)
        .raw("at", &time(Some(entry.at)))
        .text("actor", &entry.actor)
        .text("action", &entry.action)
        .text("subject", &entry.subject)
        .raw("detail", &entry.detail)
        .text("hash", &record.hash)
}
