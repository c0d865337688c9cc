//! The store against a model of it: posts, edits, recalls, expiry, members, several devices.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use framewire::announce::announcement::{FeedKey, Priority};
use framewire::announce::store::{
    Change, Edit, LateJoiner, NewAnnouncement, ReadMark, Releases, Store, StoreError,
};
use proptest::prelude::*;

use crate::forge::now;

const NS: &str = "main";
const USERS: [&str; 2] = ["alice", "bob"];

#[derive(Clone, Debug)]
enum Step {
    Publish {
        feed: usize,
        priority: usize,
        visible_in: u64,
        expires_in: Option<u64>,
    },
    Edit(usize, bool),
    Recall(usize),
    Wait(u64),
    ReleaseDue,
    Join(usize, bool),
    Leave(usize),
    Read(usize, usize, Vec<usize>),
    ReadUpTo(usize, usize, u64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let expires_in = prop::option::weighted(0.4, 1..6_u64);
    prop_oneof![
        8 => (0..2_usize, 0..4_usize, prop_oneof![4 => Just(0), 1 => 1..4_u64], expires_in)
            .prop_map(|(feed, priority, visible_in, expires_in)| Step::Publish {
                feed, priority, visible_in, expires_in,
            }),
        2 => (0..16_usize, any::<bool>()).prop_map(|(which, again)| Step::Edit(which, again)),
        1 => (0..16_usize).prop_map(Step::Recall),
        3 => (1..3_u64).prop_map(Step::Wait),
        2 => Just(Step::ReleaseDue),
        2 => (0..2_usize, any::<bool>()).prop_map(|(user, all)| Step::Join(user, all)),
        1 => (0..2_usize).prop_map(Step::Leave),
        6 => (0..2_usize, 0..2_usize, prop::collection::vec(0..16_usize, 1..4))
            .prop_map(|(user, feed, which)| Step::Read(user, feed, which)),
        2 => (0..2_usize, 0..2_usize, 0..20_u64)
            .prop_map(|(user, feed, upto)| Step::ReadUpTo(user, feed, upto)),
        1 => Just(Step::Reopen),
    ]
}

/// What the model knows of an announcement.
#[derive(Clone, Debug)]
struct Item {
    id: String,
    feed: usize,
    priority: Priority,
    /// When it waits to be shown, then when it was.
    visible: u64,
    expires: Option<u64>,
    /// 0 while it is pending.
    place: u64,
    version: u64,
    recalled: bool,
    read: [bool; 2],
}

/// How a person stands to the channel.
#[derive(Clone, Copy, Debug, Default)]
struct Member {
    inside: bool,
    /// The last offset that is not for them.
    since: u64,
    /// The top of the feed when they left.
    left: Option<u64>,
}

struct Model {
    start: SystemTime,
    clock: u64,
    items: Vec<Item>,
    tops: [u64; 2],
    /// The feeds in the order in which they came into being.
    created: Vec<usize>,
    channel: [Member; 2],
    versions: [u64; 2],
    counts: [Option<Vec<u64>>; 2],
}

impl Model {
    fn time(&self, seconds: u64) -> SystemTime {
        self.start + Duration::from_secs(seconds)
    }

    fn now(&self) -> SystemTime {
        self.time(self.clock)
    }

    fn may_read(&self, user: usize, feed: usize) -> bool {
        feed == 0 || self.channel[user].inside
    }

    fn is_unread(&self, user: usize, item: &Item) -> bool {
        let alive = item.place > 0 && !item.recalled;
        let fresh = item.expires.is_none_or(|at| at > self.clock);
        alive && fresh && !item.read[user] && self.may_read(user, item.feed)
    }

    fn unread(&self, user: usize) -> Vec<String> {
        let mut items: Vec<&Item> = self
            .items
            .iter()
            .filter(|item| self.is_unread(user, item))
            .collect();
        items.sort_by_key(|item| {
            (
                std::cmp::Reverse(item.priority),
                item.visible,
                item.place,
                self.created.iter().position(|feed| *feed == item.feed),
            )
        });
        items.iter().map(|item| item.id.clone()).collect()
    }

    fn count(&self, user: usize, feed: usize) -> u64 {
        let items = self.items.iter().filter(|item| item.feed == feed);
        items.filter(|item| self.is_unread(user, item)).count() as u64
    }

    /// What lies under `since` counts as read for somebody who came late.
    fn skip(&mut self, user: usize, since: u64) {
        for item in self.items.iter_mut().filter(|item| item.feed == 1) {
            item.read[user] |= item.place > 0 && item.place <= since;
        }
    }

    fn create(&mut self, feed: usize) {
        if !self.created.contains(&feed) {
            self.created.push(feed);
        }
    }

    fn join(&mut self, user: usize, all: bool) {
        self.create(1);
        let top = self.tops[1];
        let member = &mut self.channel[user];
        if member.inside {
            return;
        }
        member.inside = true;
        let reopened = member.left == Some(top) && (member.since == 0 || !all);
        if !reopened {
            member.since = if all { 0 } else { top };
        }
        let since = self.channel[user].since;
        self.skip(user, since);
    }

