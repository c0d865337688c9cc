//! A WebSocket over a stream.

mod sending;

use alloc::boxed::Box;
use alloc::string::String;
use core::future::{Future, poll_fn};
use core::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::engine::{
    Closure, Connection, Inbox, Incoming, Lent, Message, Misuse, Observer, Piece, ReadyState,
    Statistics,
};
use crate::net::clock::Clock;
use crate::net::driver::Driver;
use crate::net::error::Error;
use crate::net::exchange::{Exchange, Heard, PieceExchange, Reply};
use crate::net::receiving::Receiving;
use crate::wire::close::{CloseCode, CloseReason};

/// An open WebSocket over any stream of bytes.
///
/// Pings are answered, Close frames are answered, deadlines are kept and queued messages are
/// sent while a call is awaited here, [`recv`](Self::recv) above all: keep one awaited.
///
/// Messages are sent in two steps. [`feed`](Self::feed) queues; [`flush`](Self::flush) hands
/// what is queued to the stream, as `recv` does before it waits. So the answers to many messages
/// that arrived together leave in one write. [`send`](Self::send) is both steps.
#[derive(Debug)]
pub struct WebSocket<S> {
    pub(crate) driver: Driver<S>,
    pub(crate) subprotocol: Option<Box<str>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Joins a connection with its stream. `leftover` is what arrived behind the handshake.
    ///
    /// `now` of the connection must have been
    /// [`Timestamp::ZERO`](crate::engine::Timestamp::ZERO): its time begins here.
    pub fn new(stream: S, connection: Connection, leftover: alloc::vec::Vec<u8>) -> Self {
        Self {
            driver: Driver::new(stream, connection, leftover, Clock::new()),
            subprotocol: None,
        }
    }

