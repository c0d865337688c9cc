//! Tokens that are refused before their time.

use core::time::Duration;

use axum::http::StatusCode;

use crate::announce::desk::subject;
use crate::announce::fields::{Fault, Given};
use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::route::{Route, get, post};
use crate::announce::http::words::{list, time};
use crate::announce::json::Object;
use crate::announce::token::{LIFETIME_MAX, Revocation};

pub(crate) fn routes() -> [Route; 2] {
    const PATH: &str = "/api/v1/revocations";
    [get(PATH, all), post(PATH, add)]
}

async fn all(call: Call) -> Answer {
    call.only(&[])?;
    let found = call.desk().revocations(call.actor(), call.now).await?;
    let revocations = list(found.iter().map(shown));
    Ok(answer::ok(Object::new().raw("revocations", &revocations)))
}

fn shown(revocation: &Revocation) -> Object {
    Object::new()
        .text("kind", revocation.kind.name())
        .text("subject", subject(revocation))
        .raw("issued_before", &time(Some(revocation.issued_before)))
        .raw("until", &time(Some(revocation.until)))
}

async fn add(call: Call) -> Answer {
    let names = ["token_id", "user", "everyone", "issued_before", "until"];
    let fields = call.fields(&names)?;
    let given = Given(&fields);
    let before = given.time("issued_before")?;
    // The second in which a token was issued is all that it tells.
    let before = before.unwrap_or(call.now + Duration::from_secs(1));
    let until = given.time("until")?.unwrap_or(call.now + LIFETIME_MAX);
    if until <= call.now {
        return Err(Fault::wrong("until", "a time to come").into());
    }
    let namespace = &call.identity.namespace;
    let everyone = given.flag("everyone")?.unwrap_or(false);
    let revocation = match (given.string("token_id")?, given.string("user")?, everyone) {
        (Some(id), None, false) => Revocation::of_token(&id, until),
        (None, Some(user), false) => Revocation::of_user(namespace, &user, before, until),
        (None, None, true) => Revocation::of_namespace(namespace, before, until),
        (None, None, false) => return Err(Fault::missing("token_id, user or everyone").into()),
        _ => return Err(Fault::wrong("the request", "about one of them").into()),
    };
    let answer = shown(&revocation);
    call.desk()
        .revoke_as(call.actor(), revocation, call.now)
        .await?;
    Ok(answer::json(StatusCode::CREATED, answer))
}
