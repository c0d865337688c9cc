//! Publications that are handled one after the other.

use alloc::sync::Arc;
use core::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::announce::bus::exchange::{Exchange, Pending};
use crate::announce::bus::message::{Answer, Publication};

/// How many publications of one connection may wait to be handled, or their answers to be taken.
pub const LANE_MAX: usize = 16;

/// A publication that waits for its turn.
pub(crate) struct Queued {
    publication: Publication,
    _pending: Pending,
    _room: Option<OwnedSemaphorePermit>,
}

impl Queued {
    pub(crate) fn new(
        exchange: &Arc<Exchange>,
        publication: Publication,
        room: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            publication,
            _pending: exchange.pend(),
            _room: room,
        }
    }
}

/// Publications of one connection. The next is not handled before the handler of the last is
/// done, or was stopped at the deadline.
#[derive(Debug)]
pub(crate) struct Lane {
    exchange: Arc<Exchange>,
    queue: mpsc::UnboundedSender<Queued>,
    answers: mpsc::UnboundedReceiver<Answer>,
    /// Published, with an answer that was not taken. This bounds both queues.
    open: usize,
}

impl Lane {
    /// A lane whose handlers have to answer in time.
    pub(crate) fn new(exchange: Arc<Exchange>, within: Duration) -> Self {
        let (queue, queued) = mpsc::unbounded_channel();
        let (sender, answers) = mpsc::unbounded_channel();
        let tell = move |answer| drop(sender.send(answer));
        tokio::spawn(work(Arc::clone(&exchange), queued, within, tell));
        Self {
            exchange,
            queue,
            answers,
            open: 0,
        }
    }

    /// How many more publications there is room for.
    pub(crate) fn room(&self) -> usize {
        LANE_MAX.saturating_sub(self.open)
    }

    /// Adds a publication, of which there is one answer. The caller asks for room first; only
    /// the last publication of a connection may do without.
    pub(crate) fn publish(&mut self, publication: Publication) {
        self.open += 1;
        let queued = Queued::new(&self.exchange, publication, None);
        // The task goes on as long as this end is there.
        let _ = self.queue.send(queued);
    }

    /// The next answer, in the order of the publications. Dropped, nothing is lost.
    pub(crate) async fn next(&mut self) -> Option<Answer> {
        let answer = self.answers.recv().await;
        self.open = self.open.saturating_sub(1);
        answer
    }
}

/// Handles what is queued, until the other end is gone and the queue is empty.
pub(crate) async fn work(
    exchange: Arc<Exchange>,
    mut queue: mpsc::UnboundedReceiver<Queued>,
    within: Duration,
    mut tell: impl FnMut(Answer),
) {
    //= B53
    while let Some(queued) = queue.recv().await {
        let _turn = exchange.turn().await;
        exchange
            .carry(queued.publication.clone(), within, &mut tell)
            .await;
        drop(queued);
    }
}
