//! From values to text.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;
use std::time::SystemTime;

use crate::announce::announcement::{Announcement, FeedKey, Unread};
use crate::announce::caller::Identity;
use crate::announce::code::Code;
use crate::announce::desk::Denied;
use crate::announce::event::Event;
use crate::announce::json::{self, Object};
use crate::announce::outcome::Standing;
use crate::announce::rooms::Present;
use crate::announce::store::{
    Acknowledged, Change, Published, ReadMark, ReadState, Release, UnreadPage,
};
use crate::announce::time::rfc3339;

/// A message of this type, in answer to the request `id` where there is one.
fn message(kind: &str, payload: Object, id: Option<&str>) -> String {
    Object::new()
        .text("type", kind)
        .raw_if("replyTo", id)
        .raw("payload", &payload.end())
        .end()
}

/// The first thing that a connection is told: what it may expect.
#[must_use]
pub fn hello(node: &str, ping: Duration, message_bytes_max: u64, sign_in_by: Duration) -> String {
    let payload = Object::new()
        .text("node", node)
        .number("ping_ms", milliseconds(ping))
        .number("message_bytes_max", message_bytes_max)
        .number("sign_in_ms", milliseconds(sign_in_by));
    message("hello", payload, None)
}

/// An error, in answer to a request.
#[must_use]
pub fn error(code: Code, text: &str, id: Option<&str>) -> String {
    let payload = Object::new()
        .text("code", code.as_str())
        .text("message", text);
    message("error", payload, id)
}

/// The answer to what may not be done, with the time after which it may be asked again.
#[must_use]
pub(crate) fn denied(denied: &Denied, id: Option<&str>) -> String {
    let retry = denied.retry_in.map(|time| milliseconds(time).to_string());
    let payload = Object::new()
        .text("code", denied.code.as_str())
        .text("message", &denied.message)
        .raw_if("retry_in_ms", retry.as_deref());
    message("error", payload, id)
}

/// The answer to a token that does not verify. It does not say why.
#[must_use]
pub fn token_refused(id: Option<&str>) -> String {
    let payload = Object::new()
        .text("code", "bad_token")
        .text("message", "the token does not verify");
    message("error", payload, id)
}

/// The answer to `sign`.
#[must_use]
pub fn signed(
    identity: &Identity,
    standings: &[Standing],
    unread: &Unread,
    id: Option<&str>,
) -> String {
    let feeds: Vec<_> = standings
        .iter()
        .map(|it| {
            Object::new()
                .text("feed", it.feed.as_str())
                .number("offset", it.offset)
                .text("epoch", &it.epoch)
                .raw_if("recovered", it.recovered.map(boolean))
                .end()
        })
        .collect();
    let payload = Object::new()
        .text("user", identity.user())
        .text("namespace", &identity.namespace)
        .text("session", &identity.session)
        .text("expires_at", &rfc3339(identity.claims.expires_at()))
        .raw("feeds", &format!("[{}]", feeds.join(",")))
        .raw("unread", &counts(unread))
        .number("unread_version", unread.version);
    message("signed", payload, id)
}

/// The answer to `refresh`.
#[must_use]
pub(crate) fn refreshed(until: Option<SystemTime>, id: Option<&str>) -> String {
    let until = until.map(|time| json::quoted(&rfc3339(time)));
    let payload = Object::new().raw_if("expires_at", until.as_deref());
    message("refreshed", payload, id)
}

/// That the token ends soon.
#[must_use]
pub fn expiring(left: Duration) -> String {
    let payload = Object::new().number("in_ms", milliseconds(left));
    message("token_expiring", payload, None)
}

/// That the server goes, and when this client may come back.
#[must_use]
pub fn draining(retry_in: Duration, reason: &str) -> String {
    let payload = Object::new()
        .number("retry_in_ms", milliseconds(retry_in))
        .text("reason", reason);
    message("drain", payload, None)
}

/// That what came after the client's position `from` is not there as it was: it is kept no more,
/// or the feed has begun a new life. What follows is all there is.
#[must_use]
pub fn gap(feed: &FeedKey, from: u64, epoch: &str) -> String {
    let payload = Object::new()
        .text("feed", feed.as_str())
        .number("from", from)
        .text("epoch", epoch);
    message("gap", payload, None)
}

/// The answer to `publish`.
#[must_use]
pub fn published(published: &Published, audience: u64, online: usize, id: Option<&str>) -> String {
    let Published {
        announcement,
        duplicate,
    } = published;
    let payload = Object::new()
        .text("announcement", &announcement.id)
        .text("feed", announcement.feed.as_str())
        .number("offset", announcement.offset)
        .text("epoch", &announcement.epoch)
        .text("state", announcement.state.as_str())
        .number("audience", audience)
        .raw("online", &online.to_string())
        .raw("duplicate", boolean(*duplicate));
    message("published", payload, id)
}

/// The answer to `publish` with `dry_run`.
#[must_use]
pub(crate) fn dry_run(audience: u64, id: Option<&str>) -> String {
    let payload = Object::new().number("audience", audience);
    message("dry_run", payload, id)
}

/// The answer to `edit` and `recall`.
#[must_use]
pub(crate) fn changed(kind: &str, announcement: &Announcement, id: Option<&str>) -> String {
    let payload = Object::new()
        .text("announcement", &announcement.id)
        .number("version", announcement.version);
    message(kind, payload, id)
}

/// The answer to what has no other answer.
#[must_use]
pub(crate) fn done(kind: &str, id: &str) -> String {
    message(kind, Object::new(), Some(id))
}

