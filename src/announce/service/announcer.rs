//! The one task that sends what was stored to everyone concerned.
//!
//! It takes releases in the order of their commits, so the order of a feed is the same for
//! everybody. A connection enters its feeds through the same task and is told up to where each
//! had been released at that moment: what came before it reads from the store, what comes after
//! is delivered, and nothing is between the two.
//!
//! Where servers share the store, each of them reads the releases of all from it, its own among
//! them: so there is one order for the connections of all.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use tokio::sync::{mpsc, oneshot};

use crate::announce::announcement::FeedKey;
use crate::announce::dialect::Dialect;
use crate::announce::event::Event;
use crate::announce::service::counters::Counters;
use crate::announce::service::topics;
use crate::announce::store::{Change, Release, Releases, Store, StoreError};
use crate::announce::{intent, native};
use crate::engine::Prepared;
use crate::hub::{Hub, MemberId, Published};

/// How long it may take until what another server has released is looked for.
const NAP: Duration = Duration::from_millis(100);

/// How many connections may wait to enter their feeds.
const ENTERING_MAX: usize = 1024;

/// Up to where each feed has been released.
type Tops = HashMap<(String, FeedKey), u64>;

/// The way to the announcing task. Clones lead to the same.
#[derive(Clone, Debug)]
pub(crate) struct Announcer {
    entering: mpsc::Sender<Enter>,
    tops: Arc<RwLock<Tops>>,
}

/// The announcing task before it runs.
#[derive(Debug)]
pub(crate) struct Announcing {
    hub: Hub,
    counters: Counters,
    releases: Releases,
    entering: mpsc::Receiver<Enter>,
    tops: Arc<RwLock<Tops>>,
}

#[derive(Debug)]
struct Enter {
    member: MemberId,
    dialect: Dialect,
    namespace: String,
    feeds: Vec<FeedKey>,
    answer: oneshot::Sender<Vec<u64>>,
}

/// Prepares the task, which takes what is released from now on.
pub(crate) fn announcer(
    hub: Hub,
    releases: Releases,
    counters: Counters,
) -> (Announcer, Announcing) {
    let (sender, entering) = mpsc::channel(ENTERING_MAX);
    let tops = Arc::new(RwLock::new(Tops::new()));
    let announcer = Announcer {
        entering: sender,
        tops: Arc::clone(&tops),
    };
    let announcing = Announcing {
        hub,
        counters,
        releases,
        entering,
        tops,
    };
    (announcer, announcing)
}

impl Announcer {
    /// Adds a member to those who hear of these feeds, and says up to where each had been
    /// released by then. `None` if the server ends.
    pub(crate) async fn enter(
        &self,
        member: MemberId,
        dialect: Dialect,
        namespace: &str,
        feeds: Vec<FeedKey>,
    ) -> Option<Vec<u64>> {
        let (answer, answered) = oneshot::channel();
        let enter = Enter {
            member,
            dialect,
            namespace: namespace.into(),
            feeds,
            answer,
        };
        self.entering.send(enter).await.ok()?;
        answered.await.ok()
    }

    /// Up to where a feed has been released.
    pub(crate) fn top(&self, namespace: &str, feed: &FeedKey) -> u64 {
        let tops = self.tops.read().unwrap_or_else(PoisonError::into_inner);
        let key = (namespace.into(), feed.clone());
        tops.get(&key).copied().unwrap_or(0)
    }
}

impl Announcing {
    /// Announces until nobody can enter any more, or the store has ended.
    pub(crate) async fn run(mut self, store: &Store) {
        match store.tops().await {
            Ok(found) => {
                let found = found
                    .into_iter()
                    .map(|(name, feed, top)| ((name, feed), top));
                self.write_tops().extend(found);
            }
            Err(error) => return tracing::error!(%error, "the feeds cannot be read"),
        }
        let mut heard = store.shared_from();
        loop {
            tokio::select! {
                entering = self.entering.recv() => match entering {
                    Some(enter) => {
                        // Its client may know from another server what is not known here yet.
                        self.catch_up(store, &mut heard).await;
                        self.enter(enter);
                    }
                    None => return,
                },
                release = self.releases.next() => match release {
                    Some(release) => self.announce(release),
                    None => return,
                },
                () = store.until_told(NAP), if heard.is_some() => {
                    self.catch_up(store, &mut heard).await;
                }
            }
            // Whoever was given something takes it before there is more.
            tokio::task::yield_now().await;
        }
    }

