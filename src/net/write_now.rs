//! Writing from outside of the task that a stream belongs to.

use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use crate::net::maybe_tls::MaybeTls;

/// A stream to which others than its own task write.
pub trait WriteNow: AsyncWrite + Unpin {
    /// Writes what the stream takes without waiting, where there is a way that costs less than
    /// [`poll_write`](AsyncWrite::poll_write), and says how many bytes that was. Nothing of them
    /// is held back: there is nothing to flush.
    ///
    /// 0 where there is no such way, or none was open: `poll_write` tells then whether to wait,
    /// or what is wrong.
    fn write_now(&self, bytes: &[u8]) -> usize {
        let _ = bytes;
        0
    }
}

impl WriteNow for TcpStream {
    /// Past the runtime, which would first look up whether the socket was full when it was asked
    /// last: with many sockets that is memory which is in no cache.
    #[cfg(target_os = "linux")]
    #[inline(always)]
    fn write_now(&self, bytes: &[u8]) -> usize {
        use rustix::net::SendFlags;

        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        rustix::net::send(self, bytes, flags).unwrap_or(0)
    }

    #[cfg(not(target_os = "linux"))]
    fn write_now(&self, bytes: &[u8]) -> usize {
        self.try_write(bytes).unwrap_or(0)
    }
}

impl<S: WriteNow + tokio::io::AsyncRead> WriteNow for MaybeTls<S> {
    #[inline(always)]
    fn write_now(&self, bytes: &[u8]) -> usize {
        match self {
            Self::Plain(stream) => stream.write_now(bytes),
            Self::Tls(_) => 0,
        }
    }
}

impl WriteNow for tokio::io::DuplexStream {}
