//! The event bus: topics, who handles them, and who may publish on them.
//!
//! ```text
//!   a connection ──▶ lane ──▶ subscribers (copies, never waited for)
//!   a producer   ──▶ lane ──▶ the handler of the topic ──▶ reply, fail, ack
//!                       └───▶ other servers and other languages (NATS), where there is a link
//!   a producer   ──▶ a topic that the server listens on ──▶ sockets
//! ```
//!
//! What one connection publishes is handled in order, and so is what one producer publishes;
//! [`HANDLING_MAX`] publications of all of them are handled at the same time. A handler that
//! panics, or does not answer within the deadline, has failed that one message: its task ends,
//! and the next message of the connection is handled. A handler must not block its thread,
//! since only a future that waits can be stopped.
//!
//! A publication is delivered at most once. Losing the bus loses no announcement: those are in
//! the store, and the bus only tells sooner.

mod credential;
mod exchange;
mod foreign;
mod input;
mod lane;
mod message;
#[cfg(feature = "nats")]
pub mod nats;
mod producer;
mod subscription;
mod topic;
mod value;

pub use credential::{ANY_NAMESPACE_SCOPE, BROADCAST_SCOPE, Credential, SEND_SCOPE};
pub use exchange::{BoxFuture, HANDLING_MAX, HandleError};
pub use input::{Acceptance, Refused};
pub use lane::LANE_MAX;
pub use message::{Answer, Message, Publication};
pub use producer::{DATA_BYTES_MAX, PRODUCER_MAX, Produce, Producer, Recorder};
pub use subscription::{SUBSCRIPTION_MAX, Subscription};
pub use topic::{BadTopic, TOPIC_BYTES_MAX, Topic};
pub use value::{Json, NotJson};

pub(crate) use exchange::Exchange;
pub(crate) use foreign::ANSWER_BYTES_MAX;
pub(crate) use input::{Input, Reach};
pub(crate) use lane::Lane;
pub(crate) use message::fresh_id;

use alloc::sync::Arc;
use core::time::Duration;

/// How long a handler has to answer, unless it is set otherwise.
pub const REPLY_DEADLINE: Duration = Duration::from_secs(10);

/// The event bus. Clones are the same bus. Producers and connections need a tokio runtime.
#[derive(Clone, Debug)]
pub struct Bus {
    exchange: Arc<Exchange>,
}

impl Bus {
    /// A bus in this process, without handlers.
    #[must_use]
    pub fn new() -> Self {
        Self {
            exchange: Arc::new(Exchange::new()),
        }
    }

    /// Gives a topic its handler: a function from a [`Message`] to a future.
    ///
    /// ```
    /// use framewire::announce::bus::{Bus, Json};
    ///
    /// let bus = Bus::new();
    /// bus.handle("socket:connection", |message| async move {
    ///     let greeting = Json::parse(r#"{"data":[]}"#).expect("JSON");
    ///     message.reply(greeting);
    /// })?;
    /// # Ok::<(), framewire::announce::bus::HandleError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is no topic, or the topic has a handler already.
    pub fn handle<F, R>(&self, topic: &str, handler: F) -> Result<(), HandleError>
    where
        F: Fn(Message) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        //= B29
        //= B30
        self.exchange.handle(Topic::parse(topic)?, handler)
    }

    /// Takes the handler from a topic; whether it had one. What it works on it finishes.
    pub fn release(&self, topic: &str) -> bool {
        self.exchange.release(topic)
    }

    /// Listens to a topic beside its handler, from now on.
    ///
    /// # Errors
    ///
    /// The text is no topic.
    pub fn subscribe(&self, topic: &str) -> Result<Subscription, BadTopic> {
        Ok(self.exchange.subscribe(Topic::parse(topic)?))
    }

    /// Somebody who publishes with this credential.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn producer(&self, credential: Credential) -> Producer {
        Producer::new(Arc::clone(&self.exchange), credential, REPLY_DEADLINE)
    }

    /// Waits until everything that was published has been handled, at most that long; whether
    /// it was. To be called when connections have been closed and before the process ends.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only waits.
    pub async fn drain(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.exchange.idle())
            .await
            .is_ok()
    }

    pub(crate) fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// What one connection publishes.
    pub(crate) fn lane(&self, within: Duration) -> Lane {
        Lane::new(Arc::clone(&self.exchange), within)
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}
