//! Futures that are polled so many times and no more.

use core::future::{Future, poll_fn};
use core::task::Poll;

/// Polls at most `times` times, with a turn for other tasks in between, and drops the future.
pub(crate) async fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    for _ in 0..times {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}
