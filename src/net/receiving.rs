//! What a connection receives with, while it receives.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::{Inbox, Timestamp};

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
}
