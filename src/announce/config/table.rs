//! Every key that there is: its type, its default, what it means. The reader of files knows no
//! key but these, and the reference is printed from them, so that the two cannot differ.
//!
//! The path of a key holds `[]` for each entry of a list and `*` for a name that is free.

mod announcements;
mod auth;
mod gateway;
mod row;
mod server;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

pub use row::Effect;
pub(crate) use row::{Kind, Presence, Row};

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
