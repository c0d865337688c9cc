//! The coded forms of a prepared message, each made once.

use alloc::vec::Vec;
use bytes::Bytes;
use std::sync::{Mutex, PoisonError};

/// What decides how a message is coded from an empty window: window bits and level.
pub(crate) type Setting = (u8, u8);

/// The frames for each setting that has been asked for; `None` where the message is better sent
/// as it is. There are 7 windows, and one or few levels in a process.
#[derive(Debug, Default)]
pub(crate) struct Variants {
    made: Mutex<Vec<(Setting, Option<Bytes>)>>,
}

impl Variants {
    /// The frames for `setting`, made now if nobody has asked before. Whoever asks meanwhile
    /// waits, which is shorter than making them again.
    pub(crate) fn get(
        &self,
        setting: Setting,
        make: impl FnOnce() -> Option<Bytes>,
    ) -> Option<Bytes> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, frames)) = made.iter().find(|it| it.0 == setting) {
            return frames.clone();
        }
        let frames = make();
        made.push((setting, frames.clone()));
        frames
    }
}
