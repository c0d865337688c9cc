//! A line on standard error that says how far it is.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

const EVERY: Duration = Duration::from_secs(1);

/// Where it is said, and what was said last.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    is_terminal: bool,
    began: Instant,
    last: u64,
}

impl Progress {
    /// Says it where somebody looks, or where it is asked for.
    pub(crate) fn new(is_asked_for: bool) -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self {
            is_shown: is_terminal || is_asked_for,
            is_terminal,
            began: Instant::now(),
            last: 0,
        }
    }

    /// Waits for what a thread tells, and meanwhile says how far it is.
    pub(crate) fn wait<T>(
        &mut self,
        told: &Receiver<T>,
        doing: &str,
        achieved: &AtomicU64,
    ) -> Result<T, RecvTimeoutError> {
        loop {
            match told.recv_timeout(EVERY) {
                Err(RecvTimeoutError::Timeout) => {
                    self.say(doing, achieved.load(Ordering::Relaxed));
                }
                other => return other,
            }
        }
    }

    fn say(&mut self, doing: &str, all: u64) {
        if !self.is_shown {
            return;
        }
        let (seconds, more) = (self.began.elapsed().as_secs(), all - self.last);
        self.last = all;
        let mut error = io::stderr();
        let line = alloc::format!("{seconds} s: {doing}, {all} done, {more} in the last second");
        // Where it cannot be said, it is not.
        let _ = match self.is_terminal {
            true => write!(error, "\r{line}\x1b[K"),
            false => writeln!(error, "{line}"),
        };
    }

    /// Leaves the line to what comes next.
    pub(crate) fn end(&self) {
        if self.is_shown && self.is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
