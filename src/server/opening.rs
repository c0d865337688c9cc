//! A request that has arrived and is to be answered.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::task::{Poll, ready};
use std::io;

use crate::engine::{Acceptance, Limits, PlainRequest, Refusal, Timestamp, UpgradeRequest};
use crate::net::WebSocket;
use crate::server::refusing::{HandshakeError, Refusing, refuse, turn_away};
use crate::server::stream::Stream;
use crate::wire::http::RequestHead;

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
        match self.open(acceptance) {
            // In a box of its own, it takes no room in the task that goes on for long.
            Ok(socket) => Box::pin(answered(socket)).await,
            Err(refusing) => Err(refusing.await),
        }
    }

    /// The connection, with an answer that is to be sent; or what refuses the client.
    pub(super) fn open(self, acceptance: Acceptance<'_>) -> Result<WebSocket<Stream>, Refusing> {
        match self {
            Self::Upgrade(upgrade) => upgrade.open(acceptance),
            Self::Plain(plain) => Err(turn_away(plain.stream, plain.request.refusal())),
        }
    }
}

/// Sends the answer of a connection that was opened.
pub(super) fn answered(
    socket: WebSocket<Stream>,
) -> impl Future<Output = Result<WebSocket<Stream>, HandshakeError>> {
    let mut socket = Some(socket);
    poll_fn(move |cx| {
        if let Some(socket) = &mut socket {
            ready!(socket.driver.poll_flush(cx)).map_err(|error| match error {
                crate::net::Error::Io(error) => HandshakeError::Io(error),
                other => HandshakeError::Io(io::Error::other(other)),
            })?;
        }
        // It is polled to its end once.
        let socket = socket.take();
        Poll::Ready(socket.ok_or_else(|| HandshakeError::Io(io::ErrorKind::UnexpectedEof.into())))
    })
}

/// A valid request to open a WebSocket, waiting for the answer.
#[derive(Debug)]
pub struct Upgrade {
    pub(super) stream: Stream,
    pub(super) request: Box<UpgradeRequest>,
    pub(super) limits: Arc<Limits>,
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
        Opening::Upgrade(self).accept_with(acceptance).await
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
                turn_away(stream, internal).await;
                HandshakeError::Accept(error)
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
            Err(refusal) => Err(turn_away(self.stream, refusal).await),
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
    pub(super) stream: Stream,
    pub(super) request: Box<PlainRequest>,
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

fn sent(refused: HandshakeError) -> io::Result<()> {
    match refused {
        HandshakeError::Io(error) => Err(error),
        _ => Ok(()),
    }
}
