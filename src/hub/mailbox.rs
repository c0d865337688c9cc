//! What waits for one member.

use alloc::collections::VecDeque;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

use crate::engine::Prepared;
use crate::wire::close::CloseReason;

/// How much may wait for one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// Bytes of frames; a message that alone is larger still fits an empty mailbox.
    pub bytes_max: usize,
    /// Messages.
    pub messages_max: usize,
}

impl Default for Bounds {
    /// 256 KiB and 1,000 messages.
    fn default() -> Self {
        Self {
            bytes_max: 256 << 10,
            messages_max: 1000,
        }
    }
}

impl Bounds {
    /// At most so many bytes and messages; at least one of each.
    pub fn new(bytes_max: usize, messages_max: usize) -> Self {
        Self {
            bytes_max: bytes_max.max(1),
            messages_max: messages_max.max(1),
        }
    }
}

/// What happens when a message does not fit the mailbox of a slow member.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlowPolicy {
    /// The member is told to close with this reason. What waits, and the message, are dropped.
    Disconnect(CloseReason),
    /// The oldest messages make room.
    DropOldest,
    /// The message is dropped.
    DropNewest,
}

/// How many messages a mailbox has seen. `offered` = `taken` + `dropped` + `waiting`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages that were published to the member.
    pub offered: u64,
    /// Messages that the member took to send.
    pub taken: u64,
    /// Messages that were dropped because the member was slow, or gone.
    pub dropped: u64,
    /// Messages that wait.
    pub waiting: u64,
}

/// What a member is to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// Send this message.
    Message(Prepared),
    /// Close with this reason.
    Close(CloseReason),
}

/// The queue of one member.
#[derive(Debug)]
pub(crate) struct Mailbox {
    bounds: Bounds,
    policy: SlowPolicy,
    queue: Mutex<Queue>,
    arrived: Notify,
    /// Whether the member is to close, and so takes no more messages.
    closing: AtomicBool,
    /// Messages that went to the member's connection without waiting here, as far as that has
    /// been told.
    direct: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Prepared>,
    bytes: usize,
    counts: Counts,
    close: Option<CloseReason>,
    /// Woken when there is a reason to close.
    waker: Option<Waker>,
}

impl Mailbox {
    pub(crate) fn new(bounds: Bounds, policy: SlowPolicy) -> Self {
        Self {
            bounds,
            policy,
            queue: Mutex::default(),
            arrived: Notify::new(),
            closing: AtomicBool::new(false),
            direct: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in, or does what the policy says. Says whether it waits now.
    pub(crate) fn offer(&self, message: &Prepared) -> bool {
        let mut queue = self.lock();
        queue.counts.offered += 1;
        let size = message.frame().len();
        if self.closing.load(Ordering::Relaxed) {
            queue.counts.dropped += 1;
            return false;
        }
        while !queue.fits(size, self.bounds) {
            match &self.policy {
                SlowPolicy::DropOldest => queue.drop_oldest(),
                SlowPolicy::DropNewest => {
                    queue.counts.dropped += 1;
                    return false;
                }
                SlowPolicy::Disconnect(reason) => {
                    queue.counts.dropped += 1;
                    drop(queue);
                    self.close(reason.clone());
                    return false;
                }
            }
        }
        queue.push(message);
        drop(queue);
        self.arrived.notify_one();
        true
    }

    /// As [`offer`](Self::offer), for what is worth something only now: it is dropped where more
    /// than `waiting_max` messages wait, and never makes room or disconnects.
    pub(crate) fn offer_passing(&self, message: &Prepared, waiting_max: usize) -> bool {
        let mut queue = self.lock();
        queue.counts.offered += 1;
        let size = message.frame().len();
        let late = queue.messages.len() > waiting_max || !queue.fits(size, self.bounds);
        if late || self.closing.load(Ordering::Relaxed) {
            queue.counts.dropped += 1;
            return false;
        }
        queue.push(message);
        drop(queue);
        self.arrived.notify_one();
        true
    }

    /// Has the member close, with the first reason that is given. What waits is dropped.
    pub(crate) fn close(&self, reason: CloseReason) {
        if self.closing.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut queue = self.lock();
        while !queue.messages.is_empty() {
            queue.drop_oldest();
        }
        queue.close = Some(reason);
        let waker = queue.waker.take();
        drop(queue);
        self.arrived.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The next thing to do, if there is any.
    pub(crate) fn take(&self) -> Option<Delivery> {
        let mut queue = self.lock();
        if let Some(message) = queue.take_front() {
            return Some(Delivery::Message(message));
        }
        queue.close.take().map(Delivery::Close)
    }

    /// Takes messages for as long as `send` takes them, at the cost of one lock for all.
    pub(crate) fn take_each(&self, mut send: impl FnMut(&Prepared) -> bool) {
        let mut queue = self.lock();
        while queue.messages.front().is_some_and(&mut send) {
            queue.take_front();
        }
    }

    /// Waits until the member is to close. Only one task may wait.
    pub(crate) async fn closed(&self) -> CloseReason {
        loop {
            if let Some(reason) = self.lock().close.take() {
                return reason;
            }
            self.arrived.notified().await;
        }
    }

    /// Waits for the next thing to do. Only one task may wait.
    pub(crate) async fn next(&self) -> Delivery {
        loop {
            if let Some(delivery) = self.take() {
                return delivery;
            }
            self.arrived.notified().await;
        }
    }

    /// The reason to close, once there is one; this task is woken for it.
    pub(crate) fn poll_close(&self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let mut queue = self.lock();
        if let Some(reason) = queue.close.take() {
            return Poll::Ready(reason);
        }
        if !queue
            .waker
            .as_ref()
            .is_some_and(|it| it.will_wake(cx.waker()))
        {
            queue.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Whether the member is to close.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Whether no message waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().messages.is_empty()
    }

    /// Takes note of how many messages went to the connection without waiting here.
    pub(crate) fn set_direct(&self, messages: u64) {
        self.direct.store(messages, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        let (direct, mut counts) = (self.direct.load(Ordering::Relaxed), self.lock().counts);
        counts.offered += direct;
        counts.taken += direct;
        counts
    }
}

impl Queue {
    fn fits(&self, size: usize, bounds: Bounds) -> bool {
        self.messages.is_empty()
            || (self.messages.len() < bounds.messages_max && self.bytes + size <= bounds.bytes_max)
    }

    fn push(&mut self, message: &Prepared) {
        self.bytes += message.frame().len();
        self.counts.waiting += 1;
        self.messages.push_back(message.clone());
    }

    fn take_front(&mut self) -> Option<Prepared> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.frame().len();
        self.counts.waiting -= 1;
        self.counts.taken += 1;
        Some(message)
    }

    fn drop_oldest(&mut self) {
        if let Some(message) = self.messages.pop_front() {
            self.bytes -= message.frame().len();
            self.counts.waiting -= 1;
            self.counts.dropped += 1;
        }
    }
}