    /// Announces what servers that share the store have released since the number up to which
    /// they were heard; nothing where it is not shared.
    //= A77
    async fn catch_up(&self, store: &Store, heard: &mut Option<i64>) {
        while let Some(after) = *heard {
            let told = match store.released_since(after).await {
                Ok(told) => told,
                Err(error) => return tracing::error!(%error, "releases cannot be read"),
            };
            if told.is_torn
                && let Err(error) = self.read_logs(store).await
            {
                return tracing::error!(%error, "the logs of the feeds cannot be read");
            }
            for release in told.news {
                self.announce(release);
            }
            *heard = Some(told.upto);
            if told.is_all {
                return;
            }
        }
    }

    /// Announces whatever the logs of the feeds hold beyond what was announced: for a server that
    /// was stopped for so long that what it was told is gone.
    async fn read_logs(&self, store: &Store) -> Result<(), StoreError> {
        for (namespace, feed, top) in store.tops().await? {
            let key = (namespace, feed);
            loop {
                let known = self.read_tops().get(&key).copied().unwrap_or(0);
                if known >= top {
                    break;
                }
                let entries = store.entries_after(&key.0, &key.1, known).await?;
                if entries.is_empty() {
                    // They have been removed.
                    self.write_tops().insert(key, top);
                    break;
                }
                for entry in entries {
                    self.announce(entry);
                }
            }
        }
        Ok(())
    }

    fn enter(&self, enter: Enter) {
        let Enter {
            member,
            dialect,
            namespace,
            feeds,
            answer,
        } = enter;
        let tops = self.read_tops();
        let mut released = Vec::with_capacity(feeds.len());
        for feed in feeds {
            let topic = topics::feed(dialect, &namespace, &feed);
            self.hub.subscribe(member, &topic);
            let key = (namespace.clone(), feed);
            released.push(tops.get(&key).copied().unwrap_or(0));
        }
        // Whoever asked may have gone; then its member has left the hub as well.
        drop(answer.send(released));
    }

    fn announce(&self, release: Release) {
        let key = (
            release.announcement.namespace.clone(),
            release.announcement.feed.clone(),
        );
        // Released before the tops were read: whoever has entered since has it from the store.
        let offset = release.offset;
        if self
            .write_tops()
            .get(&key)
            .is_some_and(|top| offset <= *top)
        {
            return;
        }
        let is_new = release.change == Change::Posted;
        let visible_at = release.announcement.visible_at;
        let event = Event::Released(Arc::new(release));
        let published = publish(&self.hub, &key.0, &key.1, None, &event);
        self.counters.delivered(published.queued, published.dropped);
        if is_new {
            //= D03
            let since = SystemTime::now().duration_since(visible_at);
            let since = since.unwrap_or_default();
            self.counters.announced(key.1.kind(), since);
        }
        self.write_tops().insert(key, offset);
    }

    fn read_tops(&self) -> RwLockReadGuard<'_, Tops> {
        self.tops.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_tops(&self) -> RwLockWriteGuard<'_, Tops> {
        self.tops.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Offers an event to everyone who reads a feed, written once for each dialect. Says what became
/// of it.
pub(crate) fn publish(
    hub: &Hub,
    namespace: &str,
    feed: &FeedKey,
    except: Option<MemberId>,
    event: &Event,
) -> Published {
    let mut offered = Published::default();
    for dialect in Dialect::ALL {
        let topic = topics::feed(dialect, namespace, feed);
        if hub.members_of(&topic) == 0 {
            continue;
        }
        let Some(text) = write(dialect, event) else {
            continue;
        };
        let message = Prepared::text(&text);
        let published = match except {
            Some(member) => hub.publish_except(&topic, member, &message),
            None => hub.publish(&topic, &message),
        };
        offered.queued += published.queued;
        offered.dropped += published.dropped;
    }
    offered
}

/// An event as a dialect writes it.
pub(crate) fn write(dialect: Dialect, event: &Event) -> Option<String> {
    match dialect {
        Dialect::Intent => intent::event(event),
        Dialect::Native => native::event(event),
        // The gateway's connections hear what the bus sends them.
        Dialect::Gateway => None,
    }
}
