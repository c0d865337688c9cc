//! WebSockets as [`Stream`] and [`Sink`] of messages.
//!
//! The same calls as those with names of their own: what these say about errors and about being
//! dropped holds here too.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::engine::Message;
use crate::net::driver::{Driver, unless_full};
use crate::net::error::Error;
use crate::net::split::{Reader, Writer};
use crate::net::websocket::WebSocket;
use crate::wire::close::{CloseCode, CloseReason};

/// As [`recv`](WebSocket::recv).
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let driver = &mut self.driver;
        Poll::Ready(match ready!(driver.poll_message(cx)) {
            Ok(true) => driver.inbox().take_message().map(Ok),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        })
    }
}

/// As [`recv`](Reader::recv).
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for Reader<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(cx).map(Result::transpose)
    }
}

/// As [`feed`](WebSocket::feed), [`flush`](WebSocket::flush), and
/// [`close`](WebSocket::close) with the code 1000.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocket<S> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.driver.poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        start_send(&mut self.driver, message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.driver.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        begin_close(&mut self.driver)?;
        while ready!(self.driver.poll_incoming(cx))? {}
        Poll::Ready(Ok(()))
    }
}

/// As [`feed`](Writer::feed), [`flush`](Writer::flush), and [`close`](Writer::close) with the
/// code 1000: the reading half sees the end.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for Writer<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_drive(cx, Driver::poll_ready)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.with_driver(|driver| start_send(driver, message))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_drive(cx, Driver::poll_flush)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.with_driver(begin_close)?;
        self.poll_drive(cx, Driver::poll_flush)
    }
}

fn start_send<S>(driver: &mut Driver<S>, message: Message) -> Result<(), Error> {
    let now = driver.clock.now();
    unless_full(driver.connection.send_message(now, message))
}

fn begin_close<S>(driver: &mut Driver<S>) -> Result<(), Error> {
    let reason = CloseReason::new(CloseCode::NORMAL_CLOSURE, "").unwrap_or_else(|_| {
        // 1000 may always be sent.
        CloseReason::empty()
    });
    let now = driver.clock.now();
    driver.connection.close(now, reason).map_err(Error::Misuse)
}
