//! JSON as this floor takes it: no name twice in an object, no deep nesting, and the text of
//! every value kept as it was written.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use std::collections::HashSet;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// How many objects and arrays may stand inside each other; the outermost counts as one.
pub(crate) const DEPTH_MAX: usize = 32;

/// The members of an object: names decoded, values as the text that they were written in.
pub(crate) type Fields<'a> = Vec<(String, &'a RawValue)>;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not JSON, from this place on; both count from 1.
    Syntax { line: usize, column: usize },
    /// A name stands twice in one object.
    Duplicate,
    /// Deeper than [`DEPTH_MAX`].
    Deep,
    /// JSON, but no object.
    NotAnObject,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, column } => {
                write!(f, "not valid JSON at line {line}, column {column}")
            }
            Self::Duplicate => f.write_str("a name stands twice in one object"),
            Self::Deep => write!(f, "nested deeper than {DEPTH_MAX} levels"),
            Self::NotAnObject => f.write_str("not a JSON object"),
        }
    }
}

/// Reads one JSON object.
///
/// The text is walked once before anything is kept, so what is returned has been checked down
/// to its leaves.
pub(crate) fn object(text: &str) -> Result<Fields<'_>, Fault> {
    check(text)?;
    fields(text)
}

/// Reads the members of an object that [`object`] has let through before.
pub(crate) fn fields(text: &str) -> Result<Fields<'_>, Fault> {
    if !text.trim_start().starts_with('{') {
        return Err(Fault::NotAnObject);
    }
    serde_json::Deserializer::from_str(text)
        .deserialize_map(Members)
        .map_err(|error| syntax(&error))
}

/// The string that a value is, if it is one.
pub(crate) fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The list of strings that a value is, if it is one.
pub(crate) fn strings(value: &RawValue) -> Option<Vec<String>> {
    serde_json::from_str(value.get()).ok()
}

/// The whole number that a value is: no sign, no fraction, no exponent.
pub(crate) fn whole(value: &RawValue) -> Option<u64> {
    serde_json::from_str(value.get()).ok()
}

/// A string as JSON text, quotes included.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An object that is being written, member by member, in the order of the calls.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".to_string())
    }

    /// Adds a member whose value is JSON text already.
    pub(crate) fn raw(mut self, name: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.raw(name, &quoted(text))
    }

    pub(crate) fn number(self, name: &str, number: u64) -> Self {
        self.raw(name, &number.to_string())
    }

    /// Adds a member if there is a value for it.
    pub(crate) fn raw_if(self, name: &str, json: Option<&str>) -> Self {
        match json {
            Some(json) => self.raw(name, json),
            None => self,
        }
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A list of strings as JSON text.
pub(crate) fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<_> = items.into_iter().map(quoted).collect();
    format!("[{}]", items.join(","))
}

fn syntax(error: &serde_json::Error) -> Fault {
    Fault::Syntax {
        line: error.line(),
        column: error.column(),
    }
}

fn check(text: &str) -> Result<(), Fault> {
    let fault = Cell::new(None);
    let mut source = serde_json::Deserializer::from_str(text);
    let walk = Walk {
        depth: 0,
        fault: &fault,
    };
    walk.deserialize(&mut source)
        .and_then(|()| source.end())
        .map_err(|error| fault.get().unwrap_or_else(|| syntax(&error)))
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(member) = map.next_entry()? {
            fields.push(member);
        }
        Ok(fields)
    }
}

/// One level of the walk. The fault travels beside serde's error, whose text is not to be
/// parsed and may quote the input.
#[derive(Clone, Copy)]
struct Walk<'f> {
    depth: usize,
    fault: &'f Cell<Option<Fault>>,
}

impl Walk<'_> {
    fn fail<E: serde::de::Error>(self, fault: Fault) -> E {
        self.fault.set(Some(fault));
        E::custom("refused")
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(self.fail(Fault::Deep));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name) {
                return Err(self.fail(Fault::Duplicate));
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}

/// Whether a string anywhere in `json` contains `text`, however either is escaped.
pub(crate) fn says(json: &str, text: &str) -> bool {
    fn within(value: &serde_json::Value, text: &str) -> bool {
        match value {
            serde_json::Value::String(string) => string.contains(text),
            serde_json::Value::Array(items) => items.iter().any(|it| within(it, text)),
            serde_json::Value::Object(members) => members
                .iter()
                .any(|(name, it)| name.contains(text) || within(it, text)),
            _ => false,
        }
    }
    // Numbers that no f64 holds are of no interest here; the text itself then has to do.
    match serde_json::from_str(json) {
        Ok(value) => within(&value, text),
        Err(_) => json.contains(text),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn nested(levels: usize) -> String {
        format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels))
    }

    #[test]
    fn values_keep_their_spelling() {
        let text = r#" {"a" : 1.50e1, "b":[ 1 ,2 ], "\u0063":"\u00e9"} "#;
        let fields: Vec<_> = object(text)
            .unwrap()
            .into_iter()
            .map(|(k, v)| (k, v.get().to_string()))
            .collect();
        let expected = [("a", "1.50e1"), ("b", "[ 1 ,2 ]"), ("c", "\"\\u00e9\"")];
        let expected: Vec<_> = expected
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        assert_eq!(fields, expected);
    }

    #[test]
    fn thirty_two_levels_pass_and_one_more_does_not() {
        //= A44 type=test
        assert!(object(&nested(32)).is_ok());
        assert_eq!(object(&nested(33)).unwrap_err(), Fault::Deep);
        //= AU-16 type=test
        assert_eq!(object(&nested(100_000)).unwrap_err(), Fault::Deep);
        let arrays = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
        assert_eq!(object(&arrays).unwrap_err(), Fault::Deep);
    }

    #[test]
    fn a_name_twice_is_refused_at_any_level_and_in_any_spelling() {
        //= AU-15 type=test
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert_eq!(object(text).unwrap_err(), Fault::Duplicate, "{text}");
        }
        assert!(object(r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#).is_ok());
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in ["null", "1", "[]", "\"{}\"", "true"] {
            assert_eq!(object(text).unwrap_err(), Fault::NotAnObject, "{text}");
        }
        for text in [
            "",
            "{",
            "{} {}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":\"\\ud800\"}",
            "{'a':1}",
        ] {
            assert!(matches!(object(text), Err(Fault::Syntax { .. })), "{text}");
        }
    }

    #[test]
    fn a_name_that_serde_json_keeps_for_itself_is_only_a_name() {
        let text = r#"{"$serde_json::private::RawValue":"{\"a\":1}"}"#;
        let names: Vec<_> = object(text)
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, vec!["$serde_json::private::RawValue".to_string()]);
    }
}
