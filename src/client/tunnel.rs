//! A connection that a proxy passes on.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use core::net::SocketAddr;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use tokio_socks::{Error as SocksError, IntoTargetAddr};

use crate::client::dial::{dial_proxy, resolve};
use crate::client::error::{ConnectError, Phase, ProxyRefusal};
use crate::client::pending::{Remote, Turn, turn};
use crate::client::proxy::{Proxy, ProxyKind};
use crate::client::tls::Tls;
use crate::client::url::Url;
use crate::net::MaybeTls;
use crate::wire::http::{HeadLimits, HeadScanner, ResponseHead};

/// How many interim answers a proxy may send.
const INTERIM_MAX: u8 = 8;

/// Opens a connection to the server of `url` through `proxy`. `tls` is spoken with the proxy,
/// where it wants TLS.
//= WS-013
//= WS-016
pub(crate) async fn open(
    proxy: &Proxy,
    url: &Url,
    tls: Option<&Tls>,
    head_limits: &HeadLimits,
) -> Result<(MaybeTls<TcpStream>, Turn), ConnectError> {
    if proxy.kind() == ProxyKind::Socks5 {
        return open_by_address(proxy, url).await;
    }
    let turn = turn(Remote::Name(url.host().to_owned(), url.port())).await;
    let stream = reach(proxy).await?;
    let stream = match (proxy.kind(), tls) {
        (ProxyKind::Https, Some(tls)) => {
            let opened = tls.open(proxy.host(), stream).await;
            let opened = opened.map_err(|error| refused(ProxyRefusal::Tls(error)))?;
            let mut stream = MaybeTls::Tls(opened.into());
            ask(&mut stream, proxy, url, head_limits).await?;
            stream
        }
        (ProxyKind::Socks5h, _) => {
            MaybeTls::Plain(ask_socks(stream, proxy, (url.host(), url.port())).await?)
        }
        _ => {
            let mut stream = MaybeTls::Plain(stream);
            ask(&mut stream, proxy, url, head_limits).await?;
            stream
        }
    };
    Ok((stream, turn))
}

/// As [`open`], with the name looked up here: the proxy is asked for one address after the
/// other.
async fn open_by_address(
    proxy: &Proxy,
    url: &Url,
) -> Result<(MaybeTls<TcpStream>, Turn), ConnectError> {
    let found = resolve(url.host(), url.port()).await;
    let addresses: Vec<SocketAddr> =
        found.map_err(|error| ConnectError::Io(Phase::Resolve, error))?;
    let nothing = io::Error::from(io::ErrorKind::NotFound);
    let mut failed = ConnectError::Io(Phase::Resolve, nothing);
    for address in addresses {
        let turn = turn(Remote::Address(address)).await;
        let stream = reach(proxy).await?;
        match ask_socks(stream, proxy, address).await {
            Ok(stream) => return Ok((MaybeTls::Plain(stream), turn)),
            // Another address may do.
            Err(error @ ConnectError::Proxy(ProxyRefusal::Socks(_))) => failed = error,
            Err(error) => return Err(error),
        }
    }
    Err(failed)
}

/// Opens TCP to the proxy itself.
async fn reach(proxy: &Proxy) -> Result<TcpStream, ConnectError> {
    let reached = async { dial_proxy(resolve(proxy.host(), proxy.port()).await?).await };
    reached.await.map_err(|error| {
        let named = format!("the proxy {} cannot be reached: {error}", proxy.host());
        ConnectError::Io(Phase::Proxy, io::Error::new(error.kind(), named))
    })
}

const fn refused(refusal: ProxyRefusal) -> ConnectError {
    ConnectError::Proxy(refusal)
}

fn malformed(what: impl Display) -> ConnectError {
    refused(ProxyRefusal::Malformed(what.to_string()))
}

const fn io_error(error: io::Error) -> ConnectError {
    ConnectError::Io(Phase::Proxy, error)
}

/// Asks with CONNECT (RFC 9110 §9.3.6).
//= CS-18
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: &Proxy,
    url: &Url,
    limits: &HeadLimits,
) -> Result<(), ConnectError> {
    let target = url.host_and_port();
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = proxy.authorization() {
        request.push_str("Proxy-Authorization: ");
        request.push_str(&authorization);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(io_error)?;
    stream.flush().await.map_err(io_error)?;
    let mut buffer = Vec::new();
    for _ in 0..=INTERIM_MAX {
        let head = answer(stream, &mut buffer, limits).await?;
        match head.status() {
            100..=199 => {}
            // Servers of WebSockets wait to be spoken to, so these are the proxy's own bytes.
            200..=299 if !buffer.is_empty() => {
                return Err(malformed("bytes behind the answer"));
            }
            200..=299 => return Ok(()),
            // Some say 401 for wrong credentials, which is not for a proxy to say.
            401 | 407 => return Err(refused(ProxyRefusal::Credentials)),
            status => return Err(refused(ProxyRefusal::Status(status))),
        }
    }
    Err(malformed("too many interim answers"))
}

/// Reads the head of an answer; what follows it stays in `buffer`.
async fn answer<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    limits: &HeadLimits,
) -> Result<ResponseHead, ConnectError> {
    let mut scanner = HeadScanner::default();
    loop {
        if let Some(length) = scanner.scan(buffer, limits).map_err(malformed)? {
            let head = ResponseHead::parse(&buffer[..length], limits).map_err(malformed)?;
            buffer.drain(..length);
            return Ok(head);
        }
        let mut chunk = [0; 2048];
        match stream.read(&mut chunk).await.map_err(io_error)? {
            0 => return Err(io_error(io::ErrorKind::UnexpectedEof.into())),
            n => buffer.extend_from_slice(&chunk[..n]),
        }
    }
}

async fn ask_socks<'a>(
    stream: TcpStream,
    proxy: &Proxy,
    target: impl IntoTargetAddr<'a>,
) -> Result<TcpStream, ConnectError> {
    let asked = match proxy.credentials() {
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await
        }
        None => Socks5Stream::connect_with_socket(stream, target).await,
    };
    match asked {
        Ok(stream) => Ok(stream.into_inner()),
        Err(SocksError::Io(error)) => Err(io_error(error)),
        Err(error) => Err(refused(socks_refusal(&error))),
    }
}

fn socks_refusal(error: &SocksError) -> ProxyRefusal {
    let words: String = error.to_string();
    match error {
        SocksError::NoAcceptableAuthMethods
        | SocksError::PasswordAuthFailure(_)
        | SocksError::AuthorizationRequired => ProxyRefusal::Credentials,
        SocksError::GeneralSocksServerFailure
        | SocksError::ConnectionNotAllowedByRuleset
        | SocksError::NetworkUnreachable
        | SocksError::HostUnreachable
        | SocksError::ConnectionRefused
        | SocksError::TtlExpired
        | SocksError::CommandNotSupported
        | SocksError::AddressTypeNotSupported => ProxyRefusal::Socks(words),
        _ => ProxyRefusal::Malformed(words),
    }
}
