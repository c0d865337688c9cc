//! One value, read by the kind of its key.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use serde_json::{Map, Number, Value as Json};

use crate::announce::config::rule::Rule;
use crate::announce::config::table::Kind;
use crate::announce::config::unit::{self, Rate};
use crate::announce::config::yaml::{Data, Node, Spot, brief};

/// The most entries of a list of texts.
const TEXTS_MAX: usize = 1000;

/// A value of one of the kinds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A map, which says nothing by itself but that it is there.
    Map,
    /// A list of maps, and how many.
    Maps(usize),
    /// A map of names, and which.
    Named(Vec<String>),
    Text(String),
    Flag(bool),
    Whole(u64),
    Time(Duration),
    Size(u64),
    /// A rate; none where it is off.
    Rate(Option<Rate>),
    Texts(Vec<String>),
    Data(Json),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map => f.write_str("a map"),
            Self::Maps(count) => write!(f, "{count} entries"),
            Self::Named(names) => f.write_str(&names.join(", ")),
            Self::Text(text) => f.write_str(text),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Time(time) => f.write_str(&unit::show_time(*time)),
            Self::Size(bytes) => f.write_str(&unit::show_size(*bytes)),
            Self::Rate(Some(rate)) => write!(f, "{rate}"),
            Self::Rate(None) => f.write_str("off"),
            Self::Texts(texts) => write!(f, "[{}]", texts.join(", ")),
            Self::Data(data) => write!(f, "{data}"),
        }
    }
}

/// What is wrong with a value, and where.
pub(crate) struct Wrong {
    pub(crate) spot: Spot,
    pub(crate) message: String,
}

/// Reads a value that is no map of known keys.
pub(crate) fn from_node(kind: &Kind, node: &Node) -> Result<Value, Wrong> {
    let wrong = |spot, message| Wrong { spot, message };
    match (kind, &node.data) {
        (Kind::Texts(_) | Kind::Choices(_), Data::List(items)) => texts(kind, items),
        (Kind::Data, Data::Map(_)) => Ok(Value::Data(json(node))),
        (Kind::Texts(_) | Kind::Choices(_) | Kind::Data, _) => {
            Err(wrong(node.spot, unexpected(kind, node)))
        }
        (Kind::Text(rule), Data::Scalar { text, is_plain }) => {
            quoted(text, *is_plain, rule).map_err(|message| wrong(node.spot, message))
        }
        (
            Kind::Flag,
            Data::Scalar {
                is_plain: false, ..
            },
        ) => {
            let message = format!("expected {} without quotes, found text", kind.expected());
            Err(wrong(node.spot, message))
        }
        (_, Data::Scalar { text, .. }) if !node.is_null() => {
            from_text(kind, text).map_err(|message| wrong(node.spot, message))
        }
        _ => Err(wrong(node.spot, unexpected(kind, node))),
    }
}

/// Reads a single value, or a list that is parted by commas.
pub(crate) fn from_text(kind: &Kind, text: &str) -> Result<Value, String> {
    let value = match kind {
        Kind::Text(rule) => return by_rule(text, rule),
        Kind::Flag => match text {
            "true" => Some(Value::Flag(true)),
            "false" => Some(Value::Flag(false)),
            _ => None,
        },
        //= C10
        Kind::Whole(least, most) => unit::whole(text)
            .filter(|number| (*least..=*most).contains(number))
            .map(Value::Whole),
        Kind::Time(least, most) => unit::time(text)
            .filter(|time| (u128::from(*least)..=u128::from(*most)).contains(&time.as_millis()))
            .map(Value::Time),
        Kind::Size(least, most) => unit::size(text)
            .filter(|bytes| (*least..=*most).contains(bytes))
            .map(Value::Size),
        Kind::Rate if text == "off" => Some(Value::Rate(None)),
        Kind::Rate => unit::rate(text)
            .filter(|rate| (1..=1_000_000_000).contains(&rate.count))
            .map(|rate| Value::Rate(Some(rate))),
        Kind::Choice(words) => words.contains(&text).then(|| Value::Text(text.to_owned())),
        Kind::Texts(_) | Kind::Choices(_) => Some(Value::Texts(
            text.split(',')
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        )),
        Kind::Map | Kind::Maps(_) | Kind::Named(..) | Kind::Data => None,
    };
    value.ok_or_else(|| format!("expected {}, found {}", kind.expected(), found(text)))
}

