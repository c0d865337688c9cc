//! From values to text.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use std::time::SystemTime;

use jiff::Timestamp;

use crate::announce::announcement::{Announcement, FeedKey, Unread};
use crate::announce::intent::code::Code;
use crate::announce::intent::request::{Context, RequestId};
use crate::announce::intent::request::{MARK, PUBLISH, SIGN, UNREAD};
use crate::announce::json::{self, Object};
use crate::announce::store::{Published, ReadMark, ReadState, UnreadPage};

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
const OWNED: [&str; 10] = [
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
];

/// The fields of the publisher that every front end knows, and that `Data` leaves out.
const KNOWN: [&str; 3] = ["Title", "Body", "Priority"];

/// An error, in answer to a request of this context.
#[must_use]
pub fn error(code: Code, message: &str, context: &Context) -> String {
    let intent = context.name.as_deref().map(json::quoted);
    let payload = Object::new()
        .text("code", code.as_str())
        .text("message", message)
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
    user: &str,
    session: &str,
    expires_at: SystemTime,
    unread: &Unread,
    id: Option<&RequestId>,
) -> String {
    //= A55
    Object::new()
        .raw("auth", "true")
        .text("Intent", SIGN)
        .text("UserID", user)
        .text("session", session)
        .text("expires_at", &rfc3339(expires_at))
        .number("ping", PING_SECONDS)
        .raw("unread", &counts(unread))
        .number("unread_version", unread.version)
        .raw_if("RequestID", id.map(RequestId::as_json))
        .end()
}

/// An announcement as it is delivered, at once and among the unread.
///
/// The publisher's fields stand at the top level, where front ends of the first server look
/// for them, and, without the three that everybody knows, once more under `Data`, where no
/// name can meet one of the server's.
#[must_use]
pub fn announcement(announcement: &Announcement) -> String {
    let mut object = Object::new()
        .text("Intent", PUBLISH)
        .raw("Group", &group(&announcement.feed))
        .text("NotificationID", &announcement.id)
        .number("offset", announcement.offset)
        .text("epoch", &announcement.epoch)
        .text("SentAt", &rfc3339(announcement.sent_at))
        .text("Publisher", &announcement.publisher);
    let mut data = Object::new();
    for (name, value) in json::fields(&announcement.body).unwrap_or_default() {
        if !OWNED.contains(&name.as_str()) {
            object = object.raw(&name, value.get());
        }
        if !KNOWN.contains(&name.as_str()) {
            data = data.raw(&name, value.get());
        }
    }
    object.raw("Data", &data.end()).end()
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
    if feed.is_public() {
        return json::quoted(feed.as_str());
    }
    Object::new().text("channel", feed.as_str()).end()
}

fn counts(unread: &Unread) -> String {
    let object = Object::new();
    let add = |object: Object, (feed, count): &(FeedKey, u64)| object.number(feed.as_str(), *count);
    unread.counts.iter().fold(object, add).end()
}

/// A time as RFC 3339 in UTC with milliseconds, or the last representable one.
fn rfc3339(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    alloc::format!("{time:.3}")
}
