//! Who handles which topic, and the handling of one publication.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error;
use core::fmt;
use core::pin::Pin;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::{Semaphore, SemaphorePermit, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::announce::bus::input::Input;
use crate::announce::bus::message::{Answer, Message, Publication};
use crate::announce::bus::subscription::{Sink, Subscription, subscription};
use crate::announce::bus::topic::{BadTopic, Topic};

/// How many publications are handled at the same time, those of all connections together.
pub const HANDLING_MAX: usize = 256;

/// A future that can be kept whatever its type.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Handler = Arc<dyn Fn(Message) -> BoxFuture<'static, ()> + Send + Sync>;
type Relayed = Arc<dyn Fn(&str) + Send + Sync>;

/// Other servers, and handlers that are not in this process.
pub(crate) trait Remote: Send + Sync {
    /// Tells whoever listens. Never waits: what does not fit is dropped and counted.
    fn publish(&self, publication: &Publication);

    /// Asks whoever handles the topic elsewhere.
    fn request(&self, publication: &Publication, within: Duration) -> BoxFuture<'static, Answer>;

    /// Tells the other servers. Never waits, like `publish`.
    fn relay(&self, text: &str);
}

/// Who handles which topic.
pub(crate) struct Exchange {
    tables: RwLock<Tables>,
    turns: Semaphore,
    pending: watch::Sender<usize>,
}

#[derive(Default)]
struct Tables {
    handlers: HashMap<Topic, Handler>,
    inputs: HashMap<Topic, Arc<dyn Input>>,
    sinks: HashMap<Topic, Vec<Sink>>,
    remote: Option<Arc<dyn Remote>>,
    relayed: Option<Relayed>,
}

impl Exchange {
    pub(crate) fn new() -> Self {
        Self {
            tables: RwLock::default(),
            turns: Semaphore::new(HANDLING_MAX),
            pending: watch::Sender::new(0),
        }
    }

    // A panic while a table was held leaves it as it was before or after one insertion.
    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn handle<F, R>(&self, topic: Topic, handler: F) -> Result<(), HandleError>
    where
        F: Fn(Message) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let mut tables = self.write();
        if tables.handlers.contains_key(&topic) || tables.inputs.contains_key(&topic) {
            return Err(HandleError::Taken);
        }
        let handler: Handler = Arc::new(move |message| Box::pin(handler(message)));
        tables.handlers.insert(topic, handler);
        Ok(())
    }

    pub(crate) fn release(&self, topic: &str) -> bool {
        self.write().handlers.remove(topic).is_some()
    }

    pub(crate) fn unlisten(&self, topic: &Topic) {
        self.write().inputs.remove(topic);
    }

    pub(crate) fn listen(&self, topic: Topic, input: Arc<dyn Input>) -> Result<(), HandleError> {
        let mut tables = self.write();
        if tables.handlers.contains_key(&topic) || tables.inputs.contains_key(&topic) {
            return Err(HandleError::Taken);
        }
        tables.inputs.insert(topic, input);
        Ok(())
    }

    pub(crate) fn input(&self, topic: &Topic) -> Option<Arc<dyn Input>> {
        self.read().inputs.get(topic).cloned()
    }

    /// The topics that somebody else may publish on to reach sockets.
    #[cfg(feature = "nats")]
    pub(crate) fn inputs(&self) -> Vec<Topic> {
        self.read().inputs.keys().cloned().collect()
    }

    pub(crate) fn subscribe(&self, topic: Topic) -> Subscription {
        let (sink, subscription) = subscription();
        let mut tables = self.write();
        let sinks = tables.sinks.entry(topic).or_default();
        sinks.retain(Sink::is_open);
        sinks.push(sink);
        subscription
    }

    #[cfg(feature = "nats")]
    pub(crate) fn set_remote(&self, remote: Option<Arc<dyn Remote>>) {
        self.write().remote = remote;
    }

    pub(crate) fn on_relayed(&self, relayed: Relayed) {
        self.write().relayed = Some(relayed);
    }

    /// Hands over what another server relayed.
    #[cfg(feature = "nats")]
    pub(crate) fn relayed(&self, text: &str) {
        let relayed = self.read().relayed.clone();
        if let Some(relayed) = relayed {
            relayed(text);
        }
    }

    pub(crate) fn relay(&self, text: &str) {
        let remote = self.read().remote.clone();
        if let Some(remote) = remote {
            remote.relay(text);
        }
    }

    /// Notes that something is to be handled.
    pub(crate) fn pend(self: &Arc<Self>) -> Pending {
        self.pending.send_modify(|pending| *pending += 1);
        Pending(Arc::clone(self))
    }

    /// Waits until nothing is to be handled.
    pub(crate) async fn idle(&self) {
        // The sender is a field of `self`, so it is there.
        let _ = self
            .pending
            .subscribe()
            .wait_for(|pending| *pending == 0)
            .await;
    }

    /// Waits for one of the [`HANDLING_MAX`] places.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// Has a publication handled, and tells the answer as soon as there is one. Returns when the
    /// handler is done, at the deadline in any case.
    pub(crate) async fn carry(
        &self,
        publication: Publication,
        within: Duration,
        tell: impl FnOnce(Answer),
    ) {
        let (handler, remote) = self.find(&publication);
        match (handler, remote) {
            (Some(handler), remote) => {
                if let Some(remote) = remote {
                    remote.publish(&publication);
                }
                run(&handler, publication, within, tell).await;
            }
            (None, Some(remote)) => tell(remote.request(&publication, within).await),
            (None, None) => tell(Answer::Ack),
        }
    }

    /// Offers a publication to those who subscribe to it, and finds who has to answer.
    fn find(&self, publication: &Publication) -> (Option<Handler>, Option<Arc<dyn Remote>>) {
        let tables = self.read();
        for sink in tables.sinks.get(publication.topic()).into_iter().flatten() {
            sink.offer(publication);
        }
        let handler = tables.handlers.get(publication.topic()).cloned();
        (handler, tables.remote.clone())
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.read();
        f.debug_struct("Exchange")
            .field("handlers", &tables.handlers.len())
            .field("inputs", &tables.inputs.len())
            .field("pending", &*self.pending.borrow())
            .finish_non_exhaustive()
    }
}

