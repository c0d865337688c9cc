//! Upgrades of requests that another HTTP server has read: by hand, with hyper and with axum.

extern crate alloc;

mod by_axum;
mod by_hand;
mod by_hyper;
mod raw;

use core::time::Duration;

use framewire::net::WebSocket;
use tokio::io::{AsyncRead, AsyncWrite};

/// Longer than anything takes that is not stuck.
const LONG: Duration = Duration::from_secs(30);

/// The result of what must not take for ever.
async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future)
        .await
        .expect("it is stuck")
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) {
    while let Ok(Some(exchange)) = socket.recv_exchange().await {
        if exchange.echo().is_err() {
            return;
        }
    }
}
