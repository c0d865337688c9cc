//! The loop that every load runs in.

use mio::Events;
use mio::event::Event;
use std::io;

use crate::cli::bench::clock::Clock;
use crate::cli::bench::pool::Pool;

/// What is done with connections.
pub(crate) trait Load {
    fn pool(&mut self) -> &mut Pool;

    /// Does what is due, and says when the next thing is.
    fn issue(&mut self, now: u64) -> Option<u64>;

    /// Something has happened on the connection of this number.
    fn turn(&mut self, at: usize, event: &Event);

    /// Whether all is done.
    fn is_done(&self, now: u64) -> bool;

    /// How many things have been achieved.
    fn achieved(&self) -> u64;

    /// Whether something is awaited.
    fn is_waiting(&self) -> bool;

    /// What is awaited does not come.
    fn give_up(&mut self);
}

/// Runs a load until it is done, or until nothing that it awaits has come for `stall`
/// nanoseconds; tells `heard` how much has been achieved meanwhile.
pub(crate) fn drive(
    load: &mut impl Load,
    clock: Clock,
    stall: u64,
    mut heard: impl FnMut(u64),
) -> io::Result<()> {
    const EVENTS: usize = 1024;
    let mut events = Events::with_capacity(EVENTS);
    let (mut moved, mut achieved) = (clock.now(), load.achieved());
    loop {
        let now = clock.now();
        let next = load.issue(now);
        let (all, is_done) = (load.achieved(), load.is_done(now));
        if all != achieved {
            heard(all - achieved);
            (moved, achieved) = (now, all);
        } else if !load.is_waiting() {
            moved = now;
        } else if now - moved > stall {
            load.give_up();
            return Ok(());
        }
        if is_done {
            return Ok(());
        }
        load.pool().wait(&mut events, next, now)?;
        for event in &events {
            load.turn(event.token().0, event);
        }
    }
}
