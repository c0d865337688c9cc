//! Connections that are held open and say nothing.

use alloc::sync::Arc;
use mio::event::Event;

use crate::cli::bench::clock::Clock;
use crate::cli::bench::counting::Counting;
use crate::cli::bench::drive::Load;
use crate::cli::bench::frames::Frames;
use crate::cli::bench::pool::{Pool, Turn};
use crate::cli::bench::tally::Tally;

/// A phase in which nothing is sent but answers to pings.
#[derive(Debug)]
pub(crate) struct Idle<'a> {
    pool: &'a mut Pool,
    frames: Arc<Frames>,
    end: u64,
    open: usize,
    heard: Counting,
    pub(crate) tally: Tally,
}

impl<'a> Idle<'a> {
    pub(crate) fn new(
        pool: &'a mut Pool,
        frames: Arc<Frames>,
        clock: Clock,
        time: u64,
        tally: Tally,
    ) -> Self {
        let open = pool.open_count();
        Self {
            pool,
            frames,
            end: clock.now() + time,
            open,
            heard: Counting::default(),
            tally: Tally {
                elapsed: time,
                ..tally
            },
        }
    }

    /// What came of it: the connections that are still there.
    pub(crate) fn into_tally(self) -> Tally {
        Tally {
            held: self.open as u64,
            ..self.tally
        }
    }
}

impl Load for Idle<'_> {
    fn pool(&mut self) -> &mut Pool {
        self.pool
    }

    fn issue(&mut self, _now: u64) -> Option<u64> {
        Some(self.end)
    }

    fn turn(&mut self, at: usize, event: &Event) {
        if !matches!(self.pool.turn(at), Turn::Open) {
            return;
        }
        if let Some(socket) = self.pool.socket(at)
            && event.is_writable()
        {
            socket.out.has_room();
        }
        let heard = self.pool.hear(at, event.is_read_closed(), &mut self.heard);
        if let Err(fault) = heard.and_then(|()| self.pool.flush(at, &self.frames)) {
            self.tally.faults.add(fault, 1);
            self.pool.end(at);
            self.open -= 1;
        }
    }

    fn is_done(&self, now: u64) -> bool {
        now >= self.end || self.open == 0
    }

    fn achieved(&self) -> u64 {
        self.heard.messages
    }

    fn is_waiting(&self) -> bool {
        false
    }

    fn give_up(&mut self) {}
}