    /// Notes the subprotocol that the handshake agreed on.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: Option<String>) -> Self {
        self.subprotocol = subprotocol.map(String::into_boxed_str);
        self
    }

    /// The next message; `None` once the connection is closed.
    ///
    /// When the peer says Close, or breaks the protocol, this completes the closing handshake
    /// and ends the stream before it returns; [`closure`](Self::closure) then tells how it went.
    ///
    /// # Errors
    ///
    /// Once, what ended the connection if it was not the closing handshake; `None` afterwards.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        let found = poll_fn(|cx| self.driver.poll_message(cx)).await?;
        Ok(if found {
            self.driver.inbox().take_message()
        } else {
            None
        })
    }

    /// The next message, lent from the receive buffer until the next call.
    ///
    /// Nothing is allocated for it. Otherwise it is as [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection.
    pub async fn recv_lent(&mut self) -> Result<Option<Lent<'_>>, Error> {
        let found = poll_fn(|cx| self.driver.poll_message(cx)).await?;
        Ok(if found {
            self.driver.inbox().lent()
        } else {
            None
        })
    }

    /// The next message, lent, with the means to answer it at once.
    ///
    /// Waits first until an answer can be queued: a peer that does not read what it is sent is
    /// not read from either. Otherwise it is as [`recv_lent`](Self::recv_lent).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection.
    pub async fn recv_exchange(&mut self) -> Result<Option<Exchange<'_>>, Error> {
        let found = poll_fn(|cx| {
            ready!(self.driver.poll_ready(cx))?;
            self.driver.poll_message(cx)
        })
        .await?;
        if !found {
            return Ok(None);
        }
        let (inbox, connection, now) = self.driver.found();
        let message = inbox.lent();
        Ok(message.map(|message| Exchange::new(message, Reply::new(connection, now, false))))
    }

    /// Has every message answered by `answer` until the connection is closed.
    ///
    /// `answer` is called for each message that has arrived, one after the other with nothing
    /// awaited in between; their answers leave together before more is awaited. A peer that does
    /// not read what it is sent is not read from either. It is what
    /// [`recv_exchange`](Self::recv_exchange) in a loop does, at less cost for each message.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection, and so do answers that have not
    /// left.
    pub fn serve(
        &mut self,
        mut answer: impl FnMut(Exchange<'_>),
    ) -> impl Future<Output = Result<(), Error>> {
        // No `async fn`, which would hold its arguments twice: this is held by a connection for
        // as long as it is idle.
        poll_fn(move |cx| {
            self.driver.poll_serve(cx, |receiving, connection, clock| {
                exchange(receiving, connection, clock, true, &mut answer)
            })
        })
    }

    /// Has every message heard that has arrived, and what is queued sent, for others too: an
    /// outbox that is full does not keep the peer from being heard.
    pub(crate) fn poll_hear(
        &mut self,
        cx: &mut Context<'_>,
        hear: &mut impl FnMut(Exchange<'_>),
    ) -> Poll<Result<(), Error>> {
        self.driver.poll_hear(cx, |receiving, connection, clock| {
            exchange(receiving, connection, clock, false, hear)
        })
    }

    /// Has every message answered as it arrives until the connection is closed: whole where it
    /// fits into the buffer in which it is received, of almost 64 KiB, and otherwise piece by
    /// piece.
    ///
    /// So a message of any size is passed on in memory that the processor still has at hand, and
    /// no more of it is held. Otherwise it is as [`serve`](Self::serve).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// As [`serve`](Self::serve).
    pub fn serve_pieces(
        &mut self,
        mut answer: impl FnMut(PieceExchange<'_>),
    ) -> impl Future<Output = Result<(), Error>> {
        poll_fn(move |cx| {
            self.driver.poll_serve(cx, |receiving, connection, clock| {
                exchange_piece(receiving, connection, clock, &mut answer)
            })
        })
    }

    /// The next message, or word that the outbox has drained to its low mark after it was full:
    /// for a task that sends what others say while it listens.
    ///
    /// Otherwise it is as [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection.
    pub async fn recv_or_room(&mut self) -> Result<Heard, Error> {
        let was_full = self.is_full();
        let driver = &mut self.driver;
        let found = poll_fn(|cx| match driver.poll_message(cx) {
            Poll::Pending if was_full && driver.connection.is_drained() => Poll::Ready(Ok(None)),
            polled => polled.map_ok(Some),
        })
        .await?;
        Ok(match found {
            None => Heard::Room,
            Some(false) => Heard::End,
            Some(true) => self
                .driver
                .inbox()
                .take_message()
                .map_or(Heard::Room, Heard::Message),
        })
    }

    /// The next piece of a message; `None` once the connection is closed.
    ///
    /// For messages that are larger than memory: nothing is put together, and what is not asked
    /// for is not read. Text is checked as it comes. Set
    /// [`message_bytes_max`](crate::engine::Limits::message_bytes_max) and
    /// [`fragments_max`](crate::engine::Limits::fragments_max) to what may come. A message that
    /// is begun with this is taken to its end with this; [`recv`](Self::recv) would return the
    /// rest of it as a message.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection.
    pub async fn recv_piece(&mut self) -> Result<Option<Piece<'_>>, Error> {
        let found = poll_fn(|cx| self.driver.poll_piece(cx)).await?;
        Ok(match self.driver.inbox().incoming() {
            Some(Incoming::Piece(piece)) if found => Some(piece),
            _ => None,
        })
    }

    /// Whether messages are refused as full until the outbox drains.
    pub fn is_full(&self) -> bool {
        self.driver.connection.is_full()
    }

    /// The next thing that the peer says, control frames included; `None` once the connection is
    /// closed.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection.
    pub async fn recv_event(&mut self) -> Result<Option<Incoming<'_>>, Error> {
        let found = poll_fn(|cx| self.driver.poll_incoming(cx)).await?;
        Ok(if found {
            self.driver.inbox().incoming()
        } else {
            None
        })
    }

    /// Closes the connection: sends what is queued, then Close, awaits the peer's, and ends the
    /// stream in the order that RFC 6455 §7.1.1 gives.
    ///
    /// Messages that arrive meanwhile are dropped; whoever wants them calls
    /// [`begin_close`](Self::begin_close) and then [`recv`](Self::recv) until the end.
    ///
    /// # Errors
    ///
    /// [`Misuse::CloseReason`] for a code or reason that may not be sent, with the connection as
    /// it was; otherwise what ended the connection, if it was not the closing handshake.
    ///
    /// # Cancel safety
    ///
    /// The closing has begun, and goes on with the next call that is awaited.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<Closure, Error> {
        self.begin_close(code, reason)?;
        while poll_fn(|cx| self.driver.poll_incoming(cx)).await? {}
        self.closure().cloned().ok_or(Error::EndOfStream)
    }

    /// Queues the Close frame; [`recv`](Self::recv) carries the closing out.
    ///
    /// # Errors
    ///
    /// [`Misuse`], with the connection as it was.
    pub fn begin_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Misuse> {
        let reason = CloseReason::new(code, reason).map_err(Misuse::CloseReason)?;
        self.driver
            .connection
            .close(self.driver.clock.now(), reason)
    }

    /// Queues a Close frame without a code; see [`begin_close`](Self::begin_close).
    pub fn begin_close_without_code(&mut self) {
        // Without a code there is nothing to refuse.
        let _ = self
            .driver
            .connection
            .close(self.driver.clock.now(), CloseReason::empty());
    }

    /// Ends the connection at once, without a handshake, and gives the stream back.
    pub fn terminate(mut self) -> S {
        self.driver.connection.terminate();
        self.driver.stream
    }

    /// How the connection is closing or has closed; `None` while it is open.
    pub fn closure(&self) -> Option<&Closure> {
        self.driver.connection.closure()
    }

    /// The state in the terms of browsers.
    pub const fn ready_state(&self) -> ReadyState {
        self.driver.connection.ready_state()
    }

    /// The extension that was negotiated with its parameters, as in the header of the handshake.
    pub fn extension(&self) -> Option<String> {
        self.driver.connection.extension()
    }

    /// Begins to keep [`statistics`](Self::statistics).
    pub fn keep_statistics(&mut self) {
        self.driver.connection.keep_statistics();
    }

    /// What has passed since [`keep_statistics`](Self::keep_statistics); `None` without it, and
    /// then nothing is counted.
    pub fn statistics(&self) -> Option<&Statistics> {
        self.driver.connection.statistics()
    }

    /// Has `observer` told what happens from now on.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.driver.connection.observe(observer);
    }

    /// The subprotocol in use.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Bytes that are queued and have not been handed to the stream.
    pub fn buffered_bytes(&self) -> usize {
        self.driver.connection.buffered_bytes()
    }

    /// The engine, to be asked.
    pub const fn connection(&self) -> &Connection {
        &self.driver.connection
    }

    /// The stream.
    pub const fn stream(&self) -> &S {
        &self.driver.stream
    }
}

