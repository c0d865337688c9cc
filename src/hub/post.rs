//! What is on its way to the members of a branch.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

use crate::engine::Prepared;
use crate::hub::member_id::MemberId;

/// How many bytes of frames may be on their way to a branch that does not keep up.
const BYTES_MAX: usize = 32 << 20;

/// The queue from a hub to one branch, in the order in which it was told.
#[derive(Debug, Default)]
pub(crate) struct Post {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    items: Vec<Item>,
    /// Bytes of the frames of the messages among them.
    bytes: usize,
}

/// One thing that a branch is told.
#[derive(Debug)]
pub(crate) enum Item {
    /// A member is now in a topic.
    Subscribed(Arc<str>, MemberId),
    /// A member is no longer in a topic.
    Unsubscribed(Arc<str>, MemberId),
    /// A member has left the hub.
    Left(MemberId),
    /// A member is to close.
    Closed(MemberId),
    /// A message for the members of a topic.
    Published(Publication),
    /// A message for one member.
    Sent(MemberId, Prepared),
}

/// A message for the members of a topic.
#[derive(Clone, Debug)]
pub(crate) struct Publication {
    pub(crate) topic: Arc<str>,
    pub(crate) message: Prepared,
    /// Who is passed by.
    pub(crate) except: Option<MemberId>,
    /// Whether it is worth something only now, and then for how many waiting messages at most.
    pub(crate) waiting_max: Option<usize>,
}

impl Publication {
    /// Whether this and `next` can leave together: to the same topic, and worth something later.
    pub(crate) fn goes_with(&self, next: &Self) -> bool {
        self.topic == next.topic && self.waiting_max.is_none() && next.waiting_max.is_none()
    }
}

impl Item {
    /// Bytes of the frames of a message.
    fn bytes(&self) -> usize {
        match self {
            Self::Published(Publication { message, .. }) | Self::Sent(_, message) => {
                message.frame().len()
            }
            Self::Subscribed(..) | Self::Unsubscribed(..) | Self::Left(_) | Self::Closed(_) => 0,
        }
    }
}

impl Post {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something in. A message is refused, with `false`, while too much is on its way.
    pub(crate) fn push(&self, item: Item) -> bool {
        let bytes = item.bytes();
        let mut waiting = self.lock();
        if bytes > 0 && waiting.bytes >= BYTES_MAX {
            return false;
        }
        let is_first = waiting.items.is_empty();
        waiting.bytes += bytes;
        waiting.items.push(item);
        drop(waiting);
        // Whoever takes them takes all.
        if is_first {
            self.arrived.notify_one();
        }
        true
    }

    /// Moves all there is behind `items`. Says how many bytes of messages that was; `None` if
    /// there was nothing.
    pub(crate) fn take_into(&self, items: &mut Vec<Item>) -> Option<usize> {
        let mut waiting = self.lock();
        if waiting.items.is_empty() {
            return None;
        }
        items.append(&mut waiting.items);
        Some(core::mem::take(&mut waiting.bytes))
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().items.is_empty()
    }

    /// Waits until there may be something. Only one task may wait.
    pub(crate) async fn arrival(&self) {
        self.arrived.notified().await;
    }
}
