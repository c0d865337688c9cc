use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use framewire::announce::announcement::FeedKey;
use framewire::announce::store::{
    Cursor, NewAnnouncement, PAGE_BODY_BYTES_MAX, Published, ReadMark, Store, StoreError,
};

use crate::forge::now;

const NS: &str = "main";

fn new(body: &str) -> NewAnnouncement {
    NewAnnouncement::new(NS, FeedKey::public(), "alice", body, now())
}

fn keyed(body: &str, key: &str) -> NewAnnouncement {
    new(body).with_key(Some(key))
}

fn temporary() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    (folder, store)
}

async fn publish(store: &Store, body: &str) -> Published {
    store.publish(new(body)).await.unwrap()
}

async fn public_count(store: &Store, user: &str) -> u64 {
    store.counts(NS, user, now()).await.unwrap().counts[0].1
}

async fn unread_ids(store: &Store, namespace: &str, user: &str, limit: usize) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = store
            .unread(namespace, user, after, limit, now())
            .await
            .unwrap();
        assert!(page.messages.len() <= limit);
        ids.extend(page.messages.into_iter().map(|message| message.id));
        match page.next {
            None => return ids,
            next => after = next,
        }
    }
}

async fn mark(store: &Store, user: &str, mark: ReadMark) -> Result<Vec<String>, StoreError> {
    let state = store
        .mark_read(NS, user, &FeedKey::public(), mark, now())
        .await?;
    Ok(state.newly_read)
}

#[tokio::test]
async fn what_was_published_is_unread_for_everyone_and_survives_a_restart() {
    //= A01 type=test
    let (folder, store) = temporary();
    let body = r#"{"Title":"é","n":1.50e+3,"a" : [ 1 ]}"#;
    let published = publish(&store, body).await;
    assert!(!published.duplicate);
    assert_eq!(published.announcement.offset, 1);
    assert_eq!(published.announcement.body, body);
    assert_eq!(published.announcement.id.len(), 36);
    drop(store);
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    for user in ["alice", "bob", "somebody who was never here"] {
        let page = store.unread(NS, user, None, 10, now()).await.unwrap();
        assert_eq!(page.messages, std::slice::from_ref(&published.announcement));
        assert_eq!(page.next, None);
        assert_eq!(page.unread.counts, [(FeedKey::public(), 1)]);
    }
    assert_eq!(publish(&store, "{}").await.announcement.offset, 2);
}

#[tokio::test]
async fn an_empty_namespace_has_a_public_feed_with_nothing_in_it() {
    let (_folder, store) = temporary();
    let page = store.unread(NS, "alice", None, 10, now()).await.unwrap();
    assert!(page.messages.is_empty() && page.next.is_none());
    assert_eq!(page.unread.counts, [(FeedKey::public(), 0)]);
    assert_eq!(mark(&store, "alice", ReadMark::UpTo(0)).await, Ok(vec![]));
    let beyond = mark(&store, "alice", ReadMark::UpTo(1)).await;
    assert_eq!(beyond, Err(StoreError::UnknownNotification));
}

#[tokio::test]
async fn a_key_stores_once_for_each_publisher_and_namespace() {
    let (folder, store) = temporary();
    let first = store.publish(keyed("{}", "k")).await.unwrap();
    let again = store.publish(keyed(r#"{"other":1}"#, "k")).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(again.announcement, first.announcement);
    drop(store);
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    let later = store.publish(keyed("{}", "k")).await.unwrap();
    assert_eq!(
        (later.duplicate, &later.announcement),
        (true, &first.announcement)
    );

    let bob = NewAnnouncement {
        publisher: "bob".into(),
        ..keyed("{}", "k")
    };
    assert!(!store.publish(bob).await.unwrap().duplicate);
    let acme = NewAnnouncement {
        namespace: "acme".into(),
        ..keyed("{}", "k")
    };
    let acme = store.publish(acme).await.unwrap();
    assert_eq!((acme.duplicate, acme.announcement.offset), (false, 1));
    assert_eq!(public_count(&store, "x").await, 2);
}

#[tokio::test]
async fn the_same_key_at_the_same_moment_stores_once() {
    let (_folder, store) = temporary();
    let store = Arc::new(store);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.publish(keyed("{}", "k")).await.unwrap() })
        })
        .collect();
    let (mut ids, mut firsts) = (HashSet::new(), 0);
    for task in tasks {
        let published = task.await.unwrap();
        ids.insert(published.announcement.id);
        firsts += usize::from(!published.duplicate);
    }
    assert_eq!((ids.len(), firsts), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_publications_from_64_tasks_leave_no_hole() {
    //= A62 type=test
    //= A79 type=test
    //= ST-01 type=test
    let (folder, store) = temporary();
    let store = Arc::new(store);
    let mut releases = store.releases();
    let tasks: Vec<_> = (0..64_usize)
        .map(|task| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut done = Vec::new();
                for number in (task..10_000).step_by(64) {
                    let body = format!("{{\"n\":{number}}}");
                    done.push(store.publish(new(&body)).await.unwrap().announcement);
                }
                done
            })
        })
        .collect();
    for expected in 1..=10_000 {
        assert_eq!(
            releases.next().await.unwrap().offset,
            expected,
            "released in order"
        );
    }
    let mut acknowledged = BTreeMap::new();
    for task in tasks {
        for announcement in task.await.unwrap() {
            acknowledged.insert(announcement.offset, announcement);
        }
    }
    assert_eq!(acknowledged.len(), 10_000);
    assert_eq!(*acknowledged.last_key_value().unwrap().0, 10_000);
    let metrics = store.metrics();
    assert_eq!(metrics.writes, 10_000);
    assert!(
        metrics.commits <= 2_000,
        "{} commits: batches do not form",
        metrics.commits
    );

    drop(Arc::into_inner(store).unwrap());
    assert_eq!(releases.next().await, None);
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    let (mut seen, mut after) = (0, None);
    loop {
        let page = store.unread(NS, "bob", after, 200, now()).await.unwrap();
        for message in page.messages {
            assert_eq!(acknowledged[&message.offset], message);
            seen += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, 10_000);
}

