//! Any sequence of calls, beside a model that is simple enough to be right.

use alloc::collections::{BTreeSet, VecDeque};
use framewire::engine::Prepared;
use framewire::hub::{Bounds, Hub, Member, SlowPolicy};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{expect_balanced, reason, say};

const TOPICS: [&str; 3] = ["a", "b", "c"];
const USERS: [&str; 2] = ["ada", "bob"];

#[derive(Clone, Debug)]
enum Call {
    Join(Policy, usize, usize),
    Leave(usize),
    Subscribe(usize, usize),
    Unsubscribe(usize, usize),
    SetUser(usize, usize),
    Publish(usize, usize),
    SendToUser(usize, usize),
    SendTo(usize, usize),
    Take(usize),
    CloseAll,
    PublishPassing(usize, usize, usize, usize),
    PublishExcept(usize, usize, usize),
    Close(usize),
    LeaveAll(usize),
    SubscribeById(usize, usize),
    UnsubscribeById(usize, usize),
}

#[derive(Clone, Copy, Debug)]
enum Policy {
    Newest,
    Oldest,
    Disconnect,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let policy = prop_oneof![
        Just(Policy::Newest),
        Just(Policy::Oldest),
        Just(Policy::Disconnect)
    ];
    let who = 0..6_usize;
    let topic = 0..TOPICS.len();
    let user = 0..USERS.len();
    let size = 0..40_usize;
    let call = prop_oneof![
        3 => (policy, 1..60_usize, 1..4_usize).prop_map(|(p, b, m)| Call::Join(p, b, m)),
        1 => who.clone().prop_map(Call::Leave),
        4 => (who.clone(), topic.clone()).prop_map(|(w, t)| Call::Subscribe(w, t)),
        1 => (who.clone(), topic.clone()).prop_map(|(w, t)| Call::Unsubscribe(w, t)),
        2 => (who.clone(), user.clone()).prop_map(|(w, u)| Call::SetUser(w, u)),
        8 => (topic.clone(), size.clone()).prop_map(|(t, s)| Call::Publish(t, s)),
        2 => (user, size.clone()).prop_map(|(u, s)| Call::SendToUser(u, s)),
        2 => (who.clone(), size.clone()).prop_map(|(w, s)| Call::SendTo(w, s)),
        3 => (topic.clone(), size.clone(), 0..3_usize, who.clone())
            .prop_map(|(t, s, m, w)| Call::PublishPassing(t, s, m, w)),
        2 => (topic.clone(), size.clone(), who.clone())
            .prop_map(|(t, s, w)| Call::PublishExcept(t, s, w)),
        1 => who.clone().prop_map(Call::Close),
        1 => who.clone().prop_map(Call::LeaveAll),
        2 => (who.clone(), topic.clone()).prop_map(|(w, t)| Call::SubscribeById(w, t)),
        1 => (who.clone(), topic).prop_map(|(w, t)| Call::UnsubscribeById(w, t)),
        5 => who.prop_map(Call::Take),
        1 => Just(Call::CloseAll),
    ];
    vec(call, 1..60)
}

/// What a member should have.
struct Expected {
    member: Member,
    policy: Policy,
    bounds: Bounds,
    topics: BTreeSet<usize>,
    user: Option<usize>,
    waiting: VecDeque<String>,
    /// The code to close with, until it has been taken.
    close: Option<u16>,
    closing: bool,
    offered: u64,
    taken: u64,
}

impl Expected {
    fn offer(&mut self, message: &str) -> bool {
        self.offered += 1;
        if self.closing {
            return false;
        }
        while !self.fits(message) {
            match self.policy {
                Policy::Newest => return false,
                Policy::Oldest => drop(self.waiting.pop_front()),
                Policy::Disconnect => {
                    self.close(4008);
                    return false;
                }
            }
        }
        self.waiting.push_back(message.into());
        true
    }

