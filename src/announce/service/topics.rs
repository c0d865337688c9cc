//! The hub's names for audiences.
//!
//! An audience is made of connections that speak one dialect, so that a message is written once
//! for all of them. No part of a name holds a control character, so a control character parts
//! them.

use alloc::format;
use alloc::string::String;

use crate::announce::announcement::FeedKey;
use crate::announce::dialect::Dialect;

/// Everyone who reads a feed of a namespace in a dialect.
pub(crate) fn feed(dialect: Dialect, namespace: &str, feed: &FeedKey) -> String {
    format!("{dialect}\u{1f}f\u{1f}{namespace}\u{1f}{feed}")
}

/// Everyone who speaks a dialect, whatever the namespace.
pub(crate) fn everyone(dialect: Dialect) -> String {
    format!("{dialect}\u{1f}e")
}

/// Everyone who is in a room of a namespace and speaks a dialect.
pub(crate) fn room(dialect: Dialect, namespace: &str, room: &str) -> String {
    format!("{dialect}\u{1f}r\u{1f}{namespace}\u{1f}{room}")
}

/// A user of one namespace is another person than the user of that name in the next.
pub(crate) fn user(namespace: &str, user: &str) -> String {
    format!("{namespace}\u{1f}{user}")
}
