//! Calls that are dropped after every number of polls, and what is left of them.

use framewire::announce::announcement::{FeedKey, Kind};
use framewire::announce::caller::Caller;
use framewire::announce::desk::{Actor, Desk, Draft};
use framewire::announce::store::{NewAnnouncement, ReadMark, Store, Who};
use framewire::announce::token::{Minter, Revocation, Verifier};
use framewire::announce::{intent, native};

use crate::forge::{now, secret};
use crate::polling::poll_times;

const NS: &str = "main";
/// Each call takes fewer polls than this, with a queue and an answer to wait for.
pub(crate) const POLLS_MAX: usize = 6;

/// Asks, drops the question after some polls, and asks again.
macro_rules! twice {
    ($polls:expr, $call:expr) => {{
        drop(poll_times($call, $polls).await);
        $call.await.unwrap()
    }};
}

fn new(key: &str) -> NewAnnouncement {
    NewAnnouncement::new(NS, FeedKey::public(), "alice", "{}", now()).with_key(Some(key))
}

fn temporary() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    (folder, store)
}

// drops: announce::store::publish::publish
// drops: announce::store::mark::mark_read
// drops: announce::store::page::unread
// drops: announce::store::unread::counts
// drops: announce::store::handle::next
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

// drops: announce::desk::publishing::publish
// drops: announce::desk::publishing::may_publish
// drops: announce::desk::publishing::edit
// drops: announce::desk::publishing::recall
// drops: announce::desk::mark_read
// drops: announce::desk::delivered
// drops: announce::desk::unread
// drops: announce::desk::acknowledge
// drops: announce::desk::inquiry::audience
// drops: announce::desk::inquiry::ledger
// drops: announce::desk::inquiry::explain
#[tokio::test]
async fn what_the_desk_is_asked_and_dropped_can_be_asked_again() {
    let (_folder, store) = temporary();
    let desk = Desk::new(store, Verifier::new(&secret()));
    let scopes = ["announce:public", "admin"];
    let minter = Minter::new(&secret());
    let hour = std::time::Duration::from_secs(3600);
    let token = minter.mint("alice", &[], &scopes, hour, now()).unwrap();
    let identity = desk.identify(desk.verify(&token, now()).unwrap(), None);
    let identity = identity.unwrap();
    let actor = Actor::from(&identity);
    let public = FeedKey::public();
    desk.enter(&identity, now()).await.unwrap();
    for polls in 0..POLLS_MAX {
        let draft = || {
            let mut draft = Draft::new(public.clone(), r#"{"Body":"B"}"#.into());
            draft.key = Some(format!("key {polls}"));
            draft.require_ack = Some(true);
            draft
        };
        twice!(polls, desk.may_publish(actor, &public, Kind::Announcement));
        assert_eq!(twice!(polls, desk.audience(actor, &draft())), 1);
        let published = twice!(polls, desk.publish(actor, draft(), now()));
        let id = published.announcement.id;
        let body = r#"{"Body":"C"}"#;
        // The same edit makes one more version each time that it is asked for.
        let edited = twice!(polls, desk.edit(actor, &id, body, None, false, now()));
        let version = Some(edited.version);
        twice!(
            polls,
            desk.delivered(&identity, &public, edited.offset, now())
        );
        twice!(polls, desk.unread(&identity, None, 9, now()));
        let ids = || ReadMark::Ids(vec![id.clone()]);
        twice!(polls, desk.mark_read(&identity, &public, ids(), now()));
        let done = twice!(polls, desk.acknowledge(&identity, &id, version, now()));
        assert_eq!(done.unread.counts[0].1, 0);
        let ledger = twice!(polls, desk.ledger(actor, &id, Who::Everyone, None, 9));
        assert_eq!(ledger.acknowledged, 1);
        twice!(polls, desk.explain(actor, &id, "alice", now()));
        twice!(polls, desk.recall(actor, &id, now()));
    }
}

// drops: announce::desk::revocation::revoke
// drops: announce::desk::revocation::remember_revocations
#[tokio::test]
async fn a_revocation_that_is_dropped_is_in_force_once_it_is_asked_for_again() {
    let (folder, store) = temporary();
    let desk = Desk::new(store, Verifier::new(&secret()));
    let until = now() + std::time::Duration::from_secs(60);
    for polls in 0..POLLS_MAX {
        twice!(polls, desk.revoke(Revocation::of_token("t", until), now()));
    }
    assert_eq!(desk.verifier().revocations().snapshot(now()).len(), 1);
    drop(desk);
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    let desk = Desk::new(store, Verifier::new(&secret()));
    for polls in 0..POLLS_MAX {
        twice!(polls, desk.remember_revocations(now()));
    }
    assert_eq!(desk.verifier().revocations().snapshot(now()).len(), 1);
}

// drops: announce::native::talk::handle
#[tokio::test]
async fn a_native_request_that_is_dropped_leaves_its_caller_sound() {
    let (_folder, store) = temporary();
    let desk = Desk::new(store, Verifier::new(&secret()));
    let minter = Minter::new(&secret());
    let minute = std::time::Duration::from_secs(60);
    let scopes = ["announce:public"];
    let token = minter.mint("alice", &[], &scopes, minute, now()).unwrap();
    let mut caller = Caller::new();
    let sign = format!(r#"{{"type":"sign","payload":{{"token":"{token}"}}}}"#);
    assert!(
        native::handle(&desk, &mut caller, &sign, now())
            .await
            .signed_in
            .is_some()
    );
    for polls in 0..POLLS_MAX {
        let text = format!(
            r#"{{"type":"publish","payload":{{"feed":"Public","body":"B","key":"k{polls}"}}}}"#
        );
        drop(poll_times(native::handle(&desk, &mut caller, &text, now()), polls).await);
        let outcome = native::handle(&desk, &mut caller, &text, now()).await;
        assert!(outcome.close.is_none());
        let state = desk.store().counts(NS, "bob", now()).await.unwrap();
        assert_eq!(state.counts[0].1, polls as u64 + 1, "once each");
    }
}

// drops: announce::store::log::tops
// drops: announce::store::release::until_due
#[tokio::test]
async fn waiting_for_what_is_due_can_be_given_up() {
    let (_folder, store) = temporary();
    store.publish(new("k")).await.unwrap();
    let nap = std::time::Duration::from_millis(10);
    for polls in 0..POLLS_MAX {
        drop(poll_times(store.tops(), polls).await);
        assert_eq!(store.tops().await.unwrap().len(), 1);
        let _ = poll_times(store.until_due(nap), polls).await;
        store.until_due(nap).await;
    }
}
