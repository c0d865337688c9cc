//! From a URL to an open connection.

use alloc::boxed::Box;
use core::fmt;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::client::config::Config;
use crate::client::pending;
use crate::client::url::{InvalidUrl, Url};
use crate::engine::{
    ClientHandshake, ClientProgress, ClientRequest, HandshakeFailure, InvalidRequest, Opened,
    Timestamp,
};
use crate::net::{WebSocket, entropy};
use crate::wire::http::ResponseHead;

/// Opens a connection to `url` with the default [`Config`].
///
/// # Errors
///
/// [`ConnectError`], which says in which phase it failed.
///
/// # Cancel safety
///
/// Dropped before it is done, it closes whatever it had opened.
pub async fn connect(url: &str) -> Result<WebSocket<TcpStream>, ConnectError> {
    Ok(connect_with(url, &Config::default()).await?.0)
}

/// Opens a connection to `url`, and returns it with the head of the server's answer.
///
/// The addresses of the host are tried one after the other. To one address, this process has at
/// most one connection in its handshake; others wait for their turn (RFC 6455 §4.1).
///
/// # Errors
///
/// [`ConnectError`], which says in which phase it failed.
///
/// # Cancel safety
///
/// Dropped before it is done, it closes whatever it had opened.
//= WS-007
//= WS-014
//= WS-016
pub async fn connect_with(
    url: &str,
    config: &Config,
) -> Result<(WebSocket<TcpStream>, ResponseHead), ConnectError> {
    let url = Url::parse(url).map_err(ConnectError::Url)?;
    if url.is_secure() {
        return Err(ConnectError::TlsUnavailable);
    }
    let request = config.request(&url.authority(), url.resource());
    let opening = async {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in lookup_host((url.host(), url.port())).await? {
            let turn = pending::turn(address).await;
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok((stream, turn)),
                Err(error) => last = error,
            }
        }
        Err(last)
    };
    let (stream, _turn) = timeout(config.connect_timeout(), opening)
        .await
        .map_err(|_| ConnectError::TimedOut(Phase::Connect))?
        .map_err(ConnectError::Io)?;
    stream.set_nodelay(true).map_err(ConnectError::Io)?;
    handshake(stream, request, config).await
}

/// Opens a WebSocket over a stream that is already there, and returns it with the head of the
/// server's answer.
///
/// # Errors
///
/// [`ConnectError`], which says in which phase it failed.
///
/// # Cancel safety
///
/// Dropped before it is done, it drops the stream.
//= WS-021
//= WS-035
pub async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    request: ClientRequest,
    config: &Config,
) -> Result<(WebSocket<S>, ResponseHead), ConnectError> {
    let seed = entropy::seed().map_err(ConnectError::Io)?;
    let asked = ClientHandshake::new(request, seed)
        .map_err(ConnectError::Request)?
        .with_head_limits(config.head_limits());
    // In a box of its own, it takes no room in the task that goes on for long.
    let exchange = Box::pin(exchange(&mut stream, asked, config));
    let opened = timeout(config.handshake_timeout(), exchange)
        .await
        .map_err(|_| ConnectError::TimedOut(Phase::Handshake))??;
    let Opened {
        connection,
        leftover,
        subprotocol,
        head,
    } = opened;
    let socket = WebSocket::new(stream, connection, leftover).with_subprotocol(subprotocol);
    Ok((socket, head))
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    mut handshake: ClientHandshake,
    config: &Config,
) -> Result<Opened, ConnectError> {
    stream
        .write_all(handshake.request())
        .await
        .map_err(ConnectError::Io)?;
    stream.flush().await.map_err(ConnectError::Io)?;
    let mut buffer = [0; 2048];
    loop {
        let n = stream.read(&mut buffer).await.map_err(ConnectError::Io)?;
        if n == 0 {
            return Err(ConnectError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        match handshake.receive(&buffer[..n], config.limits(), Timestamp::ZERO) {
            Ok(ClientProgress::More(more)) => handshake = more,
            Ok(ClientProgress::Open(opened)) => return Ok(*opened),
            Err(failure) => return Err(ConnectError::Handshake(failure)),
        }
    }
}

/// What a client was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Looking up the host and opening TCP.
    Connect,
    /// Waiting for the answer to the request.
    Handshake,
}

/// Why a connection was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is malformed.
    Url(InvalidUrl),
    /// The request cannot be made as asked.
    Request(InvalidRequest),
    /// `wss` is not available over this function.
    TlsUnavailable,
    /// The host was not found, or the stream failed.
    Io(io::Error),
    /// A phase took too long.
    TimedOut(Phase),
    /// The server's answer does not open a WebSocket.
    Handshake(HandshakeFailure),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::TlsUnavailable => f.write_str("wss is not available here; use ws"),
            Self::Io(error) => write!(f, "the connection could not be opened: {error}"),
            Self::TimedOut(Phase::Connect) => f.write_str("opening TCP took too long"),
            Self::TimedOut(Phase::Handshake) => f.write_str("the server took too long to answer"),
            Self::Handshake(failure) => failure.fmt(f),
        }
    }
}

impl core::error::Error for ConnectError {}
