//! Every key that there is: its type, its default, what it means. The reader of files knows no
//! key but these, and the reference is printed from them, so that the two cannot differ.
//!
//! The path of a key holds `[]` for each entry of a list and `*` for a name that is free.

mod announcements;
mod auth;
mod gateway;
mod server;

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::announce::config::rule::Rule;
use crate::announce::config::unit::{show_size, show_time};

/// What kind of value a key holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A map of the keys that stand below this one.
    Map,
    /// A list of such maps, at most so many.
    Maps(usize),
    /// A map from free names to such maps, at most so many.
    Named(Rule, usize),
    /// A text.
    Text(Rule),
    /// `true` or `false`.
    Flag,
    /// A whole number, from the first to the last.
    Whole(u64, u64),
    /// A time, from the first to the last, in milliseconds.
    Time(u64, u64),
    /// A size, from the first to the last, in bytes.
    Size(u64, u64),
    /// A rate, or `off`.
    Rate,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of texts, at most 1000.
    Texts(Rule),
    /// A list of some of these words.
    Choices(&'static [&'static str]),
    /// A map of whatever it is; the server hands it on.
    Data,
}

/// Whether a key has to be there, in a map that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It has to.
    Required,
    /// It need not, and there is no value then.
    Optional,
    /// It need not, and this is its value then.
    Default(&'static str),
}

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// With the next reload; no connection is dropped.
    Reload,
    /// When the server is started again.
    Restart,
}

/// One key.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    pub(crate) effect: Effect,
    pub(crate) meaning: &'static str,
}

impl Row {
    /// The last part of the path, without `[]`.
    pub(crate) fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// The path of the map that the key stands in; what stands at the root is in "".
    pub(crate) fn parent(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }

    /// The environment variable that sets the value: a single value at a path that is fixed.
    pub(crate) fn variable(&self) -> Option<String> {
        let is_single = !matches!(
            self.kind,
            Kind::Map
                | Kind::Maps(_)
                | Kind::Named(..)
                | Kind::Texts(_)
                | Kind::Choices(_)
                | Kind::Data
        );
        let is_fixed = !self.path.contains(['[', '*']);
        (is_single && is_fixed)
            .then(|| format!("FRAMEWIRE_{}", self.path.replace('.', "_").to_uppercase()))
    }
}

impl Kind {
    /// What is expected, as it reads behind "expected".
    pub(crate) fn expected(&self) -> String {
        let time = |millis| show_time(Duration::from_millis(millis));
        match self {
            Self::Map => "a map of keys".to_owned(),
            Self::Maps(most) => format!("a list of at most {most} maps"),
            Self::Named(_, most) => format!("a map from at most {most} names to maps"),
            Self::Text(rule) => rule.expected.to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Time(least, most) => {
                format!(
                    "a time from {} to {}, such as 500ms, 10s, 25m",
                    time(*least),
                    time(*most)
                )
            }
            Self::Size(least, most) => {
                format!("a size from {} to {}", show_size(*least), show_size(*most))
            }
            Self::Rate => "a rate of at least 1 such as 50/s, 10/m or 5/h, or off".to_owned(),
            Self::Choice(words) => words.join(" or "),
            Self::Texts(rule) => format!("a list; each entry: {}", rule.expected),
            Self::Choices(words) => format!("a list of some of {}", words.join(", ")),
            Self::Data => "a map".to_owned(),
        }
    }
}

/// Writes rows of the table: path, kind, presence, effect and meaning.
macro_rules! table {
    ($name:ident: $(
        $path:literal $kind:expr, $presence:expr, $effect:ident, $meaning:literal;
    )+) => {
        pub(super) const $name: &[$crate::announce::config::table::Row] = &[$(
            $crate::announce::config::table::Row {
                path: $path,
                kind: $kind,
                presence: $presence,
                effect: $crate::announce::config::table::Effect::$effect,
                meaning: $meaning,
            },
        )+];
    };
}
use table;

/// A key that people write for another one, and what to tell them.
pub(crate) struct Slip {
    /// The map that it is written in; "" for any.
    pub(crate) parent: &'static str,
    pub(crate) written: &'static str,
    pub(crate) hint: &'static str,
}

const SECRET_HINT: &str = "no secret stands in this file: name the environment variable that \
    holds it with `secret_env`, or a file with `secret_file`";

/// Slips that a comparison of spellings does not find.
pub(crate) const SLIPS: &[Slip] = &[
    //= B16
    slip(
        "gateway.socket",
        "connect",
        "no such key; did you mean `path`?",
    ),
    //= B17
    slip(
        "gateway.socket",
        "onconnection",
        "no such key; did you mean `onconnect`?",
    ),
    //= B47
    slip(
        "gateway.socket.send",
        "broadcast",
        "no such key; did you mean `subscribe`?",
    ),
    slip(
        "gateway.socket.send",
        "publish",
        "no such key; did you mean `subscribe`? \
        This is a topic that the server listens on",
    ),
    slip(
        "gateway.socket.broadcast",
        "publish",
        "no such key; did you mean `subscribe`? \
        This is a topic that the server listens on",
    ),
    slip("", "secret", SECRET_HINT),
    slip("", "api_secret", SECRET_HINT),
    slip("", "API_secret", SECRET_HINT),
    slip("", "previous_secret", SECRET_HINT),
    slip("", "password", SECRET_HINT),
    slip("", "token", SECRET_HINT),
];

const fn slip(parent: &'static str, written: &'static str, hint: &'static str) -> Slip {
    Slip {
        parent,
        written,
        hint,
    }
}

/// All rows, in the order of the reference.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [gateway::ROWS, announcements::ROWS, auth::ROWS, server::ROWS]
        .into_iter()
        .flatten()
}

/// The rows by the map that they stand in.
pub(crate) struct Table(BTreeMap<&'static str, Vec<&'static Row>>);

impl Table {
    pub(crate) fn new() -> Self {
        let mut by_parent: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in rows() {
            by_parent.entry(row.parent()).or_default().push(row);
        }
        Self(by_parent)
    }

    /// The keys that may stand in the map at this path.
    pub(crate) fn below(&self, parent: &str) -> &[&'static Row] {
        self.0.get(parent).map_or(&[], Vec::as_slice)
    }
}
