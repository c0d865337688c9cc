//! Who is there: members by id, by user and by topic.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::engine::Prepared;
use crate::hub::mailbox::{Bounds, Counts, Delivery, Mailbox, SlowPolicy};
use crate::hub::member_id::MemberId;
use crate::hub::post::{Item, Post, Publication};
use crate::hub::topic::{Route, Topic};
use crate::wire::close::CloseReason;

/// What became of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// Members in whose mailbox it waits now, and those of a branch to whom it is on its way.
    pub queued: usize,
    /// Members for whom it was dropped: their mailbox was full, or too much was on its way to
    /// their branch. What a branch drops later is in the counts of its members.
    pub dropped: usize,
}

/// The members of a server and what they want to hear. Clones are the same hub.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    shared: Arc<RwLock<Registry>>,
}

//= A36
#[derive(Debug, Default)]
struct Registry {
    last_id: u64,
    members: HashMap<MemberId, Entry>,
    users: HashMap<Arc<str>, Audience>,
    topics: HashMap<Arc<str>, Topic>,
}

type Audience = HashMap<MemberId, Route>;

#[derive(Debug)]
struct Entry {
    mailbox: Arc<Mailbox>,
    /// The branch to which the member's connection belongs.
    post: Option<Arc<Post>>,
    user: Option<Arc<str>>,
    topics: HashSet<Arc<str>>,
}

impl Hub {
    /// A hub without members.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Registry> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Registry> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a member, of no user and no topic. It leaves when the [`Member`] is dropped.
    pub fn join(&self, bounds: Bounds, policy: SlowPolicy) -> Member {
        self.make_member(bounds, policy, None)
    }

    /// Makes a member whose messages go through a branch.
    pub(crate) fn join_branch(
        &self,
        bounds: Bounds,
        policy: SlowPolicy,
        post: &Arc<Post>,
    ) -> Member {
        self.make_member(bounds, policy, Some(Arc::clone(post)))
    }

    fn make_member(&self, bounds: Bounds, policy: SlowPolicy, post: Option<Arc<Post>>) -> Member {
        let mailbox = Arc::new(Mailbox::new(bounds, policy));
        let mut registry = self.write();
        registry.last_id += 1;
        let id = MemberId(registry.last_id);
        let entry = Entry {
            mailbox: Arc::clone(&mailbox),
            post,
            user: None,
            topics: HashSet::new(),
        };
        registry.members.insert(id, entry);
        drop(registry);
        Member {
            id,
            mailbox,
            hub: self.clone(),
        }
    }

    /// Offers a message to every member of a topic.
    ///
    /// Two calls that follow one another reach every member in that order.
    pub fn publish(&self, topic: &str, message: &Prepared) -> Published {
        self.publish_with(topic, None, message, None)
    }

    /// As [`publish`](Self::publish), and passes one member by: whoever sent the message.
    pub fn publish_except(&self, topic: &str, except: MemberId, message: &Prepared) -> Published {
        self.publish_with(topic, Some(except), message, None)
    }

    /// As [`publish`](Self::publish), for what is worth something only now, such as that somebody
    /// types: a member for whom more than `waiting_max` messages wait does not get it.
    pub fn publish_passing(
        &self,
        topic: &str,
        except: Option<MemberId>,
        message: &Prepared,
        waiting_max: usize,
    ) -> Published {
        self.publish_with(topic, except, message, Some(waiting_max))
    }

    fn publish_with(
        &self,
        topic: &str,
        except: Option<MemberId>,
        message: &Prepared,
        waiting_max: Option<usize>,
    ) -> Published {
        let registry = self.read();
        let mut published = Published::default();
        let Some((name, topic)) = registry.topics.get_key_value(topic) else {
            return published;
        };
        for (_, mailbox) in topic.mailboxes.iter().filter(|it| Some(*it.0) != except) {
            published.note(match waiting_max {
                None => mailbox.offer(message),
                Some(waiting_max) => mailbox.offer_passing(message, waiting_max),
            });
        }
        for share in &topic.branches {
            let own = except.and_then(|it| topic.seats.get(&it));
            let is_own = own.is_some_and(|post| Arc::ptr_eq(post, &share.post));
            let members = share.members - usize::from(is_own);
            let is_taken = share.post.push(Item::Published(Publication {
                topic: Arc::clone(name),
                message: message.clone(),
                except,
                waiting_max,
            }));
            match is_taken {
                true => published.queued += members,
                false => published.dropped += members,
            }
        }
        published
    }

