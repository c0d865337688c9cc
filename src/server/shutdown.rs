//! An orderly end: everybody is told, and waited for.

use core::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Tells tasks to stop, and waits until they have.
#[derive(Debug)]
pub struct Stop {
    told: watch::Sender<bool>,
    /// Nothing is ever sent: the channel closes when the last [`Stopping`] is dropped.
    done: mpsc::Receiver<()>,
    alive: mpsc::Sender<()>,
}

/// Held by a task for as long as it must be waited for.
#[derive(Clone, Debug)]
pub struct Stopping {
    told: watch::Receiver<bool>,
    _alive: mpsc::Sender<()>,
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
            told: watch::Sender::new(false),
            done,
            alive,
        }
    }

    /// What a task holds.
    pub fn stopping(&self) -> Stopping {
        Stopping {
            told: self.told.subscribe(),
            _alive: self.alive.clone(),
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
            told,
            mut done,
            alive,
        } = self;
        told.send_replace(true);
        drop(alive);
        timeout(deadline, done.recv()).await.is_ok()
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
        let _ = self.told.wait_for(|told| *told).await;
    }

    /// Whether it is time to stop.
    pub fn is_told(&self) -> bool {
        *self.told.borrow()
    }
}