    /// What is worth something only now makes no room and closes nobody.
    fn offer_passing(&mut self, message: &str, waiting_max: usize) -> bool {
        self.offered += 1;
        let is_taken = !self.closing && self.waiting.len() <= waiting_max && self.fits(message);
        if is_taken {
            self.waiting.push_back(message.into());
        }
        is_taken
    }

    fn fits(&self, message: &str) -> bool {
        let bytes = |it: &str| it.len() + 2;
        let waiting: usize = self.waiting.iter().map(|it| bytes(it)).sum();
        self.waiting.is_empty()
            || (self.waiting.len() < self.bounds.messages_max
                && waiting + bytes(message) <= self.bounds.bytes_max)
    }

    fn close(&mut self, code: u16) {
        self.waiting.clear();
        if !self.closing {
            self.close = Some(code);
        }
        self.closing = true;
    }

    fn take(&mut self) -> Option<String> {
        let message = self.waiting.pop_front();
        self.taken += u64::from(message.is_some());
        message.or_else(|| self.close.take().map(|code| format!("close {code}")))
    }

    fn check_counts(&self) {
        let counts = self.member.counts();
        expect_balanced(counts);
        assert_eq!((counts.offered, counts.taken), (self.offered, self.taken));
        assert_eq!(counts.waiting, self.waiting.len() as u64);
    }
}

#[derive(Default)]
struct Model {
    hub: Hub,
    members: Vec<Expected>,
    /// How many messages there were, to tell them apart.
    said: usize,
}

impl Model {
    /// A message of about so many bytes that no other one is equal to.
    fn message(&mut self, size: usize) -> (String, Prepared) {
        self.said += 1;
        let text = format!("{:0size$}", self.said);
        let prepared = Prepared::text(&text);
        (text, prepared)
    }

    fn offer(&mut self, message: &str, to: impl Fn(&Expected) -> bool) -> (usize, usize) {
        self.offer_by(to, |member| member.offer(message))
    }

    fn offer_by(
        &mut self,
        to: impl Fn(&Expected) -> bool,
        offer: impl Fn(&mut Expected) -> bool,
    ) -> (usize, usize) {
        let (mut queued, mut dropped) = (0, 0);
        for member in self.members.iter_mut().filter(|it| to(it)) {
            match offer(member) {
                true => queued += 1,
                false => dropped += 1,
            }
        }
        (queued, dropped)
    }

    fn join(&mut self, policy: Policy, bounds: Bounds) {
        let slow = match policy {
            Policy::Newest => SlowPolicy::DropNewest,
            Policy::Oldest => SlowPolicy::DropOldest,
            Policy::Disconnect => SlowPolicy::Disconnect(reason(4008)),
        };
        self.members.push(Expected {
            member: self.hub.join(bounds, slow),
            policy,
            bounds,
            topics: BTreeSet::new(),
            user: None,
            waiting: VecDeque::new(),
            close: None,
            closing: false,
            offered: 0,
            taken: 0,
        });
    }

    fn call(&mut self, call: Call) {
        let len = self.members.len();
        match call {
            Call::Join(policy, bytes, messages) => {
                if len < 6 {
                    self.join(policy, Bounds::new(bytes, messages));
                }
            }
            Call::CloseAll => {
                self.hub.close_all(&reason(1001));
                self.members.iter_mut().for_each(|it| it.close(1001));
            }
            Call::Publish(topic, size) => {
                let (text, message) = self.message(size);
                let published = self.hub.publish(TOPICS[topic], &message);
                let expected = self.offer(&text, |it| it.topics.contains(&topic));
                assert_eq!((published.queued, published.dropped), expected);
            }
            Call::SendToUser(user, size) => {
                let (text, message) = self.message(size);
                let published = self.hub.send_to_user(USERS[user], &message);
                let expected = self.offer(&text, |it| it.user == Some(user));
                assert_eq!((published.queued, published.dropped), expected);
            }
            _ if len == 0 => {}
            Call::Leave(who) => drop(self.members.remove(who % len)),
            Call::Subscribe(who, topic) => {
                let member = &mut self.members[who % len];
                member.member.subscribe(TOPICS[topic]);
                member.topics.insert(topic);
            }
            Call::Unsubscribe(who, topic) => {
                let member = &mut self.members[who % len];
                member.member.unsubscribe(TOPICS[topic]);
                member.topics.remove(&topic);
            }
            Call::SetUser(who, user) => {
                let member = &mut self.members[who % len];
                member.member.set_user(USERS[user]);
                member.user = Some(user);
            }
            Call::SendTo(who, size) => {
                let (text, message) = self.message(size);
                let id = self.members[who % len].member.id();
                let queued = self.hub.send_to(id, &message);
                assert_eq!(queued, self.members[who % len].offer(&text));
            }
            Call::Take(who) => {
                let member = &mut self.members[who % len];
                assert_eq!(member.member.try_next().map(say), member.take());
            }
            call => self.call_by_name(call, len),
        }
    }

