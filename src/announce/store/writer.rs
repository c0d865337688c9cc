//! The thread that writes.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::announce::store::entry::Release;
use crate::announce::store::error::StoreError;
use crate::announce::store::shared::Shared;

/// The most writes that share one transaction.
pub const BATCH_MAX: usize = 256;

/// Where the answer to a request goes.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// A request to the writing thread. It is run once, and what it returns once after it.
pub(crate) type Job = Box<dyn FnOnce(Turn<'_, '_>) -> Finish + Send>;

/// What answers a write once it is known whether it was committed.
pub(crate) type Finish = Box<dyn FnOnce(&Result<(), StoreError>, &Shared)>;

/// What a write finds when it is run.
pub(crate) enum Turn<'a, 'c> {
    /// The transaction that it shares with others.
    Now(&'a mut Transaction<'c>),
    /// The transaction failed before its turn.
    Never(StoreError),
}

/// A write that runs `work` in a savepoint and answers after the commit; what it has released
/// is handed on after the answer, within `room`.
pub(crate) fn job<T: Send + 'static>(
    work: impl FnOnce(&Connection, &mut Vec<Release>) -> Result<T, StoreError> + Send + 'static,
    room: Option<OwnedSemaphorePermit>,
    answer: Answer<T>,
) -> Job {
    Box::new(move |turn| {
        let mut releases = Vec::new();
        let result = match turn {
            Turn::Now(transaction) => within(transaction, |inner| work(inner, &mut releases)),
            Turn::Never(error) => Err(error),
        };
        Box::new(move |committed, shared| {
            let result = committed.clone().and(result);
            let is_stored = result.is_ok();
            // Whoever asked may have gone; then nobody needs the answer.
            drop(answer.send(result));
            if is_stored {
                shared.hand_on(releases, room);
            }
        })
    })
}

/// Writes until the channel is closed and empty.
pub(crate) fn run(mut connection: Connection, mut writes: mpsc::Receiver<Job>, shared: &Shared) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while writes.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        let count = batch.len();
        let mut done = Vec::with_capacity(count);
        let committed = carry_out(&mut connection, &mut batch, &mut done);
        if committed.is_ok() {
            shared.commits.fetch_add(1, Ordering::Relaxed);
            shared.writes.fetch_add(count as u64, Ordering::Relaxed);
        }
        for write in batch.drain(..) {
            // Left over only where the transaction failed before its turn.
            let error = committed.clone().err().unwrap_or(StoreError::Closed);
            write(Turn::Never(error))(&committed, shared);
        }
        for finish in done {
            finish(&committed, shared);
        }
    }
}

/// Carries out a batch in one transaction and commits it.
fn carry_out(
    connection: &mut Connection,
    batch: &mut Vec<Job>,
    done: &mut Vec<Finish>,
) -> Result<(), StoreError> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The first to come is the first to be written; what is left stays in the batch.
    batch.reverse();
    while let Some(write) = batch.pop() {
        done.push(write(Turn::Now(&mut transaction)));
        // A full disk makes SQLite roll back everything on its own; a savepoint taken after
        // that would be a transaction of its own.
        if transaction.is_autocommit() {
            break;
        }
    }
    Ok(transaction.commit()?)
}

/// Runs one write in a savepoint; an error takes back what it did and nothing else.
fn within<T>(
    transaction: &mut Transaction<'_>,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let savepoint = transaction.savepoint()?;
    let result = work(&savepoint)?;
    savepoint.commit()?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::sync::Arc;
    use std::thread;
    use std::time::SystemTime;

    use super::*;
    use crate::announce::announcement::{FeedKey, NewAnnouncement};
    use crate::announce::store::publish::publish;
    use crate::announce::store::schema;

    /// SQLite rolls a transaction back on its own when the disk is full. Whatever it does,
    /// what was answered with success has to be there, and nothing else.
    #[tokio::test]
    async fn a_full_disk_never_answers_for_what_is_not_stored() {
        //= ST-01 type=test
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("announce.db");
        let lock = schema::lock(&path).unwrap();
        let connection = schema::open(&path).unwrap();
        connection
            .pragma_update(None, "max_page_count", 150)
            .unwrap();
        let shared = Arc::new(Shared::new(lock, None));
        let (writes, waiting) = mpsc::channel(1024);
        let mut answers = Vec::new();
        for number in 0..600_usize {
            let (answer, answered) = oneshot::channel();
            let body = format!("\"{}\"", "x".repeat(number % 7 * 1000));
            let new =
                NewAnnouncement::new("main", FeedKey::public(), "alice", &body, SystemTime::now());
            let work = move |inner: &Connection, out: &mut Vec<Release>| publish(inner, &new, out);
            drop(writes.try_send(job(work, None, answer)));
            answers.push(answered);
        }
        drop(writes);
        thread::spawn(move || run(connection, waiting, &shared))
            .join()
            .unwrap();

        let mut stored = Vec::new();
        for answer in answers {
            stored.extend(
                answer
                    .await
                    .unwrap()
                    .ok()
                    .map(|published| published.announcement),
            );
        }
        assert!(
            !stored.is_empty() && stored.len() < 600,
            "{} were stored",
            stored.len()
        );
        let offsets: Vec<_> = stored.iter().map(|stored| stored.offset).collect();
        assert_eq!(offsets, (1..=stored.len() as u64).collect::<Vec<_>>());
        let connection = schema::open(&path).unwrap();
        let kept: i64 = connection
            .query_row("SELECT count(*) FROM entry", (), |row| row.get(0))
            .unwrap();
        assert_eq!(kept, i64::try_from(stored.len()).unwrap());
    }
}
