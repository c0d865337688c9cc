//! Listening to a topic beside its handler.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::announce::bus::message::Publication;

/// How many publications may wait for a subscriber.
pub const SUBSCRIPTION_MAX: usize = 1024;

/// What is published on one topic from now on. A subscriber that falls behind by
/// [`SUBSCRIPTION_MAX`] misses what comes next, and can tell by [`Subscription::dropped`].
#[derive(Debug)]
pub struct Subscription {
    queue: mpsc::Receiver<Publication>,
    dropped: Arc<AtomicU64>,
}

impl Subscription {
    /// The next publication; none once the bus is gone.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn next(&mut self) -> Option<Publication> {
        self.queue.recv().await
    }

    /// How many publications were missed so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The other end of a subscription.
#[derive(Debug)]
pub(crate) struct Sink {
    queue: mpsc::Sender<Publication>,
    dropped: Arc<AtomicU64>,
}

impl Sink {
    pub(crate) fn is_open(&self) -> bool {
        !self.queue.is_closed()
    }

    pub(crate) fn offer(&self, publication: &Publication) {
        if self.queue.try_send(publication.clone()).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) fn subscription() -> (Sink, Subscription) {
    let (sender, queue) = mpsc::channel(SUBSCRIPTION_MAX);
    let dropped = Arc::new(AtomicU64::new(0));
    let sink = Sink {
        queue: sender,
        dropped: Arc::clone(&dropped),
    };
    (sink, Subscription { queue, dropped })
}
