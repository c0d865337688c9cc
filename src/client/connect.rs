//! From a URL to an open connection.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::future::Future;
use core::time::Duration;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::client::body;
use crate::client::config::Config;
use crate::client::dial::{dial, resolve};
use crate::client::error::{ConnectError, Phase, RedirectRefusal, Refused};
use crate::client::pending::Turn;
use crate::client::proxy::{Proxy, ProxyKind};
use crate::client::redirect;
use crate::client::tls::Tls;
use crate::client::tunnel;
use crate::client::url::Url;
use crate::engine::{
    Answered, ClientHandshake, ClientProgress, ClientRequest, HandshakeFailure, Opened, Timestamp,
};
use crate::net::{MaybeTls, WebSocket, entropy};
use crate::wire::http::ResponseHead;

/// What a client's connection runs over: TCP, inside TLS to the proxy where the proxy wants it,
/// inside TLS to the server for `wss`.
pub type Stream = MaybeTls<MaybeTls<TcpStream>>;

/// An open connection, and how it was opened.
#[derive(Debug)]
#[non_exhaustive]
pub struct Connected {
    /// The open connection.
    pub socket: WebSocket<Stream>,
    /// The head of the server's answer, with what it set in `Set-Cookie`.
    pub head: ResponseHead,
    /// The URL of the connection: the last one, where redirects were followed.
    pub url: Url,
}

/// Opens a connection to `url` with the default [`Config`].
///
/// # Errors
///
/// [`ConnectError`], which says in which phase it failed.
///
/// # Cancel safety
///
/// Dropped before it is done, it closes whatever it had opened.
pub async fn connect(url: &str) -> Result<WebSocket<Stream>, ConnectError> {
    Ok(open(url, &Config::default()).await?.socket)
}

/// Opens a connection to `url`, and returns it with the head of the server's answer; see
/// [`open`].
///
/// # Errors
///
/// [`ConnectError`], which says in which phase it failed.
///
/// # Cancel safety
///
/// Dropped before it is done, it closes whatever it had opened.
pub async fn connect_with(
    url: &str,
    config: &Config,
) -> Result<(WebSocket<Stream>, ResponseHead), ConnectError> {
    let Connected { socket, head, .. } = open(url, config).await?;
    Ok((socket, head))
}

/// Opens a connection to `url`, and tells how.
///
/// The addresses of the host are tried one after the other, each next one 250 ms later, and the
/// first that answers is taken (RFC 8305). To one address, this process has at most one
/// connection in its handshake; others wait for their turn (RFC 6455 §4.1).
///
/// # Errors
///
/// [`ConnectError`], which says in which phase it failed.
///
/// # Cancel safety
///
/// Dropped before it is done, it closes whatever it had opened.
//= WS-007
pub async fn open(url: &str, config: &Config) -> Result<Connected, ConnectError> {
    let (stream, opened, url) = establish(url, config).await?;
    let (socket, head) = socket(stream, opened);
    Ok(Connected { socket, head, url })
}

/// The stream of an open connection, the engine on it, and the URL that it is of.
pub(crate) type Established = (Stream, Opened, Url);

/// Opens a connection, and leaves it to the caller to drive it.
//= WS-006
//= WS-014
//= WS-016
pub(crate) async fn establish(url: &str, config: &Config) -> Result<Established, ConnectError> {
    let url = Url::parse(url).map_err(ConnectError::Url)?;
    // In a box of its own, it takes no room in the task that goes on for long.
    let following = Box::pin(follow(url, config));
    timeout(config.timeouts().total, following)
        .await
        .unwrap_or(Err(ConnectError::TimedOut(None)))
}

/// Follows redirects, as far as they are allowed.
//= CS-14
async fn follow(mut url: Url, config: &Config) -> Result<Established, ConnectError> {
    let mut visited = vec![url.clone()];
    let mut bare: Option<Config> = None;
    loop {
        let next = match attempt(&url, bare.as_ref().unwrap_or(config)).await? {
            Outcome::Open(stream, opened) => return Ok((stream, *opened, url)),
            Outcome::Moved(next) => next,
        };
        let refusal = if visited.contains(&next) {
            Some(RedirectRefusal::Loop)
        } else if visited.len() > usize::from(config.redirects_max()) {
            Some(RedirectRefusal::TooMany)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return Err(ConnectError::Redirect(refusal));
        }
        // What has been dropped is not sent again, should the way lead back.
        if !next.is_same_origin(&url) && bare.is_none() {
            bare = Some(config.without_credentials());
        }
        visited.push(next.clone());
        url = next;
    }
}

enum Outcome {
    Open(Stream, Box<Opened>),
    Moved(Url),
}

/// Asks one server.
async fn attempt(url: &Url, config: &Config) -> Result<Outcome, ConnectError> {
    // What cannot be asked for is found out before anything is opened.
    let asked = asked(config.request(url), config)?;
    let timeouts = config.timeouts();
    let tls = tls(url, config).await?;
    let (transport, _turn) = transport(url, config, tls.as_ref()).await?;
    let mut stream = match tls {
        None => MaybeTls::Plain(transport),
        //= WS-019
        Some(tls) => {
            let opening = async { Ok(tls.open(url.host(), transport).await) };
            let opened = in_time(timeouts.tls, Phase::Tls, opening).await?;
            MaybeTls::Tls(Box::new(opened.map_err(ConnectError::Tls)?))
        }
    };
    let until = Instant::now() + timeouts.handshake;
    let exchange = Box::pin(exchange(&mut stream, asked, config));
    let answered = timeout_at(until, exchange)
        .await
        .map_err(|_| ConnectError::TimedOut(Some(Phase::Handshake)))??;
    match answered {
        Answer::Open(opened) => Ok(Outcome::Open(stream, opened)),
        Answer::Other(answered) => {
            if let Some(location) = redirect::location(&answered.head)
                && config.redirects_max() > 0
            {
                let next = redirect::target(url, location);
                return next.map(Outcome::Moved).map_err(ConnectError::Redirect);
            }
            Err(refused(&mut stream, *answered, until).await)
        }
    }
}

