//! A connection that is opened again when it is lost (RFC 6455 §7.2.3).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;
use core::time::Duration;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::io;
use std::time::SystemTime;
use tokio::time::{Instant, sleep_until};

use crate::client::backoff::{Backoff, Wish};
use crate::client::config::Config;
use crate::client::connect::{Connected, Stream, open};
use crate::client::error::{ConnectError, ProxyRefusal, Refused};
use crate::engine::{Closure, Message};
use crate::net::{Error, WebSocket, entropy};
use crate::wire::close::CloseCode;

/// A connection that has held so long is not counted with those that failed.
const STEADY: Duration = Duration::from_secs(60);

/// Close codes that only another request can help against: 1008, and 4001 and 4003, which by
/// this project's convention say that a token has expired or does not suffice.
const NEEDS_CREDENTIALS: [u16; 3] = [1008, 4001, 4003];

/// A connection that comes back: it waits, opens again, and tells what was missed.
///
/// [`next`](Self::next) drives it. It tells [`Happening::Connecting`] before each attempt; then
/// is the time to [change the request](Self::set_config), such as for a fresh token or the
/// offset to resume from. A message that was taken and may not have left comes back with
/// [`Happening::Disconnected`]; nothing is sent again by itself.
pub struct Reconnecting {
    url: String,
    config: Config,
    backoff: Backoff,
    random: Box<dyn FnMut() -> u32 + Send>,
    state: State,
    /// Attempts since the connection was last open.
    attempt: u32,
    /// Since when there is no connection.
    down_since: Instant,
    /// Messages that have been queued since the outbox was last empty.
    unsent: Vec<Message>,
}

type Opening = Pin<Box<dyn Future<Output = Result<Connected, ConnectError>> + Send>>;

enum State {
    Waiting {
        until: Instant,
    },
    Announced,
    Opening(Opening),
    Open {
        socket: Box<WebSocket<Stream>>,
        since: Instant,
    },
    /// It has ended, which is still to be told.
    Lost(Ended),
    Stopped,
}

/// What has become of the connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Happening {
    /// The next call of [`Reconnecting::next`] opens the connection: the request may be changed.
    Connecting {
        /// Counts from 1 each time the connection is lost.
        attempt: u32,
    },
    /// The connection is open.
    Connected {
        /// How many attempts it took.
        attempt: u32,
        /// How long there was no connection, and messages were missed.
        downtime: Duration,
    },
    /// A message.
    Message(Message),
    /// There is no connection.
    Disconnected(Disconnected),
}

/// Why there is no connection, and what comes next.
#[derive(Debug)]
#[non_exhaustive]
pub struct Disconnected {
    /// What ended it.
    pub ended: Ended,
    /// What was queued and may not have been handed to the stream whole, in order. Some of it
    /// may have reached the server.
    pub unsent: Vec<Message>,
    /// When the next attempt comes; `None`: not before [`Reconnecting::resume`].
    pub retry_in: Option<Duration>,
}

/// What ended a connection or kept it from being opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ended {
    /// The closing handshake, with what both sides said.
    Closed(Closure),
    /// The connection failed.
    Failed(Error),
    /// It was not opened.
    NotOpened(ConnectError),
}

impl Reconnecting {
    /// Prepares a connection; the first call of [`next`](Self::next) opens it.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random bytes.
    pub fn new(url: impl Into<String>, config: Config) -> io::Result<Self> {
        let mut random = StdRng::from_seed(entropy::seed()?);
        let now = Instant::now();
        Ok(Self {
            url: url.into(),
            config,
            backoff: Backoff::new(),
            random: Box::new(move || random.next_u32()),
            state: State::Waiting { until: now },
            attempt: 0,
            down_since: now,
            unsent: Vec::new(),
        })
    }

    /// Takes the numbers that spread the attempts from `random`, each of which must be as likely
    /// as the others. Default: a generator that is seeded by the system.
    #[must_use]
    pub fn with_random(mut self, random: impl FnMut() -> u32 + Send + 'static) -> Self {
        self.random = Box::new(random);
        self
    }

    /// How it connects.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Changes how the next attempt connects.
    pub fn set_config(&mut self, config: Config) {
        self.config = config;
    }

    /// Changes the URL of the next attempt.
    pub fn set_url(&mut self, url: impl Into<String>) {
        self.url = url.into();
    }

    /// Goes on after an end that only another request, or a new wish, can help against.
    pub fn resume(&mut self) {
        if matches!(self.state, State::Stopped) {
            self.backoff.reset();
            self.state = State::Waiting {
                until: Instant::now(),
            };
        }
    }

    /// The open connection, to be asked; `None` while there is none.
    pub fn socket(&self) -> Option<&WebSocket<Stream>> {
        match &self.state {
            State::Open { socket, .. } => Some(socket),
            _ => None,
        }
    }

    /// Queues a message, to be sent by [`next`](Self::next) or [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// The message, when there is no connection, or no room in its outbox.
    pub fn try_feed(&mut self, message: impl Into<Message>) -> Result<(), Message> {
        let message = message.into();
        let State::Open { socket, .. } = &mut self.state else {
            return Err(message);
        };
        if socket.buffered_bytes() == 0 {
            self.unsent.clear();
        }
        match socket.try_feed(message.clone()) {
            Ok(()) => {
                self.unsent.push(message);
                Ok(())
            }
            Err(_) => Err(message),
        }
    }

