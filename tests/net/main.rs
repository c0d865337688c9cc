//! tokio drives an engine: over streams in memory, with a clock that the tests move.

extern crate alloc;

mod byte_stream;
mod cancelling;
mod closing;
mod deadlines;
mod failing;
mod halves;
mod passing_on;
mod peer;
mod pieces;
#[path = "../polling/mod.rs"]
mod polling;
mod receiving;
mod scripted;
mod sending;
mod split;
mod split_load;
mod streams;

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::Poll;

use framewire::engine::{Connection, Limits, Role, Timestamp};
use framewire::net::WebSocket;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::polling::poll_times;

/// An open WebSocket over `stream`.
fn open<S: AsyncRead + AsyncWrite + Unpin>(role: Role, limits: Limits, stream: S) -> WebSocket<S> {
    let connection = Connection::new(role, Arc::new(limits), Timestamp::ZERO, [7; 32]);
    WebSocket::new(stream, connection, Vec::new())
}

/// Polls once, and says whether it is done.
async fn poll_once<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    core::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