fn texts(kind: &Kind, items: &[Node]) -> Result<Value, Wrong> {
    let mut texts = Vec::new();
    let mut seen = BTreeSet::new();
    if let Some(item) = items.get(TEXTS_MAX) {
        let message = format!("expected a list of at most {TEXTS_MAX} entries");
        return Err(Wrong {
            spot: item.spot,
            message,
        });
    }
    for item in items {
        let wrong = |message| Wrong {
            spot: item.spot,
            message,
        };
        let Data::Scalar { text, is_plain } = &item.data else {
            return Err(wrong(unexpected(kind, item)));
        };
        match kind {
            Kind::Texts(rule) => quoted(text, *is_plain, rule).map(drop).map_err(wrong)?,
            Kind::Choices(words) => among(words, text).map_err(wrong)?,
            _ => {}
        }
        if !seen.insert(text) {
            return Err(wrong(format!("`{}` is listed twice", brief(text))));
        }
        texts.push(text.clone());
    }
    match (kind, texts.is_empty()) {
        (Kind::Choices(_), true) => Err(Wrong {
            spot: items.first().map_or(Spot::START, |item| item.spot),
            message: format!("expected {}, at least one", kind.expected()),
        }),
        _ => Ok(Value::Texts(texts)),
    }
}

fn among(words: &[&str], text: &str) -> Result<(), String> {
    if words.contains(&text) {
        return Ok(());
    }
    let expected = words.join(", ");
    //= AU-18
    Err(match text.eq_ignore_ascii_case("none") {
        true => format!(
            "the algorithm `none` checks nothing, so that anybody could be anybody; it is never \
             taken, expected some of {expected}"
        ),
        false => format!("expected some of {expected}, found {}", found(text)),
    })
}

/// A text, unless what stands there without quotes reads as something else.
fn quoted(text: &str, is_plain: bool, rule: &Rule) -> Result<Value, String> {
    let what = match text {
        _ if !is_plain => None,
        "" | "~" | "null" | "Null" | "NULL" => Some("nothing"),
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Some("true or false"),
        _ if text.parse::<f64>().is_ok() => Some("a number"),
        _ => None,
    };
    match what {
        Some("nothing") => Err(format!("expected {}, found nothing", rule.expected)),
        Some(what) => Err(format!(
            "expected {}, found {what}; in quotes it is text",
            rule.expected
        )),
        None => by_rule(text, rule),
    }
}

/// The text is not repeated in the message: it may be a secret in the wrong place.
fn by_rule(text: &str, rule: &Rule) -> Result<Value, String> {
    match (rule.accepts)(text) {
        true => Ok(Value::Text(text.to_owned())),
        false => Err(format!("expected {}", rule.expected)),
    }
}

fn found(text: &str) -> String {
    match text.is_empty() {
        true => "nothing".to_owned(),
        false => format!("`{}`", brief(text)),
    }
}

/// That something of another shape stands there.
pub(crate) fn unexpected(kind: &Kind, node: &Node) -> String {
    let what = match &node.data {
        _ if node.is_null() => "nothing",
        Data::Scalar { .. } => "a single value",
        Data::List(_) => "a list",
        Data::Map(_) => "a map",
    };
    format!("expected {}, found {what}", kind.expected())
}

/// Whatever it is, as JSON; the depth is bounded by that of the tree.
fn json(node: &Node) -> Json {
    match &node.data {
        _ if node.is_null() => Json::Null,
        Data::Scalar {
            text,
            is_plain: true,
        } => plain_json(text),
        Data::Scalar { text, .. } => Json::String(text.clone()),
        Data::List(items) => Json::Array(items.iter().map(json).collect()),
        Data::Map(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(key, item)| (key.text.clone(), json(item)));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

fn plain_json(text: &str) -> Json {
    match text {
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        _ => text
            .parse::<Number>()
            .map_or_else(|_| Json::String(text.to_string()), Json::Number),
    }
}
