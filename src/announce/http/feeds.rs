//! Who is in which feed.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;

use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::route::{Route, delete, get, put};
use crate::announce::http::words::{list, text, time};
use crate::announce::json::{self, Object};
use crate::announce::store::{Membership, Source};

pub(crate) fn routes() -> [Route; 4] {
    const MEMBER: &str = "/api/v1/feeds/{feed}/members/{user}";
    [
        get("/api/v1/users/{user}/feeds", of_user),
        get("/api/v1/feeds/{feed}/members", members),
        put(MEMBER, add),
        delete(MEMBER, remove),
    ]
}

async fn of_user(call: Call) -> Answer {
    call.only(&[])?;
    let found = call
        .desk()
        .memberships_of(call.actor(), call.user()?)
        .await?;
    let feeds = list(found.iter().map(membership));
    Ok(answer::ok(Object::new().raw("feeds", &feeds)))
}

fn membership(membership: &Membership) -> Object {
    let source = match membership.source {
        Source::Claim => "claim",
        Source::Api => "api",
        Source::Everyone => "everyone",
    };
    Object::new()
        .text("feed", membership.feed.as_str())
        .text("source", source)
        .number("since", membership.since)
        .raw("joined_at", &time(membership.joined_at))
}

async fn members(call: Call) -> Answer {
    call.only(&["cursor", "limit"])?;
    let (after, most) = (call.asked("cursor"), call.limit()?);
    let found = call
        .desk()
        .members(call.actor(), &call.feed()?, after, most)
        .await?;
    let object = Object::new()
        .raw(
            "members",
            &json::list(found.users.iter().map(alloc::string::String::as_str)),
        )
        .raw("cursor", &text(found.next.as_deref()));
    Ok(answer::ok(object))
}

async fn add(call: Call) -> Answer {
    set(call, true).await
}

async fn remove(call: Call) -> Answer {
    set(call, false).await
}

async fn set(call: Call, is_member: bool) -> Answer {
    call.only(&[])?;
    let (feed, user) = (call.feed()?, call.user()?);
    let desk = call.desk();
    desk.set_member(call.actor(), &feed, user, is_member, call.now)
        .await?;
    let namespace = &call.identity.namespace;
    call.api
        .service()
        .follow(namespace, user, &feed, is_member)
        .await;
    Ok(StatusCode::NO_CONTENT.into_response())
}
