//! Who is connected.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The connections of a server, each with a value of the application. Clones are the same set.
///
/// It only knows who is there. For messages to many, the floor above has members with mailboxes.
#[derive(Debug)]
pub struct Clients<T> {
    set: Arc<Mutex<Set<T>>>,
}

#[derive(Debug)]
struct Set<T> {
    last_id: u64,
    by_id: BTreeMap<u64, Arc<T>>,
}

/// A connection's place in the set, which it leaves when this is dropped.
#[derive(Debug)]
pub struct Client<T> {
    id: u64,
    value: Arc<T>,
    clients: Clients<T>,
}

impl<T> Clone for Clients<T> {
    fn clone(&self) -> Self {
        Self {
            set: Arc::clone(&self.set),
        }
    }
}

impl<T> Default for Clients<T> {
    fn default() -> Self {
        let set = Set {
            last_id: 0,
            by_id: BTreeMap::new(),
        };
        Self {
            set: Arc::new(Mutex::new(set)),
        }
    }
}

impl<T> Clients<T> {
    /// Nobody is there.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection.
    pub fn join(&self, value: T) -> Client<T> {
        let value = Arc::new(value);
        let mut set = self.lock();
        set.last_id += 1;
        let id = set.last_id;
        set.by_id.insert(id, Arc::clone(&value));
        drop(set);
        let clients = self.clone();
        Client { id, value, clients }
    }

    /// How many there are; nothing is counted for it.
    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everybody who is there now, the oldest first. Who joins or leaves afterwards waits for
    /// nobody who looks at it.
    //= E43
    pub fn snapshot(&self) -> Vec<Arc<T>> {
        self.lock().by_id.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Set<T>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for Client<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Client<T> {
    fn drop(&mut self) {
        // The value is dropped when the set is free again.
        let left = self.clients.lock().by_id.remove(&self.id);
        drop(left);
    }
}
