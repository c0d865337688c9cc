//! An orderly end: everybody is told, and waited for.

use core::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Tells tasks to stop, and waits until they have.
#[derive(Debug)]
pub struct Stop {
    phase: watch::Sender<Phase>,
    /// Nothing is ever sent: the channel closes when the last [`Stopping`] is dropped.
    done: mpsc::Receiver<()>,
    alive: mpsc::Sender<()>,
}

/// Held by a task for as long as it must be waited for.
#[derive(Clone, Debug)]
pub struct Stopping {
    phase: watch::Receiver<Phase>,
    _alive: mpsc::Sender<()>,
}

/// Sees when nobody is waited for any more; nobody waits for whoever holds it.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    phase: watch::Receiver<Phase>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    /// Everybody has been told to stop.
    Told,
    /// All have stopped, or the deadline has passed.
    Over,
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// Nobody has been told to stop.
    pub fn new() -> Self {
        let (alive, done) = mpsc::channel(1);
        Self {
            phase: watch::Sender::new(Phase::Serving),
            done,
            alive,
        }
    }

    /// What a task holds.
    pub fn stopping(&self) -> Stopping {
        Stopping {
            phase: self.phase.subscribe(),
            _alive: self.alive.clone(),
        }
    }

    pub(crate) fn over(&self) -> Over {
        Over {
            phase: self.phase.subscribe(),
        }
    }

    /// Tells everybody to stop, and waits until nobody holds a [`Stopping`] or `deadline` has
    /// passed. Says whether all have stopped.
    ///
    /// # Cancel safety
    ///
    /// Everybody has been told; only the waiting ends.
    pub async fn stop(self, deadline: Duration) -> bool {
        let Self {
            phase,
            mut done,
            alive,
        } = self;
        phase.send_replace(Phase::Told);
        drop(alive);
        let all_have = timeout(deadline, done.recv()).await.is_ok();
        phase.send_replace(Phase::Over);
        all_have
    }
}

impl Stopping {
    /// Waits until it is time to stop; at once when it is.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn wait(&mut self) {
        // That the one who tells is gone means the same.
        let _ = self.phase.wait_for(|it| *it != Phase::Serving).await;
    }

    /// Whether it is time to stop.
    pub fn is_told(&self) -> bool {
        *self.phase.borrow() != Phase::Serving || self.phase.has_changed().is_err()
    }
}

impl Over {
    /// Waits until nobody is waited for any more: for ever, where nobody said how long.
    pub(crate) async fn wait(&mut self) {
        if self.phase.wait_for(|it| *it == Phase::Over).await.is_err() {
            core::future::pending().await
        }
    }
}
