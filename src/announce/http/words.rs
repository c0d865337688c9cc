//! Values as they stand in answers.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use std::time::SystemTime;

use crate::announce::announcement::Announcement;
use crate::announce::json::{self, Object};
use crate::announce::native;
use crate::announce::time::rfc3339;

pub(crate) const fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// A time, or `null`.
pub(crate) fn time(time: Option<SystemTime>) -> String {
    time.map_or_else(|| "null".to_string(), |it| json::quoted(&rfc3339(it)))
}

/// A text, or `null`.
pub(crate) fn text(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_string(), json::quoted)
}

pub(crate) fn list(items: impl IntoIterator<Item = Object>) -> String {
    let items: Vec<_> = items.into_iter().map(Object::end).collect();
    format!("[{}]", items.join(","))
}

/// An announcement as publishers see it.
pub(crate) fn announcement(stored: &Announcement) -> Object {
    native::announcement(stored, stored.offset, None)
        .text("state", stored.state.as_str())
        .text("visible_at", &rfc3339(stored.visible_at))
}