/// The answer to `acknowledge`.
#[must_use]
pub(crate) fn acknowledged(announcement: &str, done: &Acknowledged, id: Option<&str>) -> String {
    let payload = Object::new()
        .text("announcement", announcement)
        .raw("unread", &counts(&done.unread))
        .number("unread_version", done.unread.version);
    message("acknowledged", payload, id)
}

/// The answer to `read`, and what the person's other connections are told.
#[must_use]
pub(crate) fn read_state(
    feed: &FeedKey,
    mark: &ReadMark,
    state: &ReadState,
    id: Option<&str>,
) -> String {
    message("read_state", read_state_payload(feed, mark, state), id)
}

pub(crate) fn read_state_payload(feed: &FeedKey, mark: &ReadMark, state: &ReadState) -> Object {
    let (ids, offset) = match mark {
        ReadMark::Ids(ids) => (ids, None),
        ReadMark::UpTo(offset) => (&state.newly_read, Some(offset.to_string())),
    };
    Object::new()
        .text("feed", feed.as_str())
        .raw("announcements", &json::list(ids.iter().map(String::as_str)))
        .raw_if("up_to", offset.as_deref())
        .raw("unread", &counts(&state.unread))
        .number("unread_version", state.unread.version)
}

/// The answer to `unread`.
#[must_use]
pub fn page(page: &UnreadPage, id: Option<&str>) -> String {
    message("unread", page_payload(page), id)
}

pub(crate) fn page_payload(page: &UnreadPage) -> Object {
    let messages: Vec<_> = page
        .messages
        .iter()
        .map(|it| announcement(it, it.offset, None).end())
        .collect();
    let cursor = page.next.as_ref().map(|it| json::quoted(&it.to_string()));
    Object::new()
        .raw("announcements", &format!("[{}]", messages.join(",")))
        .raw("unread", &counts(&page.unread))
        .number("unread_version", page.unread.version)
        .raw("cursor", cursor.as_deref().unwrap_or("null"))
        .raw("complete", boolean(cursor.is_none()))
}

/// The answer to `join` and `presence`.
#[must_use]
pub fn present(room: &str, present: &Present, id: Option<&str>) -> String {
    let payload = Object::new()
        .text("room", room)
        .raw(
            "people",
            &json::list(present.people.iter().map(String::as_str)),
        )
        .number("version", present.version);
    message("present", payload, id)
}

/// What a connection that did not ask is told of an event; `None` where the dialect has no word
/// for it.
#[must_use]
pub fn event(event: &Event) -> Option<String> {
    Some(match event {
        Event::Released(release) => released(release),
        Event::Read { feed, mark, state } => read_state(feed, mark, state, None),
        Event::Said {
            room,
            from,
            event,
            payload,
        } => {
            let object = Object::new().text("room", room);
            message("said", spoken(object, from, event, payload), None)
        }
        Event::Relayed {
            from,
            event,
            payload,
        } => message("relayed", spoken(Object::new(), from, event, payload), None),
        Event::Presence {
            room,
            user,
            present,
            version,
        } => {
            let payload = Object::new()
                .text("room", room)
                .text("user", user)
                .raw("present", boolean(*present))
                .number("version", *version);
            message("presence", payload, None)
        }
    })
}

fn spoken(object: Object, from: &str, event: &str, payload: &str) -> Object {
    object
        .text("from", from)
        .text("event", event)
        .raw("payload", payload)
}

fn released(release: &Release) -> String {
    let stored = &release.announcement;
    let previous = Some(release.prev_offset);
    match release.change {
        Change::Posted => {
            let payload = announcement(stored, release.offset, previous);
            message("announcement", payload, None)
        }
        Change::Edited => {
            let payload = announcement(stored, release.offset, previous);
            message("edited", payload, None)
        }
        Change::Recalled => {
            let payload = Object::new()
                .text("announcement", &stored.id)
                .text("feed", stored.feed.as_str())
                .number("offset", release.offset)
                .number("prev_offset", release.prev_offset)
                .text("epoch", &stored.epoch)
                .number("version", stored.version);
            message("recalled", payload, None)
        }
    }
}

/// An announcement. The publisher's fields are `title`, `body`, and all others under `data`.
pub(crate) fn announcement(stored: &Announcement, offset: u64, previous: Option<u64>) -> Object {
    let previous = previous.map(|it| it.to_string());
    let mut object = Object::new()
        .text("announcement", &stored.id)
        .text("kind", stored.kind.as_str())
        .text("feed", stored.feed.as_str())
        .number("offset", offset)
        .raw_if("prev_offset", previous.as_deref())
        .text("epoch", &stored.epoch)
        .number("version", stored.version)
        .text("publisher", &stored.publisher)
        .text("sent_at", &rfc3339(stored.sent_at))
        .text("priority", stored.priority.as_str())
        .raw("require_ack", boolean(stored.require_ack));
    for (name, time) in [("ack_by", stored.ack_by), ("expires_at", stored.expires_at)] {
        let time = time.map(|time| json::quoted(&rfc3339(time)));
        object = object.raw_if(name, time.as_deref());
    }
    let mut data = Object::new();
    for (name, value) in json::fields(&stored.body).unwrap_or_default() {
        match name.as_str() {
            "Title" => object = object.raw("title", value.get()),
            "Body" => object = object.raw("body", value.get()),
            _ => data = data.raw(&name, value.get()),
        }
    }
    object.raw("data", &data.end())
}

fn counts(unread: &Unread) -> String {
    let add = |object: Object, (feed, count): &(FeedKey, u64)| object.number(feed.as_str(), *count);
    unread.counts.iter().fold(Object::new(), add).end()
}

const fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
