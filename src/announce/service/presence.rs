//! What an operator may know about one connection.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::announce::announcement::FeedKey;
use crate::announce::caller::Identity;
use crate::announce::dialect::Dialect;
use crate::announce::store::Sent;
use crate::hub::MemberId;

/// What readers of server-sent events are counted as.
const SSE: &str = "sse";

/// Everything that [`Presence::way`] may say.
pub(crate) fn ways() -> impl Iterator<Item = &'static str> {
    let dialects = Dialect::ALL.into_iter().map(Dialect::name);
    dialects.chain([SSE])
}

/// What an operator may know about one connection.
#[derive(Debug)]
pub struct Presence {
    /// Its name in the hub.
    pub member: MemberId,
    /// How it speaks.
    pub dialect: Dialect,
    /// The one feed that it reads as server-sent events, where it is no socket.
    pub events_of: Option<FeedKey>,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// When it was opened.
    pub since: SystemTime,
    identity: Mutex<Option<Identity>>,
    /// The feeds that it hears, and up to where each has been noted as sent.
    sent: Mutex<Vec<(FeedKey, u64)>>,
}

impl Presence {
    pub(crate) fn new(
        member: MemberId,
        dialect: Dialect,
        peer: SocketAddr,
        since: SystemTime,
    ) -> Self {
        Self {
            member,
            dialect,
            events_of: None,
            peer,
            since,
            identity: Mutex::default(),
            sent: Mutex::default(),
        }
    }

    /// The same for a reader of server-sent events, who reads one feed.
    pub(crate) fn with_events_of(mut self, feed: FeedKey) -> Self {
        self.events_of = Some(feed);
        self
    }

    /// What it is counted as: `sse` for server-sent events, and otherwise its dialect.
    #[must_use]
    pub const fn way(&self) -> &'static str {
        match self.events_of {
            Some(_) => SSE,
            None => self.dialect.name(),
        }
    }

    /// Who it belongs to, once it has signed in.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes which feeds the connection hears, and from where on.
    pub(crate) fn set_feeds(&self, feeds: Vec<(FeedKey, u64)>) {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = feeds;
    }

    /// What is to be noted as sent, where everything up to `top` has been written.
    pub(crate) fn newly_sent(&self, top: impl Fn(&str, &FeedKey) -> u64) -> Vec<Sent> {
        let Some(identity) = self.identity() else {
            return Vec::new();
        };
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = Vec::new();
        for (feed, noted) in sent.iter_mut() {
            let up_to = top(&identity.namespace, feed);
            if up_to > *noted {
                *noted = up_to;
                news.push(Sent {
                    namespace: identity.namespace.clone(),
                    user: identity.user().into(),
                    feed: feed.clone(),
                    up_to,
                });
            }
        }
        news
    }

    pub(crate) fn set_identity(&self, identity: Identity) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity);
    }

    /// Whether it belongs to this person.
    pub(crate) fn is_of(&self, namespace: &str, user: &str) -> bool {
        let identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        identity
            .as_ref()
            .is_some_and(|it| it.namespace == namespace && it.user() == user)
    }

    /// The last eight digits of its stay, which name it in lists without giving it away.
    pub(crate) fn label(&self) -> Option<String> {
        let identity = self.identity()?;
        let from = identity.session.len().saturating_sub(8);
        identity.session.get(from..).map(String::from)
    }
}
