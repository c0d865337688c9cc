//! From values to text.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::announce::announcement::{Announcement, FeedKey, FeedKind, Priority, Unread};
use crate::announce::caller::Identity;
use crate::announce::code::Code;
use crate::announce::desk::Denied;
use crate::announce::event::Event;
use crate::announce::intent::request::{ACKNOWLEDGE, MARK, SIGN, UNREAD};
use crate::announce::intent::request::{Context, RequestId};
use crate::announce::json::{self, Object};
use crate::announce::outcome::Standing;
use crate::announce::store::{
    Acknowledged, Change, Published, ReadMark, ReadState, Release, UnreadPage,
};
use crate::announce::time::rfc3339;

/// The answer to a message without a token, byte for byte as the first server gave it.
pub const NO_TOKEN: &str = r#"{"auth":false,"message":"No token provided."}"#;

/// The answer to a message with a bad token, byte for byte as the first server gave it.
pub const BAD_TOKEN: &str = r#"{"auth":false,"message":"Failed to authenticate token."}"#;

/// The answer to somebody who claims to be another person.
pub const USER_MISMATCH: &str = r#"{"auth":false,"message":"UserID does not match token."}"#;

/// How often the server pings, in seconds, as it is announced to clients.
const PING_SECONDS: u64 = 25;

/// The names that the server gives to members of a delivered announcement. A field of the
/// publisher with one of these names is delivered under `Data` alone.
const OWNED: [&str; 15] = [
    "Intent",
    "Group",
    "NotificationID",
    "offset",
    "epoch",
    "SentAt",
    "Publisher",
    "Data",
    "auth",
    "type",
    "RequireAck",
    "AckBy",
    "ExpiresAt",
    "version",
    "prev_offset",
];

/// The fields of the publisher that every front end knows, and that `Data` leaves out.
const KNOWN: [&str; 3] = ["Title", "Body", "Priority"];

/// An error, in answer to a request of this context.
#[must_use]
pub fn error(code: Code, message: &str, context: &Context) -> String {
    fault(code, message, None, context)
}

/// The answer to what may not be done, with the time after which it may be asked again.
#[must_use]
pub(crate) fn denied(denied: &Denied, context: &Context) -> String {
    let retry = denied.retry_in.map(|time| time.as_millis().to_string());
    fault(denied.code, &denied.message, retry.as_deref(), context)
}

fn fault(code: Code, message: &str, retry: Option<&str>, context: &Context) -> String {
    let intent = context.name.as_deref().map(json::quoted);
    let payload = Object::new()
        .text("code", code.as_str())
        .text("message", message)
        .raw_if("retry_in_ms", retry)
        .raw_if("Intent", intent.as_deref())
        .raw_if("RequestID", context.id.as_ref().map(RequestId::as_json))
        .end();
    Object::new()
        .text("type", "error")
        .raw("payload", &payload)
        .end()
}

/// The answer to `Sign`.
#[must_use]
pub fn signed(
    identity: &Identity,
    feeds: &[Standing],
    unread: &Unread,
    request_id: Option<&str>,
) -> String {
    //= A55
    let mut positions = Object::new();
    for Standing {
        feed,
        offset,
        epoch,
        recovered,
    } in feeds
    {
        let position = Object::new()
            .number("offset", *offset)
            .text("epoch", epoch)
            .raw_if(
                "recovered",
                recovered.map(|it| if it { "true" } else { "false" }),
            )
            .end();
        positions = positions.raw(feed.as_str(), &position);
    }
    Object::new()
        .raw("auth", "true")
        .text("Intent", SIGN)
        .text("UserID", identity.user())
        .text("session", &identity.session)
        .text("expires_at", &rfc3339(identity.claims.expires_at()))
        .number("ping", PING_SECONDS)
        .raw("feeds", &positions.end())
        .raw("unread", &counts(unread))
        .number("unread_version", unread.version)
        .raw_if("RequestID", request_id)
        .end()
}

/// What a connection that was not asked for is told of an event; `None` where the dialect has
/// no word for it.
#[must_use]
pub fn event(event: &Event) -> Option<String> {
    match event {
        Event::Released(release) => Some(released(release)),
        Event::Read { feed, mark, state } => Some(read_state(feed, mark, state, None)),
        _ => None,
    }
}

/// An entry of a feed as it is delivered.
fn released(release: &Release) -> String {
    let stored = &release.announcement;
    let told = |intent: &str, object: Object| {
        object
            .text("Intent", intent)
            .raw("Group", &group(&stored.feed))
            .text("NotificationID", &stored.id)
            .number("offset", release.offset)
            .text("epoch", &stored.epoch)
            .number("version", stored.version)
    };
    match release.change {
        // Among what was missed it may have moved on; this entry stands where it stands.
        Change::Posted => announcement_at(stored, release.offset),
        Change::Edited => {
            let edited = told("Announcement edited", Object::new());
            edited.raw("Announcement", &announcement(stored)).end()
        }
        Change::Recalled => told("Announcement recalled", Object::new()).end(),
    }
}

/// The answer to `Acknowledge`.
#[must_use]
pub fn acknowledged(id: &str, done: &Acknowledged, context: &Context) -> String {
    Object::new()
        .text("Intent", ACKNOWLEDGE)
        .text("NotificationID", id)
        .raw("unread", &counts(&done.unread))
        .number("unread_version", done.unread.version)
        .raw_if("RequestID", context.id.as_ref().map(RequestId::as_json))
        .end()
}

