//! What is told to those who watch.

use alloc::boxed::Box;

use crate::engine::connection::Connection;
use crate::engine::observer::{Observer, Statistics};
use crate::engine::time::Timestamp;

impl Connection {
    /// Begins to keep [`statistics`](Self::statistics).
    pub fn keep_statistics(&mut self) {
        self.watch.keep_statistics();
        self.leave_short_way();
    }

    /// What has passed since [`keep_statistics`](Self::keep_statistics); `None` without it, and
    /// then nothing is counted. Why the connection closed, and who began, is told by
    /// [`closure`](Self::closure).
    pub fn statistics(&self) -> Option<&Statistics> {
        self.watch.statistics()
    }

    /// Has `observer` told what happens from now on, in place of the one before.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.watch.set_observer(observer);
        self.leave_short_way();
    }

    /// Whether statistics are kept or an observer is told.
    pub const fn is_watched(&self) -> bool {
        self.watch.is_on()
    }

    /// Takes note, for whoever watches, that the transport takes nothing while bytes wait, or
    /// that it has taken something.
    pub fn note_stalled(&mut self, now: Timestamp, is_stalled: bool) {
        self.watch.note_stalled(now, is_stalled);
    }
}
