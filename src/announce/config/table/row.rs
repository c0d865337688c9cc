//! One key: its path, what it holds, its default, when a change takes effect, what it means.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
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
        pub(crate) const $name: &[$crate::announce::config::table::row::Row] = &[$(
            $crate::announce::config::table::row::Row {
                path: $path,
                kind: $kind,
                presence: $presence,
                effect: $crate::announce::config::table::row::Effect::$effect,
                meaning: $meaning,
            },
        )+];
    };
}
pub(crate) use table;
