//! The dialect of one connection.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::future::pending;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::announce::bus::{Bus, Json, LANE_MAX, Lane, Publication, Topic, fresh_id};
use crate::announce::gateway::context::Context;
use crate::announce::gateway::reply::{self, Outcome};
use crate::announce::gateway::settings::Settings;
use crate::announce::json::{self, Object};

/// After how many malformed messages in a row the connection is closed.
pub const MALFORMED_MAX: u32 = 5;

/// The longest `id` of a client, in bytes of JSON.
pub const ID_BYTES_MAX: usize = 256;

/// What a connection was given.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Heard<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
}

/// What has passed over a connection in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Messages.
    pub messages: u64,
    /// Bytes of their payload, as they stand on the wire.
    pub bytes: u64,
}

/// How a connection ended.
#[derive(Clone, Debug, Default)]
pub struct Ending<'a> {
    /// The close code; 1006 where there was no close frame.
    pub code: u16,
    /// The reason that came with it.
    pub reason: &'a str,
    /// Why, in a word: `client`, `server`, `no_pong`, `shutdown`, `lost` and the like.
    pub cause: &'a str,
    /// Who closed it first, `client` or `server`; `None` where nobody did.
    pub by: Option<&'a str>,
    /// What came from the client.
    pub received: Passed,
    /// What went to it.
    pub sent: Passed,
}

/// The dialect of one connection that has been accepted.
///
/// What it hears is published in order: the connection, its messages, its end. Answers come from
/// [`Session::next`], while the connection goes on. Dropped without [`Session::closed`], it
/// publishes its end nevertheless, as lost.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    context: Context,
    lane: Lane,
    /// What the answers that are still to come belong to, in their order.
    asked: VecDeque<Asked>,
    connected_at: Instant,
    malformed: u32,
    is_over: bool,
}

#[derive(Debug)]
enum Asked {
    Connection,
    Message {
        topic: Topic,
        reply_to: Option<Json>,
    },
    End,
}

/// A message that was understood.
struct Understood {
    kind: Option<String>,
    id: Option<Json>,
    encoding: Option<&'static str>,
    json: String,
}

