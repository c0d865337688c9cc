//! Leaving all connections of a thread.

use mio::event::Event;

use crate::cli::bench::counting::Counting;
use crate::cli::bench::drive::Load;
use crate::cli::bench::frames::Frames;
use crate::cli::bench::pool::{Pool, Turn};

/// Connections that are being left: each side says Close, then the stream ends.
#[derive(Debug)]
pub(crate) struct Leaving<'a> {
    pool: &'a mut Pool,
    frames: &'a Frames,
    open: usize,
    left: u64,
    /// What came although everything had come.
    pub(crate) heard: Counting,
}

impl<'a> Leaving<'a> {
    pub(crate) fn new(pool: &'a mut Pool, frames: &'a Frames) -> Self {
        for at in 0..pool.len() {
            pool.say_close(at, frames);
        }
        let open = pool.open_count();
        Self {
            pool,
            frames,
            open,
            left: 0,
            heard: Counting::default(),
        }
    }
}

impl Load for Leaving<'_> {
    fn pool(&mut self) -> &mut Pool {
        self.pool
    }

    fn issue(&mut self, _now: u64) -> Option<u64> {
        None
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
        let heard = self.pool.hear(at, true, &mut self.heard);
        if heard
            .and_then(|()| self.pool.flush(at, self.frames))
            .is_err()
        {
            self.pool.end(at);
            self.open -= 1;
            self.left += 1;
        }
    }

    fn is_done(&self, _now: u64) -> bool {
        self.open == 0
    }

    fn achieved(&self) -> u64 {
        self.left
    }

    fn is_waiting(&self) -> bool {
        true
    }

    fn give_up(&mut self) {}
}