/// One publication that is not handled yet.
#[derive(Debug)]
pub(crate) struct Pending(Arc<Exchange>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.pending.send_modify(|pending| *pending -= 1);
    }
}

/// Runs a handler in a task of its own, so that its panic is the end of that task alone.
async fn run(
    handler: &Handler,
    publication: Publication,
    within: Duration,
    tell: impl FnOnce(Answer),
) {
    //= B39
    let deadline = Instant::now() + within;
    let topic = publication.topic().clone();
    let (message, answered) = Message::new(publication);
    let handler = Arc::clone(handler);
    let mut task = Task::new(tokio::spawn(async move { handler(message).await }));
    let answer = answer(answered, &mut task, deadline).await;
    match &answer {
        Answer::Timeout => tracing::warn!(%topic, "a handler did not answer in time"),
        Answer::Broken => tracing::error!(%topic, "a handler panicked"),
        _ => {}
    }
    let is_timeout = matches!(answer, Answer::Timeout);
    tell(answer);
    if !is_timeout && timeout_at(deadline, task.done()).await.is_err() {
        tracing::warn!(%topic, "a handler went on after the deadline and was stopped");
    }
}

async fn answer(answered: oneshot::Receiver<Answer>, task: &mut Task, deadline: Instant) -> Answer {
    match timeout_at(deadline, answered).await {
        Ok(Ok(answer)) => answer,
        // Dropped unanswered: by the handler, or by its panic.
        Ok(Err(_)) => match timeout_at(deadline, task.done()).await {
            Ok(false) => Answer::Broken,
            _ => Answer::Ack,
        },
        Err(_) => Answer::Timeout,
    }
}

/// A task that ends with this value at the latest.
struct Task {
    handle: JoinHandle<()>,
    is_sound: Option<bool>,
}

impl Task {
    fn new(handle: JoinHandle<()>) -> Self {
        Self {
            handle,
            is_sound: None,
        }
    }

    /// Waits for the end; whether it was no panic. May be asked again after it has ended.
    async fn done(&mut self) -> bool {
        if let Some(is_sound) = self.is_sound {
            return is_sound;
        }
        let is_sound = (&mut self.handle).await.is_ok();
        self.is_sound = Some(is_sound);
        is_sound
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

/// Why a topic cannot be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandleError {
    /// The text is no name of a topic.
    Topic(BadTopic),
    /// The topic has a handler already.
    Taken,
}

impl fmt::Display for HandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(error) => error.fmt(f),
            Self::Taken => f.write_str("the topic has a handler already"),
        }
    }
}

impl error::Error for HandleError {}

impl From<BadTopic> for HandleError {
    fn from(error: BadTopic) -> Self {
        Self::Topic(error)
    }
}
