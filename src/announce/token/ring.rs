//! The keys that are in force, and their change while tokens are being verified.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use tokio::sync::watch;

use crate::announce::token::keys::Keys;

/// The keys that are in force. Clones are the same ring: a change of one is seen by all, at
/// the next token.
///
/// It joins the keys that are set by hand with those of each
/// [source](crate::announce::token::Jwks). Readers take a reference and hold no lock while they
/// verify.
#[derive(Clone)]
pub struct KeyRing(Arc<Inner>);

struct Inner {
    current: RwLock<Arc<Keys>>,
    parts: Mutex<Parts>,
    /// Counts tokens that named a key nobody knows.
    wanted: watch::Sender<u64>,
}

struct Parts {
    fixed: Keys,
    of_sources: Vec<(u64, Keys)>,
    next: u64,
}

impl KeyRing {
    /// A ring of these keys.
    #[must_use]
    pub fn new(fixed: Keys) -> Self {
        Self(Arc::new(Inner {
            current: RwLock::new(Arc::new(fixed.clone())),
            parts: Mutex::new(Parts {
                fixed,
                of_sources: Vec::new(),
                next: 0,
            }),
            wanted: watch::Sender::new(0),
        }))
    }

    /// Puts these keys in the place of those that were set by hand before. The keys of sources
    /// stay.
    pub fn replace(&self, fixed: Keys) {
        self.change(|parts| parts.fixed = fixed);
    }

    /// The keys of this moment.
    #[must_use]
    pub fn keys(&self) -> Arc<Keys> {
        let current = self.0.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that a token named a key that is not known.
    pub(crate) fn want(&self) {
        if self.0.wanted.receiver_count() > 0 {
            self.0
                .wanted
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// A place for the keys of one source.
    pub(crate) fn slot(&self) -> Slot {
        let mut place = 0;
        self.change(|parts| {
            place = parts.next;
            parts.next += 1;
            parts.of_sources.push((place, Keys::new()));
        });
        Slot {
            ring: self.clone(),
            place,
            wanted: self.0.wanted.subscribe(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Parts)) {
        let mut parts = self.0.parts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut parts);
        let of_sources = parts.of_sources.iter().map(|(_, keys)| keys);
        let joined = Keys::joined(core::iter::once(&parts.fixed).chain(of_sources));
        *self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(joined);
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.keys()).finish()
    }
}

/// The place of one source in a ring. Its keys leave the ring with it.
pub(crate) struct Slot {
    ring: KeyRing,
    place: u64,
    wanted: watch::Receiver<u64>,
}

impl Slot {
    /// Puts a new set in the place of the last one, whose other keys stay for `grace`.
    pub(crate) fn publish(&self, keys: Keys, grace: Duration, now: SystemTime) {
        let until = now.checked_add(grace).unwrap_or(now);
        self.ring.change(|parts| {
            let mut places = parts.of_sources.iter_mut();
            if let Some((_, held)) = places.find(|(place, _)| *place == self.place) {
                *held = keys.succeeding(held, now, until);
            }
        });
    }

    /// Forgets that unknown keys were named: what has just been read is the answer to that.
    pub(crate) fn settle(&mut self) {
        self.wanted.borrow_and_update();
    }

    /// Waits until a token names a key that is not known; what happened since the last call,
    /// and since it was [settled](Self::settle), counts. Dropped, it loses nothing.
    pub(crate) async fn wanted(&mut self) {
        // The sender lives in the ring that this place keeps.
        let _ = self.wanted.changed().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.ring
            .change(|parts| parts.of_sources.retain(|(place, _)| *place != self.place));
    }
}
