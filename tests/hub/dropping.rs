//! Waits that are dropped, and what they would have returned.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use framewire::hub::{Bounds, Hub, SlowPolicy};

use crate::{reason, say, text};

/// Polls so many times and drops the future; it must not be done.
pub(crate) async fn give_up<F: Future>(future: F, polls: usize) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        assert!(polled.is_pending(), "nothing has been published");
    }
}

// drops: hub::registry::next
// drops: hub::registry::closed
#[tokio::test]
async fn a_wait_that_is_dropped_leaves_what_comes_to_the_next() {
    for polls in 0..4 {
        let hub = Hub::new();
        let mut member = hub.join(Bounds::default(), SlowPolicy::DropNewest);
        member.subscribe("t");
        give_up(member.next(), polls).await;
        give_up(member.closed(), polls).await;
        hub.publish("t", &text("one"));
        hub.publish("t", &text("two"));
        // One that is woken and dropped unpolled takes nothing with it.
        drop(member.next());
        assert_eq!(say(member.next().await), "one");
        give_up(member.closed(), polls).await;
        assert_eq!(say(member.next().await), "two");
        hub.close_all(&reason(1001));
        drop(member.closed());
        assert_eq!(member.closed().await, reason(1001));
    }
}
