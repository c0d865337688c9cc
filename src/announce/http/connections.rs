//! Connections that are open.

use alloc::string::ToString as _;

use crate::announce::fields::Fault;
use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::route::{Route, delete, get};
use crate::announce::http::words::{list, text, time};
use crate::announce::json::Object;
use crate::announce::service::{Presence, reason};

/// The most connections that are listed.
const LISTED_MAX: usize = 1000;

pub(crate) fn routes() -> [Route; 2] {
    const PATH: &str = "/api/v1/connections";
    [get(PATH, all), delete(PATH, close)]
}

async fn all(call: Call) -> Answer {
    call.only(&[])?;
    call.desk().is_operator(call.actor())?;
    let mut here = call.api.service().clients().snapshot();
    here.retain(|it| {
        let identity = it.identity();
        identity.is_some_and(|identity| identity.namespace == call.identity.namespace)
    });
    let shown = here.iter().take(LISTED_MAX).map(|it| connection(it));
    let object = Object::new().raw("connections", &list(shown));
    Ok(answer::ok(object.number("total", here.len() as u64)))
}

fn connection(presence: &Presence) -> Object {
    let identity = presence.identity();
    let expires_at = identity.as_ref().map(|it| it.claims.expires_at());
    Object::new()
        .raw("label", &text(presence.label().as_deref()))
        .raw("user", &text(identity.as_ref().map(|it| it.user())))
        .text("dialect", presence.way())
        .text("address", &presence.peer.to_string())
        .raw("since", &time(Some(presence.since)))
        .raw("expires_at", &time(expires_at))
}

async fn close(call: Call) -> Answer {
    call.only(&["user"])?;
    call.desk().is_operator(call.actor())?;
    let user = call.asked("user").ok_or_else(|| Fault::missing("user"))?;
    let gone = reason(4401, "closed by an operator");
    let namespace = &call.identity.namespace;
    let closed = call.api.service().disconnect_user(namespace, user, &gone) as u64;
    let detail = Object::new().number("closed", closed).end();
    call.desk()
        .record(call.actor(), "connections.close", user, detail, call.now)
        .await?;
    Ok(answer::ok(Object::new().number("closed", closed)))
}
