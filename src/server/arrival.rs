//! A client that has come, up to its request.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::{Future, poll_fn, ready};
use core::task::{Poll, ready};
use std::io;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::engine::{Acceptance, Refusal, ServerHandshake, ServerProgress};
use crate::net::WebSocket;
use crate::server::config::Config;
use crate::server::opening::{Opening, Plain, Upgrade, answered};
use crate::server::pace::Pace;
use crate::server::refusing::{
    HandshakeError, Refusing, failed, linger, poll_read_with, turn_away,
};
use crate::server::stream::Stream;
use crate::server::tls::Tls;

/// When a client that was not admitted should try again, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// A client that has been let in or is to be turned away, and has not been heard.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) stream: Stream,
    pub(super) admitted: bool,
    pub(super) since: Instant,
    pub(super) config: Arc<Config>,
    pub(super) pace: Arc<Pace>,
}

impl Arrival {
    /// Speaks TLS, where it is spoken here, and reads the request.
    pub(super) fn read(self) -> impl Future<Output = Result<Opening, HandshakeError>> {
        self.read_and(|opening| Ok(ready(Ok(opening))))
    }

    /// As [`read`](Self::read), and accepts it, in one future.
    pub(super) fn accept_with(
        self,
        acceptance: Acceptance<'_>,
    ) -> impl Future<Output = Result<WebSocket<Stream>, HandshakeError>> {
        self.read_and(|opening| opening.open(acceptance).map(answered))
    }

    /// Reads the request, and goes on with it.
    #[expect(
        clippy::manual_async_fn,
        reason = "a block uses what it captures where that is, and an `async fn` keeps it twice"
    )]
    fn read_and<T, F>(
        mut self,
        then: impl FnOnce(Opening) -> Result<F, Refusing>,
    ) -> impl Future<Output = Result<T, HandshakeError>>
    where
        F: Future<Output = Result<T, HandshakeError>>,
    {
        async move {
            let deadline = self.since + self.config.handshake_timeout();
            if let Some(tls) = self.config.tls() {
                // The state of TLS is large, and few futures need room for it.
                self.stream = Box::pin(accept_tls(self.stream, tls, &self.pace, deadline)).await?;
            }
            let handshake = ServerHandshake::new(self.config.head_limits());
            let read = timeout_at(deadline, read_request(&mut self.stream, handshake)).await;
            let next = match self.decide(read).and_then(then) {
                Ok(next) => next,
                Err(refusing) => return Err(refusing.await),
            };
            next.await
        }
    }

    /// Decides what becomes of what was read.
    fn decide(
        self,
        read: Result<Result<ServerProgress, Failed>, Elapsed>,
    ) -> Result<Opening, Refusing> {
        let refusal = match read {
            Ok(Ok(progress)) if self.admitted => return self.opening(progress),
            Ok(Ok(_)) => Refusal::unavailable(RETRY_AFTER_S),
            Ok(Err(Failed::Refused(refusal))) => refusal,
            Ok(Err(Failed::Io(error))) => return Err(failed(error)),
            Err(_) => Refusal::new(408, "the request took too long"),
        };
        Err(turn_away(self.stream, refusal))
    }

    fn opening(self, progress: ServerProgress) -> Result<Opening, Refusing> {
        let Self {
            mut stream, config, ..
        } = self;
        let head = match &progress {
            ServerProgress::Upgrade(request) => Some(request.head()),
            ServerProgress::Plain(request) => Some(request.head()),
            ServerProgress::More(_) => None,
        };
        if head.is_some_and(|head| !stream.find_client(config.proxies(), head.headers())) {
            return Err(turn_away(stream, Refusal::unavailable(RETRY_AFTER_S)));
        }
        let limits = config.limits();
        Ok(match progress {
            ServerProgress::Upgrade(request) => Opening::Upgrade(Upgrade {
                stream,
                request,
                limits,
            }),
            ServerProgress::Plain(request) => Opening::Plain(Plain { stream, request }),
            ServerProgress::More(_) => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
        })
    }
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

fn read_request(
    stream: &mut Stream,
    handshake: ServerHandshake,
) -> impl Future<Output = Result<ServerProgress, Failed>> {
    let mut handshake = Some(handshake);
    poll_fn(move |cx| {
        loop {
            let heard = |bytes: &[u8]| match handshake.take() {
                Some(handshake) if !bytes.is_empty() => {
                    handshake.receive(bytes).map_err(Failed::Refused)
                }
                _ => Err(Failed::Io(io::ErrorKind::UnexpectedEof.into())),
            };
            match ready!(poll_read_with(cx, stream, heard)).map_err(Failed::Io)?? {
                ServerProgress::More(more) => handshake = Some(more),
                progress => return Poll::Ready(Ok(progress)),
            }
        }
    })
}