/// An announcement as it is delivered, at once and among the unread.
///
/// The publisher's fields stand at the top level, where front ends of the first server look
/// for them, and, without the three that everybody knows, once more under `Data`, where no
/// name can meet one of the server's.
#[must_use]
pub fn announcement(announcement: &Announcement) -> String {
    announcement_at(announcement, announcement.offset)
}

fn announcement_at(announcement: &Announcement, offset: u64) -> String {
    let mut object = Object::new()
        .text("Intent", announcement.kind.as_str())
        .raw("Group", &group(&announcement.feed))
        .text("NotificationID", &announcement.id)
        .number("offset", offset)
        .text("epoch", &announcement.epoch)
        .text("SentAt", &rfc3339(announcement.sent_at))
        .text("Publisher", &announcement.publisher);
    let mut data = Object::new();
    let mut says_priority = false;
    for (name, value) in json::fields(&announcement.body).unwrap_or_default() {
        says_priority |= name == "Priority";
        if !OWNED.contains(&name.as_str()) {
            object = object.raw(&name, value.get());
        }
        if !KNOWN.contains(&name.as_str()) {
            data = data.raw(&name, value.get());
        }
    }
    if announcement.priority != Priority::Normal && !says_priority {
        object = object.text("Priority", announcement.priority.as_str());
    }
    if announcement.require_ack {
        object = object.raw("RequireAck", "true");
    }
    let by = announcement.ack_by.map(|time| json::quoted(&rfc3339(time)));
    let end = announcement
        .expires_at
        .map(|time| json::quoted(&rfc3339(time)));
    let version = (announcement.version > 1).then(|| announcement.version.to_string());
    object
        .raw_if("AckBy", by.as_deref())
        .raw_if("ExpiresAt", end.as_deref())
        .raw_if("version", version.as_deref())
        .raw("Data", &data.end())
        .end()
}

/// What a publisher is told once the announcement is committed. Its text waits for the number
/// of connections that are signed in, which is known elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    published: Published,
    id: Option<RequestId>,
}

impl Acknowledgement {
    /// Acknowledges what was stored, in answer to the request `id`.
    #[must_use]
    pub fn new(published: Published, id: Option<RequestId>) -> Self {
        Self { published, id }
    }

    /// The text, given how many connections are signed in.
    #[must_use]
    pub fn text(&self, online: usize) -> String {
        //= A62
        let Published {
            announcement,
            duplicate,
        } = &self.published;
        Object::new()
            .text("type", "published")
            .text("Intent", "Published")
            .raw("Group", &group(&announcement.feed))
            .text("NotificationID", &announcement.id)
            .number("offset", announcement.offset)
            .text("epoch", &announcement.epoch)
            .raw("online", &online.to_string())
            .raw("duplicate", if *duplicate { "true" } else { "false" })
            .raw_if("RequestID", self.id.as_ref().map(RequestId::as_json))
            .end()
    }
}

/// The answer to `Get unread messages`.
#[must_use]
pub fn unread_page(page: &UnreadPage, id: Option<&RequestId>) -> String {
    //= A66
    let messages: Vec<_> = page.messages.iter().map(announcement).collect();
    let messages = alloc::format!("[{}]", messages.join(","));
    let cursor = page.next.map(|cursor| json::quoted(&cursor.to_string()));
    Object::new()
        .text("Intent", UNREAD)
        .raw("messages", &messages)
        .raw("unread", &counts(&page.unread))
        .number("unread_version", page.unread.version)
        .raw("Cursor", cursor.as_deref().unwrap_or("null"))
        .raw("complete", if cursor.is_none() { "true" } else { "false" })
        .raw_if("RequestID", id.map(RequestId::as_json))
        .end()
}

/// The answer to `Mark as read`, and what the person's other connections are told.
///
/// `NotificationID` lists what was named, or, after `UpTo`, what that has newly covered.
#[must_use]
pub fn read_state(
    feed: &FeedKey,
    mark: &ReadMark,
    state: &ReadState,
    id: Option<&RequestId>,
) -> String {
    let (ids, offset) = match mark {
        ReadMark::Ids(ids) => (ids, None),
        ReadMark::UpTo(offset) => (&state.newly_read, Some(offset.to_string())),
    };
    Object::new()
        .text("Intent", MARK)
        .raw("Group", &group(feed))
        .raw(
            "NotificationID",
            &json::list(ids.iter().map(String::as_str)),
        )
        .raw_if("UpTo", offset.as_deref())
        .raw("unread", &counts(&state.unread))
        .number("unread_version", state.unread.version)
        .raw_if("RequestID", id.map(RequestId::as_json))
        .end()
}

/// A feed as the dialect writes it: `"Public"`, or `{"channel": name}`.
fn group(feed: &FeedKey) -> String {
    let field = match feed.kind() {
        FeedKind::Public => return json::quoted(feed.as_str()),
        FeedKind::Role => "role",
        FeedKind::User => "user",
        _ => "channel",
    };
    Object::new().text(field, feed.name()).end()
}

fn counts(unread: &Unread) -> String {
    let object = Object::new();
    let add = |object: Object, (feed, count): &(FeedKey, u64)| object.number(feed.as_str(), *count);
    unread.counts.iter().fold(object, add).end()
}
