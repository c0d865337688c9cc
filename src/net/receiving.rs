//! What a connection receives with, while it receives.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::{Inbox, Timestamp};
use crate::net::pool;

/// An inbox with its buffer, and when what is in it arrived.
#[derive(Debug)]
pub(crate) struct Receiving {
    pub(crate) inbox: Inbox,
    /// When bytes arrived last.
    pub(crate) at: Timestamp,
}

impl Receiving {
    pub(crate) fn with_bytes(bytes: Vec<u8>) -> Box<Self> {
        Box::new(Self {
            inbox: Inbox::with_bytes(bytes),
            at: Timestamp::ZERO,
        })
    }

    /// Lends the inbox a buffer of the thread, if it needs a larger one than it has.
    ///
    /// That a frame declares much allocates nothing: a buffer that would hold it is lent where
    /// the thread keeps one from before.
    pub(crate) fn lend_buffer(&mut self, to_come: u64) {
        if self.inbox.wants_buffer(pool::READ_BYTES) {
            self.inbox.lend_buffer(pool::take_read());
        } else if to_come > 0 && self.inbox.is_full() {
            let needed = (self.inbox.waiting_bytes() as u64).saturating_add(to_come);
            if let Some(buffer) = pool::take_large(needed) {
                self.inbox.lend_buffer(buffer);
            }
        }
    }
}
