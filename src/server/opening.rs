//! A request that has arrived and is to be answered.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::{Future, poll_fn};
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Poll, ready};
use core::time::Duration;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::engine::{
    AcceptError, Acceptance, Limits, PlainRequest, Refusal, ServerHandshake, ServerProgress,
    Timestamp, UpgradeRequest,
};
use crate::net::WebSocket;
use crate::server::config::Config;
use crate::server::pace::Pace;
use crate::server::stream::Stream;
use crate::server::tls::Tls;
use crate::wire::http::RequestHead;

/// How long a refused client may take to read its answer and close.
const LINGER: Duration = Duration::from_secs(1);
/// How much of a request is read at once.
const READ_BYTES: usize = 2048;
/// How much of what a refused client still sends is read, so that no reset overtakes the answer.
const LINGER_BYTES_MAX: usize = 1 << 20;
/// When a client that was not admitted should try again, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// A request that has been read whole.
#[derive(Debug)]
#[non_exhaustive]
pub enum Opening {
    /// A valid request to open a WebSocket.
    Upgrade(Upgrade),
    /// An HTTP request that does not ask for a WebSocket.
    Plain(Plain),
}

impl Opening {
    pub(crate) async fn read(
        mut stream: Stream,
        admitted: bool,
        since: Instant,
        config: Arc<Config>,
        pace: Arc<Pace>,
    ) -> Result<Self, HandshakeError> {
        let deadline = since + config.handshake_timeout();
        if let Some(tls) = config.tls() {
            // The state of TLS is large, and few futures need room for it.
            stream = Box::pin(accept_tls(stream, tls, &pace, deadline)).await?;
        }
        let handshake = ServerHandshake::new(config.head_limits());
        let progress = match timeout_at(deadline, read_request(&mut stream, handshake)).await {
            Ok(Ok(progress)) if admitted => progress,
            Ok(Ok(_)) => return turn_away(stream, Refusal::unavailable(RETRY_AFTER_S)).await,
            Ok(Err(Failed::Refused(refusal))) => return turn_away(stream, refusal).await,
            Ok(Err(Failed::Io(error))) => return Err(HandshakeError::Io(error)),
            Err(_) => {
                return turn_away(stream, Refusal::new(408, "the request took too long")).await;
            }
        };
        let head = match &progress {
            ServerProgress::Upgrade(request) => Some(request.head()),
            ServerProgress::Plain(request) => Some(request.head()),
            ServerProgress::More(_) => None,
        };
        if head.is_some_and(|head| !stream.find_client(config.proxies(), head.headers())) {
            return turn_away(stream, Refusal::unavailable(RETRY_AFTER_S)).await;
        }
        let limits = config.limits();
        Ok(match progress {
            ServerProgress::Upgrade(request) => Self::Upgrade(Upgrade {
                stream,
                request,
                limits,
            }),
            ServerProgress::Plain(request) => Self::Plain(Plain { stream, request }),
            ServerProgress::More(_) => {
                return Err(HandshakeError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
        })
    }

    /// Accepts whatever asks for a WebSocket, and refuses the rest: for a server that serves
    /// nothing else.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] says how it went, for the log.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it closes the stream.
    pub async fn accept(self) -> Result<WebSocket<Stream>, HandshakeError> {
        self.accept_with(Acceptance::new()).await
    }

    /// As [`accept`](Self::accept), and says to each client what `acceptance` says.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it closes the stream.
    pub async fn accept_with(
        self,
        acceptance: Acceptance<'_>,
    ) -> Result<WebSocket<Stream>, HandshakeError> {
        // In a box of its own, it takes no room in the task that goes on for long.
        Box::pin(self.accept_in_place(acceptance)).await
    }

    /// As [`accept_with`](Self::accept_with), in a future that holds the WebSocket.
    pub(crate) fn accept_in_place(
        self,
        acceptance: Acceptance<'_>,
    ) -> impl Future<Output = Result<WebSocket<Stream>, HandshakeError>> + use<> {
        let accepted = match self {
            Self::Upgrade(upgrade) => upgrade.open(acceptance),
            Self::Plain(plain) => Err(Box::pin(plain.turn_away()) as Refusing),
        };
        finish(accepted)
    }
}

/// Tells a client that there is no connection, and ends with why.
type Refusing = Pin<Box<dyn Future<Output = Result<WebSocket<Stream>, HandshakeError>> + Send>>;

/// Sends the answer of a connection that was opened, or refuses the client.
async fn finish(
    accepted: Result<WebSocket<Stream>, Refusing>,
) -> Result<WebSocket<Stream>, HandshakeError> {
    let mut socket = match accepted {
        Ok(socket) => socket,
        Err(refusing) => return refusing.await,
    };
    socket.flush().await.map_err(|error| match error {
        crate::net::Error::Io(error) => HandshakeError::Io(error),
        other => HandshakeError::Io(io::Error::other(other)),
    })?;
    Ok(socket)
}

async fn accept_tls(
    stream: Stream,
    tls: &Tls,
    pace: &Pace,
    deadline: Instant,
) -> Result<Stream, HandshakeError> {
    let timed_out = |_| HandshakeError::Io(io::ErrorKind::TimedOut.into());
    //= TL-05
    let begins = timeout_at(deadline, stream.begins_tls()).await;
    //= TL-01
    if !begins.map_err(timed_out)?.map_err(HandshakeError::Io)? {
        // An answer in clear would tell the client nothing that it can trust.
        return Err(HandshakeError::NotTls);
    }
    // Whoever says nothing takes nobody's turn.
    //= TL-15
    let turn = pace.turn(deadline).ok_or(HandshakeError::TlsBusy)?;
    sleep_until(turn).await;
    let accepted = timeout_at(deadline, stream.accept_tls(tls)).await;
    match accepted.map_err(timed_out)? {
        Ok(stream) => Ok(stream),
        Err((error, refused)) => {
            // The alert has been written, and no reset is to overtake it.
            if let Some(tcp) = refused {
                let _: io::Result<()> = linger(tcp, b"").await;
            }
            Err(HandshakeError::Tls(error))
        }
    }
}

enum Failed {
    Refused(Refusal),
    Io(io::Error),
}

async fn read_request(
    stream: &mut Stream,
    mut handshake: ServerHandshake,
) -> Result<ServerProgress, Failed> {
    loop {
        let heard = |bytes: &[u8]| match bytes {
            [] => Err(Failed::Io(io::ErrorKind::UnexpectedEof.into())),
            bytes => handshake.receive(bytes).map_err(Failed::Refused),
        };
        match read_with(stream, heard).await.map_err(Failed::Io)?? {
            ServerProgress::More(more) => handshake = more,
            progress => return Ok(progress),
        }
    }
}

/// Reads once, and has `heard` see what came: nothing at the end.
///
/// It is read into memory that is there only meanwhile, so that nothing waits with it.
async fn read_with<T>(
    stream: &mut (impl AsyncRead + Unpin),
    heard: impl FnOnce(&[u8]) -> T,
) -> io::Result<T> {
    let mut heard = Some(heard);
    poll_fn(|cx| {
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
        let heard = heard.take().map(|it| it(buffer.filled()));
        // It is polled to its end once.
        Poll::Ready(heard.ok_or_else(|| io::ErrorKind::UnexpectedEof.into()))
    })
    .await
}

/// Sends a refusal and closes behind it.
async fn refuse<T>(stream: Stream, refusal: Refusal) -> Result<T, HandshakeError> {
    match linger(stream, &refusal.encode()).await {
        Ok(()) => Err(HandshakeError::Refused(refusal)),
        Err(error) => Err(HandshakeError::Io(error)),
    }
}

/// As [`refuse`], in a box of its own: it takes no room in what mostly ends otherwise.
fn turn_away<T>(
    stream: Stream,
    refusal: Refusal,
) -> Pin<Box<impl Future<Output = Result<T, HandshakeError>>>> {
    Box::pin(refuse(stream, refusal))
}

/// Sends what is said last and closes behind it.
///
/// The write side is shut down first and what the client still sends is read, within bounds: a
/// stream that is closed with unread bytes is reset, and the reset can overtake the answer.
//= PX-10
//= WS-144
async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin, last: &[u8]) -> io::Result<()> {
    let lingering = timeout(LINGER, async {
        stream.write_all(last).await?;
        stream.shutdown().await?;
        let mut read = 0;
        while read < LINGER_BYTES_MAX {
            match read_with(&mut stream, <[u8]>::len).await {
                // How the client leaves once it has been told is its own affair.
                Ok(0) | Err(_) => break,
                Ok(n) => read += n,
            }
        }
        Ok(())
    });
    lingering.await.unwrap_or(Ok(()))
}

/// A valid request to open a WebSocket, waiting for the answer.
#[derive(Debug)]
pub struct Upgrade {
    stream: Stream,
    request: Box<UpgradeRequest>,
    limits: Arc<Limits>,
}

impl Upgrade {
    /// The request.
    pub const fn request(&self) -> &UpgradeRequest {
        &self.request
    }

