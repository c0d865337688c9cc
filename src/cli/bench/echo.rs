//! Messages that come back: as many on the way as are asked for, or as many a second.

use alloc::sync::Arc;
use alloc::vec::Vec;
use mio::event::Event;

use crate::cli::args::Verify;
use crate::cli::bench::clock::Clock;
use crate::cli::bench::drive::Load;
use crate::cli::bench::fault::Fault;
use crate::cli::bench::frames::Frames;
use crate::cli::bench::hearing::Ear;
use crate::cli::bench::lane::Lane;
use crate::cli::bench::pace::{Limit, Pace};
use crate::cli::bench::pool::{Pool, Turn};
use crate::cli::bench::schedule::Schedule;
use crate::cli::bench::tally::Tally;
use crate::cli::bench::windows::Windows;

/// A phase of messages that come back.
#[derive(Debug)]
pub(crate) struct Echo<'a> {
    pool: &'a mut Pool,
    frames: Arc<Frames>,
    lanes: &'a mut [Lane],
    clock: Clock,
    verify: Verify,
    pace: Pace,
    start: u64,
    /// When no more is sent.
    end: Option<u64>,
    /// How many are still to be sent.
    left: u64,
    sent: u64,
    /// How many are on the way.
    waiting: u64,
    open: usize,
    /// The lane whose turn it is.
    turn: usize,
    /// Lanes with something to be written.
    due: Vec<usize>,
    tally: Tally,
    windows: Windows,
}

impl<'a> Echo<'a> {
    pub(crate) fn new(
        pool: &'a mut Pool,
        frames: Arc<Frames>,
        lanes: &'a mut [Lane],
        clock: Clock,
        verify: Verify,
        pace: Pace,
        limit: Limit,
    ) -> Result<Self, hdrhistogram::CreationError> {
        let tally = Tally::new()?;
        let start = clock.now();
        let (end, left) = pace.bounds(limit, start);
        let open = pool.open_count();
        Ok(Self {
            pool,
            frames,
            lanes,
            clock,
            verify,
            pace,
            start,
            end,
            left,
            sent: 0,
            waiting: 0,
            open,
            turn: 0,
            due: Vec::new(),
            tally,
            windows: Windows::new(start)?,
        })
    }

    /// What came of it.
    pub(crate) fn into_tally(mut self) -> Tally {
        self.windows.finish(&mut self.tally);
        self.tally
    }

    /// Sends a message on the connection, which is open.
    #[inline]
    fn ask(&mut self, at: usize, messages: u64, time: u64) {
        let Some(socket) = self.pool.socket(at) else {
            return;
        };
        socket.out.ask(messages, &self.frames);
        for _ in 0..messages {
            self.lanes[at].asked.push_back(time);
        }
        self.left -= messages;
        self.sent += messages;
        self.waiting += messages;
    }

    /// Has as many on the way as are to be.
    #[inline]
    fn top_up(&mut self, at: usize, depth: usize, now: u64) {
        let room = depth.saturating_sub(self.lanes[at].asked.len()) as u64;
        let messages = room.min(self.left);
        if messages > 0 {
            self.ask(at, messages, now);
        }
    }

    #[inline]
    fn flush(&mut self, at: usize) {
        if let Err(fault) = self.pool.flush(at, &self.frames) {
            self.lose(at, fault);
        }
    }

    /// The connection is of no more use.
    #[cold]
    fn lose(&mut self, at: usize, fault: Fault) {
        let lost = core::mem::take(&mut self.lanes[at].asked).len() as u64;
        self.waiting -= lost;
        self.tally.faults.add(fault, 1);
        let told = u64::from(fault.is_of_message());
        let unanswered = lost.saturating_sub(told);
        self.tally.faults.add(Fault::Unanswered, unanswered);
        self.pool.end(at);
        self.open -= 1;
    }

    /// Sends what it is time for, each message on the next connection.
    fn send_due(&mut self, schedule: Schedule, now: u64) -> Option<u64> {
        let due = schedule.due(now - self.start);
        while self.sent < due && self.left > 0 && self.open > 0 {
            let at = self.turn;
            self.turn = (at + 1) % self.lanes.len();
            if self.pool.socket(at).is_some() {
                if self.due.last() != Some(&at) {
                    self.due.push(at);
                }
                self.ask(at, 1, self.start + schedule.at(self.sent));
            }
        }
        let mut due = core::mem::take(&mut self.due);
        for at in due.drain(..) {
            self.flush(at);
        }
        self.due = due;
        (self.left > 0).then(|| self.start + schedule.at(self.sent))
    }
}

impl Load for Echo<'_> {
    fn pool(&mut self) -> &mut Pool {
        self.pool
    }

    fn issue(&mut self, now: u64) -> Option<u64> {
        let depth = match self.pace {
            Pace::Rate(schedule) => return self.send_due(schedule, now),
            Pace::Depth(depth) => depth,
        };
        if self.sent == 0 {
            for at in 0..self.lanes.len() {
                self.top_up(at, depth, now);
                self.flush(at);
            }
        }
        if self.end.is_some_and(|end| now >= end) {
            self.left = 0;
        }
        self.end.filter(|_| self.left > 0)
    }

    #[inline]
    fn turn(&mut self, at: usize, event: &Event) {
        if !matches!(self.pool.turn(at), Turn::Open) {
            return;
        }
        if let Some(socket) = self.pool.socket(at)
            && event.is_writable()
        {
            socket.out.has_room();
        }
        let mut ear = Ear::new(
            &mut self.lanes[at],
            &self.frames,
            &mut self.tally,
            &mut self.windows,
            self.clock,
            self.verify,
        );
        let heard = self.pool.hear(at, event.is_read_closed(), &mut ear);
        let (now, messages) = (ear.now, ear.messages);
        if messages > 0 {
            self.waiting -= messages;
            self.tally.elapsed = now - self.start;
        }
        if let Err(fault) = heard {
            return self.lose(at, fault);
        }
        if let Pace::Depth(depth) = self.pace
            && messages > 0
        {
            self.top_up(at, depth, now);
        }
        self.flush(at);
    }

    fn is_done(&self, _now: u64) -> bool {
        (self.left == 0 && self.waiting == 0) || self.open == 0
    }

    fn achieved(&self) -> u64 {
        self.tally.messages
    }

    fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    fn give_up(&mut self) {
        for at in 0..self.lanes.len() {
            let unanswered = core::mem::take(&mut self.lanes[at].asked).len() as u64;
            if unanswered > 0 {
                self.tally.faults.add(Fault::Unanswered, unanswered);
                self.pool.end(at);
                self.open -= 1;
            }
        }
        self.waiting = 0;
    }
}
