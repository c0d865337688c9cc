//! Two halves of one WebSocket, for two tasks.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use bytes::Bytes;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::engine::{
    Closure, Compress, Incoming, Kind, Message, Misuse, Piece, Prepared, SendError,
};
use crate::net::driver::{Driver, unless_full};
use crate::net::error::Error;
use crate::net::websocket::WebSocket;
use crate::wire::close::{CloseCode, CloseReason};
use crate::wire::opcode::Opcode;

/// The half that receives. It also sends what is queued, Pongs and Close frames included.
#[derive(Debug)]
pub struct Reader<S> {
    shared: Arc<Shared<S>>,
}

/// The half that sends. It does not read while there is a reading half: Pings are answered, and
/// closing goes on, while that is awaited.
///
/// When the reading half has been dropped, this one does its work: what is awaited here answers
/// Pings and the peer's Close, and drops the messages that arrive.
#[derive(Debug)]
pub struct Writer<S> {
    shared: Arc<Shared<S>>,
}

#[derive(Debug)]
struct Shared<S> {
    /// Held while polling, never across an await.
    driver: Mutex<Driver<S>>,
    wakers: Arc<Wakers>,
    subprotocol: Option<Box<str>>,
}

/// Wakes both halves. The stream keeps one waker for each direction, and either half may be the
/// last to have polled it: whoever it wakes must reach both.
#[derive(Debug, Default)]
struct Wakers {
    reader: Mutex<Option<Waker>>,
    writer: Mutex<Option<Waker>>,
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        for half in [&self.reader, &self.writer] {
            if let Some(waker) = lock(half).as_ref() {
                waker.wake_by_ref();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S> WebSocket<S> {
    /// Makes two halves that two tasks can use.
    pub fn split(self) -> (Reader<S>, Writer<S>) {
        let shared = Arc::new(Shared {
            driver: Mutex::new(self.driver),
            wakers: Arc::default(),
            subprotocol: self.subprotocol,
        });
        (
            Reader {
                shared: Arc::clone(&shared),
            },
            Writer { shared },
        )
    }
}

/// Makes one WebSocket of its two halves again.
///
/// # Errors
///
/// The halves, if they are not of one WebSocket.
fn reunite<S>(
    reader: Reader<S>,
    writer: Writer<S>,
) -> Result<WebSocket<S>, (Reader<S>, Writer<S>)> {
    if !Arc::ptr_eq(&reader.shared, &writer.shared) {
        return Err((reader, writer));
    }
    drop(reader);
    match Arc::try_unwrap(writer.shared) {
        Ok(shared) => Ok(WebSocket {
            driver: shared
                .driver
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            subprotocol: shared.subprotocol,
        }),
        // There are only the two.
        Err(shared) => Err((
            Reader {
                shared: Arc::clone(&shared),
            },
            Writer { shared },
        )),
    }
}

impl<S> Shared<S> {
    /// Polls the driver for one half, so that whatever happens wakes both.
    fn poll<T>(
        &self,
        half: &Mutex<Option<Waker>>,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Driver<S>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        lock(half)
            .get_or_insert_with(|| cx.waker().clone())
            .clone_from(cx.waker());
        let waker = Waker::from(Arc::clone(&self.wakers));
        let mut driver = lock(&self.driver);
        let was_closed = driver.connection.is_closed();
        let polled = poll(&mut driver, &mut Context::from_waker(&waker));
        let has_ended = driver.connection.is_closed() && !was_closed;
        drop(driver);
        if has_ended {
            // What the other half waits for does not come any more, and nothing else says so.
            self.wakers.wake_by_ref();
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Reader<S> {
    /// The next message; `None` once the connection is closed.
    /// See [`WebSocket::recv`](crate::net::WebSocket::recv).
    ///
    /// # Errors
    ///
    /// Once, what ended the connection if it was not the closing handshake.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The next piece of a message, owned; `None` once the connection is closed.
    /// See [`WebSocket::recv_piece`](crate::net::WebSocket::recv_piece).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection.
    pub async fn recv_piece(&mut self) -> Result<Option<OwnedPiece>, Error> {
        let shared = &self.shared;
        poll_fn(|cx| {
            shared.poll(&shared.wakers.reader, cx, |driver, cx| {
                driver
                    .poll_piece(cx)
                    .map_ok(|_| match driver.inbox().incoming() {
                        Some(Incoming::Piece(piece)) => Some(OwnedPiece::from(piece)),
                        _ => None,
                    })
            })
        })
        .await
    }

    /// How the connection is closing or has closed.
    pub fn closure(&self) -> Option<Closure> {
        lock(&self.shared.driver).connection.closure().cloned()
    }

    /// The subprotocol in use.
    pub fn subprotocol(&self) -> Option<&str> {
        self.shared.subprotocol.as_deref()
    }

    /// Makes one WebSocket of its two halves again.
    ///
    /// # Errors
    ///
    /// The halves, if they are not of one WebSocket.
    pub fn reunite(self, writer: Writer<S>) -> Result<WebSocket<S>, (Self, Writer<S>)> {
        reunite(self, writer)
    }

    pub(crate) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, Error>> {
        let shared = &self.shared;
        shared.poll(&shared.wakers.reader, cx, |driver, cx| {
            driver.poll_message(cx).map_ok(|found| match found {
                true => driver.inbox().take_message(),
                false => None,
            })
        })
    }
}

/// A piece of a message, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnedPiece {
    /// Whether the message is text or binary.
    pub kind: Kind,
    /// The bytes; empty only at the end of a message.
    pub bytes: Bytes,
    /// Whether the message begins with this piece.
    pub first: bool,
    /// Whether the message ends with this piece.
    pub last: bool,
}

impl From<Piece<'_>> for OwnedPiece {
    fn from(piece: Piece<'_>) -> Self {
        Self {
            kind: piece.kind,
            bytes: Bytes::copy_from_slice(piece.bytes),
            first: piece.first,
            last: piece.last,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Writer<S> {
    async fn drive<T>(
        &self,
        mut poll: impl FnMut(&mut Driver<S>, &mut Context<'_>) -> Poll<Result<T, Error>>,
    ) -> Result<T, Error> {
        poll_fn(|cx| self.poll_drive(cx, &mut poll)).await
    }

    /// Does something with the connection that the other half should know of.
    pub(crate) fn with_driver<T>(&self, act: impl FnOnce(&mut Driver<S>) -> T) -> T {
        let done = act(&mut lock(&self.shared.driver));
        // It may be waiting for something else than, say, the closing's deadline.
        self.shared.wakers.wake_by_ref();
        done
    }

    /// Polls the driver for this half, and in place of the reading half where that is gone.
    pub(crate) fn poll_drive<T>(
        &self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Driver<S>, &mut Context<'_>) -> Poll<Result<T, Error>>,
    ) -> Poll<Result<T, Error>> {
        let shared = &self.shared;
        let is_alone = Arc::strong_count(shared) == 1;
        shared.poll(&shared.wakers.writer, cx, |driver, cx| {
            let polled = poll(driver, cx);
            if is_alone && polled.is_pending() {
                loop {
                    match driver.poll_incoming(cx) {
                        Poll::Ready(Ok(true)) => {}
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        // The end may be what is waited for.
                        Poll::Ready(Ok(false)) => return poll(driver, cx),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            }
            polled
        })
    }

    /// Queues a message and hands everything queued to the stream.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::send`](crate::net::WebSocket::send).
    ///
    /// # Cancel safety
    ///
    /// A message is queued whole or not at all.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues a message; waits only while the outbox is full. It is sent with the next
    /// [`flush`](Self::flush), or before that when the reading half has something to do.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// A message is queued whole or not at all.
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let message = message.into();
        self.drive(|driver, cx| {
            core::task::ready!(driver.poll_ready(cx))?;
            let now = driver.clock.now();
            Poll::Ready(unless_full(
                driver.connection.send_message(now, message.clone()),
            ))
        })
        .await
    }

    /// Queues a message that was encoded once for many connections, now or not at all.
    ///
    /// # Errors
    ///
    /// [`SendError`]; the message is not queued then.
    pub fn try_feed_prepared(&mut self, message: &Prepared) -> Result<(), SendError> {
        let mut driver = lock(&self.shared.driver);
        let now = driver.clock.now();
        driver.connection.send_prepared(now, message)
    }

    /// Sends a fragment of a message; see
    /// [`Connection::send_fragment`](crate::engine::Connection::send_fragment).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and for fragments that do not fit together.
    ///
    /// # Cancel safety
    ///
    /// A fragment is queued whole or not at all.
    pub async fn send_fragment(
        &mut self,
        kind: Kind,
        fragment: &[u8],
        last: bool,
    ) -> Result<(), Error> {
        let wish = (kind, Compress::Auto);
        self.drive(|driver, cx| driver.poll_fragment(cx, wish, fragment, last))
            .await?;
        self.flush().await
    }

    /// Sends a Ping of at most 125 bytes.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`Misuse::ControlTooLong`].
    ///
    /// # Cancel safety
    ///
    /// The Ping is queued whole or not at all.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.drive(|driver, cx| driver.poll_control(cx, Opcode::Ping, payload))
            .await?;
        self.flush().await
    }

    /// Waits until everything queued has been handed to the stream.
    ///
    /// # Errors
    ///
    /// What ended the connection.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has not been sent stays queued.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.drive(|driver, cx| driver.poll_flush(cx)).await
    }

    /// Begins the closing handshake and sends the Close frame. The reading half carries the
    /// closing out and sees its end.
    ///
    /// # Errors
    ///
    /// [`Misuse::CloseReason`] with the connection as it was, or what ended the connection.
    ///
    /// # Cancel safety
    ///
    /// The closing has begun, and goes on with the next call that is awaited on either half.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let reason = CloseReason::new(code, reason).map_err(Misuse::CloseReason)?;
        self.with_driver(|driver| {
            let now = driver.clock.now();
            driver.connection.close(now, reason)
        })?;
        self.flush().await
    }

    /// Waits until the connection is closed, and tells how. Where the reading half has been
    /// dropped, this is what answers Pings and Close frames for it.
    ///
    /// # Errors
    ///
    /// What ended the connection, unless it has been told before.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost but messages, and those only without a reading half.
    pub async fn closed(&mut self) -> Result<Option<Closure>, Error> {
        self.drive(|driver, cx| {
            let _ = driver.poll_send(cx);
            match driver.connection.is_closed() {
                true => Poll::Ready(Ok(driver.connection.closure().cloned())),
                false => Poll::Pending,
            }
        })
        .await
    }

    /// Ends the connection at once, without a handshake. The stream is dropped with the halves.
    pub fn terminate(&mut self) {
        self.with_driver(|driver| driver.connection.terminate());
    }

    /// Bytes that are queued and have not been handed to the stream.
    pub fn buffered_bytes(&self) -> usize {
        lock(&self.shared.driver).connection.buffered_bytes()
    }

    /// Makes one WebSocket of its two halves again.
    ///
    /// # Errors
    ///
    /// The halves, if they are not of one WebSocket.
    pub fn reunite(self, reader: Reader<S>) -> Result<WebSocket<S>, (Reader<S>, Self)> {
        reunite(reader, self)
    }
}
