//! No connection: how a client is told, and why there is none.

use alloc::boxed::Box;
use core::fmt;
use core::future::{Future, poll_fn, ready};
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use crate::engine::{AcceptError, Refusal};
use crate::server::stream::Stream;

/// How long a refused client may take to read its answer and close.
const LINGER: Duration = Duration::from_secs(1);
/// How much is read at once.
const READ_BYTES: usize = 2048;
/// How much of what a refused client still sends is read, so that no reset overtakes the answer.
const LINGER_BYTES_MAX: usize = 1 << 20;

/// Tells a client that there is no connection, and ends with why.
pub(super) type Refusing = Pin<Box<dyn Future<Output = HandshakeError> + Send>>;

/// The end of a stream that nothing can be said on.
pub(super) fn failed(error: io::Error) -> Refusing {
    Box::pin(ready(HandshakeError::Io(error)))
}

/// Sends a refusal and closes behind it.
pub(super) async fn refuse(stream: Stream, refusal: Refusal) -> HandshakeError {
    match linger(stream, &refusal.encode()).await {
        Ok(()) => HandshakeError::Refused(refusal),
        Err(error) => HandshakeError::Io(error),
    }
}

/// As [`refuse`], in a box of its own: it takes no room in what mostly ends otherwise.
pub(super) fn turn_away(stream: Stream, refusal: Refusal) -> Refusing {
    Box::pin(refuse(stream, refusal))
}

/// Sends what is said last and closes behind it.
///
/// The write side is shut down first and what the client still sends is read, within bounds: a
/// stream that is closed with unread bytes is reset, and the reset can overtake the answer.
//= PX-10
//= WS-144
pub(super) async fn linger(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    last: &[u8],
) -> io::Result<()> {
    let lingering = timeout(LINGER, async {
        stream.write_all(last).await?;
        stream.shutdown().await?;
        let mut read = 0;
        while read < LINGER_BYTES_MAX {
            match poll_fn(|cx| poll_read_with(cx, &mut stream, <[u8]>::len)).await {
                // How the client leaves once it has been told is its own affair.
                Ok(0) | Err(_) => break,
                Ok(n) => read += n,
            }
        }
        Ok(())
    });
    lingering.await.unwrap_or(Ok(()))
}

/// Reads once, and has `heard` see what came: nothing at the end.
///
/// It is read into memory that is there only meanwhile, so that nothing waits with it.
pub(super) fn poll_read_with<T>(
    cx: &mut Context<'_>,
    stream: &mut (impl AsyncRead + Unpin),
    heard: impl FnOnce(&[u8]) -> T,
) -> Poll<io::Result<T>> {
    let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
    let mut buffer = ReadBuf::uninit(&mut space);
    ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(heard(buffer.filled())))
}

/// How a handshake that opened nothing went.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The client was refused, and has been told so.
    Refused(Refusal),
    /// The acceptance did not fit the request.
    Accept(AcceptError),
    /// The client does not speak TLS, and must.
    NotTls,
    /// The handshake of TLS failed; an alert has said so to the client.
    Tls(io::Error),
    /// More clients wanted TLS than could have a turn in time.
    TlsBusy,
    /// The stream failed or ended.
    Io(io::Error),
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "refused with {refusal}"),
            Self::Accept(error) => error.fmt(f),
            Self::NotTls => f.write_str("the client does not speak TLS"),
            Self::Tls(error) => write!(f, "no TLS with the client: {error}"),
            Self::TlsBusy => f.write_str("too many clients wanted TLS at once"),
            Self::Io(error) => write!(f, "the stream failed: {error}"),
        }
    }
}

impl core::error::Error for HandshakeError {}