#[tokio::test]
async fn a_refused_write_harms_none_of_its_batch() {
    let (_folder, store) = temporary();
    let store = Arc::new(store);
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                if number % 3 == 0 {
                    let ids = ReadMark::Ids(vec!["nothing".into()]);
                    let refused = mark(&store, "bob", ids).await;
                    assert_eq!(refused, Err(StoreError::UnknownNotification));
                } else {
                    publish(&store, "{}").await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(public_count(&store, "bob").await, 133);
    assert!(store.metrics().commits < 200);
}

#[tokio::test]
async fn reading_is_idempotent_and_never_goes_back() {
    //= A57 type=test
    let (_folder, store) = temporary();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(publish(&store, "{}").await.announcement.id);
    }
    let some = || ReadMark::Ids(vec![ids[3].clone(), ids[1].clone(), ids[1].clone()]);
    assert_eq!(
        mark(&store, "bob", some()).await.unwrap(),
        [ids[1].clone(), ids[3].clone()]
    );
    let version = store.counts(NS, "bob", now()).await.unwrap().version;
    assert!(mark(&store, "bob", some()).await.unwrap().is_empty());
    assert_eq!(
        store.counts(NS, "bob", now()).await.unwrap().version,
        version
    );
    assert_eq!(public_count(&store, "bob").await, 3);

    let upto = mark(&store, "bob", ReadMark::UpTo(3)).await.unwrap();
    assert_eq!(upto, [ids[0].clone(), ids[2].clone()]);
    assert_eq!(unread_ids(&store, NS, "bob", 10).await, [ids[4].clone()]);
    assert!(
        mark(&store, "bob", ReadMark::UpTo(1))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(unread_ids(&store, NS, "bob", 10).await, [ids[4].clone()]);
    assert!(store.counts(NS, "bob", now()).await.unwrap().version > version);
    assert_eq!(
        public_count(&store, "alice").await,
        5,
        "what bob reads is bob's"
    );
}

#[tokio::test]
async fn an_unknown_identifier_changes_nothing() {
    //= A61 type=test
    //= AU-27 type=test
    let (_folder, store) = temporary();
    let known = publish(&store, "{}").await.announcement.id;
    let elsewhere = NewAnnouncement {
        namespace: "acme".into(),
        ..new("{}")
    };
    let elsewhere = store.publish(elsewhere).await.unwrap().announcement.id;
    let other_feed = NewAnnouncement {
        feed: FeedKey::new("HR").unwrap(),
        ..new("{}")
    };
    let other_feed = store.publish(other_feed).await.unwrap().announcement.id;
    let absent = "01890000-0000-7000-8000-000000000000".to_owned();
    let spelt = known.to_uppercase();
    let bare = known.replace('-', "");
    for unknown in [
        elsewhere,
        other_feed,
        absent,
        spelt,
        bare,
        String::new(),
        "1".into(),
    ] {
        let ids = ReadMark::Ids(vec![known.clone(), unknown.clone()]);
        let refused = mark(&store, "bob", ids).await;
        assert_eq!(refused, Err(StoreError::UnknownNotification), "{unknown}");
    }
    for offset in [2, u64::MAX] {
        let refused = mark(&store, "bob", ReadMark::UpTo(offset)).await;
        assert_eq!(refused, Err(StoreError::UnknownNotification));
    }
    assert_eq!(public_count(&store, "bob").await, 1);
}

#[tokio::test]
async fn namespaces_do_not_see_each_other() {
    //= AU-24 type=test
    //= AU-27 type=test
    let (_folder, store) = temporary();
    publish(&store, "{}").await;
    for namespace in ["Main", "main ", "mai", "main1", "", "%", "main\0"] {
        assert!(
            unread_ids(&store, namespace, "alice", 10).await.is_empty(),
            "{namespace:?}"
        );
    }
}

#[tokio::test]
async fn a_cursor_of_another_person_or_none_at_all_shows_nothing_new() {
    //= AU-28 type=test
    let (_folder, store) = temporary();
    for _ in 0..3 {
        publish(&store, "{}").await;
    }
    let acme = NewAnnouncement {
        namespace: "acme".into(),
        ..new("{}")
    };
    store.publish(acme).await.unwrap();
    let page = store.unread(NS, "alice", None, 1, now()).await.unwrap();
    let foreign: Cursor = page.next.unwrap().to_string().parse().unwrap();
    assert_eq!(Some(foreign), page.next);
    let page = store
        .unread("acme", "mallory", Some(foreign), 10, now())
        .await
        .unwrap();
    assert!(
        page.messages
            .iter()
            .all(|message| message.namespace == "acme")
    );
    for text in [
        "",
        ".",
        "1",
        "1.",
        ".1",
        "-1.2",
        "+1.2",
        "1.2.3",
        "1,2",
        "9999999999999999999.1",
    ] {
        assert!(text.parse::<Cursor>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_page_ends_where_its_bodies_grow_too_large() {
    let (_folder, store) = temporary();
    let body = format!("{{\"x\":\"{}\"}}", "x".repeat(60_000));
    for _ in 0..12 {
        publish(&store, &body).await;
    }
    let page = store.unread(NS, "bob", None, 200, now()).await.unwrap();
    assert_eq!(
        page.messages.len(),
        PAGE_BODY_BYTES_MAX.div_ceil(body.len())
    );
    assert!(page.next.is_some());
    assert_eq!(unread_ids(&store, NS, "bob", 200).await.len(), 12);
}

#[tokio::test]
async fn duplicates_are_not_released_again() {
    let (_folder, store) = temporary();
    let mut releases = store.releases();
    store.publish(keyed("{}", "k")).await.unwrap();
    store.publish(keyed("{}", "k")).await.unwrap();
    store.publish(keyed("{}", "l")).await.unwrap();
    drop(store);
    let offsets = [
        releases.next().await.unwrap().offset,
        releases.next().await.unwrap().offset,
    ];
    assert_eq!(offsets, [1, 2]);
    assert_eq!(releases.next().await, None);
}

#[tokio::test]
async fn a_publication_whose_caller_has_gone_is_stored_and_released() {
    let (_folder, store) = temporary();
    let mut releases = store.releases();
    {
        let mut publication = Box::pin(store.publish(new("{}")));
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        assert!(publication.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(releases.next().await.unwrap().offset, 1);
    assert_eq!(public_count(&store, "bob").await, 1);
}

#[tokio::test]
async fn dropping_the_store_finishes_what_was_accepted() {
    let (folder, store) = temporary();
    let mut publications: Vec<_> = (0..500)
        .map(|_| Box::pin(tokio::task::unconstrained(store.publish(new("{}")))))
        .collect();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for publication in &mut publications {
        assert!(publication.as_mut().poll(&mut context).is_pending());
    }
    drop(publications);
    drop(store);
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    assert_eq!(public_count(&store, "bob").await, 500);
}

#[test]
fn a_second_store_on_the_same_file_is_refused() {
    let (folder, store) = temporary();
    let path = folder.path().join("announce.db");
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }));
    assert!(error.to_string().contains("another data folder"));
    drop(store);
    Store::open(&path).unwrap();
}

#[test]
fn files_that_are_not_ours_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("announce.db");
    std::fs::write(
        &path,
        "this is not a database, it only looks like a file".repeat(40),
    )
    .unwrap();
    assert!(matches!(
        Store::open(&path).unwrap_err(),
        StoreError::Open { .. }
    ));
    std::fs::remove_file(&path).unwrap();

    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE other (x)").unwrap();
    drop(foreign);
    assert!(matches!(
        Store::open(&path).unwrap_err(),
        StoreError::Foreign { .. }
    ));
    std::fs::remove_file(&path).unwrap();

    drop(Store::open(&path).unwrap());
    let later = rusqlite::Connection::open(&path).unwrap();
    later.pragma_update(None, "user_version", 99).unwrap();
    drop(later);
    assert!(matches!(
        Store::open(&path).unwrap_err(),
        StoreError::Newer { version: 99, .. }
    ));

    let missing = folder.path().join("missing/announce.db");
    let line = Store::open(&missing).unwrap_err().to_string();
    assert!(line.starts_with("cannot open the store"), "{line}");
}

#[test]
fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, store) = temporary();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(publish(&store, "{}"));
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        names.insert(file.file_name().into_string().unwrap());
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{file:?}"
        );
    }
    let expected = [
        "announce.db",
        "announce.db-shm",
        "announce.db-wal",
        "announce.db.lock",
    ];
    assert_eq!(names, expected.map(String::from).into());
}
