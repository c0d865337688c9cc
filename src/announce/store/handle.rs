//! The handle on the store: opening, handing requests to the threads, and ending.

use alloc::borrow::ToOwned as _;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use std::path::Path;
use std::sync::PoisonError;
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::announce::store::entry::Release;
use crate::announce::store::error::StoreError;
use crate::announce::store::schema::{self, Door};
use crate::announce::store::shared::{Outgoing, Shared};
use crate::announce::store::{reader, writer};

/// How many requests may wait for each of the two threads; further ones wait to be let in.
const QUEUE_MAX: usize = 1024;

/// The store. Cheap to share behind a reference or an `Arc`.
///
/// Dropping it waits until every accepted write is on the disk and both threads have ended.
#[derive(Debug)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    writes: Option<mpsc::Sender<writer::Job>>,
    reads: Option<mpsc::Sender<reader::Job>>,
    threads: [Option<JoinHandle<()>>; 2],
}

impl Store {
    /// Opens the store at `path`, and creates it for its owner alone if it is missing.
    ///
    /// The folder must exist. A file beside it whose name ends in `.lock` is locked, so that no
    /// second server works on the same data; the lock ends with the process. A file of an
    /// earlier version is brought to this one, and keeps everything.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file is in use, cannot be opened, is not ours, or was written by a
    /// later version; or if SQLite is older than 3.51.3, which could lose committed data.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = schema::lock(path)?;
        let writing = schema::open(path)?;
        Self::start(path, writing, Shared::new(lock, None))
    }

    /// As [`open`](Self::open), for one of several servers of this machine that share the store.
    /// It is refused while a server has the store open that does not share it, and the other way
    /// round.
    ///
    /// What becomes visible, is edited or recalled is then taken from the store, not from
    /// [`releases`](Self::releases), so that all servers tell of it in one order.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    //= A77
    pub fn open_shared(path: &Path) -> Result<Self, StoreError> {
        let door = Door::come(path)?;
        let (writing, sharing) = door.open(path)?;
        let lock = door.close(path)?;
        Self::start(path, writing, Shared::new(lock, Some(sharing)))
    }

    fn start(path: &Path, writing: Connection, shared: Shared) -> Result<Self, StoreError> {
        let reading = schema::open_reader(path)?;
        let shared = Arc::new(shared);
        let (writes, waiting_writes) = mpsc::channel(QUEUE_MAX);
        let (reads, waiting_reads) = mpsc::channel(QUEUE_MAX);
        let (for_writer, for_reader) = (Arc::clone(&shared), Arc::clone(&shared));
        let failed = |error: std::io::Error| StoreError::failed(&error);
        let writer = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer::run(writing, waiting_writes, &for_writer))
            .map_err(failed)?;
        let reader = thread::Builder::new()
            .name("store-reader".to_owned())
            .spawn(move || reader::run(reading, waiting_reads, for_reader))
            .map_err(failed)?;
        let threads = [Some(writer), Some(reader)];
        Ok(Self {
            shared,
            writes: Some(writes),
            reads: Some(reads),
            threads,
        })
    }

    /// Everything that becomes visible, is edited or recalled from now on, in the order of the
    /// commits.
    ///
    /// There is one receiver: a later call takes over from an earlier one.
    #[must_use]
    pub fn releases(&self) -> Releases {
        let (sender, receiver) = mpsc::unbounded_channel();
        *self
            .shared
            .releases
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(sender);
        Releases(receiver)
    }

    /// The number of the latest news of other servers when this one came, where the store is
    /// shared.
    pub(crate) fn shared_from(&self) -> Option<i64> {
        self.shared.sharing.map(|sharing| sharing.from)
    }

    /// How much has been written since the store was opened.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        Metrics {
            commits: self.shared.commits.load(Ordering::Relaxed),
            writes: self.shared.writes.load(Ordering::Relaxed),
        }
    }

    /// Waits until `count` more releases may be on their way.
    pub(crate) async fn room(&self, count: u32) -> Result<OwnedSemaphorePermit, StoreError> {
        let room = Arc::clone(&self.shared.room);
        let room = room.acquire_many_owned(count).await;
        room.map_err(|_| StoreError::Closed)
    }

    /// Runs a write that may release something.
    pub(crate) async fn release<T: Send + 'static>(
        &self,
        room: Option<OwnedSemaphorePermit>,
        work: impl FnOnce(&Connection, &mut Vec<Release>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let writes = self.writes.as_ref().ok_or(StoreError::Closed)?;
        let sent = writes.send(writer::job(work, room, answer)).await;
        sent.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs a write that releases nothing.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.release(None, |connection, _| work(connection)).await
    }

    /// Asks a question.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let reads = self.reads.as_ref().ok_or(StoreError::Closed)?;
        let sent = reads.send(reader::job(work, answer)).await;
        sent.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // A closed channel still gives out what it holds, so the threads finish that first.
        self.writes = None;
        self.reads = None;
        for thread in &mut self.threads {
            if let Some(thread) = thread.take() {
                // A thread that panicked has already answered its callers with an error.
                drop(thread.join());
            }
        }
    }
}

/// What is released, in the order of the commits; see [`Store::releases`].
#[derive(Debug)]
pub struct Releases(mpsc::UnboundedReceiver<Outgoing>);

impl Releases {
    /// Waits for the next release; `None` once the store has ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has not been returned is returned next.
    pub async fn next(&mut self) -> Option<Release> {
        self.0.recv().await.map(|(release, _room)| release)
    }
}

/// Counters of a [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Transactions that were committed.
    pub commits: u64,
    /// Writes that those transactions held, duplicates and refusals included.
    pub writes: u64,
}
