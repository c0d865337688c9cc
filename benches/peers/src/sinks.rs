//! An echo for libraries whose connection is a stream and a sink of messages.

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crate::failure::Failure;

/// Whether a message goes back, and as what; ends at an error.
pub trait Answer<M> {
    fn answer(self) -> Result<Option<M>, Failure>;
}

/// Feeds the answers to all messages that are there, and flushes when there are no more.
pub async fn echo<S, I, M>(mut socket: S) -> Result<(), Failure>
where
    S: Stream<Item = I> + Sink<M> + Unpin,
    I: Answer<M>,
    Failure: From<<S as Sink<M>>::Error>,
{
    let (mut held, mut is_fed) = (None, false);
    let ended = poll_fn(|cx| poll_echo(&mut socket, &mut held, &mut is_fed, cx)).await;
    // The answer to Close, where a library leaves that to whoever drives it.
    drop(socket.close().await);
    ended
}

fn poll_echo<S, I, M>(
    socket: &mut S,
    held: &mut Option<M>,
    is_fed: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Failure>>
where
    S: Stream<Item = I> + Sink<M> + Unpin,
    I: Answer<M>,
    Failure: From<<S as Sink<M>>::Error>,
{
    loop {
        if held.is_some() {
            ready!(socket.poll_ready_unpin(cx))?;
            if let Some(message) = held.take() {
                socket.start_send_unpin(message)?;
                *is_fed = true;
            }
        }
        match socket.poll_next_unpin(cx) {
            Poll::Ready(None) => return Poll::Ready(Ok(())),
            Poll::Ready(Some(item)) => *held = item.answer()?,
            Poll::Pending => {
                if *is_fed && socket.poll_flush_unpin(cx)?.is_ready() {
                    *is_fed = false;
                }
                return Poll::Pending;
            }
        }
    }
}