impl Session {
    /// Publishes that there is a new connection. It has been admitted and authenticated.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn connected(bus: &Bus, settings: Arc<Settings>, context: Context) -> Self {
        let mut session = Self {
            lane: bus.lane(settings.reply_deadline),
            settings,
            context,
            asked: VecDeque::new(),
            connected_at: Instant::now(),
            malformed: 0,
            is_over: false,
        };
        //= B06
        if let Some(topic) = session.settings.onconnect.clone() {
            let data = Json::written(Object::new().end());
            session.publish(topic, fresh_id(), data, Asked::Connection);
        }
        session
    }

    /// Uses other settings for what it hears from now on.
    pub fn apply(&mut self, settings: Arc<Settings>) {
        //= B57
        self.settings = settings;
    }

    /// Whether answers have to be taken before it hears more. Who asks before each message never
    /// loses one.
    #[must_use]
    pub fn is_full(&self) -> bool {
        // The general topic and the typed one.
        self.lane.room() < 2
    }

    /// Publishes a message, and says what is to be told at once: only what is wrong with it.
    pub fn heard(&mut self, heard: Heard<'_>, now: SystemTime) -> Outcome {
        if self.is_over {
            return Outcome::default();
        }
        let understood = match understand(heard, self.settings.allow_raw) {
            Ok(understood) => understood,
            Err((code, message)) => return self.malformed(code, &message),
        };
        self.malformed = 0;
        if self.is_full() {
            let why = "too many messages wait for their answers";
            return Outcome::error("busy", why, understood.id.as_ref());
        }
        self.publish_message(understood, now);
        Outcome::default()
    }

    /// Publishes the end of the connection. No answers come after it.
    pub fn closed(mut self, ending: &Ending<'_>) {
        self.end(ending);
    }

    /// The next thing to tell the client; waits for ever where there is none.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn next(&mut self) -> Outcome {
        loop {
            let Some(answer) = self.lane.next().await else {
                return pending().await;
            };
            let outcome = match self.asked.pop_front() {
                Some(Asked::Connection) => reply::to_connection(answer),
                Some(Asked::Message { topic, reply_to }) => {
                    reply::to_message(&topic, answer, reply_to.as_ref())
                }
                Some(Asked::End) | None => Outcome::default(),
            };
            if outcome != Outcome::default() {
                return outcome;
            }
        }
    }

    fn malformed(&mut self, code: &str, message: &str) -> Outcome {
        //= B54
        self.malformed += 1;
        let outcome = Outcome::error(code, message, None);
        if self.malformed >= MALFORMED_MAX {
            return outcome.closing(4400, "too many malformed messages");
        }
        outcome
    }

    fn publish_message(&mut self, understood: Understood, now: SystemTime) {
        //= B07
        //= B10
        let id = fresh_id();
        let received = Timestamp::try_from(now).unwrap_or(Timestamp::MAX);
        let encoding = understood.encoding.map(json::quoted);
        let data = Object::new()
            .raw_if("encoding", encoding.as_deref())
            .raw("message", &understood.json)
            .text("message_id", &id)
            .text("received_at", &format!("{received:.3}"))
            .end();
        let data = Json::written(data);
        let general = self.settings.onmessage.clone();
        let kind = understood.kind.as_deref();
        let typed = kind
            .and_then(|kind| self.settings.types.topic(kind))
            .cloned();
        for topic in [general, typed].into_iter().flatten() {
            let asked = Asked::Message {
                topic: topic.clone(),
                reply_to: understood.id.clone(),
            };
            self.publish(topic, id.clone(), data.clone(), asked);
        }
    }

    fn publish(&mut self, topic: Topic, id: String, data: Json, asked: Asked) {
        let namespace = self.context.namespace().into();
        let context = self.context.json().clone();
        let publication = Publication::of_connection(topic, id, namespace, context, data);
        self.asked.push_back(asked);
        self.lane.publish(publication);
    }

    fn end(&mut self, ending: &Ending<'_>) {
        //= B11
        //= B52
        if core::mem::replace(&mut self.is_over, true) {
            return;
        }
        let Some(topic) = self.settings.onclose.clone() else {
            return;
        };
        let lasted = self.connected_at.elapsed().as_millis();
        let is_clean = ending.code != 1006;
        //= A08
        let by = ending.by.map(json::quoted);
        let data = Object::new()
            .number("code", ending.code.into())
            .text("reason", ending.reason)
            .text("cause", ending.cause)
            .raw("by", by.as_deref().unwrap_or("null"))
            .raw("clean", if is_clean { "true" } else { "false" })
            .number("duration_ms", u64::try_from(lasted).unwrap_or(u64::MAX))
            .raw("received", &passed(ending.received))
            .raw("sent", &passed(ending.sent))
            .end();
        self.publish(topic, fresh_id(), Json::written(data), Asked::End);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end(&Ending {
            code: 1006,
            reason: "",
            cause: "lost",
            ..Ending::default()
        });
    }
}

fn passed(passed: Passed) -> String {
    Object::new()
        .number("messages", passed.messages)
        .number("bytes", passed.bytes)
        .end()
}

/// What a message is: the text of an object, or, where that is allowed, anything else as a
/// string.
fn understand(heard: Heard<'_>, allow_raw: bool) -> Result<Understood, (&'static str, String)> {
    //= B54
    let raw = |encoding, text: &str| Understood {
        kind: None,
        id: None,
        encoding: Some(encoding),
        json: json::quoted(text),
    };
    let text = match heard {
        Heard::Text(text) => text,
        Heard::Binary(bytes) if allow_raw => return Ok(raw("base64", &STANDARD.encode(bytes))),
        Heard::Binary(_) => {
            return Err(("unsupported_data", "messages are text: JSON objects".into()));
        }
    };
    let fields = match json::object(text) {
        Ok(fields) => fields,
        Err(_) if allow_raw => return Ok(raw("text", text)),
        Err(json::Fault::NotAnObject) => {
            return Err(("not_an_object", format!("{}", json::Fault::NotAnObject)));
        }
        Err(fault) => return Err(("malformed_json", format!("{fault}"))),
    };
    let find = |name: &str| fields.iter().find(|(it, _)| it == name).map(|(_, v)| *v);
    Ok(Understood {
        kind: find("type").and_then(json::string),
        id: find("id").map(client_id).transpose()?.flatten(),
        encoding: None,
        json: text.trim().into(),
    })
}

/// The id by which a client knows its message: a string or a number; `null` is none.
fn client_id(value: &RawValue) -> Result<Option<Json>, (&'static str, String)> {
    let text = value.get();
    let is_short = text.len() <= ID_BYTES_MAX;
    match text.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"' | b'-' | b'0'..=b'9') if is_short => Ok(Some(Json::raw(value))),
        _ => Err((
            "wrong_type",
            format!("`id` is a string or a number of at most {ID_BYTES_MAX} bytes"),
        )),
    }
}

/// A session has room for its connection, and for a message on both topics.
const _: () = assert!(LANE_MAX >= 3);
