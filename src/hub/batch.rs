//! Messages that leave together.

use alloc::vec::Vec;
use bytes::Bytes;

use crate::engine::Prepared;
use crate::hub::member_id::MemberId;
use crate::hub::post::Publication;

/// Messages for many, with their frames one behind the other.
#[derive(Debug)]
pub(crate) struct Batch {
    messages: Vec<Prepared>,
    /// Their frames without compression.
    frames: Bytes,
    /// Who is passed by, message by message; empty where nobody is.
    excepts: Vec<Option<MemberId>>,
    /// Whether they are worth something only now, and then for how many waiting messages at most.
    waiting_max: Option<usize>,
}

impl Batch {
    /// A message by itself.
    pub(crate) fn of(message: Prepared) -> Self {
        Self {
            frames: message.frame().clone(),
            messages: [message].into(),
            excepts: Vec::new(),
            waiting_max: None,
        }
    }

    /// Messages that [go together](Publication::goes_with).
    pub(crate) fn new(publications: impl Iterator<Item = Publication>) -> Self {
        let (mut messages, mut excepts, mut waiting_max) = (Vec::new(), Vec::new(), None);
        for publication in publications {
            messages.push(publication.message);
            excepts.push(publication.except);
            waiting_max = publication.waiting_max;
        }
        if excepts.iter().all(Option::is_none) {
            excepts.clear();
        }
        Self {
            frames: joined(&messages),
            messages,
            excepts,
            waiting_max,
        }
    }

    pub(crate) fn messages(&self) -> &[Prepared] {
        &self.messages
    }

    pub(crate) const fn frames(&self) -> &Bytes {
        &self.frames
    }

    pub(crate) const fn waiting_max(&self) -> Option<usize> {
        self.waiting_max
    }

    /// Whether a member is passed by with any of the messages.
    #[inline]
    pub(crate) fn passes_by(&self, member: MemberId) -> bool {
        !self.excepts.is_empty() && self.excepts.contains(&Some(member))
    }

    /// What is left for a member that is [passed by](Self::passes_by).
    pub(crate) fn without(&self, member: MemberId) -> Self {
        let messages = self.messages.iter().zip(&self.excepts);
        let messages: Vec<_> = messages
            .filter(|(_, except)| **except != Some(member))
            .map(|(message, _)| message.clone())
            .collect();
        Self {
            frames: joined(&messages),
            messages,
            excepts: Vec::new(),
            waiting_max: self.waiting_max,
        }
    }
}

/// The frames of messages one behind the other; those of one by itself are not copied.
fn joined(messages: &[Prepared]) -> Bytes {
    if let [message] = messages {
        return message.frame().clone();
    }
    let mut frames = Vec::with_capacity(messages.iter().map(|it| it.frame().len()).sum());
    for message in messages {
        frames.extend_from_slice(message.frame());
    }
    frames.into()
}
