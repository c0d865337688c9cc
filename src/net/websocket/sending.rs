//! Sending, in two steps: queue and flush.

use core::future::poll_fn;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::engine::{Compress, Kind, Message, Prepared, SendError};
use crate::net::driver::unless_full;
use crate::net::error::Error;
use crate::net::websocket::WebSocket;
use crate::wire::opcode::Opcode;

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Queues a message and hands everything queued to the stream.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] when the connection is closing or a fragmented message is unfinished;
    /// otherwise what ended the connection.
    ///
    /// # Cancel safety
    ///
    /// A message is queued whole or not at all. Where it must be known which, use
    /// [`ready`](Self::ready), [`try_feed`](Self::try_feed) and [`flush`](Self::flush).
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues a message, to be sent with the next [`flush`](Self::flush) or when
    /// [`recv`](Self::recv) waits. Waits itself only while the outbox is full.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let message = message.into();
        self.ready().await?;
        let now = self.driver.clock.now();
        unless_full(self.driver.connection.send_message(now, message))
    }

    /// As [`send`](Self::send), with a wish whether the message is to be compressed.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_with(
        &mut self,
        message: impl Into<Message>,
        compress: Compress,
    ) -> Result<(), Error> {
        let message = message.into();
        self.ready().await?;
        let now = self.driver.clock.now();
        let connection = &mut self.driver.connection;
        unless_full(connection.send_message_with(now, message, compress))?;
        self.flush().await
    }

    /// Queues a message now or not at all.
    ///
    /// # Errors
    ///
    /// [`SendError`]; the message is not queued then.
    pub fn try_feed(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let now = self.driver.clock.now();
        self.driver.connection.send_message(now, message.into())
    }

    /// Queues a message that was encoded once for many connections.
    ///
    /// # Errors
    ///
    /// [`SendError`]; the message is not queued then.
    pub fn try_feed_prepared(&mut self, message: &Prepared) -> Result<(), SendError> {
        let now = self.driver.clock.now();
        self.driver.connection.send_prepared(now, message)
    }

    /// Sends a fragment of a message; the first call begins it, `last` ends it. A message larger
    /// than memory is sent so, and no more of it waits here than the outbox may hold. See
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
        self.send_fragment_with(kind, fragment, last, Compress::Auto)
            .await
    }

    /// As [`send_fragment`](Self::send_fragment), with a wish whether the message is to be
    /// compressed. What is wished with its first fragment counts.
    ///
    /// # Errors
    ///
    /// As [`send_fragment`](Self::send_fragment).
    ///
    /// # Cancel safety
    ///
    /// A fragment is queued whole or not at all.
    pub async fn send_fragment_with(
        &mut self,
        kind: Kind,
        fragment: &[u8],
        last: bool,
        compress: Compress,
    ) -> Result<(), Error> {
        let wish = (kind, compress);
        poll_fn(|cx| self.driver.poll_fragment(cx, wish, fragment, last)).await?;
        self.flush().await
    }

    /// Sends a Pong that nobody asked for (RFC 6455 §5.5.3). Pings are answered without it.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    ///
    /// # Cancel safety
    ///
    /// The Pong is queued whole or not at all.
    pub async fn pong(&mut self, payload: &[u8]) -> Result<(), Error> {
        poll_fn(|cx| self.driver.poll_control(cx, Opcode::Pong, payload)).await?;
        self.flush().await
    }

    /// Sends a Ping of at most 125 bytes. The Pong comes with
    /// [`recv_event`](Self::recv_event).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`Misuse::ControlTooLong`](crate::engine::Misuse).
    ///
    /// # Cancel safety
    ///
    /// The Ping is queued whole or not at all.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        poll_fn(|cx| self.driver.poll_control(cx, Opcode::Ping, payload)).await?;
        self.flush().await
    }

    /// Waits until a message can be queued.
    ///
    /// # Errors
    ///
    /// What ended the connection.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ready(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.driver.poll_ready(cx)).await
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
        poll_fn(|cx| self.driver.poll_flush(cx)).await
    }

    /// Waits until the outbox has drained to its low mark: the moment to go on sending for
    /// whoever stopped at the high one.
    ///
    /// # Errors
    ///
    /// What ended the connection.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn drained(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.driver.poll_drained(cx)).await
    }
}
