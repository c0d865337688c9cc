//! The thread that reads.

use alloc::boxed::Box;
use alloc::sync::Arc;

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::announce::store::error::StoreError;
use crate::announce::store::shared::Shared;
use crate::announce::store::writer::Answer;

/// A question to the reading thread.
pub(crate) type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A question whose statements all see one state of the store.
pub(crate) fn job<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    answer: Answer<T>,
) -> Job {
    Box::new(move |connection| {
        // Whoever asked may have gone; then nobody needs the answer.
        drop(answer.send(at_once(connection, work)));
    })
}

/// Reads until the channel is closed and empty.
pub(crate) fn run(
    mut connection: Connection,
    mut reads: mpsc::Receiver<Job>,
    _shared: Arc<Shared>,
) {
    while let Some(read) = reads.blocking_recv() {
        read(&mut connection);
    }
}

fn at_once<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction()?;
    work(&transaction)
}