    /// The stream that it came over.
    pub const fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Gives this connection bounds of its own.
    #[must_use]
    pub fn with_limits(mut self, limits: Arc<Limits>) -> Self {
        self.limits = limits;
        self
    }

    /// Accepts the request. The answer is sent before this returns.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Accept`] when the acceptance does not fit the request; the client is
    /// then answered 500.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it closes the stream.
    pub async fn accept(
        self,
        acceptance: Acceptance<'_>,
    ) -> Result<WebSocket<Stream>, HandshakeError> {
        // In a box of its own, it takes no room in the task that goes on for long.
        Box::pin(finish(self.open(acceptance))).await
    }

    /// The connection, with an answer that is to be sent.
    fn open(self, acceptance: Acceptance<'_>) -> Result<WebSocket<Stream>, Refusing> {
        let Self {
            stream,
            request,
            limits,
        } = self;
        match request.accept(acceptance, limits, Timestamp::ZERO) {
            Ok(accepted) => Ok(
                WebSocket::new(stream, accepted.connection, accepted.leftover)
                    .with_subprotocol(accepted.subprotocol),
            ),
            Err(error) => Err(Box::pin(async move {
                let internal = Refusal::new(500, "the server could not accept the request");
                let _: Result<(), _> = turn_away(stream, internal).await;
                Err(HandshakeError::Accept(error))
            })),
        }
    }

