//! Messages that leave together.

use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};

use crate::engine::Prepared;
use crate::hub::member_id::MemberId;
use crate::hub::post::Publication;

/// So much memory is kept for the frames of the next messages.
const KEPT_BYTES_MAX: usize = 64 << 10;

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

    /// Messages that [go together](Publication::goes_with), taken out of `publications`. Their
    /// frames are put together behind what is in `buffer`, and split off.
    pub(crate) fn take(publications: &mut Vec<Publication>, buffer: &mut BytesMut) -> Self {
        let mut excepts = Vec::new();
        if publications.iter().any(|it| it.except.is_some()) {
            excepts.extend(publications.iter().map(|it| it.except));
        }
        let waiting_max = publications.last().and_then(|it| it.waiting_max);
        let messages: Vec<_> = publications.drain(..).map(|it| it.message).collect();
        Self {
            frames: joined(&messages, buffer),
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

    /// What is left for a member that is [passed by](Self::passes_by), if anything.
    pub(crate) fn without(&self, member: MemberId) -> Option<Self> {
        let messages = self.messages.iter().zip(&self.excepts);
        let messages: Vec<_> = messages
            .filter(|(_, except)| **except != Some(member))
            .map(|(message, _)| message.clone())
            .collect();
        (!messages.is_empty()).then(|| Self {
            frames: joined(&messages, &mut BytesMut::new()),
            messages,
            excepts: Vec::new(),
            waiting_max: self.waiting_max,
        })
    }
}

/// The frames of messages one behind the other; those of one by itself are not copied.
fn joined(messages: &[Prepared], buffer: &mut BytesMut) -> Bytes {
    if let [message] = messages {
        return message.frame().clone();
    }
    let bytes = messages.iter().map(|it| it.frame().len()).sum();
    let mut large = BytesMut::new();
    let buffer = match bytes <= KEPT_BYTES_MAX {
        true => buffer,
        false => &mut large,
    };
    // What was split off before, and is nobody's any more, is used again.
    buffer.reserve(bytes);
    for message in messages {
        buffer.extend_from_slice(message.frame());
    }
    buffer.split().freeze()
}
