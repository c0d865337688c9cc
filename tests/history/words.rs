//! The two dialects: requests as text, and text as lines of a history.

use alloc::sync::Arc;
use std::collections::{BTreeMap, HashSet};
use std::sync::{LazyLock, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::record::{Act, Change, Counts, Entry, Standing, Text, What};

/// How many of the unread are asked for at once.
const PAGE: u64 = 200;

static TEXTS: LazyLock<Mutex<HashSet<Text>>> = LazyLock::new(Mutex::default);

/// The one copy of a text that histories share.
pub(crate) fn text(text: &str) -> Text {
    let mut texts = TEXTS.lock().unwrap();
    if let Some(known) = texts.get(text) {
        return Arc::clone(known);
    }
    let new: Text = text.into();
    texts.insert(Arc::clone(&new));
    new
}

/// The time of the clock in milliseconds.
pub(crate) fn clock() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(elapsed.as_millis()).unwrap()
}

/// What is announced: the feed for which it is, and what nobody else says.
pub(crate) fn body(namespace: &str, feed: &str, tag: &str) -> String {
    format!("<<{namespace}/{feed}>> {tag}")
}

/// Each feed whose mark stands anywhere in a text.
pub(crate) fn marks(received: &str) -> Vec<Text> {
    let mut marks = Vec::new();
    for (at, _) in received.match_indices("<<") {
        if let Some((mark, _)) = received[at + 2..].split_once(">>") {
            let mark = text(mark);
            if !marks.contains(&mark) {
                marks.push(mark);
            }
        }
    }
    marks
}

/// How one client speaks.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) is_native: bool,
    pub(crate) namespace: Text,
    pub(crate) token: String,
}

impl Words {
    fn native(kind: &str, number: u64, payload: &Value) -> String {
        json!({"type": kind, "id": number, "payload": payload}).to_string()
    }

    fn intent(&self, intent: &str, number: u64, mut members: Value) -> String {
        members["APIToken"] = json!(self.token);
        members["Intent"] = json!(intent);
        members["RequestID"] = json!(number);
        members.to_string()
    }

    pub(crate) fn sign(&self, since: &BTreeMap<Text, u64>) -> String {
        let since: Map<String, Value> = since
            .iter()
            .map(|(feed, offset)| (feed.to_string(), json!(offset)))
            .collect();
        if self.is_native {
            return Self::native("sign", 0, &json!({"token": self.token, "since": since}));
        }
        self.intent("Sign", 0, json!({"Since": since}))
    }

    pub(crate) fn unread(&self, number: u64, cursor: Option<&str>) -> String {
        if self.is_native {
            return Self::native("unread", number, &json!({"limit": PAGE, "cursor": cursor}));
        }
        self.intent(
            "Get unread messages",
            number,
            json!({"Limit": PAGE, "Cursor": cursor}),
        )
    }

    /// A request; `key` makes its repetition recognisable.
    pub(crate) fn ask(&self, number: u64, act: &Act, key: Option<&str>) -> String {
        if self.is_native {
            self.native_ask(number, act, key)
        } else {
            self.intent_ask(number, act, key)
        }
    }

    fn native_ask(&self, number: u64, act: &Act, key: Option<&str>) -> String {
        let (kind, payload) = match act {
            Act::Publish { feed, tag, ends } => {
                let mut payload =
                    json!({"feed": feed.as_ref(), "body": body(&self.namespace, feed, tag)});
                add(&mut payload, "key", key.map(Value::from));
                add(&mut payload, "expires_at", ends.map(rfc3339));
                ("publish", payload)
            }
            Act::Edit { id, tag, again } => {
                let feed = tag.split_once('@').map_or("", |(_, feed)| feed);
                let body = body(&self.namespace, feed, tag);
                (
                    "edit",
                    json!({"announcement": id.as_ref(), "body": body, "unread_again": again}),
                )
            }
            Act::Recall { id } => ("recall", json!({"announcement": id.as_ref()})),
            Act::Read { feed, ids } => {
                let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
                ("read", json!({"feed": feed.as_ref(), "announcements": ids}))
            }
            Act::ReadUpTo { feed, offset } => {
                ("read", json!({"feed": feed.as_ref(), "up_to": offset}))
            }
            Act::Acknowledge { id } => ("acknowledge", json!({"announcement": id.as_ref()})),
            Act::Compare => ("unread", json!({"limit": 1})),
        };
        Self::native(kind, number, &payload)
    }

    fn intent_ask(&self, number: u64, act: &Act, key: Option<&str>) -> String {
        let (intent, members) = match act {
            Act::Publish { feed, tag, ends } => {
                let mut members =
                    json!({"Group": feed.as_ref(), "Body": body(&self.namespace, feed, tag)});
                add(&mut members, "IdempotencyKey", key.map(Value::from));
                add(&mut members, "ExpiresAt", ends.map(rfc3339));
                ("Public announcement", members)
            }
            Act::Read { feed, ids } => {
                let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
                (
                    "Mark as read",
                    json!({"Group": feed.as_ref(), "NotificationID": ids}),
                )
            }
            Act::ReadUpTo { feed, offset } => (
                "Mark as read",
                json!({"Group": feed.as_ref(), "UpTo": offset}),
            ),
            Act::Acknowledge { id } => ("Acknowledge", json!({"NotificationID": id.as_ref()})),
            // The dialect has no word for changing what was said.
            Act::Edit { .. } | Act::Recall { .. } | Act::Compare => {
                ("Get unread messages", json!({"Limit": 1}))
            }
        };
        self.intent(intent, number, members)
    }

    /// What a received text says, and the cursor of a page.
    pub(crate) fn read(&self, received: &str) -> (What, Option<String>) {
        let value: Value = serde_json::from_str(received).unwrap();
        if self.is_native {
            read_native(&value)
        } else {
            (read_intent(&value), None)
        }
    }
}

