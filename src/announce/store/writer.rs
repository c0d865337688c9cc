//! The thread that writes.

use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use std::sync::PoisonError;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::announce::announcement::{FeedKey, NewAnnouncement};
use crate::announce::store::error::StoreError;
use crate::announce::store::mark::{ReadMark, ReadState, mark_read};
use crate::announce::store::publish::{Published, publish};
use crate::announce::store::shared::Shared;

/// The most writes that share one transaction.
pub const BATCH_MAX: usize = 256;

/// Where the answer to a write goes.
type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// A request to the writing thread.
#[derive(Debug)]
pub(crate) enum Write {
    Publish {
        new: NewAnnouncement,
        room: OwnedSemaphorePermit,
        answer: Answer<Published>,
    },
    Mark {
        namespace: String,
        user: String,
        feed: FeedKey,
        mark: ReadMark,
        answer: Answer<ReadState>,
    },
}

/// A write that has been carried out within the transaction and is not committed yet.
enum Done {
    Publish(
        Result<Published, StoreError>,
        OwnedSemaphorePermit,
        Answer<Published>,
    ),
    Mark(Result<ReadState, StoreError>, Answer<ReadState>),
}

/// Writes until the channel is closed and empty.
pub(crate) fn run(mut connection: Connection, mut writes: mpsc::Receiver<Write>, shared: &Shared) {
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
            refuse(write, committed.clone().err().unwrap_or(StoreError::Closed));
        }
        for done in done {
            answer(done, &committed, shared);
        }
    }
}

/// Carries out a batch in one transaction and commits it.
fn carry_out(
    connection: &mut Connection,
    batch: &mut Vec<Write>,
    done: &mut Vec<Done>,
) -> Result<(), StoreError> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The first to come is the first to be written; what is left stays in the batch.
    batch.reverse();
    while let Some(write) = batch.pop() {
        done.push(carry_out_one(&mut transaction, write));
        // A full disk makes SQLite roll back everything on its own; a savepoint taken after
        // that would be a transaction of its own.
        if transaction.is_autocommit() {
            break;
        }
    }
    Ok(transaction.commit()?)
}

fn carry_out_one(transaction: &mut rusqlite::Transaction<'_>, write: Write) -> Done {
    match write {
        Write::Publish { new, room, answer } => Done::Publish(
            within(transaction, |inner| publish(inner, new)),
            room,
            answer,
        ),
        Write::Mark {
            namespace,
            user,
            feed,
            mark,
            answer,
        } => {
            let result = within(transaction, |inner| {
                mark_read(inner, &namespace, &user, &feed, &mark)
            });
            Done::Mark(result, answer)
        }
    }
}

/// Runs one write in a savepoint; an error takes back what it did and nothing else.
fn within<T>(
    transaction: &mut rusqlite::Transaction<'_>,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let savepoint = transaction.savepoint()?;
    let result = work(&savepoint)?;
    savepoint.commit()?;
    Ok(result)
}

fn refuse(write: Write, error: StoreError) {
    // Whoever asked may have gone; then nobody needs the answer.
    match write {
        Write::Publish { answer, .. } => drop(answer.send(Err(error))),
        Write::Mark { answer, .. } => drop(answer.send(Err(error))),
    }
}

fn answer(done: Done, committed: &Result<(), StoreError>, shared: &Shared) {
    match done {
        Done::Publish(result, room, answer) => {
            let result = committed.clone().and(result);
            let released = match &result {
                Ok(published) if !published.duplicate => Some(published.announcement.clone()),
                _ => None,
            };
            drop(answer.send(result));
            let releases = shared
                .releases
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if let (Some(announcement), Some(releases)) = (released, releases.as_ref()) {
                drop(releases.send((announcement, room)));
            }
        }
        Done::Mark(result, answer) => drop(answer.send(committed.clone().and(result))),
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use std::thread;
    use std::time::SystemTime;

    use tokio::sync::Semaphore;

    use super::*;
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
            .pragma_update(None, "max_page_count", 120)
            .unwrap();
        let shared = Arc::new(Shared::new(lock));
        let (writes, waiting) = mpsc::channel(1024);
        let mut answers = Vec::new();
        for number in 0..600_usize {
            let (answer, answered) = oneshot::channel();
            let room = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
            let body = alloc::format!("\"{}\"", "x".repeat(number % 7 * 1000));
            let new =
                NewAnnouncement::new("main", FeedKey::public(), "alice", &body, SystemTime::now());
            writes
                .try_send(Write::Publish { new, room, answer })
                .unwrap();
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