    /// Offers a message to every connection of a user.
    pub fn send_to_user(&self, user: &str, message: &Prepared) -> Published {
        let mut published = Published::default();
        for (member, route) in self.read().users.get(user).into_iter().flatten() {
            published.note(route.offer(*member, message));
        }
        published
    }

    /// Offers a message to one member. Says whether it waits in its mailbox now.
    pub fn send_to(&self, member: MemberId, message: &Prepared) -> bool {
        self.read()
            .members
            .get(&member)
            .is_some_and(|entry| entry.route().offer(member, message))
    }

    /// Has one member close with `reason`. Says whether it is there.
    pub fn close(&self, member: MemberId, reason: &CloseReason) -> bool {
        let registry = self.read();
        let entry = registry.members.get(&member);
        entry.is_some_and(|entry| {
            entry.close(member, reason);
            true
        })
    }

    /// Adds a member to a topic; what [`Member::subscribe`] does, for whoever does not hold it.
    pub fn subscribe(&self, member: MemberId, topic: &str) {
        let mut registry = self.write();
        let topic = Arc::<str>::from(topic);
        let Some(entry) = registry.members.get_mut(&member) else {
            return;
        };
        if entry.topics.insert(Arc::clone(&topic)) {
            let route = entry.route();
            let name = Arc::clone(&topic);
            let topic = registry.topics.entry(topic).or_default();
            topic.add(name, member, route);
        }
    }

    /// Takes a member out of a topic.
    pub fn unsubscribe(&self, member: MemberId, topic: &str) {
        let mut registry = self.write();
        if let Some(entry) = registry.members.get_mut(&member) {
            entry.topics.remove(topic);
        }
        leave_topic(&mut registry.topics, topic, member);
    }

    /// Takes a member out of every topic, and from its user. It is still there for
    /// [`send_to`](Self::send_to) and [`close`](Self::close) until its [`Member`] is dropped.
    pub fn leave(&self, member: MemberId) {
        let mut registry = self.write();
        registry.clear_user(member);
        let topics = match registry.members.get_mut(&member) {
            Some(entry) => core::mem::take(&mut entry.topics),
            None => return,
        };
        for topic in topics {
            leave_topic(&mut registry.topics, &topic, member);
        }
    }

    /// Has every member close with `reason`.
    pub fn close_all(&self, reason: &CloseReason) {
        for (member, entry) in &self.read().members {
            entry.close(*member, reason);
        }
    }

    /// How many messages wait for a member.
    pub fn waiting(&self, member: MemberId) -> u64 {
        let registry = self.read();
        let entry = registry.members.get(&member);
        entry.map_or(0, |entry| entry.mailbox.counts().waiting)
    }

    /// How many members there are.
    pub fn members(&self) -> usize {
        self.read().members.len()
    }

    /// How many members a topic has.
    pub fn members_of(&self, topic: &str) -> usize {
        self.read().topics.get(topic).map_or(0, Topic::len)
    }

    /// The members of a topic, in no order.
    pub fn members_in(&self, topic: &str) -> Vec<MemberId> {
        let registry = self.read();
        let topic = registry.topics.get(topic);
        topic.map_or_else(Vec::new, |it| {
            it.mailboxes
                .keys()
                .chain(it.seats.keys())
                .copied()
                .collect()
        })
    }

    /// The members of a user, oldest first.
    pub fn members_of_user(&self, user: &str) -> Vec<MemberId> {
        let mut members: Vec<_> = self
            .read()
            .users
            .get(user)
            .into_iter()
            .flat_map(Audience::keys)
            .copied()
            .collect();
        members.sort_unstable();
        members
    }
}

impl Published {
    /// Counts one more member, for whom it waits now or was dropped.
    const fn note(&mut self, waits: bool) {
        match waits {
            true => self.queued += 1,
            false => self.dropped += 1,
        }
    }
}