    /// Accepts or refuses the request, as was decided; see [`hook`](crate::server::hook). What
    /// was found while deciding, such as a place or a user, goes along.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Refused`] with the refusal, once the client has been told; otherwise as
    /// [`accept`](Self::accept).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it closes the stream.
    //= D19
    //= E40
    pub async fn decide<T>(
        self,
        decision: Result<(Acceptance<'_>, T), Refusal>,
    ) -> Result<(WebSocket<Stream>, T), HandshakeError> {
        match decision {
            Ok((acceptance, found)) => Ok((self.accept(acceptance).await?, found)),
            Err(refusal) => turn_away(self.stream, refusal).await,
        }
    }

    /// Refuses the request and closes the stream behind the answer.
    ///
    /// # Errors
    ///
    /// When the answer could not be sent.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it closes the stream.
    pub async fn refuse(self, refusal: Refusal) -> io::Result<()> {
        sent(refuse(self.stream, refusal).await)
    }
}

/// An HTTP request that does not ask for a WebSocket.
#[derive(Debug)]
pub struct Plain {
    stream: Stream,
    request: Box<PlainRequest>,
}

impl Plain {
    /// The head of the request.
    pub const fn head(&self) -> &RequestHead {
        self.request.head()
    }

    /// The stream, for an HTTP server: the request is read from it again.
    pub fn into_stream(self) -> Stream {
        let Self {
            mut stream,
            request,
        } = self;
        stream.rewind(request.into_bytes());
        stream
    }

    /// The stream that it came over.
    pub const fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Refuses the request as a server that serves only WebSockets does, and says so.
    pub(crate) async fn turn_away<T>(self) -> Result<T, HandshakeError> {
        let refusal = self.request.refusal();
        turn_away(self.stream, refusal).await
    }

    /// Refuses the request in another way.
    #[cfg_attr(
        not(feature = "announce"),
        expect(dead_code, reason = "for the announcement server")
    )]
    pub(crate) async fn refuse_with(self, refusal: Refusal) -> io::Result<()> {
        sent(refuse(self.stream, refusal).await)
    }

    /// Refuses the request as a server that serves only WebSockets does.
    ///
    /// # Errors
    ///
    /// When the answer could not be sent.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it closes the stream.
    pub async fn refuse(self) -> io::Result<()> {
        let refusal = self.request.refusal();
        sent(refuse(self.stream, refusal).await)
    }
}

fn sent(refused: Result<(), HandshakeError>) -> io::Result<()> {
    match refused {
        Err(HandshakeError::Io(error)) => Err(error),
        _ => Ok(()),
    }
}

/// How a handshake that opened nothing went.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The client was refused, and has been told so.
    Refused(Refusal),
    /// The acceptance did not fit the request.
    Accept(AcceptError),
    /// The client does not speak TLS, and must.
    NotTls,
    /// The handshake of TLS failed; an alert has said so to the client.
    Tls(io::Error),
    /// More clients wanted TLS than could have a turn in time.
    TlsBusy,
    /// The stream failed or ended.
    Io(io::Error),
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "refused with {refusal}"),
            Self::Accept(error) => error.fmt(f),
            Self::NotTls => f.write_str("the client does not speak TLS"),
            Self::Tls(error) => write!(f, "no TLS with the client: {error}"),
            Self::TlsBusy => f.write_str("too many clients wanted TLS at once"),
            Self::Io(error) => write!(f, "the stream failed: {error}"),
        }
    }
}

impl core::error::Error for HandshakeError {}
