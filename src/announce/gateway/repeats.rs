//! Orders that come again with the same id.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::announce::bus::{Acceptance, Credential, Refused};

/// How long an id is remembered.
pub const ID_REMEMBERED: Duration = Duration::from_secs(600);

/// How many ids are remembered; beyond that the oldest is forgotten early.
pub const IDS_MAX: usize = 10_000;

/// The ids of late, and what became of their orders.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repeats(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    known: HashMap<String, Known>,
    /// The keys and ages of `known`, oldest first.
    ages: VecDeque<(String, Instant)>,
}

#[derive(Debug)]
struct Known {
    since: Instant,
    /// None while the order is being carried out.
    acceptance: Option<Acceptance>,
}

/// What is known of an id.
pub(crate) enum Seen {
    /// Nothing; the order is to be carried out.
    First(Claim),
    /// The order has been carried out.
    Before(Acceptance),
}

impl Repeats {
    /// Claims the id of a producer on a topic, unless the same order was carried out already.
    pub(crate) fn claim(
        &self,
        producer: &Credential,
        scope: &str,
        id: &str,
    ) -> Result<Seen, Refused> {
        let (is_server, namespace, name) = producer.key();
        let key = format!("{is_server}\u{1f}{namespace}\u{1f}{name}\u{1f}{scope}\u{1f}{id}");
        let now = Instant::now();
        let mut memory = self.memory();
        memory.forget(now);
        match memory.known.get(&key).map(|known| known.acceptance.clone()) {
            Some(Some(acceptance)) => return Ok(Seen::Before(acceptance)),
            Some(None) => return Err(Refused::Busy),
            None => {}
        }
        memory.ages.push_back((key.clone(), now));
        let known = Known {
            since: now,
            acceptance: None,
        };
        memory.known.insert(key.clone(), known);
        drop(memory);
        Ok(Seen::First(Claim {
            repeats: self.clone(),
            key: Some(key),
        }))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn forget(&mut self, now: Instant) {
        while let Some((key, since)) = self.ages.front() {
            if self.ages.len() < IDS_MAX && now.duration_since(*since) < ID_REMEMBERED {
                return;
            }
            // An id that failed and came again is younger than its first mention.
            if self
                .known
                .get(key)
                .is_some_and(|known| known.since == *since)
            {
                self.known.remove(key);
            }
            self.ages.pop_front();
        }
    }
}

/// The right to carry out an order. Dropped unfinished, the id is free again.
pub(crate) struct Claim {
    repeats: Repeats,
    key: Option<String>,
}

impl Claim {
    /// The order was carried out.
    pub(crate) fn fulfil(mut self, acceptance: &Acceptance) {
        let Some(key) = self.key.take() else { return };
        if let Some(known) = self.repeats.memory().known.get_mut(&key) {
            known.acceptance = Some(acceptance.clone());
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.repeats.memory().known.remove(&key);
        }
    }
}
