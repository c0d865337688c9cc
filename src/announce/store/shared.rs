//! What the threads and the handle have in common.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::fs::File;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

use crate::announce::store::entry::Release;
use crate::announce::store::row::milliseconds;

/// How many releases may be stored and not yet taken by whoever sends them; further ones wait
/// to be let in.
const RELEASES_MAX: usize = 4096;

/// A release on its way out, with the permit that bounds how many there are.
pub(crate) type Outgoing = (Release, Option<OwnedSemaphorePermit>);

/// One of the servers that share a store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sharing {
    /// Its name in what it tells the others.
    pub(crate) origin: i64,
    /// The number of the latest row of theirs when it came.
    pub(crate) from: i64,
}

/// What the threads and the handle have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) releases: Mutex<Option<mpsc::UnboundedSender<Outgoing>>>,
    pub(crate) room: Arc<Semaphore>,
    /// Told when an announcement has been stored that is to be seen later.
    pub(crate) pending: Notify,
    /// Told when something was committed that all servers of a shared store take from it.
    pub(crate) told: Notify,
    /// What this server is among those that share the store, where it is shared.
    pub(crate) sharing: Option<Sharing>,
    /// The latest time by which anything was counted.
    clock: AtomicI64,
    /// Held for as long as either thread may touch the file.
    _lock: File,
}

impl Shared {
    pub(crate) fn new(lock: File, sharing: Option<Sharing>) -> Self {
        Self {
            commits: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            releases: Mutex::new(None),
            room: Arc::new(Semaphore::new(RELEASES_MAX)),
            pending: Notify::new(),
            told: Notify::new(),
            sharing,
            clock: AtomicI64::new(0),
            _lock: lock,
        }
    }

    /// The time by which to count: `now`, or the time of an earlier count if the clock of the
    /// machine was set back since. What has expired stays expired.
    pub(crate) fn counting_time(&self, now: SystemTime) -> i64 {
        let now = milliseconds(now);
        self.clock.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// Hands on what a committed write has released.
    pub(crate) fn hand_on(&self, releases: Vec<Release>, mut room: Option<OwnedSemaphorePermit>) {
        if self.sharing.is_some() {
            // Read from the store with those of the other servers, in one order for all.
            return self.told.notify_one();
        }
        let sender = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else {
            return;
        };
        for release in releases {
            let permit = room.as_mut().and_then(|room| room.split(1));
            // Whoever took the releases may have gone.
            drop(sender.send((release, permit)));
        }
    }
}
