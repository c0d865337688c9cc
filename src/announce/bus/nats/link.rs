//! The link between the bus of this process and NATS.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error;
use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use async_nats::{Client, ConnectOptions, Event, HeaderMap, Message, Request, RequestErrorKind};
use async_nats::{Subscriber, connection::State};
use futures_core::Stream as _;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::announce::bus::credential::{BROADCAST_SCOPE, Credential, SEND_SCOPE};
use crate::announce::bus::exchange::{BoxFuture, Exchange, Remote};
use crate::announce::bus::message::{Answer, Publication, fresh_id};
use crate::announce::bus::nats::subject;
use crate::announce::bus::producer::Producer;
use crate::announce::bus::topic::Topic;
use crate::announce::bus::value::Json;

/// How many messages may wait for NATS.
const OUTBOX_MAX: usize = 4096;

/// How long connecting and the round trip may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

const ID: &str = "framewire-id";
const NODE: &str = "framewire-node";
const PROBE: &str = "framewire-probe";

/// Where NATS is.
#[derive(Clone)]
pub struct Settings {
    url: String,
    prefix: String,
}

impl Settings {
    /// NATS at a URL such as `nats://127.0.0.1:4222`, which may hold a user and a password, and
    /// the first token of every subject: letters, digits, `_` and `-`.
    ///
    /// # Errors
    ///
    /// The prefix holds something else.
    pub fn new(url: &str, prefix: &str) -> Result<Self, LinkError> {
        let is_sound = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if prefix.is_empty() || !prefix.bytes().all(is_sound) {
            return Err(LinkError::Prefix);
        }
        Ok(Self {
            url: url.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Debug for Settings {
    /// The URL may hold a password, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// The link between the bus of this process and NATS. It ends when it is dropped.
pub struct Link {
    exchange: Arc<Exchange>,
    far: Arc<Far>,
    tasks: Vec<AbortHandle>,
}

impl Link {
    /// Connects, and listens on every topic that the bus listens on at this moment. Returns when
    /// a message has made the way to NATS and back behind the subscriptions: from then on
    /// nothing passes by.
    ///
    /// # Errors
    ///
    /// NATS cannot be reached, or does not let this server listen.
    ///
    /// # Cancel safety
    ///
    /// Dropped, there is no link.
    pub async fn connect(
        bus: &crate::announce::bus::Bus,
        settings: Settings,
    ) -> Result<Self, LinkError> {
        let connecting = Self::establish(Arc::clone(bus.exchange()), settings);
        tokio::time::timeout(CONNECT_MAX, connecting)
            .await
            .unwrap_or(Err(LinkError::Unreachable))
    }

    /// Whether NATS is there at present.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.far.client.connection_state() == State::Connected
    }

    /// How many messages to others were dropped, since NATS was away or slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.far.dropped.load(Ordering::Relaxed)
    }

    async fn establish(exchange: Arc<Exchange>, settings: Settings) -> Result<Self, LinkError> {
        let Settings { url, prefix } = settings;
        let options = ConnectOptions::new().name("framewire").event_callback(note);
        let unreachable = |_| LinkError::Unreachable;
        let client = options.connect(url).await.map_err(unreachable)?;
        let (outbox, queued) = mpsc::channel(OUTBOX_MAX);
        let far = Arc::new(Far {
            client,
            prefix,
            node: fresh_id(),
            outbox,
            dropped: AtomicU64::new(0),
        });
        let mut link = Self {
            exchange: Arc::clone(&exchange),
            far: Arc::clone(&far),
            tasks: Vec::new(),
        };
        let mut entries = Vec::new();
        for topic in exchange.inputs() {
            let pattern = subject::in_any_namespace(&far.prefix, &topic);
            let group = far.prefix.clone();
            let entry = far.client.queue_subscribe(pattern, group).await;
            entries.push((topic, entry.map_err(|_| LinkError::Refused)?));
        }
        let relayed = far.client.subscribe(far.all()).await;
        let mut relayed = relayed.map_err(|_| LinkError::Refused)?;
        far.round_trip(&mut relayed).await?;
        link.start(tokio::spawn(send_all(far.client.clone(), queued)));
        link.start(tokio::spawn(take_relayed(
            Arc::clone(&far),
            Arc::clone(&exchange),
            relayed,
        )));
        for (topic, entry) in entries {
            let taking = take_entries(Arc::clone(&far), Arc::clone(&exchange), topic, entry);
            link.start(tokio::spawn(taking));
        }
        exchange.set_remote(Some(far));
        Ok(link)
    }

    fn start(&mut self, task: tokio::task::JoinHandle<()>) {
        self.tasks.push(task.abort_handle());
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.exchange.set_remote(None);
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("prefix", &self.far.prefix)
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

/// The other side, as the bus sees it.
struct Far {
    client: Client,
    prefix: String,
    /// The name of this server among the others.
    node: String,
    outbox: mpsc::Sender<Outgoing>,
    dropped: AtomicU64,
}

struct Outgoing {
    subject: String,
    headers: HeaderMap,
    body: String,
}

impl Far {
    /// The subject that all servers listen on.
    fn all(&self) -> String {
        format!("{}.n.all", self.prefix)
    }

    fn queue(&self, subject: String, header: (&str, &str), body: String) {
        let outgoing = Outgoing {
            subject,
            headers: headers(header),
            body,
        };
        if self.outbox.try_send(outgoing).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// NATS takes the lines of one connection in their order: whoever sees this message come
    /// back has been subscribed before.
    async fn round_trip(&self, relayed: &mut Subscriber) -> Result<(), LinkError> {
        let id = fresh_id();
        let (subject, headers) = (self.all(), headers((PROBE, &id)));
        let sent = self
            .client
            .publish_with_headers(subject, headers, "".into());
        sent.await.map_err(|_| LinkError::Refused)?;
        while let Some(message) = next(relayed).await {
            if header(&message, PROBE) == Some(&id) {
                return Ok(());
            }
        }
        Err(LinkError::Refused)
    }
}

impl Remote for Far {
    fn publish(&self, publication: &Publication) {
        let subject = subject::subject(&self.prefix, publication.namespace(), publication.topic());
        self.queue(subject, (ID, publication.id()), publication.body());
    }

    fn request(&self, publication: &Publication, within: Duration) -> BoxFuture<'static, Answer> {
        let subject = subject::subject(&self.prefix, publication.namespace(), publication.topic());
        let request = Request::new()
            .headers(headers((ID, publication.id())))
            .payload(publication.body().into())
            .timeout(Some(within));
        let client = self.client.clone();
        Box::pin(async move {
            // Where NATS is away, even handing over the request may have to wait.
            let asked = tokio::time::timeout(within, client.send_request(subject, request)).await;
            match asked.map(|asked| asked.map_err(|error| error.kind())) {
                Ok(Ok(message)) => Answer::read(&message.payload),
                Ok(Err(RequestErrorKind::NoResponders)) => Answer::Ack,
                Ok(Err(RequestErrorKind::TimedOut)) | Err(_) => late(&client),
                Ok(Err(RequestErrorKind::Other)) => Answer::Unreachable,
                Ok(Err(_)) => Answer::Broken,
            }
        })
    }

    fn relay(&self, text: &str) {
        self.queue(self.all(), (NODE, &self.node), text.to_owned());
    }
}

/// What it means that there was no answer in time.
fn late(client: &Client) -> Answer {
    if client.connection_state() == State::Connected {
        Answer::Timeout
    } else {
        Answer::Unreachable
    }
}

async fn note(event: Event) {
    match event {
        Event::Connected => tracing::info!("NATS is there"),
        Event::Disconnected => tracing::warn!("NATS is away"),
        other => tracing::warn!(event = %other, "NATS"),
    }
}

async fn send_all(client: Client, mut queued: mpsc::Receiver<Outgoing>) {
    while let Some(outgoing) = queued.recv().await {
        let Outgoing {
            subject,
            headers,
            body,
        } = outgoing;
        let sent = client
            .publish_with_headers(subject, headers, body.into())
            .await;
        if let Err(error) = sent {
            tracing::warn!(kind = %error.kind(), "a message was not sent to NATS");
        }
    }
}

/// Hands over what other servers have accepted. What this one has accepted comes back too.
async fn take_relayed(far: Arc<Far>, exchange: Arc<Exchange>, mut relayed: Subscriber) {
    while let Some(message) = next(&mut relayed).await {
        let node = header(&message, NODE);
        if node.is_none() || node == Some(&far.node) {
            continue;
        }
        if let Ok(text) = core::str::from_utf8(&message.payload) {
            exchange.relayed(text);
        }
    }
}

/// Takes what producers elsewhere publish on one topic that the bus listens on.
async fn take_entries(far: Arc<Far>, exchange: Arc<Exchange>, topic: Topic, mut entry: Subscriber) {
    while let Some(message) = next(&mut entry).await {
        let answer = match subject::parse(&far.prefix, &message.subject) {
            Some((Some(namespace), _)) => take(&exchange, &namespace, &topic, &message).await,
            _ => continue,
        };
        if let Some(reply) = message.reply {
            // Who has asked finds out by its own deadline.
            let _ = far.client.publish(reply, answer.into()).await;
        }
    }
}

/// Has a message accepted, and tells what the producer is answered.
async fn take(
    exchange: &Arc<Exchange>,
    namespace: &str,
    topic: &Topic,
    message: &Message,
) -> String {
    let text = core::str::from_utf8(&message.payload).unwrap_or_default();
    let credential = Credential::new("nats", namespace, &[SEND_SCOPE, BROADCAST_SCOPE]);
    let data = Json::parse(text).unwrap_or_else(|_| Json::written("null".to_string()));
    match Producer::enter(exchange, &credential, topic, &data).await {
        Ok(acceptance) => acceptance.to_json(),
        Err(refused) => refused.to_json(),
    }
}

async fn next(subscriber: &mut Subscriber) -> Option<Message> {
    poll_fn(|cx| Pin::new(&mut *subscriber).poll_next(cx)).await
}

fn headers((name, value): (&str, &str)) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, value);
    headers
}

fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    let value = message.headers.as_ref()?.get(name)?;
    Some(value.as_str())
}

/// Why there is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// The prefix of the subjects holds something else than letters, digits, `_` and `-`.
    Prefix,
    /// NATS cannot be reached, or nothing came back from it in time.
    Unreachable,
    /// NATS does not let this server listen.
    Refused,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix => "the prefix of the bus is letters, digits, `_` and `-`",
            Self::Unreachable => "NATS cannot be reached: check the URL of the bus",
            Self::Refused => "NATS does not let this server listen: check its permissions",
        })
    }
}

impl error::Error for LinkError {}
