//! Connections that are opened only to be ended, again and again.

use alloc::vec;
use alloc::vec::Vec;
use mio::event::Event;

use crate::cli::bench::clock::Clock;
use crate::cli::bench::drive::Load;
use crate::cli::bench::fault::Fault;
use crate::cli::bench::pace::{Limit, Pace};
use crate::cli::bench::pool::{Pool, Turn};
use crate::cli::bench::schedule::Schedule;
use crate::cli::bench::tally::Tally;

/// A phase of handshakes.
#[derive(Debug)]
pub(crate) struct Handshakes<'a> {
    pool: &'a mut Pool,
    clock: Clock,
    schedule: Option<Schedule>,
    stall: u64,
    start: u64,
    end: Option<u64>,
    left: u64,
    begun: u64,
    pending: usize,
    /// Places in the pool that are free.
    free: Vec<usize>,
    /// When the handshake in each place was meant to begin.
    meant: Vec<u64>,
    pub(crate) tally: Tally,
}

impl<'a> Handshakes<'a> {
    pub(crate) fn new(
        pool: &'a mut Pool,
        clock: Clock,
        pace: Pace,
        limit: Limit,
        stall: u64,
        tally: Tally,
    ) -> Self {
        let start = clock.now();
        let (end, left) = pace.bounds(limit, start);
        let places = pool.len();
        Self {
            pool,
            clock,
            schedule: match pace {
                Pace::Rate(schedule) => Some(schedule),
                Pace::Depth(_) => None,
            },
            stall,
            start,
            end,
            left,
            begun: 0,
            pending: 0,
            free: (0..places).collect(),
            meant: vec![0; places],
            tally,
        }
    }

    /// The place is free, and the stream in it ended.
    fn done(&mut self, at: usize) {
        self.pool.end(at);
        self.free.push(at);
        self.pending -= 1;
    }

    /// Whether it is under way.
    fn begin(&mut self, at: usize, now: u64) -> bool {
        let number = self.begun;
        self.begun += 1;
        self.left -= 1;
        self.meant[at] = self
            .schedule
            .map_or(now, |schedule| self.start + schedule.at(number));
        // Each comes from the next address: a port that was used rests for a minute.
        match self.pool.begin(at, number + 1, now) {
            Ok(()) => {
                self.pending += 1;
                true
            }
            Err((fault, words)) => {
                self.free.push(at);
                self.tally.faults.explain(fault, words);
                if fault == Fault::Local {
                    // There is nothing left to connect with, and trying on is no load.
                    self.left = 0;
                }
                false
            }
        }
    }

    fn not_in_time(&mut self, expired: u64) {
        self.tally.faults.add(Fault::NotOpenedInTime, expired);
        self.pending -= usize::try_from(expired).unwrap_or(self.pending);
        self.left = 0;
    }
}

impl Load for Handshakes<'_> {
    fn pool(&mut self) -> &mut Pool {
        self.pool
    }

    fn issue(&mut self, now: u64) -> Option<u64> {
        if self.end.is_some_and(|end| now >= end) {
            self.left = 0;
        }
        let expired = match now.checked_sub(self.stall) {
            Some(before) if self.pending > 0 => self.pool.expire_rarely(before, now),
            _ => 0,
        };
        if expired > 0 {
            self.not_in_time(expired);
        }
        let due = self
            .schedule
            .map_or(u64::MAX, |it| it.due(now - self.start));
        while self.left > 0 && self.begun < due {
            let Some(at) = self.free.pop() else { break };
            if !self.begin(at, now) {
                break;
            }
        }
        match self.schedule {
            Some(schedule) if self.left > 0 && !self.free.is_empty() => {
                Some(self.start + schedule.at(self.begun))
            }
            _ => self.end.filter(|_| self.left > 0),
        }
    }

    fn turn(&mut self, at: usize, _event: &Event) {
        match self.pool.turn(at) {
            Turn::Opened => {
                let now = self.clock.now();
                self.tally.times.record(now.saturating_sub(self.meant[at]));
                self.tally.messages += 1;
                self.tally.elapsed = now - self.start;
                self.done(at);
            }
            Turn::Failed(fault, words) => {
                self.tally.faults.explain(fault, words);
                self.done(at);
            }
            Turn::Nothing | Turn::Open => {}
        }
    }

    fn is_done(&self, _now: u64) -> bool {
        self.left == 0 && self.pending == 0
    }

    fn achieved(&self) -> u64 {
        self.tally.messages
    }

    fn is_waiting(&self) -> bool {
        self.pending > 0
    }

    fn give_up(&mut self) {
        let expired = self.pool.expire(u64::MAX);
        self.not_in_time(expired);
    }
}