/// The TLS to speak with the server; none for `ws`.
async fn tls(url: &Url, config: &Config) -> Result<Option<Tls>, ConnectError> {
    if !url.is_secure() {
        return Ok(None);
    }
    match config.tls() {
        Some(tls) => Ok(Some(tls.clone())),
        None => Tls::of_system()
            .await
            .map(Some)
            .map_err(ConnectError::TlsConfig),
    }
}

/// TCP to the server, or what a proxy gives instead.
async fn transport(
    url: &Url,
    config: &Config,
    tls: Option<&Tls>,
) -> Result<(MaybeTls<TcpStream>, Turn), ConnectError> {
    let timeouts = config.timeouts();
    if let Some(proxy) = config.proxies().proxy_for(url) {
        let own = proxy_tls(proxy, config, tls).await?;
        let limits = config.head_limits();
        let opening = Box::pin(tunnel::open(proxy, url, own.as_ref(), &limits));
        return in_time(timeouts.proxy, Phase::Proxy, opening).await;
    }
    let resolving = async {
        let found = resolve(url.host(), url.port()).await;
        found.map_err(|error| ConnectError::Io(Phase::Resolve, error))
    };
    let addresses = in_time(timeouts.resolve, Phase::Resolve, resolving).await?;
    let connecting = async {
        let dialled = dial(addresses).await;
        dialled.map_err(|error| ConnectError::Io(Phase::Connect, error))
    };
    let (stream, turn) = in_time(timeouts.connect, Phase::Connect, connecting).await?;
    Ok((MaybeTls::Plain(stream), turn))
}

/// The TLS to speak with the proxy; none where it wants none. `tls` is for the server.
async fn proxy_tls(
    proxy: &Proxy,
    config: &Config,
    tls: Option<&Tls>,
) -> Result<Option<Tls>, ConnectError> {
    if proxy.kind() != ProxyKind::Https {
        return Ok(None);
    }
    Ok(Some(match (config.proxy_tls(), config.tls().or(tls)) {
        (Some(tls), _) => tls.clone(),
        (None, Some(tls)) => tls.without_client_certificate(),
        (None, None) => Tls::of_system().await.map_err(ConnectError::TlsConfig)?,
    }))
}

async fn in_time<T>(
    limit: Duration,
    phase: Phase,
    work: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    timeout(limit, work)
        .await
        .unwrap_or(Err(ConnectError::TimedOut(Some(phase))))
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
    let asked = asked(request, config)?;
    let until = Instant::now() + config.timeouts().handshake;
    let exchange = Box::pin(exchange(&mut stream, asked, config));
    let answered = timeout_at(until, exchange)
        .await
        .map_err(|_| ConnectError::TimedOut(Some(Phase::Handshake)))??;
    match answered {
        Answer::Open(opened) => Ok(socket(stream, *opened)),
        Answer::Other(answered) => Err(refused(&mut stream, *answered, until).await),
    }
}

/// Joins what was opened with its stream.
pub(crate) fn socket<S>(stream: S, opened: Opened) -> (WebSocket<S>, ResponseHead)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Opened {
        connection,
        leftover,
        subprotocol,
        head,
    } = opened;
    let socket = WebSocket::new(stream, connection, leftover).with_subprotocol(subprotocol);
    (socket, head)
}

fn asked(request: ClientRequest, config: &Config) -> Result<ClientHandshake, ConnectError> {
    let seed = entropy::seed().map_err(|error| ConnectError::Io(Phase::Handshake, error))?;
    ClientHandshake::new(request, seed)
        .map(|asked| asked.with_head_limits(config.head_limits()))
        .map_err(ConnectError::Request)
}

enum Answer {
    Open(Box<Opened>),
    Other(Box<Answered>),
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    mut handshake: ClientHandshake,
    config: &Config,
) -> Result<Answer, ConnectError> {
    let failed = |error| ConnectError::Io(Phase::Handshake, error);
    stream
        .write_all(handshake.request())
        .await
        .map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    let mut buffer = [0; 2048];
    loop {
        let n = stream.read(&mut buffer).await.map_err(failed)?;
        if n == 0 {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        match handshake.receive(&buffer[..n], config.limits(), Timestamp::ZERO) {
            Ok(ClientProgress::More(more)) => handshake = more,
            Ok(ClientProgress::Open(opened)) => return Ok(Answer::Open(opened)),
            Err(HandshakeFailure::Answered(answered)) => return Ok(Answer::Other(answered)),
            Err(failure) => return Err(ConnectError::Handshake(failure)),
        }
    }
}

/// The error for an answer that opens nothing, with what is read of its body.
//= CS-01
async fn refused<S: AsyncRead + Unpin>(
    stream: &mut S,
    answered: Answered,
    until: Instant,
) -> ConnectError {
    let Answered { head, leftover, .. } = answered;
    let body: Vec<u8> = body::read(stream, &head, leftover, until).await;
    ConnectError::Refused(Box::new(Refused { head, body }))
}
