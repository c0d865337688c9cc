//! What the threads and the handle have in common.

use alloc::sync::Arc;
use core::sync::atomic::AtomicU64;
use std::fs::File;
use std::sync::Mutex;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::announce::announcement::Announcement;

/// How many announcements may be stored and not yet taken by whoever sends them; further
/// publications wait to be let in.
const RELEASES_MAX: usize = 4096;

/// An announcement on its way out, with the permit that bounds how many there are.
pub(crate) type Release = (Announcement, OwnedSemaphorePermit);

/// What the threads and the handle have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) releases: Mutex<Option<mpsc::UnboundedSender<Release>>>,
    pub(crate) room: Arc<Semaphore>,
    /// Held for as long as either thread may touch the file.
    _lock: File,
}

impl Shared {
    pub(crate) fn new(lock: File) -> Self {
        Self {
            commits: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            releases: Mutex::new(None),
            room: Arc::new(Semaphore::new(RELEASES_MAX)),
            _lock: lock,
        }
    }
}
