//! The pump: read, receive, transmit, time out.

mod for_all;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::engine::{Cause, Compress, Connection, Inbox, Kind, Misuse, SendError, Timestamp};
use crate::net::clock::Clock;
use crate::net::error::{Error, TimedOut};
use crate::net::pool;
use crate::net::receiving::Receiving;
use crate::wire::opcode::Opcode;

/// How many slices one vectored write takes at most.
const SLICES_MAX: usize = 64;

/// A connection, its stream, and what is between them.
// In this order, for the sake of the connection's front.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Driver<S> {
    pub(crate) connection: Connection,
    pub(crate) stream: S,
    /// What is received; lent by the thread while there is something.
    receiving: Option<Box<Receiving>>,
    pub(crate) clock: Clock,
    /// Wakes the task for a deadline; made when there first is one.
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether bytes were written that the stream may still hold back.
    unflushed: bool,
    /// How far our end of the stream has been shut down.
    write_end: WriteEnd,
    /// Whether the peer's end of the stream has been seen.
    read_ended: bool,
    /// Whether what ended the connection has been reported.
    reported: bool,
    /// Whether the connection ended before all that was queued had left.
    lost: bool,
    /// What the transport said when it failed.
    failure: Option<io::Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteEnd {
    Open,
    ShutDown,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Joins a connection with its stream; `leftover` has arrived already.
    pub(crate) fn new(stream: S, connection: Connection, leftover: Vec<u8>, clock: Clock) -> Self {
        let receiving = (!leftover.is_empty()).then(|| Receiving::with_bytes(leftover));
        Self {
            stream,
            connection,
            receiving,
            clock,
            sleep: None,
            unflushed: false,
            write_end: WriteEnd::Open,
            read_ended: false,
            reported: false,
            lost: false,
            failure: None,
        }
    }

    /// What is received, to look for more or at what was found.
    pub(crate) fn inbox(&mut self) -> &mut Inbox {
        let receiving = self.receiving.get_or_insert_with(pool::take_receiving);
        &mut receiving.inbox
    }

    /// What was found last, with the connection and the time at which it arrived.
    pub(crate) fn found(&mut self) -> (&mut Inbox, &mut Connection, Timestamp) {
        let receiving = self.receiving.get_or_insert_with(pool::take_receiving);
        let at = receiving.at(self.clock);
        (&mut receiving.inbox, &mut self.connection, at)
    }

    /// Goes on to what the peer said next, messages whole; see [`poll_next`](Self::poll_next).
    pub(crate) fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        self.poll_next(cx, |receiving, connection, clock| {
            receiving.advance(connection, clock).is_some()
        })
    }

    /// Goes on to the next piece of a message.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        loop {
            let found = self.poll_next(cx, |receiving, connection, clock| {
                let at = receiving.at(clock);
                receiving.inbox.advance_piece(connection, at)
            });
            match ready!(found)? {
                true if !self.inbox().is_piece() => {}
                found => return Poll::Ready(Ok(found)),
            }
        }
    }

    /// Goes on to what the peer said next, and says whether there is anything; `false` means
    /// that the connection is closed.
    ///
    /// What was queued is sent before this waits, and only then: the answers to everything that
    /// arrived at once leave at once.
    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        mut advance: impl FnMut(&mut Receiving, &mut Connection, Clock) -> bool,
    ) -> Poll<Result<bool, Error>> {
        loop {
            if let Some(receiving) = &mut self.receiving
                && !receiving.inbox.is_empty()
                && advance(receiving, &mut self.connection, self.clock)
            {
                return Poll::Ready(Ok(true));
            }
            // A full transport does not keep us from reading; it wakes us when there is room.
            let sent = self.poll_send(cx);
            self.shut_down(cx, sent.is_ready());
            if self.connection.is_closed() {
                self.give_buffers_back();
                return Poll::Ready(self.report());
            }
            if self.poll_read(cx).is_ready() {
                // A timer is not asked while there is always more to read.
                self.act_on_time();
            } else if self.poll_deadline(cx).is_pending() {
                self.give_buffers_back();
                return Poll::Pending;
            }
        }
    }

    /// Reads once. Ready when the loop should look again.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.read_ended || self.connection.is_closed() {
            return Poll::Pending;
        }
        let receiving = self.receiving.get_or_insert_with(pool::take_receiving);
        let to_come = self.connection.frame_bytes_to_come();
        if receiving.inbox.is_full() {
            pool::lend_read(receiving, to_come);
        }
        let mut buffer = ReadBuf::new(receiving.inbox.space(to_come));
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
            Ok(()) => match buffer.filled().len() {
                0 => self.end_reading(),
                n => {
                    receiving.filled(n);
                    let sending = &mut receiving.sending;
                    self.connection
                        .lend_send_buffer_with(|| sending.take().unwrap_or_default());
                }
            },
            Err(error) => self.fail(error),
        }
        Poll::Ready(())
    }

    fn end_reading(&mut self) {
        self.read_ended = true;
        self.connection.receive_eof(self.clock.now());
    }

    /// The transport failed. Once both ends have said Close, that is just the end of it.
    fn fail(&mut self, error: io::Error) {
        if !self.connection.is_discarding() {
            self.failure.get_or_insert(error);
        }
        self.read_ended = true;
        self.losing(|it| it.connection.give_up_transport());
    }

    /// Sends what is queued. Ready when nothing waits any more.
    #[inline]
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.unflushed || self.connection.buffered_bytes() > 0 {
            true => self.poll_send_all(cx),
            false => Poll::Ready(()),
        }
    }

    fn poll_send_all(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.connection.buffered_bytes() > 0 {
            let stream = Pin::new(&mut self.stream);
            let written = match self.connection.transmit_whole() {
                Some(bytes) => stream.poll_write(cx, bytes),
                None => write(stream, cx, self.connection.transmit()),
            };
            if self.connection.is_watched() {
                let now = self.clock.now();
                self.connection.note_stalled(now, written.is_pending());
            }
            match ready!(written) {
                Ok(0) => self.fail(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    self.unflushed = true;
                    self.connection.transmitted(n);
                }
                Err(error) => self.fail(error),
            }
        }
        if self.unflushed {
            ready!(self.poll_flush_stream(cx));
            if let Some(buffer) = self.connection.take_returned_buffer() {
                pool::give_read(buffer);
            }
        }
        Poll::Ready(())
    }

    /// Has the stream pass on what it may still hold back.
    #[inline]
    fn poll_flush_stream(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Err(error) = ready!(Pin::new(&mut self.stream).poll_flush(cx)) {
            self.fail(error);
        }
        self.unflushed = false;
        Poll::Ready(())
    }

    /// Shuts the write side down once the connection asks for it and everything is sent.
    ///
    /// It is begun again with each poll until it is done, and nobody waits for it alone: once
    /// the connection is closed, dropping the stream ends it just as well.
    fn shut_down(&mut self, cx: &mut Context<'_>, sent: bool) {
        if self.write_end == WriteEnd::Open && sent && self.connection.should_end_stream() {
            // A stream that cannot be shut down any more has been.
            if Pin::new(&mut self.stream).poll_shutdown(cx).is_ready() {
                self.write_end = WriteEnd::ShutDown;
            }
        }
    }

    /// Ready when a deadline has passed and been acted upon.
    #[inline]
    pub(crate) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.connection.poll_timeout() {
            Some(at) => self.poll_sleep(cx, self.clock.instant(at)),
            None => Poll::Pending,
        }
    }

    #[inline(never)]
    fn poll_sleep(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        // Deadlines mostly move into the future: the old one may ring, and is set anew then.
        if at < sleep.deadline() {
            sleep.as_mut().reset(at);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if at <= Instant::now() {
                break;
            }
            sleep.as_mut().reset(at);
        }
        self.act_on_time();
        Poll::Ready(())
    }

    /// Acts upon a deadline that has passed.
    #[inline]
    fn act_on_time(&mut self) {
        if self.connection.poll_timeout().is_some() {
            self.losing(|it| it.connection.timeout(it.clock.now()));
        }
    }

    /// Takes note when `end` ends the connection before all that was queued has left.
    fn losing(&mut self, end: impl FnOnce(&mut Self)) {
        let waits = self.connection.buffered_bytes() > 0;
        end(self);
        self.lost |= waits && self.connection.is_closed();
    }

    /// Waits until everything queued has been handed to the transport.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if self.poll_send(cx).is_ready() {
                self.check_failure()?;
                // Whoever is told that everything was sent must not have lost any of it.
                return Poll::Ready(match self.lost {
                    true => Err(Error::Misuse(Misuse::Closing)),
                    false => Ok(()),
                });
            }
            ready!(self.poll_deadline(cx));
        }
    }

    /// Waits until a message would not be refused as full.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.connection.is_full() {
            return Poll::Ready(Ok(()));
        }
        loop {
            let sent = self.poll_send(cx);
            if sent.is_ready() || self.connection.is_drained() {
                return Poll::Ready(self.check_failure());
            }
            ready!(self.poll_deadline(cx));
        }
    }

    /// Goes on to the next message; `false` means that the connection is closed.
    pub(crate) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        loop {
            match ready!(self.poll_incoming(cx))? {
                true if self.inbox().is_message() => return Poll::Ready(Ok(true)),
                true => {}
                false => return Poll::Ready(Ok(false)),
            }
        }
    }

    /// Has what arrives answered until the connection is closed. `answer` goes on to the next
    /// thing, answers it where it is one to be answered, and says whether there was anything.
    pub(crate) fn poll_serve(
        &mut self,
        cx: &mut Context<'_>,
        mut answer: impl FnMut(&mut Receiving, &mut Connection, Clock) -> bool,
    ) -> Poll<Result<(), Error>> {
        loop {
            ready!(self.poll_ready(cx))?;
            let is_full = self.poll_next(cx, |receiving, connection, clock| {
                while !connection.is_full() {
                    if !answer(receiving, connection, clock) {
                        return false;
                    }
                }
                true
            });
            if !ready!(is_full)? {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Has what arrives heard until the connection is closed, however much waits to be sent;
    /// `hear` is as `answer` of [`poll_serve`](Self::poll_serve).
    pub(crate) fn poll_hear(
        &mut self,
        cx: &mut Context<'_>,
        mut hear: impl FnMut(&mut Receiving, &mut Connection, Clock) -> bool,
    ) -> Poll<Result<(), Error>> {
        let heard = self.poll_next(cx, |receiving, connection, clock| {
            while hear(receiving, connection, clock) {}
            false
        });
        heard.map_ok(drop)
    }

    /// Waits until the outbox has drained to its low mark.
    pub(crate) fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.connection.is_drained() {
            if self.poll_send(cx).is_pending() && !self.connection.is_drained() {
                ready!(self.poll_deadline(cx));
            }
        }
        Poll::Ready(self.check_failure())
    }

    /// Queues a fragment of a message once there is room for it.
    pub(crate) fn poll_fragment(
        &mut self,
        cx: &mut Context<'_>,
        (kind, compress): (Kind, Compress),
        fragment: &[u8],
        last: bool,
    ) -> Poll<Result<(), Error>> {
        ready!(self.poll_ready(cx))?;
        let (now, connection) = (self.clock.now(), &mut self.connection);
        let sent = connection.send_fragment_with(now, kind, fragment, last, compress);
        Poll::Ready(unless_full(sent))
    }

    /// Queues a Ping or a Pong once there is room for it.
    pub(crate) fn poll_control(
        &mut self,
        cx: &mut Context<'_>,
        opcode: Opcode,
        payload: &[u8],
    ) -> Poll<Result<(), Error>> {
        let queue = |connection: &mut Connection| match opcode {
            Opcode::Pong => connection.pong(payload),
            _ => connection.ping(payload),
        };
        match queue(&mut self.connection) {
            Err(SendError::Full) => {
                ready!(self.poll_flush(cx))?;
                Poll::Ready(unless_full(queue(&mut self.connection)))
            }
            sent => Poll::Ready(unless_full(sent)),
        }
    }

    /// An error if the connection has ended otherwise than by the closing handshake.
    fn check_failure(&mut self) -> Result<(), Error> {
        if self.connection.is_closed() {
            self.report().map(drop)
        } else {
            Ok(())
        }
    }

    /// What ended the connection: once, as an error where it is one.
    fn report(&mut self) -> Result<bool, Error> {
        if core::mem::replace(&mut self.reported, true) {
            return Ok(false);
        }
        if let Some(error) = self.failure.take() {
            return Err(Error::Io(error));
        }
        match self
            .connection
            .closure()
            .and_then(|closure| closure.cause())
        {
            Some(Cause::Violation(violation)) => Err(Error::Violation(violation)),
            Some(Cause::EndOfStream) => Err(Error::EndOfStream),
            Some(Cause::CloseTimeout) => Err(Error::TimedOut(TimedOut::Close)),
            Some(Cause::NoPong) => Err(Error::TimedOut(TimedOut::Pong)),
            _ => Ok(false),
        }
    }

    /// An idle connection holds no buffers: its thread keeps them for whoever is next.
    fn give_buffers_back(&mut self) {
        let is_within = self.connection.is_within_message();
        let sending = self.connection.take_send_buffer();
        match self.receiving.take() {
            Some(mut receiving) if receiving.inbox.is_empty() && !is_within => {
                receiving.sending = sending.or(receiving.sending);
                pool::give_receiving(receiving);
            }
            Some(mut receiving) => {
                receiving.sending = None;
                if let Some(buffer) = receiving.inbox.take_buffer() {
                    pool::give_read(buffer);
                }
                self.receiving = Some(receiving);
            }
            None => {}
        }
    }
}

/// Writes as many of the bytes as one call takes.
fn write<'b>(
    stream: Pin<&mut impl AsyncWrite>,
    cx: &mut Context<'_>,
    mut bytes: impl Iterator<Item = &'b [u8]>,
) -> Poll<io::Result<usize>> {
    let first = bytes.next().unwrap_or_default();
    let Some(second) = bytes.next() else {
        return stream.poll_write(cx, first);
    };
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut count = 0;
    for (slot, bytes) in slices
        .iter_mut()
        .zip([first, second].into_iter().chain(bytes))
    {
        *slot = IoSlice::new(bytes);
        count += 1;
    }
    stream.poll_write_vectored(cx, &slices[..count])
}

/// A send error where being full has been ruled out.
pub(crate) fn unless_full(sent: Result<(), SendError>) -> Result<(), Error> {
    match sent {
        Ok(()) => Ok(()),
        Err(SendError::Misuse(misuse)) => Err(Error::Misuse(misuse)),
        // Room was awaited with nobody else sending, so this means that nothing will be sent.
        Err(SendError::Full) => Err(Error::Misuse(Misuse::Closing)),
    }
}
