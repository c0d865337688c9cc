//! From orders of producers to sockets.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::time::Duration;
use std::sync::{PoisonError, RwLock};

use crate::announce::bus::{
    Acceptance, BROADCAST_SCOPE, BoxFuture, Bus, Credential, HandleError, Input, Json, Reach,
    Refused, SEND_SCOPE, fresh_id,
};
use crate::announce::gateway::order::{self, Order};
use crate::announce::gateway::repeats::{Repeats, Seen};
use crate::announce::gateway::reply::framed;
use crate::announce::gateway::settings::Settings;
use crate::announce::json::{self, Object};

/// Whom a message for sockets has reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// How many connections it was offered to.
    pub connections: usize,
    /// Those of the named persons who have no connection here.
    pub absent: Vec<String>,
}

/// A message for somebody who is not here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Keep {
    /// The namespace of the persons.
    pub namespace: String,
    /// The persons.
    pub users: Vec<String>,
    /// The `type` of the message.
    pub kind: String,
    /// The payload.
    pub payload: Json,
    /// The name of the producer.
    pub publisher: String,
    /// The id of the order, the same when the order comes again.
    pub id: String,
    /// How long it is of use.
    pub ttl: Option<Duration>,
    /// `low`, `normal`, `high` or `urgent`.
    pub priority: Option<String>,
}

/// The connections of this server, and the store for those who have none.
///
/// A namespace of `None` stands for all of them. Whoever implements this never offers a message
/// to a connection of another namespace than the one named, nor to one that is excluded.
pub trait Sockets: Send + Sync {
    /// Offers a text to the connections of persons.
    fn send(
        &self,
        namespace: Option<&str>,
        users: &[String],
        exclude: &[String],
        text: &str,
    ) -> Matched;

    /// Offers a text to every connection; how many there were.
    fn broadcast(&self, namespace: Option<&str>, exclude: &[String], text: &str) -> usize;

    /// Keeps a message until it is read; whether it was kept.
    fn keep(&self, keep: Keep) -> BoxFuture<'_, bool>;
}

/// Listens on the `send` and `broadcast` topics for as long as the bus is there.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

struct Inner {
    bus: Bus,
    sockets: Arc<dyn Sockets>,
    settings: RwLock<Arc<Settings>>,
    repeats: Repeats,
}

impl Delivery {
    /// Listens on the topics of the settings.
    ///
    /// # Errors
    ///
    /// One of the topics has a handler already.
    pub fn listen(
        bus: &Bus,
        settings: Arc<Settings>,
        sockets: Arc<dyn Sockets>,
    ) -> Result<Self, HandleError> {
        let delivery = Self(Arc::new(Inner {
            bus: bus.clone(),
            sockets,
            settings: RwLock::new(Arc::clone(&settings)),
            repeats: Repeats::default(),
        }));
        delivery.attach(&settings)?;
        let other = delivery.clone();
        bus.exchange()
            .on_relayed(Arc::new(move |text| other.relayed(text)));
        Ok(delivery)
    }

    /// Listens by other settings.
    ///
    /// # Errors
    ///
    /// One of the topics has a handler already; then nothing is listened to by the new settings.
    pub fn apply(&self, settings: Arc<Settings>) -> Result<(), HandleError> {
        //= B57
        let old = self.settings();
        self.detach(&old);
        if let Err(error) = self.attach(&settings) {
            self.detach(&settings);
            // These were free a moment ago.
            let _ = self.attach(&old);
            return Err(error);
        }
        *self
            .0
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
        Ok(())
    }

