//! The stream of an admitted connection.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use rustls::pki_types::CertificateDer;
use std::io::{self, IoSlice};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::coop::poll_proceed;
use tokio_rustls::TlsAcceptor;

use crate::net::{MaybeTls, WriteNow};
use crate::server::admission::Permit;
use crate::server::proxies::{Client, Proxies};
use crate::server::tls::Tls;
use crate::wire::http::Headers;

/// The first byte of a client that speaks TLS: a handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 22;

/// How many bytes rustls may hold that were written and not yet sent, instead of the 64 KiB that
/// it takes by itself. Whatever more there is waits in the outbox, which has its own bound.
const TLS_BUFFER_BYTES_MAX: usize = 16 << 10;

/// Up to here it pays to write past the runtime. What is longer often does not find room for all of
/// it, and would then be tried in vain once more.
const AT_ONCE_BYTES_MAX: usize = 16 << 10;

/// A TCP stream, inside TLS or not, with its place among the server's connections.
///
/// It may begin with bytes that were read before, which are read again first.
///
/// Once the client has ended its side of a TCP stream without TLS, shutting this one down does
/// nothing: dropping the stream ends it.
#[derive(Debug)]
pub struct Stream {
    io: MaybeTls<TcpStream>,
    peer: SocketAddr,
    permit: Permit,
    /// Whether the client has ended its side, of TCP without TLS.
    ended: bool,
    /// Whether what is written waits for room, of which the runtime will tell.
    is_full: bool,
    // What few streams have is in boxes.
    /// Who is behind it, where it is a proxy that is believed.
    client: Option<Box<Client>>,
    again: Option<Box<Again>>,
}

/// Bytes to be read again, of which so many have been.
#[derive(Debug)]
struct Again {
    bytes: Vec<u8>,
    read: usize,
}

impl Stream {
    pub(crate) fn new(tcp: TcpStream, peer: SocketAddr, permit: Permit) -> Self {
        Self {
            io: MaybeTls::Plain(tcp),
            peer,
            permit,
            ended: false,
            is_full: false,
            client: None,
            again: None,
        }
    }

    /// Finds out from a request who is behind a proxy. Whether its address may have one more
    /// connection; where nobody but proxies is named, there is no such bound.
    pub(crate) fn find_client(&mut self, proxies: &Proxies, headers: Headers<'_>) -> bool {
        // Who was counted by its address is no proxy.
        if self.permit.is_settled() {
            return true;
        }
        self.client = proxies.client(self.peer, headers).map(Box::new);
        self.client
            .as_deref()
            .is_none_or(|client| client.is_proxy || self.permit.settle(client.address.ip()))
    }

    /// Makes TLS of a stream on which nothing has passed.
    ///
    /// # Errors
    ///
    /// What TLS, or TCP beneath it, found wrong with the client, with its TCP, on which an alert
    /// has been written.
    pub(crate) async fn accept_tls(
        self,
        tls: &Tls,
    ) -> Result<Self, (io::Error, Option<TcpStream>)> {
        let Self { io, .. } = self;
        let MaybeTls::Plain(tcp) = io else {
            return Err((io::Error::other("TLS inside TLS"), None));
        };
        let accepting = TlsAcceptor::from(tls.current())
            .accept_with(tcp, |it| it.set_buffer_limit(Some(TLS_BUFFER_BYTES_MAX)))
            .into_fallible();
        match accepting.await {
            Ok(io) => Ok(Self {
                io: MaybeTls::Tls(Box::new(io.into())),
                ..self
            }),
            Err((error, tcp)) => Err((error, Some(tcp))),
        }
    }

    /// Waits for the first byte, which stays there, and says whether TLS begins so.
    pub(crate) async fn begins_tls(&self) -> io::Result<bool> {
        let mut first = [0];
        match self.io.get_ref().peek(&mut first).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(first == [TLS_HANDSHAKE]),
        }
    }

    /// Has `bytes` read again before anything else.
    pub(crate) fn rewind(&mut self, bytes: Vec<u8>) {
        // With none, an end would be read.
        self.again = (!bytes.is_empty()).then(|| Box::new(Again { bytes, read: 0 }));
    }

    /// The address at which the client has arrived.
    ///
    /// # Errors
    ///
    /// When the operating system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// Whether the client speaks TLS: with the proxy in front of it, where one that is believed
    /// says so or says that it does not, and otherwise with this server.
    pub fn is_tls(&self) -> bool {
        let told = self.client.as_deref().and_then(|it| it.is_tls);
        told.unwrap_or_else(|| self.io.is_tls())
    }

    /// The certificates that the client has shown, its own first, in DER; empty where it has
    /// shown none. They have been verified.
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        self.io.peer_certificates()
    }

    /// The address of the client, also behind a proxy that is believed; the port is then 0
    /// unless the proxy tells it.
    pub fn peer_addr(&self) -> SocketAddr {
        self.client.as_deref().map_or(self.peer, |it| it.address)
    }
}

impl AsyncRead for Stream {
    #[inline(always)]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(again) = &mut self.again else {
            let before = buf.filled().len();
            let polled = Pin::new(&mut self.io).poll_read(cx, buf);
            if matches!(polled, Poll::Ready(Ok(()))) && buf.filled().len() == before {
                self.ended = buf.remaining() > 0 && !self.io.is_tls();
            }
            return polled;
        };
        let rest = &again.bytes[again.read..];
        let n = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..n]);
        again.read += n;
        if again.read == again.bytes.len() {
            self.again = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    #[inline]
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.is_full && buf.len() <= AT_ONCE_BYTES_MAX && !self.io.is_tls() {
            // Past the runtime, and yet not more often in a row than it would allow.
            let turn = ready!(poll_proceed(cx));
            let written = self.io.write_now(buf);
            if written > 0 {
                turn.made_progress();
                return Poll::Ready(Ok(written));
            }
        }
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.is_full = written.is_pending();
        written
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ended {
            // Nobody waits for the end of a side alone: the stream is about to be dropped, which
            // ends both at the cost of one system call less.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

impl WriteNow for Stream {
    #[inline(always)]
    fn write_now(&self, bytes: &[u8]) -> usize {
        self.io.write_now(bytes)
    }
}