impl Entry {
    /// Has the member close.
    fn close(&self, member: MemberId, reason: &CloseReason) {
        self.mailbox.close(reason.clone());
        if let Some(post) = &self.post {
            post.push(Item::Closed(member));
        }
    }

    fn route(&self) -> Route {
        match &self.post {
            Some(post) => Route::Branch(Arc::clone(post)),
            None => Route::Mailbox(Arc::clone(&self.mailbox)),
        }
    }
}

/// One connection's place in a hub: its mailbox, and what it wants to hear.
///
/// Dropping it leaves the hub.
#[derive(Debug)]
pub struct Member {
    id: MemberId,
    mailbox: Arc<Mailbox>,
    hub: Hub,
}

impl Member {
    /// The member's name.
    pub const fn id(&self) -> MemberId {
        self.id
    }

    /// Makes the member one of `user`'s connections, and no other user's.
    pub fn set_user(&self, user: &str) {
        let mut registry = self.hub.write();
        registry.clear_user(self.id);
        let user = Arc::<str>::from(user);
        if let Some(entry) = registry.members.get_mut(&self.id) {
            entry.user = Some(Arc::clone(&user));
        }
        if let Some(route) = registry.members.get(&self.id).map(Entry::route) {
            let audience = registry.users.entry(user).or_default();
            audience.insert(self.id, route);
        }
    }

    pub(crate) const fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// Adds the member to a topic.
    pub fn subscribe(&self, topic: &str) {
        self.hub.subscribe(self.id, topic);
    }

    /// Takes the member out of a topic.
    pub fn unsubscribe(&self, topic: &str) {
        self.hub.unsubscribe(self.id, topic);
    }

    /// Waits for the next thing to do.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has not been returned waits in the mailbox.
    pub async fn next(&mut self) -> Delivery {
        self.mailbox.next().await
    }

    /// Waits until the member is to close, and leaves the messages in the mailbox: for when there
    /// is no room to send them.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has not been returned waits in the mailbox.
    pub async fn closed(&mut self) -> CloseReason {
        self.mailbox.closed().await
    }

    /// The next thing to do, if there is any now.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.mailbox.take()
    }

    /// Takes the messages that wait, one after the other, for as long as `send` takes them: a
    /// message for which it returns `false` stays the next.
    ///
    /// Publishing to this member waits meanwhile, so `send` is to queue them and no more.
    pub fn take_each(&mut self, send: impl FnMut(&Prepared) -> bool) {
        self.mailbox.take_each(send);
    }

    /// How many messages the mailbox has seen.
    pub fn counts(&self) -> Counts {
        self.mailbox.counts()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.hub.write().remove(self.id);
    }
}

impl Registry {
    fn remove(&mut self, id: MemberId) {
        self.clear_user(id);
        if let Some(entry) = self.members.remove(&id) {
            for topic in entry.topics {
                leave_topic(&mut self.topics, &topic, id);
            }
            if let Some(post) = entry.post {
                post.push(Item::Left(id));
            }
        }
    }

    fn clear_user(&mut self, id: MemberId) {
        if let Some(user) = self
            .members
            .get_mut(&id)
            .and_then(|entry| entry.user.take())
        {
            leave(&mut self.users, &user, id);
        }
    }
}

/// Takes a member out of an audience, and drops an audience that nobody is left in.
fn leave(audiences: &mut HashMap<Arc<str>, Audience>, name: &str, id: MemberId) {
    if let Some(audience) = audiences.get_mut(name) {
        audience.remove(&id);
        if audience.is_empty() {
            audiences.remove(name);
        }
    }
}

/// Takes a member out of a topic, and drops a topic that nobody is left in.
fn leave_topic(topics: &mut HashMap<Arc<str>, Topic>, name: &str, id: MemberId) {
    let Some((known, _)) = topics.get_key_value(name) else {
        return;
    };
    let known = Arc::clone(known);
    if let Some(topic) = topics.get_mut(name) {
        topic.remove(known, id);
        if topic.len() == 0 {
            topics.remove(name);
        }
    }
}
