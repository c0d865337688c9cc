//! The event bus and the sockets joined: connections that speak the gateway dialect.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use crate::announce::announcement::{FeedKey, NewAnnouncement, Priority};
use crate::announce::bus::{BoxFuture, Bus, HandleError};
use crate::announce::desk::Desk;
use crate::announce::dialect::Dialect;
use crate::announce::gateway::Settings;
use crate::announce::gateway::{Delivery, Keep, Matched, Sockets};
use crate::announce::json::Object;
use crate::announce::service::presence::Presence;
use crate::announce::service::topics;
use crate::engine::Prepared;
use crate::hub::{Hub, MemberId};
use crate::server::Clients;

/// The event bus of a server, and how its connections use it.
pub(crate) struct Gateway {
    bus: Bus,
    settings: RwLock<Arc<Settings>>,
    delivery: Delivery,
}

impl Gateway {
    /// Listens on the topics by which producers reach connections.
    pub(crate) fn attach(
        bus: Bus,
        settings: Arc<Settings>,
        sockets: BusSockets,
    ) -> Result<Self, HandleError> {
        let delivery = Delivery::listen(&bus, Arc::clone(&settings), Arc::new(sockets))?;
        Ok(Self {
            bus,
            settings: RwLock::new(settings),
            delivery,
        })
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.bus
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&settings)
    }

    /// Takes other settings. Connections that are open go by them from their next message on.
    pub(crate) fn apply(&self, settings: Arc<Settings>) -> Result<(), HandleError> {
        self.delivery.apply(Arc::clone(&settings))?;
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
        Ok(())
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("settings", &self.settings())
            .finish_non_exhaustive()
    }
}

/// The connections of this server, as the bus sees them. It does not keep the server alive.
pub(crate) struct BusSockets {
    pub(crate) hub: Hub,
    pub(crate) clients: Clients<Presence>,
    pub(crate) desk: Weak<Desk>,
}

impl BusSockets {
    /// The members behind the names of connections.
    fn members(&self, sessions: &[String]) -> HashSet<MemberId> {
        if sessions.is_empty() {
            return HashSet::new();
        }
        let presences = self.clients.snapshot();
        let named = presences.iter().filter(|presence| {
            let identity = presence.identity();
            identity.is_some_and(|identity| sessions.contains(&identity.session))
        });
        named.map(|presence| presence.member).collect()
    }

    /// Offers a text to everyone of a topic but the excluded. Says to how many.
    fn offer(&self, topic: &str, excluded: &HashSet<MemberId>, message: &Prepared) -> usize {
        if excluded.is_empty() {
            return self.hub.publish(topic, message).queued;
        }
        let members = self.hub.members_in(topic).into_iter();
        members
            .filter(|member| !excluded.contains(member) && self.hub.send_to(*member, message))
            .count()
    }

    /// The namespaces in which a person of this name has a connection of the gateway.
    fn namespaces_of(&self, user: &str) -> HashSet<String> {
        let presences = self.clients.snapshot();
        let here = presences
            .iter()
            .filter(|presence| presence.dialect == Dialect::Gateway)
            .filter_map(|presence| presence.identity())
            .filter(|identity| identity.user() == user);
        here.map(|identity| identity.namespace).collect()
    }
}

impl Sockets for BusSockets {
    //= B25
    //= B27
    //= B28
    fn send(
        &self,
        namespace: Option<&str>,
        users: &[String],
        exclude: &[String],
        text: &str,
    ) -> Matched {
        let message = Prepared::text(text);
        let excluded = self.members(exclude);
        let mut matched = Matched::default();
        for user in users {
            let Some(feed) = FeedKey::user(user) else {
                matched.absent.push(user.clone());
                continue;
            };
            let namespaces = match namespace {
                Some(namespace) => HashSet::from([String::from(namespace)]),
                None => self.namespaces_of(user),
            };
            let topics = namespaces
                .iter()
                .map(|namespace| topics::feed(Dialect::Gateway, namespace, &feed));
            let found: usize = topics
                .map(|topic| self.offer(&topic, &excluded, &message))
                .sum();
            matched.connections += found;
            if found == 0 {
                matched.absent.push(user.clone());
            }
        }
        matched
    }

    //= B44
    fn broadcast(&self, namespace: Option<&str>, exclude: &[String], text: &str) -> usize {
        let topic = match namespace {
            Some(namespace) => topics::feed(Dialect::Gateway, namespace, &FeedKey::public()),
            None => topics::everyone(Dialect::Gateway),
        };
        self.offer(&topic, &self.members(exclude), &Prepared::text(text))
    }

    //= B49
    fn keep(&self, keep: Keep) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let Some(desk) = self.desk.upgrade() else {
                return false;
            };
            let now = SystemTime::now();
            let body = Object::new()
                .text("type", &keep.kind)
                .raw("payload", keep.payload.as_str())
                .end();
            let priority = keep.priority.as_deref().and_then(Priority::new);
            let feeds: Vec<_> = keep
                .users
                .iter()
                .filter_map(|user| FeedKey::user(user))
                .collect();
            let all = feeds.len() == keep.users.len();
            let mut stored = true;
            for feed in feeds {
                let key = alloc::format!("{}/{feed}", keep.id);
                let new = NewAnnouncement::new(&keep.namespace, feed, &keep.publisher, &body, now)
                    .with_key(Some(&key))
                    .with_priority(priority.unwrap_or_default())
                    .with_expires_at(keep.ttl.and_then(|ttl| now.checked_add(ttl)));
                if let Err(error) = desk.store().publish(new).await {
                    tracing::error!(%error, "a message for somebody absent was not kept");
                    stored = false;
                }
            }
            all && stored
        })
    }
}
