//! Calls on the store that are dropped after every number of polls, and what is left of them.

use std::time::Duration;

use framewire::announce::announcement::FeedKey;
use framewire::announce::store::{
    AuditEntry, Edit, Filter, LateJoiner, NewAnnouncement, Retention, Sent, Store, Who,
};
use framewire::announce::token::Revocation;

use crate::dropping::POLLS_MAX;
use crate::forge::now;
use crate::polling::poll_times;

const NS: &str = "main";

fn temporary() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    (folder, store)
}

fn new() -> NewAnnouncement {
    NewAnnouncement::new(NS, FeedKey::public(), "alice", "{}", now())
}

/// Drops the call after so many polls, then makes it again.
macro_rules! twice {
    ($polls:expr, $call:expr) => {{
        drop(poll_times($call, $polls).await);
        $call.await.unwrap()
    }};
}

// drops: announce::store::release::release_due
// drops: announce::store::release::next_release
// drops: announce::store::edit::edit
// drops: announce::store::edit::recall
// drops: announce::store::prune::prune
// drops: announce::store::schedule::set_paused
#[tokio::test]
async fn a_dropped_change_of_what_is_announced_is_whole_or_absent() {
    for polls in 0..POLLS_MAX {
        let (_folder, store) = temporary();
        let later = now() + Duration::from_secs(9);
        let pending = store
            .publish(new().with_visible_at(Some(later)))
            .await
            .unwrap();
        assert_eq!(twice!(polls, store.next_release()), Some(later));
        twice!(polls, store.release_due(later));
        let id = pending.announcement.id;
        assert_eq!(store.get(NS, &id).await.unwrap().offset, 1);
        let edit = || Edit {
            by: "alice".into(),
            body: "{}".into(),
            expected_version: None,
            again: true,
            at: later,
        };
        let edited = twice!(polls, store.edit(NS, &id, edit()));
        assert_eq!(edited.version, edited.offset);
        let recalled = twice!(polls, store.recall(NS, &id, "alice", later));
        assert_eq!(recalled.version, edited.version + 1);
        twice!(polls, store.set_paused("s", true, later));
        let retention = Retention::new(Some(Duration::ZERO));
        twice!(
            polls,
            store.prune(&retention, later + Duration::from_secs(1))
        );
        let later = later + Duration::from_secs(1);
        assert_eq!(store.counts(NS, "bob", later).await.unwrap().counts[0].1, 0);
    }
}

// drops: announce::store::feed::feed_exists
// drops: announce::store::member::sign_in
// drops: announce::store::member::join
// drops: announce::store::member::leave
// drops: announce::store::member::memberships
// drops: announce::store::member::is_member
// drops: announce::store::member::members
// drops: announce::store::member::audience_size
#[tokio::test]
async fn a_dropped_change_of_membership_is_whole_or_absent() {
    for polls in 0..POLLS_MAX {
        let (_folder, store) = temporary();
        let hr = FeedKey::channel("HR").unwrap();
        let claimed = [FeedKey::channel("Sales").unwrap()];
        let late = LateJoiner::All;
        twice!(polls, store.sign_in(NS, "bob", &claimed, late, now()));
        twice!(polls, store.join(NS, "bob", &hr, late, now()));
        assert!(twice!(polls, store.feed_exists(NS, &hr)));
        assert!(twice!(polls, store.is_member(NS, "bob", &hr)));
        assert_eq!(twice!(polls, store.memberships(NS, "bob")).len(), 3);
        assert_eq!(
            twice!(polls, store.members(NS, &hr, None, 9)).users,
            ["bob"]
        );
        twice!(polls, store.leave(NS, "bob", &hr, now()));
        assert_eq!(twice!(polls, store.audience_size(NS, &hr)), 0);
    }
}

// drops: announce::store::receipt::note_sent
// drops: announce::store::receipt::note_all_sent
// drops: announce::store::receipt::note_delivered
// drops: announce::store::receipt::acknowledge
// drops: announce::store::log::since
// drops: announce::store::find::get
// drops: announce::store::find::list
// drops: announce::store::ledger::ledger
// drops: announce::store::explain::explain
// drops: announce::store::revocation::revoke
// drops: announce::store::revocation::revocations
// drops: announce::store::audit::audit
// drops: announce::store::audit::audit_log
// drops: announce::store::audit::verify_audit
#[tokio::test]
async fn a_dropped_note_is_whole_or_absent() {
    for polls in 0..POLLS_MAX {
        let (_folder, store) = temporary();
        let public = FeedKey::public();
        let id = store.publish(new()).await.unwrap().announcement.id;
        twice!(polls, store.note_sent(NS, "bob", &public, 1, now()));
        let sent = || Sent {
            namespace: NS.into(),
            user: "bob".into(),
            feed: FeedKey::public(),
            up_to: 1,
        };
        twice!(polls, store.note_all_sent(vec![sent()], now()));
        twice!(polls, store.note_delivered(NS, "bob", &public, 1, now()));
        twice!(polls, store.acknowledge(NS, "bob", &id, 1, now()));
        let ledger = twice!(polls, store.ledger(NS, &id, Who::Everyone, None, 9));
        assert_eq!(
            (ledger.audience, ledger.sent, ledger.acknowledged),
            (1, 1, 1)
        );
        assert!(twice!(polls, store.explain(NS, &id, "bob", now())).len() > 5);
        assert_eq!(
            twice!(polls, store.since(NS, "bob", &public, 0, None, 9))
                .entries
                .len(),
            1
        );
        assert_eq!(twice!(polls, store.get(NS, &id)).id, id);
        let listed = twice!(polls, store.list(NS, Filter::default(), None, 9));
        assert_eq!(listed.announcements.len(), 1);
        let revocation = || Revocation::of_token("t", now() + Duration::from_secs(1));
        twice!(polls, store.revoke(revocation()));
        assert_eq!(twice!(polls, store.revocations(now())), [revocation()]);
        let entry = || AuditEntry {
            namespace: NS.into(),
            at: now(),
            actor: "alice".into(),
            action: "test".into(),
            subject: String::new(),
            detail: "{}".into(),
        };
        let last = twice!(polls, store.audit(entry()));
        assert_eq!(
            twice!(polls, store.audit_log(None, 0, 9)).len() as u64,
            last
        );
        assert_eq!(twice!(polls, store.verify_audit()).broken_at, None);
    }
}
