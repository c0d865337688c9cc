//! Calls that are dropped after every number of polls, and what is left of them.

use std::pin::Pin;
use std::task::Poll;

use framewire::announce::announcement::FeedKey;
use framewire::announce::caller::Caller;
use framewire::announce::desk::Desk;
use framewire::announce::intent;
use framewire::announce::store::{NewAnnouncement, ReadMark, Store};
use framewire::announce::token::{Minter, Verifier};

use crate::forge::{now, secret};

const NS: &str = "main";
/// Each call takes fewer polls than this, with a queue and an answer to wait for.
pub(crate) const POLLS_MAX: usize = 6;

/// Polls at most `times` times, with a pause for the store's threads, and drops the future.
pub(crate) async fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future: Pin<Box<F>> = Box::pin(future);
    for _ in 0..times {
        let polled = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

fn new(key: &str) -> NewAnnouncement {
    NewAnnouncement::new(NS, FeedKey::public(), "alice", "{}", now()).with_key(Some(key))
}

fn temporary() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    (folder, store)
}

// drops: announce::store::publish
// drops: announce::store::mark_read
// drops: announce::store::unread
// drops: announce::store::counts
// drops: announce::store::next
#[tokio::test]
async fn a_call_on_the_store_that_is_dropped_is_carried_out_whole_or_not_at_all() {
    let (_folder, store) = temporary();
    let mut releases = store.releases();
    for polls in 0..POLLS_MAX {
        let key = format!("key {polls}");
        let done = poll_times(store.publish(new(&key)), polls).await;
        assert!(done.is_none_or(|it| it.is_ok()));
        drop(poll_times(store.unread(NS, "bob", None, 10, now()), polls).await);
        drop(poll_times(store.counts(NS, "bob", now()), polls).await);
        // Published now if it was not before, and once in all.
        let published = store.publish(new(&key)).await.unwrap();
        while poll_times(releases.next(), polls).await.is_none() && polls > 0 {}
        let page = store.unread(NS, "bob", None, 100, now()).await.unwrap();
        assert_eq!(page.messages.len(), 1, "{polls} polls");
        assert_eq!(page.messages[0].id, published.announcement.id);
        let (public, id) = (FeedKey::public(), published.announcement.id);
        let mark = || ReadMark::Ids(vec![id.clone()]);
        drop(poll_times(store.mark_read(NS, "bob", &public, mark(), now()), polls).await);
        store
            .mark_read(NS, "bob", &public, mark(), now())
            .await
            .unwrap();
        let unread = store.counts(NS, "bob", now()).await.unwrap();
        assert_eq!(unread.counts[0].1, 0);
    }
}

// drops: announce::intent::talk::handle
// drops: announce::desk::enter
#[tokio::test]
async fn a_request_that_is_dropped_leaves_its_caller_sound() {
    let (_folder, store) = temporary();
    let desk = Desk::new(store, Verifier::new(&secret()));
    let mut releases = desk.store().releases();
    let token = Minter::new(&secret())
        .mint(
            "alice",
            &[],
            &["announce:public"],
            std::time::Duration::from_secs(60),
            now(),
        )
        .unwrap();
    let text =
        |intent: &str, more: &str| format!(r#"{{"APIToken":"{token}","Intent":"{intent}"{more}}}"#);
    let publish = text(
        "Public announcement",
        r#","Group":"Public","Title":"T","Body":"B""#,
    );
    let mut caller = Caller::new();
    for polls in 0..POLLS_MAX {
        drop(
            poll_times(
                intent::handle(&desk, &mut caller, &text("Sign", ""), now()),
                polls,
            )
            .await,
        );
        let signed = intent::handle(&desk, &mut caller, &text("Sign", ""), now()).await;
        if let Some(welcome) = &signed.signed_in {
            let identity = &welcome.identity;
            drop(poll_times(desk.enter(identity, now()), polls).await);
            assert!(!desk.enter(identity, now()).await.unwrap().feeds.is_empty());
        }
        drop(poll_times(intent::handle(&desk, &mut caller, &publish, now()), polls).await);
        let outcome = intent::handle(&desk, &mut caller, &publish, now()).await;
        assert!(outcome.close.is_none(), "{polls} polls");
        // What was accepted is announced, however often the wait for it is dropped.
        drop(poll_times(releases.next(), polls).await);
        assert!(
            intent::handle(&desk, &mut caller, &publish, now())
                .await
                .close
                .is_none()
        );
        assert!(releases.next().await.is_some());
    }
}
