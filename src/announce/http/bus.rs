//! Publishing on the bus.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use std::sync::PoisonError;

use axum::http::StatusCode;

use crate::announce::bus::{
    ANY_NAMESPACE_SCOPE, BROADCAST_SCOPE, Bus, Credential, Json, Producer, Refused, SEND_SCOPE,
};
use crate::announce::code::Code;
use crate::announce::desk::Desk;
use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::problem::{Problem, invalid};
use crate::announce::http::route::{Route, post};

/// How many producers are kept.
const PRODUCERS_MAX: usize = 1024;

pub(crate) fn routes() -> [Route; 1] {
    [post("/api/v1/bus/{topic}", publish)]
}

//= B41
//= B50
async fn publish(call: Call) -> Answer {
    let Some(bus) = &call.api.inner.bus else {
        return Err(Desk::not_set_up("this server has no bus").into());
    };
    let topic = call.part("topic");
    let data = Json::parse(call.body()?).map_err(|error| invalid(&error))?;
    match producer(&call, bus, topic).send(topic, data).await {
        Ok(accepted) => Ok(answer::text(StatusCode::OK, accepted.to_json())),
        Err(refused) => {
            let code = match &refused {
                Refused::Forbidden(_) => Code::Forbidden,
                Refused::Invalid(_) => Code::WrongType,
                Refused::Busy => Code::TooOften,
                Refused::Unavailable => Code::Unavailable,
            };
            Err(Problem::new(code, refused.to_string()))
        }
    }
}

/// The producer of a person, with those of their scopes that matter for a topic.
fn producer(call: &Call, bus: &Bus, topic: &str) -> Producer {
    let own = format!("bus:{topic}");
    let scopes = [SEND_SCOPE, BROADCAST_SCOPE, ANY_NAMESPACE_SCOPE, &own];
    let claims = &call.identity.claims;
    let held: Vec<&str> = scopes.into_iter().filter(|it| claims.allows(it)).collect();
    let (namespace, user) = (&call.identity.namespace, call.identity.user());
    // No part of it holds a control character.
    let key = format!("{namespace}\u{1f}{user}\u{1f}{}", held.join("\u{1f}"));
    let mut producers = call
        .api
        .inner
        .producers
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if producers.len() >= PRODUCERS_MAX && !producers.contains_key(&key) {
        producers.clear();
    }
    let new = || bus.producer(Credential::new(user, namespace, &held));
    producers.entry(key).or_insert_with(new).clone()
}
