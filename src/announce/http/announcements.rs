//! Announcements: made, listed, changed, taken back, and what became of them.

use axum::http::StatusCode;

use crate::announce::announcement::{FeedKey, State};
use crate::announce::fields::{Fault, Given};
use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::route::{Route, delete, get, patch, post};
use crate::announce::http::words::{announcement, boolean, list, text, time};
use crate::announce::json::Object;
use crate::announce::native;
use crate::announce::store::{Filter, Person, Step, What, Who};

pub(crate) fn routes() -> [Route; 7] {
    const ONE: &str = "/api/v1/announcements/{id}";
    [
        post("/api/v1/announcements", publish),
        get("/api/v1/announcements", all),
        get(ONE, one),
        patch(ONE, edit),
        delete(ONE, recall),
        get("/api/v1/announcements/{id}/ledger", ledger),
        get("/api/v1/announcements/{id}/explain", explain),
    ]
}

//= A62
//= AU-25
async fn publish(call: Call) -> Answer {
    let fields = call.fields(&[
        "feed",
        "title",
        "body",
        "data",
        "priority",
        "require_ack",
        "ack_by",
        "visible_at",
        "expires_at",
        "key",
        "dry_run",
    ])?;
    let given = Given(&fields);
    let mut draft = native::draft(&given)?;
    draft.key = call.key(Some(&given))?;
    let is_dry = given.flag("dry_run")?.unwrap_or(false);
    let audience = call.desk().audience(call.actor(), &draft).await?;
    let online = call.api.service().online(&call.identity.namespace) as u64;
    if is_dry {
        let object = Object::new().number("audience", audience);
        return Ok(answer::ok(object.number("online", online)));
    }
    let published = call.desk().publish(call.actor(), draft, call.now).await?;
    let stored = &published.announcement;
    let object = Object::new()
        .text("announcement", &stored.id)
        .text("feed", stored.feed.as_str())
        .number("offset", stored.offset)
        .text("epoch", &stored.epoch)
        .text("state", stored.state.as_str())
        .number("audience", audience)
        .number("online", online)
        .raw("duplicate", boolean(published.duplicate));
    let status = if published.duplicate {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok(answer::json(status, object))
}

async fn all(call: Call) -> Answer {
    call.only(&["feed", "state", "publisher", "cursor", "limit"])?;
    let feed = call
        .asked("feed")
        .map(|name| FeedKey::new(name).ok_or_else(|| Fault::wrong("feed", "the name of a feed")));
    let state = call.asked("state").map(|name| {
        State::new(name).ok_or_else(|| Fault::wrong("state", "pending, released or recalled"))
    });
    let filter = Filter {
        feed: feed.transpose()?,
        state: state.transpose()?,
        publisher: call.asked("publisher").map(Into::into),
    };
    let (after, most) = (call.asked("cursor"), call.limit()?);
    let listed = call.desk().announcements(call.actor(), filter, after, most);
    let listed = listed.await?;
    let object = Object::new().raw(
        "announcements",
        &list(listed.announcements.iter().map(announcement)),
    );
    Ok(answer::ok(
        object.raw("cursor", &text(listed.next.as_deref())),
    ))
}

async fn one(call: Call) -> Answer {
    call.only(&[])?;
    let found = call
        .desk()
        .look_up(call.actor(), call.part("id"), call.now)
        .await?;
    Ok(answer::ok(announcement(&found)))
}

async fn edit(call: Call) -> Answer {
    let fields = call.fields(&["title", "body", "data", "version", "unread_again"])?;
    let given = Given(&fields);
    let body = native::body(&given)?;
    let expected = given.number("version")?;
    let again = given.flag("unread_again")?.unwrap_or(false);
    let id = call.part("id");
    let edited = call
        .desk()
        .edit(call.actor(), id, &body, expected, again, call.now)
        .await?;
    let object = Object::new().text("announcement", &edited.id);
    Ok(answer::ok(object.number("version", edited.version)))
}

async fn recall(call: Call) -> Answer {
    call.only(&[])?;
    let recalled = call
        .desk()
        .recall(call.actor(), call.part("id"), call.now)
        .await?;
    let object = Object::new().text("announcement", &recalled.id);
    Ok(answer::ok(object.number("version", recalled.version)))
}

async fn ledger(call: Call) -> Answer {
    call.only(&["who", "cursor", "limit"])?;
    let who = match call.asked("who") {
        None | Some("everyone") => Who::Everyone,
        Some("not_sent") => Who::NotSent,
        Some("not_delivered") => Who::NotDelivered,
        Some("not_read") => Who::NotRead,
        Some("not_acknowledged") => Who::NotAcknowledged,
        Some(_) => {
            let wanted = "everyone, not_sent, not_delivered, not_read or not_acknowledged";
            return Err(Fault::wrong("who", wanted).into());
        }
    };
    let (after, most) = (call.asked("cursor"), call.limit()?);
    let ledger = call
        .desk()
        .ledger(call.actor(), call.part("id"), who, after, most)
        .await?;
    let object = Object::new()
        .text("announcement", &ledger.announcement.id)
        .number("audience", ledger.audience)
        .number("sent", ledger.sent)
        .number("delivered", ledger.delivered)
        .number("read", ledger.read)
        .number("acknowledged", ledger.acknowledged)
        .raw("people", &list(ledger.people.iter().map(person)))
        .raw("cursor", &text(ledger.next.as_deref()));
    Ok(answer::ok(object))
}

fn person(person: &Person) -> Object {
    Object::new()
        .text("user", &person.user)
        .raw("sent_at", &time(person.sent_at))
        .raw("delivered_at", &time(person.delivered_at))
        .raw("is_read", boolean(person.is_read))
        .raw("read_at", &time(person.read_at))
        .raw("acknowledged_at", &time(person.acknowledged_at))
}

async fn explain(call: Call) -> Answer {
    call.only(&["user"])?;
    let user = call.asked("user").ok_or_else(|| Fault::missing("user"))?;
    let steps = call
        .desk()
        .explain(call.actor(), call.part("id"), user, call.now)
        .await?;
    Ok(answer::ok(
        Object::new().raw("steps", &list(steps.iter().map(step))),
    ))
}

fn step(step: &Step) -> Object {
    let named = |name: &str| Object::new().text("what", name).raw("at", &time(step.at));
    match &step.what {
        What::Stored => named("stored"),
        What::InAudience => named("in_audience"),
        What::NotInAudience => named("not_in_audience"),
        What::Visible { offset } => named("visible").number("offset", *offset),
        What::NotVisibleYet => named("not_visible_yet"),
        What::Edited { version, offset } => named("edited")
            .number("version", *version)
            .number("offset", *offset),
        What::Sent => named("sent"),
        What::NotSent => named("not_sent"),
        What::Delivered => named("delivered"),
        What::NotDelivered => named("not_delivered"),
        What::Read => named("read"),
        What::NotRead => named("not_read"),
        What::Acknowledged { version, is_valid } => named("acknowledged")
            .number("version", *version)
            .raw("is_valid", boolean(*is_valid)),
        What::NotAcknowledged => named("not_acknowledged"),
        What::Recalled => named("recalled"),
        What::Expired => named("expired"),
    }
}
