//! The members of a hub whose connections belong to one thread.

use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::BytesMut;
use core::cell::RefCell;
use core::fmt;
use std::collections::HashMap;
use std::time::Instant;
use tokio::io::AsyncRead;
use tokio::task::{unconstrained, yield_now};

use crate::engine::Prepared;
use crate::hub::batch::Batch;
use crate::hub::gathering::Gathering;
use crate::hub::mailbox::{Bounds, SlowPolicy};
use crate::hub::member_id::MemberId;
use crate::hub::post::{Item, Post, Publication};
use crate::hub::registry::Hub;
use crate::hub::seat::{Seat, Seated};
use crate::net::{WebSocket, WriteNow};

/// How many turns of the runtime are waited for while each brings something more to write.
const TURNS_MAX: usize = 16;
/// From so many bytes of messages on, no more is waited for, and no more leaves together.
const TOGETHER_BYTES_MAX: usize = 256 << 10;
/// After so many members others on the thread have their turn.
const SEATS_A_TURN: usize = 512;
/// So many members are looked at before the first of them is given something. What is known of
/// them is in no cache when they are many, and comes sooner for several together.
const LOOK_AHEAD: usize = 16;

/// The members of a [`Hub`] whose connections belong to the thread on which this is.
///
/// What is published is written to their streams at once, by the task that runs
/// [`run`](Self::run): not one task for each member is woken for it, and all that has been
/// published meanwhile leaves in one write for each, up to 256 KiB or one message that is larger.
/// Where more comes while it writes, it may wait for a quarter of what that took, for those who
/// answer to what they heard, and not where that was in vain lately.
/// Only what a stream does not take waits: what has been begun in the connection's outbox, what
/// comes while that is full in the member's mailbox. The member's own task,
/// [`Seated::serve`], sends it.
///
/// Clones are the same branch. A hub may have one for each thread, beside members with a mailbox
/// of their own.
pub struct Branch<S> {
    hub: Hub,
    post: Arc<Post>,
    /// Who has joined, and has not been seen by the task that writes.
    arrivals: Rc<RefCell<Seats<S>>>,
}

/// Members by name.
type Seats<S> = Vec<(MemberId, Rc<Seat<S>>)>;

impl<S> Clone for Branch<S> {
    fn clone(&self) -> Self {
        Self {
            hub: self.hub.clone(),
            post: Arc::clone(&self.post),
            arrivals: Rc::clone(&self.arrivals),
        }
    }
}

impl<S> fmt::Debug for Branch<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch").finish_non_exhaustive()
    }
}

/// Who is where, as the task that writes knows it.
struct House<S> {
    seats: HashMap<MemberId, Rc<Seat<S>>>,
    topics: HashMap<Arc<str>, Room<S>>,
    /// To how many members something has been given since others had their turn.
    given: usize,
    /// Publications that leave together, and the memory for their frames.
    together: Vec<Publication>,
    frames: BytesMut,
}

/// Who hears a topic, in no order.
struct Room<S> {
    seats: Seats<S>,
    /// Where in `seats` a member is.
    places: HashMap<MemberId, usize>,
}

impl<S: AsyncRead + WriteNow> Branch<S> {
    /// A branch of `hub` without members.
    pub fn new(hub: &Hub) -> Self {
        Self {
            hub: hub.clone(),
            post: Arc::default(),
            arrivals: Rc::default(),
        }
    }

    /// Makes the other end of a WebSocket a member, of no user and no topic. It leaves when the
    /// [`Seated`] is dropped.
    ///
    /// `bounds` and `policy` are about what its stream and its outbox do not take.
    pub fn join(&self, socket: WebSocket<S>, bounds: Bounds, policy: SlowPolicy) -> Seated<S> {
        let member = self.hub.join_branch(bounds, policy, &self.post);
        let seat = Rc::new(Seat::new(socket, member.mailbox()));
        let arrival = (member.id(), Rc::clone(&seat));
        self.arrivals.borrow_mut().push(arrival);
        Seated::new(member, seat)
    }

    /// Writes what is published to the members, and never ends. Without it they hear nothing.
    ///
    /// # Cancel safety
    ///
    /// Not to be dropped while there are members: what was on its way is lost.
    pub async fn run(self) {
        // A budget for each poll would end in the middle of the members.
        unconstrained(async {
            let mut house = House::new();
            let mut items = Vec::new();
            let mut gathering = Gathering::new(Instant::now());
            loop {
                self.post.arrival().await;
                self.gather(&mut items, &mut gathering).await;
                let mut arrivals = self.arrivals.take();
                house.seats.extend(arrivals.drain(..));
                gathering.begin(Instant::now());
                house.carry_out(&mut items).await;
                if !self.post.is_empty() {
                    gathering.end_with_more(Instant::now());
                }
            }
        })
        .await;
    }

