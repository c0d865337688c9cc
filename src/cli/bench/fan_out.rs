//! Messages that everybody hears: some connections publish, all of them listen.

use alloc::sync::Arc;
use alloc::vec::Vec;
use mio::event::Event;

use crate::cli::args::Verify;
use crate::cli::bench::clock::Clock;
use crate::cli::bench::drive::Load;
use crate::cli::bench::fault::Fault;
use crate::cli::bench::frames::Frames;
use crate::cli::bench::ledger::{Crowd, Ledger, append};
use crate::cli::bench::pace::{Limit, Pace};
use crate::cli::bench::pool::{Pool, Turn};
use crate::cli::bench::tally::Tally;

/// How often somebody who has not heard anything is called again.
const CALL_AGAIN: u64 = 200_000_000;

/// What a phase is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// To have everybody listen: a server may have answered the handshake of somebody whom it
    /// lets hear only a moment later.
    Gather,
    Measure(Pace, Limit),
}

/// A phase of messages that everybody hears.
#[derive(Debug)]
pub(crate) struct FanOut<'a> {
    pool: &'a mut Pool,
    frames: Arc<Frames>,
    ledger: &'a mut Ledger,
    clock: Clock,
    verify: Verify,
    aim: Aim,
    start: u64,
    end: Option<u64>,
    left: u64,
    sent: u64,
    /// When the next call is made, while gathering.
    call: u64,
    open: usize,
    turn: usize,
    due: Vec<usize>,
    pub(crate) tally: Tally,
}

impl<'a> FanOut<'a> {
    pub(crate) fn new(
        pool: &'a mut Pool,
        frames: Arc<Frames>,
        ledger: &'a mut Ledger,
        clock: Clock,
        verify: Verify,
        aim: Aim,
        tally: Tally,
    ) -> Self {
        let start = clock.now();
        let (end, left) = match aim {
            Aim::Gather => (None, 0),
            Aim::Measure(pace, limit) => pace.bounds(limit, start),
        };
        let open = pool.open_count();
        Self {
            pool,
            frames,
            ledger,
            clock,
            verify,
            aim,
            start,
            end,
            left,
            sent: 0,
            call: start,
            open,
            turn: 0,
            due: Vec::new(),
            tally,
        }
    }

    fn publish(&mut self, publisher: usize, time: u64) {
        let Some(socket) = self.pool.socket(publisher) else {
            return;
        };
        let number = self.ledger.publishers[publisher].publish(time, self.open);
        append(&self.frames, publisher, number, &mut socket.out.queue);
        self.sent += 1;
        self.left = self.left.saturating_sub(1);
        if self.due.last() != Some(&publisher) {
            self.due.push(publisher);
        }
    }

    fn publishers_open(&mut self) -> bool {
        let count = self.ledger.publishers.len();
        (0..count).any(|at| self.pool.socket(at).is_some())
    }

    fn flush_due(&mut self) {
        let mut due = core::mem::take(&mut self.due);
        for at in due.drain(..) {
            if let Err(fault) = self.pool.flush(at, &self.frames) {
                self.lose(at, fault);
            }
        }
        self.due = due;
    }

    #[cold]
    fn lose(&mut self, at: usize, fault: Fault) {
        self.tally.faults.add(fault, 1);
        let unheard = self.ledger.leave(at, &mut self.tally);
        if self.aim != Aim::Gather {
            let told = u64::from(fault.is_of_message());
            let unheard = unheard.saturating_sub(told);
            self.tally.faults.add(Fault::Unanswered, unheard);
        }
        self.pool.end(at);
        self.open -= 1;
    }

    /// Whether everybody who is here has heard the last call.
    fn is_gathered(&mut self) -> bool {
        let count = self.pool.len();
        self.sent > 0
            && (0..count).all(|at| self.pool.socket(at).is_none() || self.ledger.is_up_to_date(at))
    }

    fn gather(&mut self, now: u64) -> Option<u64> {
        if self.is_gathered() || self.pool.socket(0).is_none() {
            self.left = 0;
            self.ledger.gathered();
            return None;
        }
        self.left = 1;
        if now >= self.call {
            self.publish(0, now);
            self.left = 1;
            self.call = now + CALL_AGAIN;
        }
        Some(self.call)
    }

    /// Has as many on the way as are to be.
    fn top_up(&mut self, depth: usize, now: u64) {
        for publisher in 0..self.ledger.publishers.len() {
            let on_the_way = self.ledger.publishers[publisher].on_the_way();
            if self.pool.socket(publisher).is_none() {
                continue;
            }
            for _ in on_the_way..depth {
                if self.left > 0 {
                    self.publish(publisher, now);
                }
            }
        }
    }
}

impl Load for FanOut<'_> {
    fn pool(&mut self) -> &mut Pool {
        self.pool
    }

    fn issue(&mut self, now: u64) -> Option<u64> {
        if self.end.is_some_and(|end| now >= end) {
            self.left = 0;
        }
        if self.left > 0 && !self.publishers_open() {
            self.left = 0;
        }
        let next = match self.aim {
            Aim::Gather => self.gather(now),
            Aim::Measure(Pace::Depth(depth), _) => {
                self.top_up(depth, now);
                self.end.filter(|_| self.left > 0)
            }
            Aim::Measure(Pace::Rate(schedule), _) => {
                let due = schedule.due(now - self.start);
                while self.sent < due && self.left > 0 {
                    let at = self.turn;
                    self.turn = (at + 1) % self.ledger.publishers.len();
                    self.publish(at, self.start + schedule.at(self.sent));
                }
                (self.left > 0).then(|| self.start + schedule.at(self.sent))
            }
        };
        self.flush_due();
        next
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
        let before = self.tally.deliveries;
        let mut crowd = Crowd {
            ledger: self.ledger,
            listener: at,
            frames: &self.frames,
            tally: &mut self.tally,
            clock: self.clock,
            verify: self.verify,
            now: 0,
        };
        let heard = self.pool.hear(at, event.is_read_closed(), &mut crowd);
        let now = crowd.now;
        if self.tally.deliveries > before {
            self.tally.elapsed = now - self.start;
        }
        if let Err(fault) = heard.and_then(|()| self.pool.flush(at, &self.frames)) {
            self.lose(at, fault);
        }
    }

    fn is_done(&self, _now: u64) -> bool {
        let is_waiting = self.aim != Aim::Gather && self.ledger.is_waiting();
        (self.left == 0 && !is_waiting) || self.open == 0
    }

    fn achieved(&self) -> u64 {
        match self.aim {
            Aim::Gather => 0,
            Aim::Measure(..) => self.tally.deliveries,
        }
    }

    fn is_waiting(&self) -> bool {
        self.aim == Aim::Gather || self.ledger.is_waiting()
    }

    fn give_up(&mut self) {
        for at in 0..self.pool.len() {
            if self.pool.socket(at).is_none() {
                continue;
            }
            let is_lost = match self.aim {
                Aim::Gather => !self.ledger.is_up_to_date(at),
                Aim::Measure(..) => false,
            };
            let unheard = self.ledger.leave(at, &mut self.tally);
            match self.aim {
                Aim::Gather => self.tally.faults.add(Fault::Unanswered, is_lost.into()),
                Aim::Measure(..) => self.tally.faults.add(Fault::Unanswered, unheard),
            }
            self.pool.end(at);
            self.open -= 1;
        }
    }
}
