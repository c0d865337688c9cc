//! What was accepted: SQLite in one file, one thread that writes, one that reads.
//!
//! A write is answered after the transaction that holds it has been committed and synchronised
//! to the disk. The writing thread takes everything that waits, up to [`BATCH_MAX`] writes, into
//! one transaction with a savepoint for each, so that many writers share one synchronisation
//! and the failure of one write harms no other.
//!
//! Dropping a future of this module does not undo its request: once accepted, a write is carried
//! out. A publisher who did not hear the answer repeats the request with the same key.

mod error;
mod mark;
mod publish;
mod read;
mod schema;
mod shared;
mod writer;

pub use error::StoreError;
pub use mark::{NEWLY_READ_MAX, ReadMark, ReadState};
pub use publish::Published;

pub use crate::announce::announcement::NewAnnouncement;
pub use read::{Cursor, PAGE_BODY_BYTES_MAX, PAGE_MAX, UnreadPage};
pub use writer::BATCH_MAX;

use alloc::borrow::ToOwned as _;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use std::path::Path;
use std::sync::PoisonError;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use crate::announce::announcement::{Announcement, FeedKey, Unread};
use crate::announce::store::shared::{Release, Shared};

/// How many requests may wait for each of the two threads; further ones wait to be let in.
const QUEUE_MAX: usize = 1024;

/// The store. Cheap to share behind a reference or an `Arc`.
///
/// Dropping it waits until every accepted write is on the disk and both threads have ended.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    writes: Option<mpsc::Sender<writer::Write>>,
    reads: Option<mpsc::Sender<read::Read>>,
    threads: [Option<JoinHandle<()>>; 2],
}

impl Store {
    /// Opens the store at `path`, and creates it for its owner alone if it is missing.
    ///
    /// The folder must exist. A file beside it whose name ends in `.lock` is locked, so that no
    /// second server works on the same data; the lock ends with the process.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file is in use, cannot be opened, is not ours, or was written by a
    /// later version; or if SQLite is older than 3.51.3, which could lose committed data.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = schema::lock(path)?;
        let writing = schema::open(path)?;
        let reading = schema::open_reader(path)?;
        let shared = Arc::new(Shared::new(lock));
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
            .spawn(move || read::run(reading, waiting_reads, for_reader))
            .map_err(failed)?;
        let threads = [Some(writer), Some(reader)];
        Ok(Self {
            shared,
            writes: Some(writes),
            reads: Some(reads),
            threads,
        })
    }

    /// Stores an announcement at the end of its feed.
    ///
    /// A key that the same publisher has used before in the same namespace stores nothing: the
    /// first announcement is returned, marked as a duplicate.
    ///
    /// # Errors
    ///
    /// [`StoreError::Failed`] if it could not be stored, [`StoreError::Closed`] if the store
    /// has ended.
    ///
    /// # Cancel safety
    ///
    /// The announcement is stored whole or not at all; with a key, asking again tells which.
    pub async fn publish(&self, new: NewAnnouncement) -> Result<Published, StoreError> {
        let room = Arc::clone(&self.shared.room).acquire_owned().await;
        let room = room.map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        self.write(writer::Write::Publish { new, room, answer })
            .await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Notes what a person has read in a feed. Repeating it changes nothing, and nothing ever
    /// becomes unread again.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownNotification`] if anything that is named does not stand in the
    /// feed; then nothing has been changed. Else as for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// All of it is noted or nothing; asking again changes nothing more.
    pub async fn mark_read(
        &self,
        namespace: &str,
        user: &str,
        feed: &FeedKey,
        mark: ReadMark,
    ) -> Result<ReadState, StoreError> {
        let (answer, answered) = oneshot::channel();
        let (namespace, user, feed) = (namespace.to_owned(), user.to_owned(), feed.clone());
        self.write(writer::Write::Mark {
            namespace,
            user,
            feed,
            mark,
            answer,
        })
        .await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Reads a page of what a person has not read, oldest first within each feed, beginning
    /// after `after`.
    ///
    /// At least one and at most [`PAGE_MAX`] announcements are asked for with `limit`; a page
    /// ends early when their bodies exceed [`PAGE_BODY_BYTES_MAX`].
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn unread(
        &self,
        namespace: &str,
        user: &str,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<UnreadPage, StoreError> {
        let (answer, answered) = oneshot::channel();
        let (namespace, user) = (namespace.to_owned(), user.to_owned());
        self.read(read::Read::Page {
            namespace,
            user,
            after,
            limit,
            answer,
        })
        .await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Counts what a person has not read.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn counts(&self, namespace: &str, user: &str) -> Result<Unread, StoreError> {
        let (answer, answered) = oneshot::channel();
        let (namespace, user) = (namespace.to_owned(), user.to_owned());
        self.read(read::Read::Counts {
            namespace,
            user,
            answer,
        })
        .await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Everything that is stored from now on, in the order of the commits.
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

    /// How much has been written since the store was opened.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        Metrics {
            commits: self.shared.commits.load(Ordering::Relaxed),
            writes: self.shared.writes.load(Ordering::Relaxed),
        }
    }

    async fn write(&self, write: writer::Write) -> Result<(), StoreError> {
        let writes = self.writes.as_ref().ok_or(StoreError::Closed)?;
        writes.send(write).await.map_err(|_| StoreError::Closed)
    }

    async fn read(&self, read: read::Read) -> Result<(), StoreError> {
        let reads = self.reads.as_ref().ok_or(StoreError::Closed)?;
        reads.send(read).await.map_err(|_| StoreError::Closed)
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

/// Stored announcements in the order of the commits; see [`Store::releases`].
#[derive(Debug)]
pub struct Releases(mpsc::UnboundedReceiver<Release>);

impl Releases {
    /// Waits for the next announcement; `None` once the store has ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has not been returned is returned next.
    pub async fn next(&mut self) -> Option<Announcement> {
        self.0
            .recv()
            .await
            .map(|(announcement, _room)| announcement)
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