    /// What is done by the name of a member, or passes one by.
    fn call_by_name(&mut self, call: Call, len: usize) {
        match call {
            Call::PublishPassing(topic, size, waiting_max, who) => {
                let (text, message) = self.message(size);
                // Every other time nobody is passed by.
                let except = (size % 2 == 0).then(|| self.members[who % len].member.id());
                let topic_name = TOPICS[topic];
                let published = self
                    .hub
                    .publish_passing(topic_name, except, &message, waiting_max);
                let expected = self.offer_by(
                    |it| it.topics.contains(&topic) && Some(it.member.id()) != except,
                    |it| it.offer_passing(&text, waiting_max),
                );
                assert_eq!((published.queued, published.dropped), expected);
            }
            Call::PublishExcept(topic, size, who) => {
                let (text, message) = self.message(size);
                let except = self.members[who % len].member.id();
                let published = self.hub.publish_except(TOPICS[topic], except, &message);
                let expected = self.offer(&text, |it| {
                    it.topics.contains(&topic) && it.member.id() != except
                });
                assert_eq!((published.queued, published.dropped), expected);
            }
            Call::Close(who) => {
                let member = &mut self.members[who % len];
                assert!(self.hub.close(member.member.id(), &reason(4409)));
                member.close(4409);
            }
            Call::LeaveAll(who) => {
                let member = &mut self.members[who % len];
                self.hub.leave(member.member.id());
                member.topics.clear();
                member.user = None;
            }
            Call::SubscribeById(who, topic) => {
                let member = &mut self.members[who % len];
                self.hub.subscribe(member.member.id(), TOPICS[topic]);
                member.topics.insert(topic);
            }
            Call::UnsubscribeById(who, topic) => {
                let member = &mut self.members[who % len];
                self.hub.unsubscribe(member.member.id(), TOPICS[topic]);
                member.topics.remove(&topic);
            }
            other => panic!("{other:?}"),
        }
    }

    fn check(&self) {
        assert_eq!(self.hub.members(), self.members.len());
        for (at, topic) in TOPICS.into_iter().enumerate() {
            let expected = self.members.iter().filter(|it| it.topics.contains(&at));
            assert_eq!(self.hub.members_of(topic), expected.count());
        }
        for (at, user) in USERS.into_iter().enumerate() {
            let of_user = self.members.iter().filter(|it| it.user == Some(at));
            let expected: Vec<_> = of_user.map(|it| it.member.id()).collect();
            assert_eq!(self.hub.members_of_user(user), expected);
        }
        self.members.iter().for_each(Expected::check_counts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn prop_a_hub_does_what_its_model_does(calls in calls()) {
        let mut model = Model::default();
        for call in calls {
            model.call(call);
            model.check();
        }
        for member in &mut model.members {
            while let Some(expected) = member.take() {
                prop_assert_eq!(member.member.try_next().map(say), Some(expected));
            }
            prop_assert!(member.member.try_next().is_none());
        }
    }
}