/// Goes on to what was said next, and has `answer` answer it if it is a message. Says whether
/// there was anything. `has_room` where the outbox is not full.
#[inline]
fn exchange(
    receiving: &mut Receiving,
    connection: &mut Connection,
    clock: Clock,
    has_room: bool,
    answer: &mut impl FnMut(Exchange<'_>),
) -> bool {
    // One call for both, so that it is compiled into this.
    let (at, message) = match receiving.small(connection, clock) {
        Some((at, message)) => (at, message),
        None => {
            if receiving.is_spent(connection) {
                return false;
            }
            match receiving.any(connection, clock, Inbox::advance, Inbox::lent) {
                Some((at, Some(message))) => (at, message),
                other => return other.is_some(),
            }
        }
    };
    answer(Exchange::new(message, Reply::new(connection, at, has_room)));
    true
}

/// As [`exchange`] where the outbox is not full, with a piece where the message does not fit.
#[inline]
fn exchange_piece(
    receiving: &mut Receiving,
    connection: &mut Connection,
    clock: Clock,
    answer: &mut impl FnMut(PieceExchange<'_>),
) -> bool {
    let (at, piece) = match receiving.small(connection, clock) {
        Some((at, message)) => (at, message.into()),
        None => {
            if receiving.is_spent(connection) {
                return false;
            }
            match receiving.any(connection, clock, Inbox::advance_fitting, Inbox::lent_piece) {
                Some((at, Some(piece))) => (at, piece),
                other => return other.is_some(),
            }
        }
    };
    answer(PieceExchange::new(piece, Reply::new(connection, at, true)));
    true
}
