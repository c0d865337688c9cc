//! Telling members something, from Rust.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use serde::Serialize;

use crate::announce::bus::{Acceptance, Json, Produce, Refused, Topic};
use crate::announce::json::{self, Object};

/// Tells members of a namespace what has happened, over a producer and the `send` topic.
#[derive(Clone)]
pub struct Members {
    producer: Arc<dyn Produce>,
    topic: Topic,
}

impl Members {
    /// Publishes on `topic`, which is that of `send.subscribe`.
    #[must_use]
    pub fn new(producer: Arc<dyn Produce>, topic: Topic) -> Self {
        Self { producer, topic }
    }

    /// Tells one member of an event. Times in the payload are RFC 3339, which is how `jiff`
    /// writes a timestamp.
    ///
    /// # Errors
    ///
    /// As [`Producer::send`](crate::announce::bus::Producer::send), and where the payload has no
    /// form in JSON.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it may have been sent or not.
    pub async fn relay_to_member(
        &self,
        namespace: &str,
        user: &str,
        event: &str,
        payload: &impl Serialize,
    ) -> Result<Acceptance, Refused> {
        //= C22
        let data = data(namespace, &json::quoted(user), event, payload)?;
        self.producer.produce(self.topic.as_str(), data).await
    }

    /// Tells several members of an event, with one publication.
    ///
    /// # Errors
    ///
    /// As [`Members::relay_to_member`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, it may have been sent or not, to all of them or to none.
    pub async fn relay_to_members(
        &self,
        namespace: &str,
        users: &[&str],
        event: &str,
        payload: &impl Serialize,
    ) -> Result<Acceptance, Refused> {
        //= C25
        let users = json::list(users.iter().copied());
        let data = data(namespace, &users, event, payload)?;
        self.producer.produce(self.topic.as_str(), data).await
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Members").field(&self.topic).finish()
    }
}

fn data(
    namespace: &str,
    users: &str,
    event: &str,
    payload: &impl Serialize,
) -> Result<Json, Refused> {
    let no_json = |_| Refused::Invalid(String::from("the payload has no form in JSON"));
    let payload = Json::of(payload).map_err(no_json)?;
    let data = Object::new()
        .raw("username", users)
        .text("namespace", namespace)
        .text("type", event)
        .raw("payload", payload.as_str())
        .end();
    Ok(Json::written(data))
}
