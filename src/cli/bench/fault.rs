//! What can go wrong with a server under load, counted by kind.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

/// One thing that went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// This machine gives no further connection: ports or open files.
    Local,
    /// Nobody listens, or what listens took no connection.
    Refused,
    /// TLS or the opening handshake failed.
    NotOpened,
    /// The opening handshake took too long.
    NotOpenedInTime,
    /// The server sent Close, with this code or without one.
    Closed(Option<u16>),
    /// The stream ended without Close.
    Cut,
    /// Bytes that are no frame a server may send.
    Malformed,
    /// Text for binary or the other way round.
    WrongKind,
    /// A message of another length.
    WrongLength,
    /// A message with other bytes.
    WrongPayload,
    /// A message that nobody asked for.
    Unasked,
    /// A message that came twice.
    Doubled,
    /// A message that is not there, while one behind it is.
    Lost,
    /// A message that came behind a later one.
    OutOfOrder,
    /// A message that was awaited until the deadline, or the end of its connection.
    Unanswered,
}

impl Fault {
    /// Whether it is about one message, which does not count as unanswered then.
    pub(crate) const fn is_of_message(self) -> bool {
        matches!(
            self,
            Self::WrongKind | Self::WrongLength | Self::WrongPayload | Self::Lost
        )
    }

    /// The name under which it is counted.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Closed(Some(code)) => return format!("closed_{code}"),
            Self::Closed(None) => "closed_without_code",
            Self::Local => "local",
            Self::Refused => "refused",
            Self::NotOpened => "not_opened",
            Self::NotOpenedInTime => "not_opened_in_time",
            Self::Cut => "cut",
            Self::Malformed => "malformed",
            Self::WrongKind => "wrong_kind",
            Self::WrongLength => "wrong_length",
            Self::WrongPayload => "wrong_payload",
            Self::Unasked => "unasked",
            Self::Doubled => "doubled",
            Self::Lost => "lost",
            Self::OutOfOrder => "out_of_order",
            Self::Unanswered => "unanswered",
        }
        .to_string()
    }
}

/// How often each of them happened, and what was said about the first of a kind.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    counts: BTreeMap<Fault, u64>,
    words: BTreeMap<Fault, String>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault, count: u64) {
        if count > 0 {
            *self.counts.entry(fault).or_default() += count;
        }
    }

    /// Adds one, with what explains it.
    pub(crate) fn explain(&mut self, fault: Fault, words: String) {
        self.add(fault, 1);
        self.words.entry(fault).or_insert(words);
    }

    /// Takes one away: it was another one.
    pub(crate) fn take_back(&mut self, fault: Fault) {
        if let Some(count) = self.counts.get_mut(&fault) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&fault);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (fault, count) in other.counts {
            self.add(fault, count);
        }
        for (fault, words) in other.words {
            self.words.entry(fault).or_insert(words);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (Fault, u64)> {
        self.counts.iter().map(|(fault, count)| (*fault, *count))
    }

    /// What was said, with the kind it was said of.
    pub(crate) fn words(&self) -> impl Iterator<Item = (Fault, &str)> {
        self.words
            .iter()
            .map(|(fault, words)| (*fault, words.as_str()))
    }
}
