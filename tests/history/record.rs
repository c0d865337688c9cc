//! What a history is made of: who took part, and line by line what they sent and received.

use alloc::sync::Arc;
use std::collections::BTreeMap;

/// Text that many lines share.
pub(crate) type Text = Arc<str>;

/// Who drives a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) namespace: Text,
    /// `None` for a socket that never signs in.
    pub(crate) user: Option<Text>,
    /// The feeds that the person reads.
    pub(crate) feeds: Vec<Text>,
    pub(crate) is_native: bool,
    /// Whether the client reads everything at the end: since 0, and all pages of the unread.
    pub(crate) is_reader: bool,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// `tag` stands in the body, and nowhere else.
    Publish {
        feed: Text,
        tag: Text,
        ends: Option<u64>,
    },
    Edit {
        id: Text,
        tag: Text,
        again: bool,
    },
    Recall {
        id: Text,
    },
    Read {
        feed: Text,
        ids: Vec<Text>,
    },
    ReadUpTo {
        feed: Text,
        offset: u64,
    },
    Acknowledge {
        id: Text,
    },
    /// The counts, after everybody has been quiet.
    Compare,
}

/// What happened to an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Posted,
    Edited,
    Recalled,
}

/// An entry of a feed, or an announcement among the unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) change: Change,
    pub(crate) feed: Text,
    pub(crate) epoch: Text,
    pub(crate) offset: u64,
    pub(crate) previous: Option<u64>,
    pub(crate) id: Text,
    pub(crate) version: u64,
    /// What the body says; none where the body is not shown.
    pub(crate) tag: Option<Text>,
}

/// How much a person has not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) version: u64,
    pub(crate) feeds: BTreeMap<Text, u64>,
}

/// Where a feed stands when a connection signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) feed: Text,
    pub(crate) epoch: Text,
    pub(crate) top: u64,
    /// From where the connection asked to be told.
    pub(crate) since: Option<u64>,
}

/// One thing that happened to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A request; a repetition has the number of the first.
    Sent {
        number: u64,
        act: Act,
    },
    Signed {
        standings: Vec<Standing>,
        counts: Counts,
    },
    Published {
        number: u64,
        id: Text,
        epoch: Text,
        offset: u64,
    },
    Changed {
        number: u64,
        id: Text,
        version: u64,
    },
    /// The answer to what was read.
    Noted {
        number: u64,
        counts: Counts,
    },
    Refused {
        number: u64,
        code: Text,
    },
    Heard(Entry),
    /// Counts that nobody asked for.
    Told(Counts),
    /// One page of the unread, at this time of the clock in milliseconds.
    Page {
        clock: u64,
        entries: Vec<Entry>,
        counts: Counts,
        is_last: bool,
    },
    /// Something is said to be missing.
    Gap {
        feed: Text,
    },
    /// The connection has gone, with the code and the slot that the server gave, if any.
    Gone {
        code: Option<u16>,
        retry: Option<u64>,
    },
    /// The client stands where the reader of its feeds does, or should.
    Still,
    /// Any other text.
    Other,
}

/// One thing that happened, when, and on which connection of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The order of everything that happened in this process.
    pub(crate) at: u64,
    pub(crate) connection: u32,
    pub(crate) what: What,
    /// Each `namespace/feed` whose mark stood in the received text.
    pub(crate) marks: Vec<Text>,
}

/// A client and what happened to it, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Story {
    pub(crate) who: Who,
    pub(crate) lines: Vec<Line>,
}

/// All of it.
pub(crate) type History = Vec<Story>;

/// A line as a report shows it.
pub(crate) fn shown(who: &Who, line: &Line) -> String {
    let Line {
        at,
        connection,
        what,
        ..
    } = line;
    let user = who.user.as_deref().unwrap_or("nobody");
    let mut text = format!("{what:?}");
    if text.len() > 400 {
        text = text.chars().take(400).chain(" ...".chars()).collect();
    }
    format!(
        "[{at}] {}/{user} connection {connection}: {text}",
        who.namespace
    )
}
