//! Feeds, members, receipts, the ledger, schedules, revocations, the audit, and old files.

use std::time::{Duration, SystemTime};

use framewire::announce::announcement::{FeedKey, FeedKind, Priority, State};
use framewire::announce::store::{
    AuditEntry, Change, Edit, Filter, LateJoiner, NewAnnouncement, ReadMark, Retention, Store,
    StoreError, What, Who,
};
use framewire::announce::token::Revocation;

use crate::forge::now;

const NS: &str = "main";

fn temporary() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    (folder, store)
}

fn after(seconds: u64) -> SystemTime {
    now() + Duration::from_secs(seconds)
}

fn hr() -> FeedKey {
    FeedKey::channel("HR").unwrap()
}

fn new(feed: FeedKey) -> NewAnnouncement {
    NewAnnouncement::new(NS, feed, "alice", r#"{"Title":"T"}"#, now())
}

async fn publish(store: &Store, feed: FeedKey) -> String {
    store.publish(new(feed)).await.unwrap().announcement.id
}

async fn count(store: &Store, user: &str, feed: &FeedKey, at: SystemTime) -> Option<u64> {
    let unread = store.counts(NS, user, at).await.unwrap();
    let found = unread.counts.into_iter().find(|(key, _)| key == feed);
    found.map(|(_, count)| count)
}

fn edit(version: u64, again: bool) -> Edit {
    Edit {
        by: "alice".into(),
        body: r#"{"Title":"new"}"#.into(),
        expected_version: Some(version),
        again,
        at: after(5),
    }
}

#[test]
fn a_feed_key_is_its_text() {
    for (text, kind, name) in [
        ("Public", FeedKind::Public, "Public"),
        ("HR", FeedKind::Channel, "HR"),
        ("role:lead", FeedKind::Role, "lead"),
        ("user:bob", FeedKind::User, "bob"),
    ] {
        let key = FeedKey::new(text).unwrap();
        assert_eq!((key.as_str(), key.kind(), key.name()), (text, kind, name));
    }
    assert_eq!(FeedKey::channel("role:x"), None);
    assert_eq!(FeedKey::channel("Public"), None);
    assert_eq!(FeedKey::new("user:"), None);
}

#[tokio::test]
async fn only_members_see_a_channel_and_strangers_learn_nothing() {
    //= A61 type=test
    //= A63 type=test
    let (_folder, store) = temporary();
    let id = publish(&store, hr()).await;
    let signed = store
        .sign_in(NS, "bob", &[hr()], LateJoiner::All, now())
        .await
        .unwrap();
    let states: Vec<_> = signed
        .feeds
        .iter()
        .map(|s| (s.feed.clone(), s.unread))
        .collect();
    assert_eq!(states, [(FeedKey::public(), 0), (hr(), 1)]);
    assert_eq!(count(&store, "eve", &hr(), now()).await, None);
    let ids = || ReadMark::Ids(vec![id.clone()]);
    let unknown = Err(StoreError::UnknownNotification);
    assert_eq!(
        store.mark_read(NS, "eve", &hr(), ids(), now()).await,
        unknown
    );
    let missing = FeedKey::channel("none").unwrap();
    assert_eq!(
        store.mark_read(NS, "eve", &missing, ids(), now()).await,
        unknown
    );
    assert!(store.since(NS, "eve", &hr(), 0, None, 10).await.is_err());
    assert!(store.note_sent(NS, "eve", &hr(), 1, now()).await.is_err());
    assert!(store.acknowledge(NS, "eve", &id, 1, now()).await.is_err());
    assert_eq!(
        store.members(NS, &hr(), None, 9).await.unwrap().users,
        ["bob"]
    );
    assert_eq!(store.audience_size(NS, &hr()).await, Ok(1));
    // A later token without the claim takes it away; what was given otherwise stays.
    let lead = FeedKey::role("lead").unwrap();
    store
        .join(NS, "bob", &lead, LateJoiner::All, now())
        .await
        .unwrap();
    store
        .sign_in(NS, "bob", &[], LateJoiner::All, now())
        .await
        .unwrap();
    assert_eq!(count(&store, "bob", &hr(), now()).await, None);
    assert!(store.is_member(NS, "bob", &lead).await.unwrap());
    let refused = store
        .join(NS, "bob", &FeedKey::public(), LateJoiner::All, now())
        .await;
    assert_eq!(refused, Err(StoreError::FixedAudience));
}

#[tokio::test]
async fn a_message_to_somebody_who_was_never_here_waits_for_them() {
    let (_folder, store) = temporary();
    let carol = FeedKey::user("carol").unwrap();
    let id = publish(&store, carol.clone()).await;
    assert_eq!(count(&store, "carol", &carol, now()).await, Some(1));
    assert_eq!(count(&store, "bob", &carol, now()).await, None);
    let ledger = store.ledger(NS, &id, Who::NotRead, None, 9).await.unwrap();
    assert_eq!(
        (ledger.audience, ledger.people[0].user.as_str()),
        (1, "carol")
    );
}

#[tokio::test]
async fn what_waits_and_what_expires_is_seen_in_its_time_only() {
    let (_folder, store) = temporary();
    let public = FeedKey::public();
    let mut releases = store.releases();
    let later = new(public.clone())
        .with_visible_at(Some(after(10)))
        .with_expires_at(Some(after(20)))
        .with_priority(Priority::Urgent);
    let pending = store
        .publish(later.with_key(Some("k")))
        .await
        .unwrap()
        .announcement;
    assert_eq!((pending.state, pending.offset), (State::Pending, 0));
    let again = store
        .publish(new(public.clone()).with_key(Some("k")))
        .await
        .unwrap();
    assert_eq!((again.duplicate, again.announcement), (true, pending));
    assert_eq!(store.next_release().await, Ok(Some(after(10))));
    assert_eq!(store.release_due(after(9)).await.unwrap().released, 0);
    assert_eq!(store.release_due(after(10)).await.unwrap().released, 1);
    assert_eq!(releases.next().await.unwrap().offset, 1);
    assert_eq!(store.next_release().await, Ok(Some(after(20))));
    let before = store.counts(NS, "bob", after(19)).await.unwrap();
    let then = store.counts(NS, "bob", after(20)).await.unwrap();
    assert_eq!((before.counts[0].1, then.counts[0].1), (1, 0));
    assert!(then.version > before.version);
    assert_eq!(store.release_due(after(20)).await.unwrap().expired, 1);
    assert_eq!(store.counts(NS, "bob", after(20)).await.unwrap(), then);
}

#[tokio::test]
async fn edits_and_recalls_stand_in_the_log_and_in_the_audit() {
    let (_folder, store) = temporary();
    let public = FeedKey::public();
    let mut releases = store.releases();
    let id = publish(&store, public.clone()).await;
    store.acknowledge(NS, "bob", &id, 1, now()).await.unwrap();
    let outdated = store.edit(NS, &id, edit(7, false)).await;
    assert_eq!(outdated, Err(StoreError::Outdated { version: 1 }));
    store.edit(NS, &id, edit(1, false)).await.unwrap();
    assert_eq!(count(&store, "bob", &public, now()).await, Some(0));
    store.edit(NS, &id, edit(2, true)).await.unwrap();
    assert_eq!(count(&store, "bob", &public, now()).await, Some(1));
    let old = store.acknowledge(NS, "bob", &id, 2, now()).await;
    assert_eq!(old.unwrap_err(), StoreError::Outdated { version: 3 });
    assert!(
        store
            .acknowledge(NS, "bob", &id, 3, now())
            .await
            .unwrap()
            .is_first
    );
    store.recall(NS, &id, "alice", after(6)).await.unwrap();
    store.recall(NS, &id, "alice", after(7)).await.unwrap();
    assert_eq!(count(&store, "carol", &public, now()).await, Some(0));
    let mut told = Vec::new();
    for _ in 0..4 {
        let release = releases.next().await.unwrap();
        told.push((release.change, release.offset, release.prev_offset));
    }
    let log = [
        (Change::Posted, 1, 0),
        (Change::Edited, 2, 1),
        (Change::Edited, 3, 2),
        (Change::Recalled, 4, 3),
    ];
    assert_eq!(told, log);
    let missed = store
        .since(NS, "carol", &public, 1, None, 10)
        .await
        .unwrap();
    let offsets: Vec<_> = missed
        .entries
        .iter()
        .map(|e| (e.change, e.offset))
        .collect();
    assert_eq!(
        offsets,
        log[1..].iter().map(|l| (l.0, l.1)).collect::<Vec<_>>()
    );
    assert!(
        missed
            .entries
            .iter()
            .all(|entry| entry.announcement.body == "{}")
    );
    assert!(missed.complete && !missed.gap);
    let foreign = store
        .since(NS, "carol", &public, 4, Some("other"), 10)
        .await
        .unwrap();
    assert!(foreign.gap && foreign.entries.len() == 4);
    assert_eq!(store.audit_log(Some(NS), 0, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn the_ledger_and_the_explanation_tell_who_has_and_who_has_not() {
    let (_folder, store) = temporary();
    for user in ["bob", "carol"] {
        store
            .sign_in(NS, user, &[hr()], LateJoiner::All, now())
            .await
            .unwrap();
    }
    let id = store
        .publish(new(hr()).with_ack(None))
        .await
        .unwrap()
        .announcement
        .id;
    store
        .note_sent(NS, "bob", &hr(), 1, after(1))
        .await
        .unwrap();
    store
        .note_sent(NS, "bob", &hr(), 0, after(9))
        .await
        .unwrap();
    store
        .note_delivered(NS, "bob", &hr(), 1, after(2))
        .await
        .unwrap();
    store
        .acknowledge(NS, "bob", &id, 1, after(3))
        .await
        .unwrap();
    store
        .join(NS, "late", &hr(), LateJoiner::Nothing, after(4))
        .await
        .unwrap();
    let ledger = store
        .ledger(NS, &id, Who::NotAcknowledged, None, 9)
        .await
        .unwrap();
    let sums = [ledger.audience, ledger.sent, ledger.delivered, ledger.read];
    assert_eq!((sums, ledger.acknowledged), ([2, 1, 1, 1], 1));
    let names: Vec<_> = ledger.people.iter().map(|p| p.user.as_str()).collect();
    assert_eq!(names, ["carol"]);
    let page = store.ledger(NS, &id, Who::Everyone, None, 1).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("bob"));
    assert_eq!(page.people[0].read_at, Some(after(3)));
    let steps = store.explain(NS, &id, "bob", after(9)).await.unwrap();
    let steps: Vec<_> = steps.into_iter().map(|step| (step.what, step.at)).collect();
    assert_eq!(steps[2], (What::Visible { offset: 1 }, Some(now())));
    assert_eq!(steps[3], (What::Sent, Some(after(1))));
    assert_eq!(steps[4], (What::Delivered, Some(after(2))));
    assert_eq!(steps[5], (What::Read, Some(after(3))));
    for user in ["late", "eve"] {
        let steps = store.explain(NS, &id, user, after(9)).await.unwrap();
        assert_eq!(steps[1].what, What::NotInAudience);
    }
    assert_eq!(
        store
            .list(NS, Filter::default(), None, 9)
            .await
            .unwrap()
            .announcements
            .len(),
        1
    );
    assert!(store.get("acme", &id).await.is_err());
}

#[tokio::test]
async fn pruning_moves_the_floor_and_uses_no_offset_again() {
    let (_folder, store) = temporary();
    let public = FeedKey::public();
    for number in 0..3 {
        let one = NewAnnouncement {
            at: after(number),
            ..new(public.clone())
        };
        store
            .publish(one.with_key(Some(&format!("k{number}"))))
            .await
            .unwrap();
    }
    let retention = Retention::new(Some(Duration::from_secs(100)));
    let pruned = store.prune(&retention, after(102)).await.unwrap();
    assert_eq!((pruned.entries, pruned.announcements), (2, 2));
    assert_eq!(count(&store, "bob", &public, now()).await, Some(1));
    let missed = store.since(NS, "bob", &public, 0, None, 10).await.unwrap();
    assert!(missed.gap && missed.entries[0].offset == 3);
    assert!(
        !store
            .since(NS, "bob", &public, 2, None, 10)
            .await
            .unwrap()
            .gap
    );
    store.prune(&retention, after(500)).await.unwrap();
    let next = store
        .publish(new(public.clone()).with_key(Some("k0")))
        .await
        .unwrap();
    assert_eq!((next.duplicate, next.announcement.offset), (false, 4));
}

#[tokio::test]
async fn revocations_are_kept_until_their_end() {
    let (folder, store) = temporary();
    let user = |before, until| Revocation::of_user(NS, "bob", after(before), after(until));
    store.revoke(user(5, 50)).await.unwrap();
    store.revoke(user(3, 40)).await.unwrap();
    let token = Revocation::of_token("t", after(10));
    store.revoke(token).await.unwrap();
    drop(store);
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    assert_eq!(store.revocations(now()).await.unwrap().len(), 2);
    assert_eq!(store.revocations(after(10)).await.unwrap(), [user(5, 50)]);
}

#[tokio::test]
async fn a_changed_audit_is_found_out() {
    let (folder, store) = temporary();
    for subject in ["a", "b", "c"] {
        let entry = AuditEntry {
            namespace: NS.into(),
            at: now(),
            actor: "alice".into(),
            action: "test".into(),
            subject: subject.into(),
            detail: "{}".into(),
        };
        store.audit(entry).await.unwrap();
    }
    assert_eq!(store.verify_audit().await.unwrap().broken_at, None);
    drop(store);
    let path = folder.path().join("announce.db");
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute("UPDATE audit SET subject = 'x' WHERE seq = 2", ())
        .unwrap_err();
    file.execute("DELETE FROM audit", ()).unwrap_err();
    file.execute_batch("DROP TRIGGER audit_unchanged; UPDATE audit SET actor = 'x' WHERE seq = 2")
        .unwrap();
    drop(file);
    let store = Store::open(&path).unwrap();
    let check = store.verify_audit().await.unwrap();
    assert_eq!((check.records, check.broken_at), (3, Some(2)));
}
