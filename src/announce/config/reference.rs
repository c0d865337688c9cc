//! The reference of all keys, printed from the table that files are read by.

use alloc::format;
use alloc::string::String;

use crate::announce::config::table::{Effect, Kind, Presence, Row, rows};

/// A table in Markdown of every key: path, what it holds, default, when a change takes effect,
/// environment variable, meaning.
#[must_use]
pub fn reference() -> String {
    let mut table = String::from(
        "| key | value | default | change | variable | meaning |\n|---|---|---|---|---|---|\n",
    );
    for row in rows() {
        table.push_str(&line(row));
    }
    table
}

fn line(row: &Row) -> String {
    let is_list = matches!(row.kind, Kind::Texts(_) | Kind::Choices(_));
    let default = match row.presence {
        Presence::Required => "required".into(),
        Presence::Optional => String::new(),
        Presence::Default(text) if is_list => format!("`[{text}]`"),
        Presence::Default(text) => format!("`{text}`"),
    };
    let change = match row.effect {
        Effect::Reload => "reload",
        Effect::Restart => "restart",
    };
    let variable = row
        .variable()
        .map_or_else(String::new, |name| format!("`{name}`"));
    let expected = row.kind.expected();
    format!(
        "| `{}` | {expected} | {default} | {change} | {variable} | {} |\n",
        row.path, row.meaning
    )
}