    /// Waits until everything queued has been handed to the stream, or the connection is lost,
    /// which [`next`](Self::next) then tells.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has not been sent stays queued.
    pub async fn flush(&mut self) {
        if let State::Open { socket, since } = &mut self.state {
            match socket.flush().await {
                Ok(()) => self.unsent.clear(),
                Err(error) => {
                    if since.elapsed() >= STEADY {
                        self.backoff.reset();
                    }
                    self.down_since = Instant::now();
                    self.state = State::Lost(Ended::Failed(error));
                }
            }
        }
    }

    /// Goes on until something happens: waits, connects, receives, and sends what is queued.
    /// `None` once it has ended for good: after [`close`](Self::close), a normal close by the
    /// server, or a refusal that only another request can help against; then
    /// [`resume`](Self::resume) begins anew.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost, an attempt that has begun included: it goes on with the next call.
    pub async fn next(&mut self) -> Option<Happening> {
        loop {
            match &mut self.state {
                State::Waiting { until } => {
                    sleep_until(*until).await;
                    self.attempt = self.attempt.saturating_add(1);
                    self.state = State::Announced;
                    return Some(Happening::Connecting {
                        attempt: self.attempt,
                    });
                }
                State::Announced => {
                    let (url, config) = (self.url.clone(), self.config.clone());
                    let opening = Box::pin(async move { open(&url, &config).await });
                    self.state = State::Opening(opening);
                }
                State::Opening(opening) => match opening.as_mut().await {
                    Ok(connected) => return Some(self.opened(connected)),
                    Err(error) => self.state = State::Lost(Ended::NotOpened(error)),
                },
                State::Open { socket, since } => match receive(socket, &mut self.unsent).await {
                    Ok(Some(message)) => return Some(Happening::Message(message)),
                    ended => {
                        if since.elapsed() >= STEADY {
                            self.backoff.reset();
                        }
                        self.down_since = Instant::now();
                        self.state = State::Lost(match (ended, socket.closure()) {
                            (Err(error), _) => Ended::Failed(error),
                            (Ok(_), Some(closure)) => Ended::Closed(closure.clone()),
                            (Ok(_), None) => Ended::Failed(Error::EndOfStream),
                        });
                    }
                },
                State::Lost(_) => {
                    let State::Lost(ended) = core::mem::replace(&mut self.state, State::Stopped)
                    else {
                        continue;
                    };
                    return Some(Happening::Disconnected(self.disconnected(ended)));
                }
                State::Stopped => return None,
            }
        }
    }

    /// Closes the connection and does not come back. Without a connection, it ends the attempts.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::close`].
    ///
    /// # Cancel safety
    ///
    /// The closing has begun, and what is not done of it is not done: the stream is closed.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        match core::mem::replace(&mut self.state, State::Stopped) {
            State::Open { mut socket, .. } => socket.close(code, reason).await.map(drop),
            _ => Ok(()),
        }
    }

    fn opened(&mut self, connected: Connected) -> Happening {
        let attempt = core::mem::take(&mut self.attempt);
        self.state = State::Open {
            socket: Box::new(connected.socket),
            since: Instant::now(),
        };
        Happening::Connected {
            attempt,
            downtime: self.down_since.elapsed(),
        }
    }

    //= CS-16
    fn disconnected(&mut self, ended: Ended) -> Disconnected {
        let retry_in = wish(&ended).map(|wish| self.backoff.next((self.random)(), wish));
        if let Some(delay) = retry_in {
            let until = Instant::now() + delay;
            self.state = State::Waiting { until };
        }
        Disconnected {
            ended,
            unsent: core::mem::take(&mut self.unsent),
            retry_in,
        }
    }
}

impl fmt::Debug for Reconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting")
            .field("config", &self.config)
            .field("attempt", &self.attempt)
            .field("is_open", &self.socket().is_some())
            .finish_non_exhaustive()
    }
}

/// The next message. Forgets what is unsent whenever all of it has been handed to the stream.
async fn receive(
    socket: &mut WebSocket<Stream>,
    unsent: &mut Vec<Message>,
) -> Result<Option<Message>, Error> {
    poll_fn(|cx| {
        // Receiving keeps nothing in its future, so each poll may begin it anew.
        let polled = pin!(socket.recv()).poll(cx);
        let is_open = matches!(polled, Poll::Pending | Poll::Ready(Ok(Some(_))));
        if is_open && socket.buffered_bytes() == 0 {
            unsent.clear();
        }
        polled
    })
    .await
}

/// What the end says about coming back; `None` is not to.
fn wish(ended: &Ended) -> Option<Wish> {
    match ended {
        Ended::Closed(closure) => match closure.code().get() {
            1000 => None,
            code if NEEDS_CREDENTIALS.contains(&code) => None,
            1012 | 1013 => Some(Wish::Later),
            _ => Some(Wish::None),
        },
        Ended::Failed(_) => Some(Wish::None),
        Ended::NotOpened(error) => match error {
            ConnectError::Url(_) | ConnectError::Request(_) | ConnectError::TlsConfig(_) => None,
            ConnectError::Proxy(ProxyRefusal::Credentials) => None,
            ConnectError::Refused(refused) => match refused.status() {
                401 | 403 => None,
                429 | 503 => Some(retry_after(refused).map_or(Wish::Later, Wish::After)),
                _ => Some(Wish::None),
            },
            _ => Some(Wish::None),
        },
    }
}

/// The time that Retry-After names: in seconds, or as a date (RFC 9110 §10.2.3).
fn retry_after(refused: &Refused) -> Option<Duration> {
    let text = refused.head().headers().get_str("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    // A date that has passed is no delay.
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}
