//! A WebSocket as a stream of bytes.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::engine::{Incoming, Kind, Misuse};
use crate::net::driver::unless_full;
use crate::net::error::Error;
use crate::net::websocket::WebSocket;
use crate::wire::close::{CloseCode, CloseReason};

/// The most that one write makes a message of, in bytes.
const WRITE_BYTES_MAX: usize = 16 << 10;

/// A WebSocket that is read and written like a pipe.
///
/// What is read are the payloads of the messages one behind the other, text and binary alike,
/// without the bounds between them; control frames are answered meanwhile. What is written goes
/// out in binary messages of at most 16 KiB, or of text: bytes that stop inside a character are
/// kept until the rest of it is written. Writing waits while the outbox is full, reading reads
/// no more than is asked for, and shutting down closes with the code 1000.
///
/// The end of reading is the closing handshake. A connection that ends without it fails reading
/// with [`io::ErrorKind::UnexpectedEof`].
#[derive(Debug)]
pub struct ByteStream<S> {
    socket: WebSocket<S>,
    kind: Kind,
    /// How much of the piece that was received last has been read.
    read: usize,
    has_piece: bool,
    /// The beginning of a character whose rest has not been written.
    unfinished: alloc::vec::Vec<u8>,
}

impl<S> ByteStream<S> {
    /// Writes binary messages.
    pub const fn new(socket: WebSocket<S>) -> Self {
        Self {
            socket,
            kind: Kind::Binary,
            read: 0,
            has_piece: false,
            unfinished: alloc::vec::Vec::new(),
        }
    }

    /// Writes text messages. A write that is not UTF-8 fails with
    /// [`io::ErrorKind::InvalidData`].
    #[must_use]
    pub const fn with_text(mut self) -> Self {
        self.kind = Kind::Text;
        self
    }

    /// The WebSocket beneath.
    pub const fn get_ref(&self) -> &WebSocket<S> {
        &self.socket
    }

    /// The WebSocket beneath. What of a message has been received and not read is lost.
    pub fn into_inner(self) -> WebSocket<S> {
        self.socket
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ByteStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            let driver = &mut this.socket.driver;
            if this.has_piece
                && let Some(Incoming::Piece(piece)) = driver.inbox().incoming()
                && let Some(rest @ [_, ..]) = piece.bytes.get(this.read..)
            {
                let n = rest.len().min(buf.remaining());
                buf.put_slice(&rest[..n]);
                this.read += n;
                return Poll::Ready(Ok(()));
            }
            this.has_piece = false;
            if !ready!(driver.poll_piece(cx)).map_err(into_io)? {
                return Poll::Ready(Ok(()));
            }
            (this.has_piece, this.read) = (true, 0);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ByteStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(this.socket.driver.poll_ready(cx)).map_err(into_io)?;
        let taken = &buf[..buf.len().min(WRITE_BYTES_MAX)];
        let driver = &mut this.socket.driver;
        let now = driver.clock.now();
        let sent = match this.kind {
            Kind::Binary => driver.connection.send_binary(now, taken),
            Kind::Text => {
                let mut bytes = this.unfinished.clone();
                bytes.extend_from_slice(taken);
                let (text, rest) = whole_characters(&bytes)?;
                let sent = match text {
                    "" => Ok(()),
                    text => driver.connection.send_text(now, text),
                };
                if sent.is_ok() {
                    this.unfinished = rest.to_vec();
                }
                sent
            }
        };
        unless_full(sent).map_err(into_io)?;
        // What is queued leaves as soon as the stream takes it, also without a flush.
        let _ = driver.poll_send(cx);
        Poll::Ready(Ok(taken.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.driver.poll_flush(cx).map_err(into_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let driver = &mut self.socket.driver;
        let reason = CloseReason::new(CloseCode::NORMAL_CLOSURE, "").map_err(io::Error::other)?;
        let now = driver.clock.now();
        driver
            .connection
            .close(now, reason)
            .map_err(io::Error::other)?;
        // Whoever shuts down may still want to read: the Close has left, its answer is read.
        match ready!(driver.poll_flush(cx)) {
            Ok(()) | Err(Error::Misuse(Misuse::Closing)) if !self.unfinished.is_empty() => {
                self.unfinished.clear();
                Poll::Ready(Err(not_utf8()))
            }
            Ok(()) | Err(Error::Misuse(Misuse::Closing)) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(into_io(error))),
        }
    }
}

/// The part of `bytes` that is whole characters, and the beginning of one that is not.
fn whole_characters(bytes: &[u8]) -> io::Result<(&str, &[u8])> {
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok((text, &[])),
        Err(error) if error.error_len().is_none() => {
            let (text, rest) = bytes.split_at(error.valid_up_to());
            Ok((core::str::from_utf8(text).unwrap_or_default(), rest))
        }
        Err(_) => Err(not_utf8()),
    }
}

fn not_utf8() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "what is written as text is not UTF-8",
    )
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::EndOfStream => io::Error::new(io::ErrorKind::UnexpectedEof, error),
        Error::Misuse(Misuse::Closing) => io::Error::new(io::ErrorKind::BrokenPipe, error),
        Error::TimedOut(_) => io::Error::new(io::ErrorKind::TimedOut, error),
        error => io::Error::other(error),
    }
}
