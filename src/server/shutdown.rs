//! An orderly end: everybody is told, and waited for.

use alloc::sync::Arc;
use core::future::Future;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::engine::Refusal;
use crate::server::bell::Bell;
use crate::server::drain::{Drain, Drained};
use crate::wire::close::CloseCode;

/// When a client that comes while the server stops should try again, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// Tells tasks to stop, and waits until they have.
#[derive(Debug)]
pub struct Stop {
    phase: watch::Sender<Phase>,
    /// Nothing is ever sent: the channel closes when the last [`Stopping`] is dropped.
    done: mpsc::Receiver<()>,
    alive: mpsc::Sender<()>,
    /// Behind the phase: whoever is woken looks at that.
    wakes: Wakes,
}

/// Wakes whoever waits to be told when it is dropped.
#[derive(Debug, Default)]
struct Wakes {
    tally: Arc<Tally>,
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.tally.told.ring();
    }
}

#[derive(Debug, Default)]
struct Tally {
    /// Rings when the phase is another than the first.
    told: Bell,
    /// Connections that are there now.
    connections: AtomicUsize,
    /// Connections that have taken their turn to close.
    turns: AtomicUsize,
}

/// Held by a task for as long as it must be waited for.
#[derive(Clone, Debug)]
pub struct Stopping(Arc<Held>);

/// What those hold together who have a [`Stopping`] from one of them.
#[derive(Debug)]
struct Held {
    phase: watch::Receiver<Phase>,
    _alive: mpsc::Sender<()>,
    tally: Arc<Tally>,
}

/// Held by the task of a connection: counted, waited for, and told when it is its turn to close.
#[derive(Debug)]
pub struct Connected {
    stopping: Stopping,
    turn: Option<Instant>,
}

/// Sees when nobody is waited for any more; nobody waits for whoever holds it.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    phase: watch::Receiver<Phase>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    /// Everybody has been told to stop, connections in turn from this time on.
    Told(Drain, Instant),
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
            wakes: Wakes::default(),
        }
    }

    /// What a task holds.
    pub fn stopping(&self) -> Stopping {
        Stopping(Arc::new(Held {
            phase: self.phase.subscribe(),
            _alive: self.alive.clone(),
            tally: Arc::clone(&self.wakes.tally),
        }))
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
        self.end(Drain::new(deadline)).await.0
    }

    /// As [`stop`](Self::stop), and connections close in turn, as `drain` says. Says how many
    /// have closed.
    ///
    /// Accept loops stop at once and are to drop their listeners, so that newcomers are refused
    /// by the operating system, and a successor can listen on the same port while the last
    /// connections close. A request that is being read by then is answered 503; see
    /// [`Stopping::connection`].
    ///
    /// # Cancel safety
    ///
    /// Everybody has been told, and connections close in turn; only the waiting ends.
    //= E38
    pub async fn drain(self, drain: Drain) -> Drained {
        self.end(drain).await.1
    }

    async fn end(self, drain: Drain) -> (bool, Drained) {
        let Self {
            phase,
            mut done,
            alive,
            wakes,
        } = self;
        let tally = Arc::clone(&wakes.tally);
        let mut before = 0;
        phase.send_modify(|phase| {
            // No connection is counted meanwhile.
            before = tally.connections.load(Ordering::Relaxed);
            *phase = Phase::Told(drain, Instant::now());
        });
        drop((alive, wakes));
        let all_have = timeout(drain.deadline(), done.recv()).await.is_ok();
        let forced = tally.connections.load(Ordering::Relaxed);
        phase.send_replace(Phase::Over);
        (all_have, Drained::new(before, forced))
    }
}

impl Stopping {
    /// Waits until it is time to stop; at once when it is.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub fn wait(&mut self) -> impl Future<Output = ()> {
        self.0.tally.told.heard()
    }

    /// Whether it is time to stop. That the one who tells is gone means the same.
    pub fn is_told(&self) -> bool {
        *self.0.phase.borrow() != Phase::Serving || self.0.phase.has_changed().is_err()
    }

    /// Counts a connection, which is about to be accepted.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] with which to answer when it is time to stop: 503 with Retry-After.
    pub fn connection(&self) -> Result<Connected, Refusal> {
        // While the phase is borrowed it does not change.
        let phase = self.0.phase.borrow();
        if *phase != Phase::Serving || self.0.phase.has_changed().is_err() {
            return Err(Refusal::unavailable(RETRY_AFTER_S));
        }
        self.0.tally.connections.fetch_add(1, Ordering::Relaxed);
        drop(phase);
        Ok(Connected {
            stopping: self.clone(),
            turn: None,
        })
    }

    /// Runs `serving` to its end, or until nobody is waited for any more: it is dropped then,
    /// and `None` is returned.
    ///
    /// # Cancel safety
    ///
    /// As that of `serving`.
    pub async fn until_over<F: Future>(&self, serving: F) -> Option<F::Output> {
        let mut over = Over {
            phase: self.0.phase.clone(),
        };
        tokio::select! {
            biased;
            output = serving => Some(output),
            () = over.wait() => None,
        }
    }
}

impl Connected {
    /// Waits until it is this connection's turn to close, and says with which code.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: the turn stays the same.
    pub async fn turn(&mut self) -> CloseCode {
        let mut phase = self.stopping.0.phase.clone();
        let told = phase.wait_for(|it| *it != Phase::Serving);
        // What is borrowed is not to be held while waiting.
        let told = told.await.ok().map(|phase| *phase);
        let Some(Phase::Told(drain, since)) = told else {
            return CloseCode::GOING_AWAY;
        };
        let turns = &self.stopping.0.tally.turns;
        let turn = *self
            .turn
            .get_or_insert_with(|| since + drain.delay(turns.fetch_add(1, Ordering::Relaxed)));
        sleep_until(turn).await;
        drain.code()
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let connections = &self.stopping.0.tally.connections;
        connections.fetch_sub(1, Ordering::Relaxed);
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
