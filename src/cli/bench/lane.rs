//! The messages of one connection that are on the way.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::cli::bench::frames::Frames;
use crate::cli::bench::pool::Pool;

/// One connection's messages.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// When each message that is on the way was sent, or was meant to be.
    pub(crate) asked: VecDeque<u64>,
    /// The number of the message that comes next.
    pub(crate) next: u64,
}

/// Lanes for the connections of a pool: each begins with another message, so that an answer on
/// the wrong connection is a wrong one.
pub(crate) fn lanes(pool: &mut Pool, frames: &Frames) -> Vec<Lane> {
    let variants = frames.variants() as u64;
    (0..pool.len())
        .map(|at| {
            let next = at as u64 % variants;
            if let Some(socket) = pool.socket(at) {
                socket.out.start_at(next, frames);
            }
            Lane {
                next,
                ..Lane::default()
            }
        })
        .collect()
}
