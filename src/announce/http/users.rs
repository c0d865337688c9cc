//! What belongs to one person: the unread, what was read, and messages to their connections.

use alloc::string::String;
use alloc::vec::Vec;

use crate::announce::fields::{Fault, Given};
use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::problem::Problem;
use crate::announce::http::route::{Route, get, post};
use crate::announce::json::{Fields, Object};
use crate::announce::native;
use crate::announce::outcome::Push;

pub(crate) fn routes() -> [Route; 4] {
    [
        get("/api/v1/users/{user}/unread", unread),
        post("/api/v1/users/{user}/read", read),
        post("/api/v1/users/{user}/messages", message),
        post("/api/v1/messages", messages),
    ]
}

async fn unread(call: Call) -> Answer {
    call.only(&["cursor", "limit"])?;
    let wrong = |_| Fault::wrong("cursor", "one that this server has given");
    let after = call.asked("cursor").map(|text| text.parse().map_err(wrong));
    let (after, most) = (after.transpose()?, call.limit()?);
    let page = call
        .desk()
        .unread_of(&call.identity, call.user()?, after, most, call.now)
        .await?;
    Ok(answer::ok(native::page_payload(&page)))
}

async fn read(call: Call) -> Answer {
    let fields = call.fields(&["feed", "announcements", "up_to"])?;
    let given = Given(&fields);
    let feed = given.feed("feed")?;
    let mark = given.mark("announcements", "up_to")?;
    let user = call.user()?;
    let state = call
        .desk()
        .read_of(&call.identity, user, &feed, mark.clone(), call.now)
        .await?;
    let payload = native::read_state_payload(&feed, &mark, &state);
    let namespace = &call.identity.namespace;
    if let Some(push) = Push::read_by(namespace, user, &feed, mark, state) {
        call.api.service().push(&push, None);
    }
    Ok(answer::ok(payload))
}

async fn message(call: Call) -> Answer {
    let fields = call.fields(&["event", "payload"])?;
    send(&call, &[call.user()?.into()], &fields)
}

async fn messages(call: Call) -> Answer {
    let fields = call.fields(&["to", "event", "payload"])?;
    let to = native::receivers(&Given(&fields))?;
    send(&call, &to, &fields)
}

//= C22
//= C24
fn send(call: &Call, to: &[String], fields: &Fields<'_>) -> Answer {
    let given = Given(fields);
    for name in ["event", "payload"] {
        // `null` is a payload like any other, once it is said.
        if !fields.iter().any(|(field, _)| field == name) {
            return Err(Fault::missing(name).into());
        }
    }
    let event = native::event_name(&given)?;
    let payload = native::value(&given);
    let pushes: Vec<Push> =
        native::relayed(&call.identity, to, &event, &payload).map_err(Problem::from)?;
    let service = call.api.service();
    let queued: usize = pushes.iter().map(|push| service.push(push, None)).sum();
    Ok(answer::ok(Object::new().number("queued", queued as u64)))
}
