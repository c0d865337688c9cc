//! Several stores on one file, as servers that share it have them.

use std::collections::BTreeSet;
use std::time::Duration;

use framewire::announce::announcement::FeedKey;
use framewire::announce::store::{Filter, NewAnnouncement, Store, StoreError};

use crate::forge::now;

const NS: &str = "main";

fn new(body: &str, key: &str) -> NewAnnouncement {
    NewAnnouncement::new(NS, FeedKey::public(), "alice", body, now()).with_key(Some(key))
}

//= A77 type=test
#[test]
fn whoever_shares_keeps_out_who_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("announce.db");
    let locked = |opened: Result<Store, StoreError>| {
        matches!(opened.map(drop), Err(StoreError::Locked { .. }))
    };
    let alone = Store::open(&path).unwrap();
    assert!(locked(Store::open_shared(&path)) && locked(Store::open(&path)));
    drop(alone);
    let first = Store::open_shared(&path).unwrap();
    let second = Store::open_shared(&path).unwrap();
    assert!(locked(Store::open(&path)));
    drop(first);
    assert!(locked(Store::open(&path)));
    let third = Store::open_shared(&path).unwrap();
    drop((second, third));
    drop(Store::open(&path).unwrap());

    // Under others that have it open, the tables stay as they are.
    let held = Store::open_shared(&path).unwrap();
    let file = rusqlite::Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 3).unwrap();
    assert!(locked(Store::open_shared(&path)));
    drop((held, file));
    Store::open_shared(&path).unwrap();
}

//= A77 type=test
#[test]
fn servers_that_come_at_the_same_time_all_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("announce.db");
    std::thread::scope(|scope| {
        let opening = [(); 6].map(|()| scope.spawn(|| Store::open_shared(&path).unwrap()));
        let stores = opening.map(|one| one.join().unwrap());
        drop(stores);
    });
}

//= A77 type=test
#[tokio::test]
async fn what_is_asked_of_two_at_once_is_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("announce.db");
    let one = Store::open_shared(&path).unwrap();
    let two = Store::open_shared(&path).unwrap();
    let mut stored = 0;
    for number in 0..40 {
        let (key, later) = (format!("k{number}"), format!("later {number}"));
        // The same key on both is one announcement.
        let (first, second) =
            tokio::join!(one.publish(new("{}", &key)), two.publish(new("{}", &key)));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_ne!(first.duplicate, second.duplicate);
        assert_eq!(first.announcement.id, second.announcement.id);
        // So is the release of one that both find due.
        let due = now() + Duration::from_secs(60);
        let waiting = new("{}", &later).with_visible_at(Some(due));
        one.publish(waiting).await.unwrap();
        let (first, second) = tokio::join!(one.release_due(due), two.release_due(due));
        assert_eq!(first.unwrap().released + second.unwrap().released, 1);
        stored += 2;
    }
    assert_eq!(
        one.tops().await.unwrap(),
        [(NS.to_owned(), FeedKey::public(), stored)]
    );
    let mut offsets = BTreeSet::new();
    for announcement in two
        .list(NS, Filter::default(), None, 100)
        .await
        .unwrap()
        .announcements
    {
        offsets.insert(announcement.offset);
    }
    assert_eq!(offsets, (1..=stored).collect());
}
