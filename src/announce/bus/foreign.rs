//! Answers of handlers that are not in this process.

use core::str;

use crate::announce::bus::message::Answer;
use crate::announce::bus::value::Json;
use crate::announce::json;

/// The longest answer of a handler elsewhere, in bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = (1 << 20) + 1024;

impl Answer {
    /// Reads `{"reply": …}`, `{"fail": …}`, or nothing, which is no more than an
    /// acknowledgement; so is an empty object. Anything else is an answer that was not
    /// understood, which does not count as consent.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let text = match str::from_utf8(bytes) {
            Ok(text) if text.trim().is_empty() => return Self::Ack,
            Ok(text) if text.len() <= ANSWER_BYTES_MAX => text,
            _ => return Self::Broken,
        };
        let Ok(fields) = json::object(text) else {
            return Self::Broken;
        };
        match &fields[..] {
            [] => Self::Ack,
            [(name, value)] if name == "reply" => Self::Reply(Json::raw(value)),
            [(name, value)] if name == "fail" => Self::Fail(Json::raw(value)),
            _ => Self::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reply_a_refusal_and_silence_are_understood() {
        let json = |text| Json::parse(text).unwrap();
        let read = |text: &str| Answer::read(text.as_bytes());
        assert_eq!(
            read(r#"{"reply":{"a": 1.50}}"#),
            Answer::Reply(json(r#"{"a": 1.50}"#))
        );
        assert_eq!(read(r#" {"fail":null} "#), Answer::Fail(json("null")));
        for silent in ["", " \n", "{}"] {
            assert_eq!(read(silent), Answer::Ack, "{silent:?}");
        }
        for other in ["1", "[]", "{", r#"{"reply":1,"fail":2}"#, r#"{"Reply":1}"#] {
            assert_eq!(read(other), Answer::Broken, "{other}");
        }
        assert_eq!(Answer::read(b"\xff"), Answer::Broken);
    }
}
