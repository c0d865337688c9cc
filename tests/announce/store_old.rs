//! A file of the first version, which keeps everything; and one that nobody closed.

use framewire::announce::announcement::{FeedKey, FeedKind};
use framewire::announce::store::{LateJoiner, NewAnnouncement, ReadMark, Store};

use crate::forge::now;

const NS: &str = "main";

/// The tables as the first version made them, with four announcements and two readers.
const FIRST: &str = r#"
CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE feed (feed_id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, kind TEXT NOT NULL,
  key TEXT NOT NULL, epoch TEXT NOT NULL, top INTEGER NOT NULL DEFAULT 0,
  UNIQUE (namespace, kind, key)) STRICT;
CREATE TABLE announcement (id BLOB PRIMARY KEY, namespace TEXT NOT NULL, intent TEXT NOT NULL,
  publisher TEXT NOT NULL, idem_key TEXT, body TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL, state TEXT NOT NULL,
  UNIQUE (namespace, publisher, idem_key)) STRICT;
CREATE TABLE entry (feed_id INTEGER NOT NULL REFERENCES feed, "offset" INTEGER NOT NULL,
  announcement BLOB NOT NULL REFERENCES announcement, kind TEXT NOT NULL,
  released_at INTEGER NOT NULL, PRIMARY KEY (feed_id, "offset")) STRICT, WITHOUT ROWID;
CREATE INDEX entry_announcement ON entry (announcement);
CREATE TABLE cursor (namespace TEXT NOT NULL, username TEXT NOT NULL,
  feed_id INTEGER NOT NULL REFERENCES feed, read_upto INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, username, feed_id)) STRICT, WITHOUT ROWID;
CREATE TABLE receipt (namespace TEXT NOT NULL, username TEXT NOT NULL, feed_id INTEGER NOT NULL,
  "offset" INTEGER NOT NULL, read_at INTEGER NOT NULL,
  PRIMARY KEY (namespace, username, feed_id, "offset"),
  FOREIGN KEY (feed_id, "offset") REFERENCES entry) STRICT, WITHOUT ROWID;
PRAGMA application_id = 1718775159;
PRAGMA user_version = 1;
INSERT INTO feed VALUES (1, 'main', 'public', '', 'e1', 3), (2, 'main', 'channel', 'HR', 'e2', 1),
  (3, 'main', 'channel', 'role:lead', 'e3', 0);
INSERT INTO announcement
  SELECT unhex('0189000000007000800000000000000' || i), 'main', 'Public announcement', 'alice',
    'k' || i, '{"n":' || i || '}', 1, 1000 * i, 'released'
  FROM (SELECT 1 AS i UNION SELECT 2 UNION SELECT 3 UNION SELECT 4);
INSERT INTO entry SELECT 1, i, unhex('0189000000007000800000000000000' || i), 'post', 4000 - i
  FROM (SELECT 1 AS i UNION SELECT 2 UNION SELECT 3);
INSERT INTO entry VALUES (2, 1, unhex('01890000000070008000000000000004'), 'post', 5);
INSERT INTO cursor VALUES ('main', 'bob', 1, 1, 2), ('main', 'carol', 1, 0, 1);
INSERT INTO receipt VALUES ('main', 'bob', 1, 3, 77), ('main', 'carol', 1, 2, 78);
"#;

#[tokio::test]
async fn a_file_of_the_first_version_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("announce.db");
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(FIRST).unwrap();
    drop(file);
    for _ in 0..2 {
        let store = Store::open(&path).unwrap();
        for (user, expected) in [
            ("bob", vec![2]),
            ("carol", vec![1, 3]),
            ("dan", vec![1, 2, 3]),
        ] {
            let page = store.unread(NS, user, None, 10, now()).await.unwrap();
            let offsets: Vec<_> = page.messages.iter().map(|message| message.offset).collect();
            assert_eq!(offsets, expected, "{user}");
            assert_eq!(page.unread.counts[0].1, expected.len() as u64);
            assert!(page.messages.iter().all(|message| message.epoch == "e1"));
        }
        let version = store.counts(NS, "bob", now()).await.unwrap().version;
        assert!(version >= 6, "the first version said 6: {version}");
        let body = |page: framewire::announce::store::Listed| page.announcements[0].body.clone();
        let all = store.list(NS, Default::default(), None, 9).await.unwrap();
        assert_eq!(
            (all.announcements.len(), body(all)),
            (4, r#"{"n":4}"#.into())
        );
        let members = store
            .members(NS, &FeedKey::public(), None, 9)
            .await
            .unwrap();
        assert_eq!(members.users, ["bob", "carol"]);
        let role = FeedKey::new("role:lead").unwrap();
        assert_eq!(role.kind(), FeedKind::Role);
        assert!(store.feed_exists(NS, &role).await.unwrap());
        let again = NewAnnouncement::new(NS, FeedKey::public(), "alice", "{}", now());
        let again = store.publish(again.with_key(Some("k2"))).await.unwrap();
        assert_eq!((again.duplicate, again.announcement.offset), (true, 2));
    }
    let store = Store::open(&path).unwrap();
    let hr = FeedKey::channel("HR").unwrap();
    let signed = store
        .sign_in(NS, "bob", &[hr], LateJoiner::All, now())
        .await
        .unwrap();
    assert_eq!(signed.unread.counts[1].1, 1);
    let public = FeedKey::public();
    let state = store
        .mark_read(NS, "bob", &public, ReadMark::UpTo(3), now())
        .await
        .unwrap();
    assert_eq!((state.newly_read.len(), state.unread.counts[0].1), (1, 0));
}

/// What the files hold while the store is open is what an unclean end leaves behind.
#[tokio::test]
async fn a_store_that_was_not_closed_opens_with_everything_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    let public = FeedKey::public();
    for _ in 0..20 {
        let new = NewAnnouncement::new(NS, public.clone(), "alice", "{}", now());
        store.publish(new).await.unwrap();
    }
    let mark = ReadMark::UpTo(5);
    let state = store
        .mark_read(NS, "bob", &public, mark, now())
        .await
        .unwrap();
    let left = tempfile::tempdir().unwrap();
    for name in ["announce.db", "announce.db-wal"] {
        std::fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
    }
    let found = Store::open(&left.path().join("announce.db")).unwrap();
    assert_eq!(found.counts(NS, "bob", now()).await.unwrap(), state.unread);
    assert_eq!(
        found.counts(NS, "eve", now()).await.unwrap().counts[0].1,
        20
    );
}