    fn show_due(&mut self) -> Vec<String> {
        let mut due: Vec<usize> = (0..self.items.len())
            .filter(|&at| {
                let item = &self.items[at];
                item.place == 0 && !item.recalled && item.visible <= self.clock
            })
            .collect();
        due.sort_by_key(|&at| (self.items[at].visible, self.items[at].id.clone()));
        let mut shown = Vec::new();
        for at in due {
            let item = &mut self.items[at];
            self.tops[item.feed] += 1;
            item.place = self.tops[item.feed];
            item.visible = self.clock;
            shown.push(item.id.clone());
        }
        shown
    }
}

struct Run {
    folder: tempfile::TempDir,
    store: Store,
    releases: Releases,
    feeds: [FeedKey; 2],
    model: Model,
}

impl Run {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("announce.db")).unwrap();
        let releases = store.releases();
        let model = Model {
            start: now(),
            clock: 0,
            items: Vec::new(),
            tops: [0, 0],
            created: Vec::new(),
            channel: [Member::default(); 2],
            versions: [0; 2],
            counts: [None, None],
        };
        let feeds = [FeedKey::public(), FeedKey::new("HR").unwrap()];
        Self {
            folder,
            store,
            releases,
            feeds,
            model,
        }
    }

    async fn publish(&mut self, feed: usize, priority: usize, later: u64, expires: Option<u64>) {
        let model = &mut self.model;
        model.create(feed);
        let priority = Priority::DESCENDING[priority];
        let visible = model.clock + later;
        let expires = expires.map(|after| model.clock + after);
        let new = NewAnnouncement::new(NS, self.feeds[feed].clone(), "alice", "{}", model.now())
            .with_priority(priority)
            .with_visible_at((later > 0).then(|| model.time(visible)))
            .with_expires_at(expires.map(|at| model.time(at)));
        let stored = self.store.publish(new).await.unwrap().announcement;
        let mut place = 0;
        if later == 0 {
            model.tops[feed] += 1;
            place = model.tops[feed];
            let release = self.releases.next().await.unwrap();
            assert_eq!((release.change, release.offset), (Change::Posted, place));
        }
        assert_eq!(stored.offset, place);
        model.items.push(Item {
            id: stored.id,
            feed,
            priority,
            visible,
            expires,
            place,
            version: 1,
            recalled: false,
            read: [false; 2],
        });
    }

    async fn edit(&mut self, which: usize, again: bool) {
        let model = &mut self.model;
        let Some(item) = model.items.get(which).cloned() else {
            return;
        };
        let body = format!("{{\"v\":{}}}", item.version + 1);
        let edit = Edit {
            by: "alice".into(),
            body: body.clone(),
            expected_version: Some(item.version),
            again,
            at: model.now(),
        };
        let edited = self.store.edit(NS, &item.id, edit).await;
        if item.recalled {
            assert_eq!(edited, Err(StoreError::Recalled));
            return;
        }
        assert_eq!(edited.unwrap().body, body);
        let kept = &mut model.items[which];
        kept.version += 1;
        if kept.place > 0 {
            model.tops[item.feed] += 1;
            let release = self.releases.next().await.unwrap();
            assert_eq!(release.change, Change::Edited);
            assert_eq!(release.offset, model.tops[item.feed]);
            assert_eq!(release.prev_offset, model.tops[item.feed] - 1);
            if again {
                kept.place = model.tops[item.feed];
                kept.visible = model.clock;
                kept.read = [false; 2];
            }
        }
    }

    async fn recall(&mut self, which: usize) {
        let model = &mut self.model;
        let Some(item) = model.items.get_mut(which) else {
            return;
        };
        let at = model.start + Duration::from_secs(model.clock);
        self.store.recall(NS, &item.id, "alice", at).await.unwrap();
        if item.place > 0 && !item.recalled {
            model.tops[item.feed] += 1;
            assert_eq!(self.releases.next().await.unwrap().change, Change::Recalled);
        }
        item.recalled = true;
    }

    async fn read(
        &mut self,
        user: usize,
        feed: usize,
        mark: ReadMark,
        covered: Option<Vec<usize>>,
    ) {
        let now = self.model.now();
        let result = self
            .store
            .mark_read(NS, USERS[user], &self.feeds[feed], mark, now)
            .await;
        let Some(covered) = covered else {
            assert_eq!(result.unwrap_err(), StoreError::UnknownNotification);
            return;
        };
        let mut newly: BTreeMap<u64, String> = BTreeMap::new();
        for at in covered {
            let item = &self.model.items[at];
            if self.model.is_unread(user, item) {
                newly.insert(item.place, item.id.clone());
            }
            self.model.items[at].read[user] = true;
        }
        let newly: Vec<String> = newly.into_values().collect();
        assert_eq!(result.unwrap().newly_read, newly);
    }

    async fn read_ids(&mut self, user: usize, feed: usize, which: Vec<usize>) {
        let model = &self.model;
        let since = if feed == 1 {
            model.channel[user].since
        } else {
            0
        };
        let known = which.iter().all(|at| {
            let found = model.items.get(*at);
            found.is_some_and(|item| {
                item.feed == feed && item.place > since && model.may_read(user, feed)
            })
        });
        let empty_feed = feed == 0 && model.items.iter().all(|item| item.feed != 0);
        let ids = which
            .iter()
            .map(|at| {
                model
                    .items
                    .get(*at)
                    .map_or_else(|| "absent".into(), |item| item.id.clone())
            })
            .collect();
        let is_fine = known && model.may_read(user, feed) && !empty_feed;
        self.read(user, feed, ReadMark::Ids(ids), is_fine.then_some(which))
            .await;
    }

    async fn read_upto(&mut self, user: usize, feed: usize, upto: u64) {
        let model = &self.model;
        let covered = (model.may_read(user, feed) && upto <= model.tops[feed]).then(|| {
            let items = model.items.iter().enumerate();
            let covered =
                items.filter(|(_, item)| item.feed == feed && item.place > 0 && item.place <= upto);
            covered.map(|(at, _)| at).collect()
        });
        self.read(user, feed, ReadMark::UpTo(upto), covered).await;
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Publish {
                feed,
                priority,
                visible_in,
                expires_in,
            } => {
                self.publish(feed, priority, visible_in, expires_in).await;
            }
            Step::Edit(which, again) => self.edit(which, again).await,
            Step::Recall(which) => self.recall(which).await,
            Step::Wait(seconds) => self.model.clock += seconds,
            Step::ReleaseDue => {
                let due = self.store.release_due(self.model.now()).await.unwrap();
                let shown = self.model.show_due();
                assert_eq!(due.released, shown.len() as u64);
                for id in shown {
                    assert_eq!(self.releases.next().await.unwrap().announcement.id, id);
                }
            }
            Step::Join(user, all) => {
                let late = if all {
                    LateJoiner::All
                } else {
                    LateJoiner::Nothing
                };
                let (feed, now) = (&self.feeds[1], self.model.now());
                let joined = self.store.join(NS, USERS[user], feed, late, now).await;
                assert_eq!(joined.unwrap(), !self.model.channel[user].inside);
                self.model.join(user, all);
            }
            Step::Leave(user) => {
                let (feed, now) = (&self.feeds[1], self.model.now());
                let left = self.store.leave(NS, USERS[user], feed, now).await;
                let member = &mut self.model.channel[user];
                assert_eq!(left.unwrap(), member.inside);
                if member.inside {
                    *member = Member {
                        inside: false,
                        left: Some(self.model.tops[1]),
                        ..*member
                    };
                }
            }
            Step::Read(user, feed, which) => self.read_ids(user, feed, which).await,
            Step::ReadUpTo(user, feed, upto) => self.read_upto(user, feed, upto).await,
            Step::Reopen => {
                let path = self.folder.path().join("announce.db");
                let other = tempfile::tempdir().unwrap();
                let away = Store::open(&other.path().join("announce.db")).unwrap();
                drop(std::mem::replace(&mut self.store, away));
                self.store = Store::open(&path).unwrap();
                self.releases = self.store.releases();
            }
        }
    }

    /// Two devices of a person see the same, page by page and in numbers; and whenever the
    /// numbers change, the version grows.
    async fn check(&mut self) {
        let now = self.model.now();
        for (user, name) in USERS.into_iter().enumerate() {
            let (mut ids, mut after) = (Vec::new(), None);
            loop {
                let page = self.store.unread(NS, name, after, 2, now).await.unwrap();
                ids.extend(page.messages.into_iter().map(|message| message.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(ids, self.model.unread(user));
            let unread = self.store.counts(NS, name, now).await.unwrap();
            let found: Vec<u64> = self
                .feeds
                .iter()
                .map(|feed| {
                    let count = unread.counts.iter().find(|(key, _)| key == feed);
                    count.map_or(0, |(_, count)| *count)
                })
                .collect();
            let expected = vec![self.model.count(user, 0), self.model.count(user, 1)];
            assert_eq!(found, expected, "{name}");
            assert!(unread.version >= self.model.versions[user]);
            if self.model.counts[user]
                .as_ref()
                .is_some_and(|before| *before != found)
            {
                assert!(unread.version > self.model.versions[user]);
            }
            self.model.versions[user] = unread.version;
            self.model.counts[user] = Some(found);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    //= A57 type=test
    //= A66 type=test
    //= A72 type=test
    #[test]
    fn prop_read_state_and_counts_are_those_of_the_model(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut run = Run::new();
            for step in steps {
                run.step(step).await;
                run.check().await;
            }
        });
    }
}