    fn settings(&self) -> Arc<Settings> {
        let settings = self.0.settings.read();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    fn attach(&self, settings: &Settings) -> Result<(), HandleError> {
        //= B12
        //= B13
        let exchange = self.0.bus.exchange();
        if let Some(topic) = settings.send.clone() {
            exchange.listen(topic, Arc::new(Directed(self.clone())))?;
        }
        if let Some(topic) = settings.broadcast.clone() {
            exchange.listen(topic, Arc::new(Broadcast(self.clone())))?;
        }
        Ok(())
    }

    fn detach(&self, settings: &Settings) {
        for topic in [&settings.send, &settings.broadcast].into_iter().flatten() {
            self.0.bus.exchange().unlisten(topic);
        }
    }

    async fn carry_out(
        &self,
        producer: &Credential,
        scope: &str,
        order: Order,
    ) -> Result<Acceptance, Refused> {
        let Some(id) = order.id.clone() else {
            return self.deliver(producer, order, fresh_id()).await;
        };
        match self.0.repeats.claim(producer, scope, &id)? {
            Seen::Before(acceptance) => Ok(acceptance),
            Seen::First(claim) => {
                let acceptance = self.deliver(producer, order, id).await?;
                claim.fulfil(&acceptance);
                Ok(acceptance)
            }
        }
    }

    async fn deliver(
        &self,
        producer: &Credential,
        order: Order,
        id: String,
    ) -> Result<Acceptance, Refused> {
        //= B49
        let text = framed(&order.kind, order.payload.as_str(), None);
        let namespace = order.namespace.as_deref();
        let matched = self.offer(namespace, order.users.as_deref(), &order.exclude, &text);
        if namespace.is_none() {
            let (producer, connections) = (producer.name(), matched.connections);
            tracing::warn!(producer, connections, "sent to every namespace");
        }
        self.0.bus.exchange().relay(&relay_text(&order, &text));
        let is_stored = order.is_kept && !matched.absent.is_empty();
        if is_stored && !self.keep(producer, order, matched.absent, id.clone()).await {
            return Err(Refused::Unavailable);
        }
        Ok(Acceptance {
            id,
            sockets: Some(Reach {
                matched: matched.connections,
                is_stored,
            }),
        })
    }

    async fn keep(
        &self,
        producer: &Credential,
        order: Order,
        absent: Vec<String>,
        id: String,
    ) -> bool {
        // An order that is kept names its namespace.
        let Some(namespace) = order.namespace else {
            return false;
        };
        let keep = Keep {
            namespace,
            users: absent,
            kind: order.kind,
            payload: order.payload,
            publisher: producer.name().into(),
            id,
            ttl: order.ttl,
            priority: order.priority,
        };
        self.0.sockets.keep(keep).await
    }

    fn offer(
        &self,
        namespace: Option<&str>,
        users: Option<&[String]>,
        exclude: &[String],
        text: &str,
    ) -> Matched {
        //= B25
        //= C25
        let sockets = &self.0.sockets;
        match users {
            Some(users) => sockets.send(namespace, users, exclude, text),
            None => Matched {
                connections: sockets.broadcast(namespace, exclude, text),
                absent: Vec::new(),
            },
        }
    }

    /// Offers to the sockets here what another server has accepted.
    fn relayed(&self, text: &str) {
        let Ok(fields) = json::object(text) else {
            return tracing::warn!("a relayed message was not understood");
        };
        let find = |name: &str| fields.iter().find(|(it, _)| it == name).map(|(_, v)| *v);
        let exclude = find("exclude").and_then(json::strings).unwrap_or_default();
        let users = find("users").map(json::strings);
        // A list that cannot be read is not a broadcast.
        let (Some(text), false) = (find("text").and_then(json::string), users == Some(None)) else {
            return tracing::warn!("a relayed message was not understood");
        };
        let namespace = find("namespace").map(json::string);
        if namespace == Some(None) {
            return tracing::warn!("a relayed message was not understood");
        }
        let namespace = namespace.flatten();
        self.offer(
            namespace.as_deref(),
            users.flatten().as_deref(),
            &exclude,
            &text,
        );
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.settings()).finish()
    }
}

/// An order for the other servers. Absent fields stand for everybody, everywhere.
fn relay_text(order: &Order, text: &str) -> String {
    let list = |names: &[String]| json::list(names.iter().map(String::as_str));
    let namespace = order.namespace.as_deref().map(json::quoted);
    Object::new()
        .raw_if("namespace", namespace.as_deref())
        .raw_if("users", order.users.as_deref().map(list).as_deref())
        .raw("exclude", &list(&order.exclude))
        .text("text", text)
        .end()
}

type Accepting<'a> = Pin<Box<dyn Future<Output = Result<Acceptance, Refused>> + Send + 'a>>;

struct Directed(Delivery);

impl Input for Directed {
    fn scope(&self) -> &'static str {
        SEND_SCOPE
    }

    fn accept<'a>(&'a self, producer: &'a Credential, data: &'a Json) -> Accepting<'a> {
        Box::pin(async move {
            let settings = self.0.settings();
            let other = settings
                .broadcast
                .as_ref()
                .map_or("socket:broadcast", |it| it.as_str());
            let order = order::send(data, producer, other)?;
            self.0.carry_out(producer, SEND_SCOPE, order).await
        })
    }
}

struct Broadcast(Delivery);

impl Input for Broadcast {
    fn scope(&self) -> &'static str {
        BROADCAST_SCOPE
    }

    fn accept<'a>(&'a self, producer: &'a Credential, data: &'a Json) -> Accepting<'a> {
        Box::pin(async move {
            let scope = self.0.settings().broadcast_scope;
            let order = order::broadcast(data, producer, scope)?;
            self.0.carry_out(producer, BROADCAST_SCOPE, order).await
        })
    }
}
