//! What changes between two configurations, and when it takes effect.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::announce::config::model::Config;
use crate::announce::config::table::{Effect, rows};
use crate::announce::config::value::Value;

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The path of the key.
    pub path: String,
    /// The old value as text, of what is announced its length; `None` where there was none.
    pub old: Option<String>,
    /// The new one.
    pub new: Option<String>,
    /// When it takes effect.
    pub effect: Effect,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let when = match self.effect {
            Effect::Reload => "",
            Effect::Restart => " (with the next start)",
        };
        write!(
            f,
            "{}: {} -> {}{when}",
            self.path,
            text(&self.old),
            text(&self.new)
        )
    }
}

impl Config {
    /// What a reload from `old` to `new` changes, in the order of the paths, and for each value
    /// whether the reload applies it or only a start does.
    ///
    /// What was loaded is compared, not what has been assigned to the fields since.
    //= B57
    #[must_use]
    pub fn difference(old: &Self, new: &Self) -> Vec<Change> {
        let (old, new) = (&old.values, &new.values);
        let paths: BTreeSet<&String> = old.0.keys().chain(new.0.keys()).collect();
        paths
            .into_iter()
            .filter_map(|path| {
                let (before, after) = (old.0.get(path), new.0.get(path));
                let row = after.or(before)?.row;
                let [before, after] = [before, after].map(|given| given.map(|it| &it.value));
                let is_silent = |value: Option<&Value>| matches!(value, Some(Value::Map));
                if before == after || is_silent(before.or(after)) {
                    return None;
                }
                Some(Change {
                    path: path.clone(),
                    old: before.map(|value| shown(row, value)),
                    new: after.map(|value| shown(row, value)),
                    effect: effect(path, row, before.is_none() != after.is_none()),
                })
            })
            .collect()
    }
}

/// What is announced reaches no log: only its length is told.
fn shown(row: &str, value: &Value) -> String {
    let text = value.to_string();
    match row.contains(".template.") {
        true => format!("{} bytes", text.len()),
        false => text,
    }
}

/// An endpoint that comes or goes takes a start, whatever its keys say of changes.
fn effect(path: &str, row: &str, comes_or_goes: bool) -> Effect {
    let effect = rows()
        .find(|known| known.path == row)
        .map_or(Effect::Restart, |known| known.effect);
    match comes_or_goes && path == "gateway.socket.path" {
        true => Effect::Restart,
        false => effect,
    }
}
