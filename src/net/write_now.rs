//! Writing from outside of the task that a stream belongs to.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use crate::net::maybe_tls::MaybeTls;

/// A stream to which others than its own task write.
pub trait WriteNow: AsyncWrite + Unpin {
    /// Writes what the stream takes now, as [`poll_write`](AsyncWrite::poll_write) does; which it
    /// is, where there is no cheaper way.
    ///
    /// # Errors
    ///
    /// As `poll_write`.
    fn write_now(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self).poll_write(cx, bytes)
    }
}

impl WriteNow for TcpStream {
    #[inline]
    fn write_now(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.try_write(bytes) {
            // It is to be told when there is room.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Pin::new(self).poll_write(cx, bytes)
            }
            written => Poll::Ready(written),
        }
    }
}

impl<S: WriteNow + tokio::io::AsyncRead> WriteNow for MaybeTls<S> {
    #[inline]
    fn write_now(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => stream.write_now(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }
}

impl WriteNow for tokio::io::DuplexStream {}
