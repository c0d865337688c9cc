//! What a client is told.

use alloc::string::String;

use crate::announce::bus::{Answer, Json, Topic};
use crate::announce::json::Object;

/// The longest payload that a handler may have sent to a client, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// The literal `type` of a reply in the connection topic.
const ONCONNECT: &str = "onconnect";

/// How to close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The close code: 4400 malformed messages, 4403 refused by the handler, 1013 no handler
    /// could be asked.
    pub code: u16,
    /// The reason, for the person who debugs the client; at most 123 bytes.
    pub reason: &'static str,
}

/// What has to be done: send the text, then close.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Send this to the connection.
    pub text: Option<String>,
    /// Close the connection after that.
    pub close: Option<Close>,
}

impl Outcome {
    fn of(text: String) -> Self {
        Self {
            text: Some(text),
            close: None,
        }
    }

    /// An error that this server has found.
    pub(crate) fn error(code: &str, message: &str, reply_to: Option<&Json>) -> Self {
        let payload = Object::new().text("code", code).text("message", message);
        Self::of(framed("error", &payload.end(), reply_to))
    }

    pub(crate) fn closing(self, code: u16, reason: &'static str) -> Self {
        Self {
            close: Some(Close { code, reason }),
            ..self
        }
    }
}

/// What becomes of the answer to a connection. One that nobody could judge is not let in: a
/// handler that refuses some has to be asked about all.
pub(crate) fn to_connection(answer: Answer) -> Outcome {
    //= B33
    //= B34
    match answer {
        Answer::Reply(data) => payload(ONCONNECT, &data, None),
        Answer::Fail(error) => payload("error", &error, None).closing(4403, "refused"),
        Answer::Ack => Outcome::default(),
        other => failed(&other, None).closing(1013, "the connection could not be judged"),
    }
}

/// What becomes of the answer to a message that was published on `topic`.
pub(crate) fn to_message(topic: &Topic, answer: Answer, reply_to: Option<&Json>) -> Outcome {
    //= B36
    //= B37
    match answer {
        Answer::Reply(data) => payload(topic.as_str(), &data, reply_to),
        Answer::Fail(error) => payload("error", &error, reply_to),
        Answer::Ack => Outcome::default(),
        // Who has not asked for a reply does not wait for one.
        Answer::Timeout | Answer::Unreachable if reply_to.is_none() => Outcome::default(),
        other => failed(&other, reply_to),
    }
}

fn failed(answer: &Answer, reply_to: Option<&Json>) -> Outcome {
    //= B39
    let (code, message) = match answer {
        Answer::Timeout => ("timeout", "there was no answer in time"),
        Answer::Unreachable => (
            "unavailable",
            "the handler cannot be reached; try again later",
        ),
        _ => ("internal", "the handler has failed"),
    };
    Outcome::error(code, message, reply_to)
}

fn payload(kind: &str, data: &Json, reply_to: Option<&Json>) -> Outcome {
    if data.as_str().len() > PAYLOAD_BYTES_MAX {
        return Outcome::error("too_large", "the handler's answer is too long", reply_to);
    }
    Outcome::of(framed(kind, data.as_str(), reply_to))
}

/// A message for a socket: `{"type":…,"payload":…}`. The payload stays byte for byte.
pub(crate) fn framed(kind: &str, payload: &str, reply_to: Option<&Json>) -> String {
    //= B45
    //= B46
    Object::new()
        .text("type", kind)
        .raw("payload", payload)
        .raw_if("replyTo", reply_to.map(Json::as_str))
        .end()
}
