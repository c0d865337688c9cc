//! Figures for the console.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::collections::HashSet;

use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::route::{Route, get};
use crate::announce::json::Object;
use crate::announce::service::ways;

pub(crate) fn routes() -> [Route; 1] {
    [get("/api/v1/statistics", all)]
}

async fn all(call: Call) -> Answer {
    call.only(&[])?;
    call.desk().is_operator(call.actor())?;
    let service = call.api.service();
    let mut people = HashSet::new();
    let mut counts: Vec<(&str, u64)> = ways().map(|way| (way, 0)).collect();
    for presence in service.clients().snapshot() {
        let Some(identity) = presence.identity() else {
            continue;
        };
        if identity.namespace != call.identity.namespace {
            continue;
        }
        let way = presence.way();
        if let Some((_, count)) = counts.iter_mut().find(|(it, _)| *it == way) {
            *count += 1;
        }
        people.insert(String::from(identity.user()));
    }
    let total = counts.iter().map(|(_, count)| count).sum();
    let by_dialect = counts
        .into_iter()
        .fold(Object::new(), |object, (way, count)| {
            object.number(way, count)
        });
    let connections = Object::new()
        .number("total", total)
        .raw("by_dialect", &by_dialect.end());
    let counted = service.counters().snapshot();
    let store = call.desk().store().metrics();
    let store = Object::new()
        .number("commits", store.commits)
        .number("writes", store.writes);
    let object = Object::new()
        .raw("connections", &connections.end())
        .number("people_online", people.len() as u64)
        .raw(
            "announcements_per_minute",
            &numbers(&counted.announcements_per_minute),
        )
        .raw(
            "deliveries_per_minute",
            &numbers(&counted.deliveries_per_minute),
        )
        .number("uptime_s", counted.uptime.as_secs())
        .raw("store", &store.end());
    Ok(answer::ok(object))
}

fn numbers(numbers: &[u64]) -> String {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}
