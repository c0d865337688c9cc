//! Rooms: who is in them now. Nothing of it is kept.
//!
//! A person is in a room from the first of their connections that comes to the last that goes.
//! A connection that breaks off leaves its person in the room for [`GRACE`], so that a phone that
//! changes its network does not leave and come back in everybody's view; one that says that it
//! leaves is gone at once. Everything here lives as long as the process, and a connection is in a
//! room only through its own entry, so nobody stays behind whose connection has ended.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::hub::MemberId;

/// How long a person whose connection broke off is still in the room.
pub const GRACE: Duration = Duration::from_secs(5);

/// The longest name of a room, in bytes.
pub const NAME_BYTES_MAX: usize = 128;

/// The most rooms that one connection may be in.
pub const ROOMS_MAX: usize = 64;

/// The rooms of a server.
#[derive(Debug, Default)]
pub struct Rooms(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rooms: HashMap<RoomKey, Room>,
    of: HashMap<MemberId, HashSet<RoomKey>>,
    /// Counts changes and absences of all rooms, so that a room that was empty in between does
    /// not begin anew.
    clock: u64,
}

/// A room of one namespace is another room than the one of that name in the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoomKey {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub room: String,
}

#[derive(Debug, Default)]
struct Room {
    people: BTreeMap<String, Presence>,
    version: u64,
}

#[derive(Debug, Default)]
struct Presence {
    connections: HashSet<MemberId>,
    /// Which absence this is, so that a later one is not ended by the timer of an earlier one.
    absence: u64,
}

/// Who is in a room, and how often that has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// The people, in order of their names.
    pub people: Vec<String>,
    /// Grows with every change.
    pub version: u64,
}

/// A change that the others in a room are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The room.
    pub key: RoomKey,
    /// The person.
    pub user: String,
    /// Whether the person is in the room now.
    pub present: bool,
    /// The version that this change makes.
    pub version: u64,
}

/// A person whose last connection to a room broke off. To be given back to [`Rooms::expire`]
/// after [`GRACE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    key: RoomKey,
    user: String,
    number: u64,
}

/// Why a connection was not let into a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It is in as many as it may be in.
    TooMany,
}

impl Rooms {
    /// No rooms.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a text can be the name of a room: 1 to [`NAME_BYTES_MAX`] bytes without control
    /// characters.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
    }

    /// Lets a connection of `user` in. The change is there when the person was not in the room.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the connection is in too many rooms.
    pub fn join(
        &self,
        key: &RoomKey,
        member: MemberId,
        user: &str,
    ) -> Result<(Present, Option<Change>), Refused> {
        let mut state = self.lock();
        let State { rooms, of, clock } = &mut *state;
        let in_rooms = of.entry(member).or_default();
        if in_rooms.len() >= ROOMS_MAX && !in_rooms.contains(key) {
            return Err(Refused::TooMany);
        }
        in_rooms.insert(key.clone());
        let room = rooms.entry(key.clone()).or_default();
        let newcomer = !room.people.contains_key(user);
        let presence = room.people.entry(user.to_owned()).or_default();
        presence.connections.insert(member);
        let change = newcomer.then(|| room.change(clock, key, user, true));
        Ok((room.present(), change))
    }

    /// Takes a connection of `user` out because it said so.
    pub fn leave(&self, key: &RoomKey, member: MemberId, user: &str) -> Option<Change> {
        let mut state = self.lock();
        if let Some(in_rooms) = state.of.get_mut(&member) {
            in_rooms.remove(key);
        }
        let room = state.rooms.get_mut(key)?;
        let presence = room.people.get_mut(user)?;
        let was_in = presence.connections.remove(&member);
        if !was_in || !presence.connections.is_empty() {
            return None;
        }
        Some(state.take_out(key, user))
    }

    /// Takes a connection that has ended out of all its rooms. Its person is still in those
    /// that are returned; give each back to [`expire`](Self::expire) after [`GRACE`].
    pub fn vanish(&self, member: MemberId, user: &str) -> Vec<Absence> {
        let mut state = self.lock();
        let State { rooms, of, clock } = &mut *state;
        let mut absences = Vec::new();
        for key in of.remove(&member).unwrap_or_default() {
            let Some(room) = rooms.get_mut(&key) else {
                continue;
            };
            let Some(presence) = room.people.get_mut(user) else {
                continue;
            };
            presence.connections.remove(&member);
            if presence.connections.is_empty() {
                *clock += 1;
                presence.absence = *clock;
                absences.push(Absence {
                    number: presence.absence,
                    user: user.to_owned(),
                    key,
                });
            }
        }
        absences
    }

    /// Ends the stay of a person who has not come back since.
    pub fn expire(&self, absence: &Absence) -> Option<Change> {
        let mut state = self.lock();
        let room = state.rooms.get(&absence.key)?;
        let presence = room.people.get(&absence.user)?;
        let gone = presence.connections.is_empty() && presence.absence == absence.number;
        gone.then(|| state.take_out(&absence.key, &absence.user))
    }

    /// Who is in a room.
    #[must_use]
    pub fn present(&self, key: &RoomKey) -> Present {
        self.lock()
            .rooms
            .get(key)
            .map_or_else(Present::default, Room::present)
    }

    /// Whether a connection is in a room.
    #[must_use]
    pub fn is_in(&self, key: &RoomKey, member: MemberId) -> bool {
        self.lock()
            .of
            .get(&member)
            .is_some_and(|rooms| rooms.contains(key))
    }

    /// The rooms of a namespace and how many people are in each, in order of their names.
    #[must_use]
    pub fn list(&self, namespace: &str) -> Vec<(String, usize)> {
        let state = self.lock();
        let rooms = state.rooms.iter();
        let mut list: Vec<_> = rooms
            .filter(|(key, _)| key.namespace == namespace)
            .map(|(key, room)| (key.room.clone(), room.people.len()))
            .collect();
        list.sort_unstable();
        list
    }

    /// How many rooms there are in which somebody is.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().rooms.len()
    }

    /// Whether nobody is in any room.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a person out, and forgets a room that nobody is left in.
    fn take_out(&mut self, key: &RoomKey, user: &str) -> Change {
        let room = self.rooms.entry(key.clone()).or_default();
        room.people.remove(user);
        let change = room.change(&mut self.clock, key, user, false);
        if room.people.is_empty() {
            self.rooms.remove(key);
        }
        change
    }
}

impl Room {
    fn change(&mut self, clock: &mut u64, key: &RoomKey, user: &str, present: bool) -> Change {
        *clock += 1;
        self.version = *clock;
        Change {
            key: key.clone(),
            user: user.to_owned(),
            present,
            version: self.version,
        }
    }

    fn present(&self) -> Present {
        Present {
            people: self.people.keys().cloned().collect(),
            version: self.version,
        }
    }
}