fn add(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[name] = value;
    }
}

fn rfc3339(clock: u64) -> Value {
    let clock = i64::try_from(clock).unwrap();
    json!(
        jiff::Timestamp::from_millisecond(clock)
            .unwrap()
            .to_string()
    )
}

fn read_native(value: &Value) -> (What, Option<String>) {
    let payload = &value["payload"];
    let number = value["replyTo"].as_u64();
    let what = match (value["type"].as_str().unwrap_or_default(), number) {
        ("signed", _) => {
            let feeds = payload["feeds"].as_array().unwrap();
            let standings = feeds
                .iter()
                .map(|it| standing(string(it, "feed"), it))
                .collect();
            What::Signed {
                standings,
                counts: counts(payload),
            }
        }
        ("published", Some(number)) => What::Published {
            number,
            id: string(payload, "announcement"),
            epoch: string(payload, "epoch"),
            offset: whole(payload, "offset"),
        },
        ("edited" | "recalled", Some(number)) => What::Changed {
            number,
            id: string(payload, "announcement"),
            version: whole(payload, "version"),
        },
        ("acknowledged" | "read_state", Some(number)) => What::Noted {
            number,
            counts: counts(payload),
        },
        ("read_state", None) => What::Told(counts(payload)),
        ("announcement", None) => What::Heard(native_entry(Change::Posted, payload)),
        ("edited", None) => What::Heard(native_entry(Change::Edited, payload)),
        ("recalled", None) => What::Heard(native_entry(Change::Recalled, payload)),
        ("gap", _) => What::Gap {
            feed: string(payload, "feed"),
        },
        ("error", number) => What::Refused {
            number: number.unwrap_or(0),
            code: string(payload, "code"),
        },
        ("unread", Some(_)) => {
            let listed = payload["announcements"].as_array().unwrap();
            let entries = listed
                .iter()
                .map(|it| native_entry(Change::Posted, it))
                .collect();
            let cursor = payload["cursor"].as_str().map(str::to_owned);
            let (clock, counts) = (clock(), counts(payload));
            return (
                What::Page {
                    clock,
                    entries,
                    counts,
                    is_last: cursor.is_none(),
                },
                cursor,
            );
        }
        _ => What::Other,
    };
    (what, None)
}

fn native_entry(change: Change, value: &Value) -> Entry {
    Entry {
        change,
        feed: string(value, "feed"),
        epoch: string(value, "epoch"),
        offset: whole(value, "offset"),
        previous: value["prev_offset"].as_u64(),
        id: string(value, "announcement"),
        version: whole(value, "version"),
        tag: tag(&value["body"]),
    }
}

fn read_intent(value: &Value) -> What {
    let number = value["RequestID"].as_u64();
    if value["type"] == "error" {
        let payload = &value["payload"];
        let number = payload["RequestID"].as_u64().unwrap_or(0);
        return What::Refused {
            number,
            code: string(payload, "code"),
        };
    }
    match (value["Intent"].as_str().unwrap_or_default(), number) {
        ("Sign", _) => {
            let feeds = value["feeds"].as_object().unwrap();
            let standings = feeds
                .iter()
                .map(|(feed, it)| standing(text(feed), it))
                .collect();
            What::Signed {
                standings,
                counts: counts(value),
            }
        }
        ("Published", Some(number)) => What::Published {
            number,
            id: string(value, "NotificationID"),
            epoch: string(value, "epoch"),
            offset: whole(value, "offset"),
        },
        ("Mark as read" | "Acknowledge" | "Get unread messages", Some(number)) => What::Noted {
            number,
            counts: counts(value),
        },
        ("Mark as read", None) => What::Told(counts(value)),
        ("Public announcement", None) => What::Heard(intent_entry(Change::Posted, value, value)),
        ("Announcement edited", None) => {
            What::Heard(intent_entry(Change::Edited, value, &value["Announcement"]))
        }
        ("Announcement recalled", None) => {
            What::Heard(intent_entry(Change::Recalled, value, &Value::Null))
        }
        _ => What::Other,
    }
}

fn intent_entry(change: Change, value: &Value, said: &Value) -> Entry {
    let group = &value["Group"];
    let named = |kind: &str, prefix: &str| {
        group[kind]
            .as_str()
            .map(|name| text(&format!("{prefix}{name}")))
    };
    let feed = group.as_str().map(text).or_else(|| named("channel", ""));
    let feed = feed
        .or_else(|| named("user", "user:"))
        .or_else(|| named("role", "role:"));
    Entry {
        change,
        feed: feed.unwrap(),
        epoch: string(value, "epoch"),
        offset: whole(value, "offset"),
        previous: None,
        id: string(value, "NotificationID"),
        version: value["version"].as_u64().unwrap_or(1),
        tag: tag(&said["Body"]),
    }
}

fn standing(feed: Text, value: &Value) -> Standing {
    Standing {
        feed,
        epoch: string(value, "epoch"),
        top: whole(value, "offset"),
        since: None,
    }
}

fn counts(value: &Value) -> Counts {
    let feeds = value["unread"].as_object().unwrap();
    let count = |(feed, count): (&String, &Value)| (text(feed), count.as_u64().unwrap());
    Counts {
        version: whole(value, "unread_version"),
        feeds: feeds.iter().map(count).collect(),
    }
}

fn tag(body: &Value) -> Option<Text> {
    body.as_str()
        .and_then(|body| body.split_once(">> "))
        .map(|(_, tag)| text(tag))
}

fn string(value: &Value, name: &str) -> Text {
    text(
        value[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {value}")),
    )
}

fn whole(value: &Value, name: &str) -> u64 {
    value[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}
