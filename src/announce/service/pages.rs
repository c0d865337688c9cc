//! Requests that are not for a socket: one for each connection, and how long it may last.

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use crate::server::{Plain, Stopping};

/// How long answering a request may take.
const TIME_MAX: Duration = Duration::from_secs(30);

/// How long a client has to take the end of a stream.
const GRACE: Duration = Duration::from_secs(2);

/// What a handler may know of the connection that its request came on.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) peer: SocketAddr,
    pub(crate) stopping: Stopping,
    streams: Arc<watch::Sender<usize>>,
}

impl Visit {
    fn new(peer: SocketAddr, stopping: Stopping) -> Self {
        Self {
            peer,
            stopping,
            streams: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Keeps the connection open beyond the time that an answer may take, until what is returned
    /// is dropped.
    pub(crate) fn stay(&self) -> Stay {
        self.streams.send_modify(|count| *count += 1);
        Stay(Arc::clone(&self.streams))
    }

    /// Waits until the connection has had its time.
    async fn is_over(&self) {
        tokio::time::sleep(TIME_MAX).await;
        let mut streams = self.streams.subscribe();
        if *streams.borrow() > 0 {
            // The sender is held here, so there is always an answer.
            let _ = streams.wait_for(|count| *count == 0).await;
            tokio::time::sleep(GRACE).await;
        }
    }
}

/// A stream that is under way; see [`Visit::stay`].
#[derive(Debug)]
pub(crate) struct Stay(Arc<watch::Sender<usize>>);

impl Drop for Stay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Answers one request. A connection is not kept for another: an upgrade must be the first
/// request of its own.
pub(crate) async fn answer(plain: Plain, pages: Router, stopping: Stopping) {
    let stream = plain.into_stream();
    let visit = Visit::new(stream.peer_addr(), stopping);
    let pages = TowerToHyperService::new(pages.layer(Extension(visit.clone())));
    let mut server = hyper::server::conn::http1::Builder::new();
    server.keep_alive(false).timer(TokioTimer::new());
    let answering = server.serve_connection(TokioIo::new(stream), pages);
    tokio::select! {
        answered = answering => if let Err(error) = answered {
            tracing::debug!(%error, "an answer was not delivered");
        },
        () = visit.is_over() => tracing::debug!("an answer was not taken in time"),
    }
}
