//! An echo for libraries whose connection is a stream and a sink of messages.

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crate::failure::Failure;

/// Whether a message goes back, and as what; ends at an error.
pub trait Answer<M> {
    fn answer(self) -> Result<Option<M>, Failure>;
}

/// Takes so many messages, where they are there, and feeds the answers; flushes when there are no
/// more.
pub async fn echo<S, I, M>(mut socket: S, at_once: usize) -> Result<(), Failure>
where
    S: Stream<Item = I> + Sink<M> + Unpin,
    I: Answer<M>,
    Failure: From<<S as Sink<M>>::Error>,
{
    let mut echo = Echo {
        at_once,
        taken: VecDeque::new(),
        is_fed: false,
        is_over: false,
    };
    let ended = poll_fn(|cx| echo.poll(&mut socket, cx)).await;
    // The answer to Close, where a library leaves that to whoever drives it.
    drop(socket.close().await);
    ended
}

struct Echo<M> {
    at_once: usize,
    taken: VecDeque<M>,
    /// Whether something has been fed and not been flushed.
    is_fed: bool,
    is_over: bool,
}

impl<M> Echo<M> {
    fn poll<S, I>(&mut self, socket: &mut S, cx: &mut Context<'_>) -> Poll<Result<(), Failure>>
    where
        S: Stream<Item = I> + Sink<M> + Unpin,
        I: Answer<M>,
        Failure: From<<S as Sink<M>>::Error>,
    {
        loop {
            let waits = self.take(socket, cx)?.is_pending();
            while !self.taken.is_empty() {
                ready!(socket.poll_ready_unpin(cx))?;
                if let Some(message) = self.taken.pop_front() {
                    socket.start_send_unpin(message)?;
                    self.is_fed = true;
                }
            }
            if self.is_fed && (waits || self.is_over) && socket.poll_flush_unpin(cx)?.is_ready() {
                self.is_fed = false;
            }
            match (self.is_over, waits) {
                (true, _) => return Poll::Ready(Ok(())),
                (false, true) => return Poll::Pending,
                (false, false) => {}
            }
        }
    }

    /// Takes messages until there are enough, or none is there.
    fn take<S, I>(&mut self, socket: &mut S, cx: &mut Context<'_>) -> Result<Poll<()>, Failure>
    where
        S: Stream<Item = I> + Unpin,
        I: Answer<M>,
    {
        while self.taken.len() < self.at_once && !self.is_over {
            match socket.poll_next_unpin(cx) {
                Poll::Ready(Some(item)) => self.taken.extend(item.answer()?),
                Poll::Ready(None) => self.is_over = true,
                Poll::Pending => return Ok(Poll::Pending),
            }
        }
        Ok(Poll::Ready(()))
    }
}
