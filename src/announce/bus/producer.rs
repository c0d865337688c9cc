//! Publishing on topics.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc};

use crate::announce::bus::credential::Credential;
use crate::announce::bus::exchange::{BoxFuture, Exchange};
use crate::announce::bus::input::{Acceptance, Input, Refused};
use crate::announce::bus::lane::{self, Queued};
use crate::announce::bus::message::{Publication, fresh_id};
use crate::announce::bus::topic::Topic;
use crate::announce::bus::value::Json;

/// How many publications of one producer may wait to be handled.
pub const PRODUCER_MAX: usize = 1024;

/// The longest data that a producer may publish, in bytes.
pub const DATA_BYTES_MAX: usize = 1 << 20;

/// Somebody who publishes. Code that takes one can be tested with a [`Recorder`].
pub trait Produce: Send + Sync {
    /// Publishes data on a topic; see [`Producer::send`].
    fn produce<'a>(
        &'a self,
        topic: &'a str,
        data: Json,
    ) -> BoxFuture<'a, Result<Acceptance, Refused>>;
}

/// Publishes with a credential. Clones are the same producer; what it publishes on topics with
/// handlers is handled in the order of the calls.
#[derive(Clone)]
pub struct Producer {
    exchange: Arc<Exchange>,
    credential: Arc<Credential>,
    queue: mpsc::UnboundedSender<Queued>,
    room: Arc<Semaphore>,
}

impl Producer {
    pub(crate) fn new(exchange: Arc<Exchange>, credential: Credential, within: Duration) -> Self {
        let (queue, queued) = mpsc::unbounded_channel();
        tokio::spawn(lane::work(Arc::clone(&exchange), queued, within, drop));
        Self {
            exchange,
            credential: Arc::new(credential),
            queue,
            room: Arc::new(Semaphore::new(PRODUCER_MAX)),
        }
    }

    /// Publishes data on a topic, and tells that the bus has accepted it. What handlers make of
    /// it is not waited for.
    ///
    /// # Errors
    ///
    /// The credential does not allow it, the data is not what the topic takes, or too much
    /// waits already.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it may have been published or not. With an `id` in the data of a topic for
    /// sockets the call can be made again.
    pub async fn send(&self, topic: &str, data: Json) -> Result<Acceptance, Refused> {
        //= B41
        let topic = Topic::parse(topic).map_err(|error| Refused::Invalid(format!("{error}")))?;
        match admit(&self.exchange, &self.credential, &topic, &data)? {
            Some(input) => input.accept(&self.credential, &data).await,
            None => self.publish(topic, data),
        }
    }

    /// Publishes for a producer that is elsewhere, on a topic that the server listens on.
    #[cfg(feature = "nats")]
    pub(crate) async fn enter(
        exchange: &Arc<Exchange>,
        credential: &Credential,
        topic: &Topic,
        data: &Json,
    ) -> Result<Acceptance, Refused> {
        match admit(exchange, credential, topic, data)? {
            Some(input) => input.accept(credential, data).await,
            None => Err(Refused::Unavailable),
        }
    }

    fn publish(&self, topic: Topic, data: Json) -> Result<Acceptance, Refused> {
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            return Err(Refused::Busy);
        };
        let id = fresh_id();
        let space = self.credential.namespace().map(String::from);
        let publication = Publication::in_namespace(topic, id.clone(), space, data);
        let queued = Queued::new(&self.exchange, publication, Some(room));
        // The task goes on as long as this end is there.
        let _ = self.queue.send(queued);
        Ok(Acceptance { id, sockets: None })
    }
}

/// Finds who listens on a topic, where the credential allows to publish on it.
fn admit(
    exchange: &Exchange,
    credential: &Credential,
    topic: &Topic,
    data: &Json,
) -> Result<Option<Arc<dyn Input>>, Refused> {
    let input = exchange.input(topic);
    let scope = input.as_ref().map(|input| input.scope());
    if !credential.allows(topic, scope) {
        let scope = scope
            .map(|scope| format!("`{scope}` or "))
            .unwrap_or_default();
        return Err(Refused::Forbidden(format!(
            "this needs the scope {scope}`bus:{topic}`"
        )));
    }
    if data.as_str().len() > DATA_BYTES_MAX {
        return Err(Refused::Invalid(format!(
            "the data is longer than {DATA_BYTES_MAX} bytes"
        )));
    }
    Ok(input)
}

impl Produce for Producer {
    fn produce<'a>(
        &'a self,
        topic: &'a str,
        data: Json,
    ) -> BoxFuture<'a, Result<Acceptance, Refused>> {
        Box::pin(self.send(topic, data))
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Producer").field(&self.credential).finish()
    }
}

/// A producer that only writes down what it was given, for tests of code that publishes. It
/// accepts everything.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Vec<(String, Json)>>);

impl Recorder {
    /// One that was given nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was published since the last call: topics and data.
    #[must_use]
    pub fn take(&self) -> Vec<(String, Json)> {
        core::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Produce for Recorder {
    fn produce<'a>(
        &'a self,
        topic: &'a str,
        data: Json,
    ) -> BoxFuture<'a, Result<Acceptance, Refused>> {
        //= C23
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.push((topic.into(), data));
        let id = fresh_id();
        Box::pin(core::future::ready(Ok(Acceptance { id, sockets: None })))
    }
}
