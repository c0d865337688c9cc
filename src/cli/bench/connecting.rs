//! Opening all connections of a thread, some at a time.

use mio::event::Event;

use crate::cli::bench::counting::Counting;
use crate::cli::bench::drive::Load;
use crate::cli::bench::fault::{Fault, Faults};
use crate::cli::bench::frames::Frames;
use crate::cli::bench::pool::{Pool, Turn};
use crate::cli::bench::schedule::Schedule;

/// How many handshakes are under way at the same time.
const AT_ONCE: usize = 64;
/// How many connections come from one address of this machine.
const PER_ADDRESS: u64 = 20_000;

/// Connections that are being opened.
#[derive(Debug)]
pub(crate) struct Connecting<'a> {
    pool: &'a mut Pool,
    frames: &'a Frames,
    /// How fast, where it is not as fast as it goes.
    ramp: Option<Schedule>,
    start: u64,
    stall: u64,
    /// The number of the first among those of all threads.
    first: u64,
    begun: usize,
    pending: usize,
    opened: u64,
    heard: Counting,
    pub(crate) faults: Faults,
}

impl<'a> Connecting<'a> {
    pub(crate) fn new(
        pool: &'a mut Pool,
        frames: &'a Frames,
        first: u64,
        ramp: Option<Schedule>,
        start: u64,
        stall: u64,
    ) -> Self {
        Self {
            pool,
            frames,
            ramp,
            start,
            stall,
            first,
            begun: 0,
            pending: 0,
            opened: 0,
            heard: Counting::default(),
            faults: Faults::default(),
        }
    }

    /// What has gone wrong. With `is_strict`, a message that came before any was sent is wrong.
    pub(crate) fn into_faults(mut self, is_strict: bool) -> Faults {
        if is_strict {
            self.faults.add(Fault::Unasked, self.heard.messages);
        }
        self.faults
    }

    fn hear(&mut self, at: usize, to_the_end: bool) {
        let heard = self.pool.hear(at, to_the_end, &mut self.heard);
        if let Err(fault) = heard.and_then(|()| self.pool.flush(at, self.frames)) {
            self.faults.add(fault, 1);
            self.pool.end(at);
        }
    }

    fn may_begin(&self, now: u64) -> bool {
        let is_due = |ramp: &Schedule| ramp.due(now - self.start) > self.begun as u64;
        self.begun < self.pool.len()
            && self.pending < AT_ONCE
            && self.ramp.as_ref().is_none_or(is_due)
    }

    fn not_in_time(&mut self, count: u64) {
        self.faults.add(Fault::NotOpenedInTime, count);
        self.pending -= usize::try_from(count).unwrap_or(self.pending);
        // Whoever does not answer these will not answer more of them.
        self.begun = self.pool.len();
    }
}

impl Load for Connecting<'_> {
    fn pool(&mut self) -> &mut Pool {
        self.pool
    }

    fn issue(&mut self, now: u64) -> Option<u64> {
        let expired = match now.checked_sub(self.stall) {
            Some(before) => self.pool.expire_rarely(before, now),
            None => 0,
        };
        if expired > 0 {
            self.not_in_time(expired);
        }
        while self.may_begin(now) {
            let which = (self.first + self.begun as u64) / PER_ADDRESS;
            match self.pool.begin(self.begun, which, now) {
                Ok(()) => self.pending += 1,
                Err((fault, words)) => self.faults.explain(fault, words),
            }
            self.begun += 1;
        }
        match &self.ramp {
            Some(ramp) if self.begun < self.pool.len() && self.pending < AT_ONCE => {
                Some(self.start + ramp.at(self.begun as u64))
            }
            _ => None,
        }
    }

    fn turn(&mut self, at: usize, event: &Event) {
        match self.pool.turn(at) {
            Turn::Nothing => {}
            Turn::Opened => {
                self.pending -= 1;
                self.opened += 1;
                // What came behind the answer, be it the end, has no event of its own.
                self.hear(at, true);
            }
            Turn::Failed(fault, words) => {
                self.pending -= 1;
                self.faults.explain(fault, words);
            }
            Turn::Open => self.hear(at, event.is_read_closed()),
        }
    }

    fn is_done(&self, _now: u64) -> bool {
        self.begun >= self.pool.len() && self.pending == 0
    }

    fn achieved(&self) -> u64 {
        self.opened
    }

    fn is_waiting(&self) -> bool {
        self.pending > 0
    }

    fn give_up(&mut self) {
        let expired = self.pool.expire(u64::MAX);
        self.not_in_time(expired);
    }
}