    /// Takes what has come, and what comes while others have their turn.
    async fn gather(&self, items: &mut Vec<Item>, gathering: &mut Gathering) {
        let (mut bytes, mut turns) = (0, 0);
        loop {
            match self.post.take_into(items) {
                Some(more) => (bytes, turns) = (bytes + more, turns + 1),
                None if turns == 1 && gathering.waits(Instant::now) => {}
                None => break,
            }
            if bytes >= TOGETHER_BYTES_MAX || turns == TURNS_MAX {
                break;
            }
            // Whoever is ready as well has a turn first: what they say leaves with it.
            yield_now().await;
        }
        gathering.settle(turns > 1);
    }
}

impl<S: AsyncRead + WriteNow> House<S> {
    fn new() -> Self {
        Self {
            seats: HashMap::new(),
            topics: HashMap::new(),
            given: 0,
            together: Vec::new(),
            frames: BytesMut::new(),
        }
    }

    /// Does what was told, in that order. What was published to one topic without anything in
    /// between is done together.
    async fn carry_out(&mut self, items: &mut Vec<Item>) {
        let mut bytes = 0;
        for item in items.drain(..) {
            let goes_with = |it: &Publication| match &item {
                Item::Published(next) => it.goes_with(next),
                _ => false,
            };
            if bytes >= TOGETHER_BYTES_MAX || !self.together.last().is_some_and(goes_with) {
                self.publish().await;
                bytes = 0;
            }
            match item {
                Item::Published(publication) => {
                    bytes += publication.message.frame().len();
                    self.together.push(publication);
                }
                Item::Sent(member, message) => self.send(member, message).await,
                Item::Subscribed(topic, member) => self.subscribe(topic, member),
                Item::Unsubscribed(topic, member) => self.unsubscribe(&topic, member),
                Item::Left(member) => drop(self.seats.remove(&member)),
                Item::Closed(member) => self.close(member),
            }
        }
        self.publish().await;
    }

    /// Gives the publications that leave together to the members of their topic.
    async fn publish(&mut self) {
        let Some(topic) = self.together.first().map(|it| Arc::clone(&it.topic)) else {
            return;
        };
        let batch = Batch::take(&mut self.together, &mut self.frames);
        let mut rest = self.topics.get(&topic).map_or(&[][..], |it| &it.seats);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(SEATS_A_TURN - self.given));
            give(now, &batch);
            rest = later;
            rest_after(&mut self.given, now.len()).await;
        }
    }

    async fn send(&mut self, member: MemberId, message: Prepared) {
        if let Some(seat) = self.seats.get(&member) {
            seat.give(&Batch::of(message), seat.is_free());
            rest_after(&mut self.given, 1).await;
        }
    }

    fn close(&self, member: MemberId) {
        if let Some(seat) = self.seats.get(&member) {
            seat.close();
        }
    }

    fn subscribe(&mut self, topic: Arc<str>, member: MemberId) {
        if let Some(seat) = self.seats.get(&member) {
            let room = self.topics.entry(topic).or_insert_with(Room::new);
            room.places.insert(member, room.seats.len());
            room.seats.push((member, Rc::clone(seat)));
        }
    }

    fn unsubscribe(&mut self, topic: &str, member: MemberId) {
        if let Some(room) = self.topics.get_mut(topic) {
            room.remove(member);
            if room.seats.is_empty() {
                self.topics.remove(topic);
            }
        }
    }
}

impl<S> Room<S> {
    fn new() -> Self {
        Self {
            seats: Vec::new(),
            places: HashMap::new(),
        }
    }

    fn remove(&mut self, member: MemberId) {
        let Some(place) = self.places.remove(&member) else {
            return;
        };
        self.seats.swap_remove(place);
        if let Some((moved, _)) = self.seats.get(place) {
            self.places.insert(*moved, place);
        }
    }
}

/// Gives messages to members, all but those that are passed by.
fn give<S: AsyncRead + WriteNow>(seats: &[(MemberId, Rc<Seat<S>>)], batch: &Batch) {
    for seats in seats.chunks(LOOK_AHEAD) {
        let mut free = [false; LOOK_AHEAD];
        for (free, (_, seat)) in free.iter_mut().zip(seats) {
            *free = seat.is_free();
        }
        for (is_free, (member, seat)) in free.into_iter().zip(seats) {
            match batch.passes_by(*member) {
                false => seat.give(batch, is_free),
                true => give_without(seat, batch, *member),
            }
        }
    }
}

#[inline(never)]
fn give_without<S: AsyncRead + WriteNow>(seat: &Seat<S>, batch: &Batch, member: MemberId) {
    if let Some(batch) = batch.without(member) {
        seat.give(&batch, seat.is_free());
    }
}

/// Counts those who were given something. After so many others on the thread have their turn.
async fn rest_after(given: &mut usize, now: usize) {
    *given += now;
    if *given >= SEATS_A_TURN {
        *given = 0;
        yield_now().await;
    }
}
