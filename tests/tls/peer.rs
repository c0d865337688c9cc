//! Clients: rustls itself, and bytes by hand.

use alloc::sync::Arc;
use core::net::SocketAddr;
use framewire::client;
use framewire::engine::ClientRequest;
use framewire::net::{Error, WebSocket};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::authority::{Authority, Issued};
use crate::within;

/// How a client that trusts `authority` is set up, showing `certificate` where it has one.
pub(crate) fn config(authority: &Authority, certificate: Option<&Issued>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots());
    match certificate {
        None => builder.with_no_client_auth(),
        Some(it) => builder
            .with_client_auth_cert(vec![it.certificate()], it.private_key())
            .unwrap(),
    }
}

/// Speaks TLS with a server that is asked for as `host`.
pub(crate) async fn tls(
    address: SocketAddr,
    config: ClientConfig,
    host: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let tcp = within(TcpStream::connect(address)).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    within(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await
}

/// An open WebSocket over TLS.
pub(crate) type Secure = WebSocket<TlsStream<TcpStream>>;

/// Opens a WebSocket over TLS.
pub(crate) async fn open(address: SocketAddr, config: ClientConfig) -> Secure {
    try_open(address, config, "localhost")
        .await
        .expect("it opens")
}

/// The same, where it may fail.
pub(crate) async fn try_open(
    address: SocketAddr,
    config: ClientConfig,
    host: &str,
) -> Result<Secure, Box<dyn core::error::Error>> {
    let stream = tls(address, config, host).await?;
    let request = ClientRequest::new("localhost", "/");
    let settings = client::config::Config::default();
    let opened = client::handshake(stream, request, &settings);
    Ok(within(opened).await?.0)
}

/// Sends a text and expects it back.
pub(crate) async fn echo(socket: &mut Secure, text: &str) -> Result<(), Error> {
    within(socket.send(text.to_owned())).await?;
    let back = within(socket.recv()).await?.expect("it is open");
    assert_eq!(back.as_bytes(), text.as_bytes());
    Ok(())
}

/// The first flight of a client, in bytes.
pub(crate) fn first_flight(config: ClientConfig) -> Vec<u8> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

/// A ClientHello by hand (RFC 5246 §7.4.1.2), in one record.
pub(crate) fn hello(version: [u8; 2], suites: &[u8], extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend_from_slice(&[7; 32]);
    // No session is resumed.
    body.push(0);
    body.extend(u16::try_from(suites.len()).unwrap().to_be_bytes());
    body.extend_from_slice(suites);
    // No compression.
    body.extend_from_slice(&[1, 0]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend_from_slice(extensions);
    let len = u16::try_from(body.len()).unwrap().to_be_bytes();
    record(&[&[1, 0, len[0], len[1]], body.as_slice()].concat())
}

/// One record of the type `handshake`.
pub(crate) fn record(payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[22, 3, 1, len[0], len[1]], payload].concat()
}

/// Sends bytes to a server and returns all that it says until the end of the stream.
pub(crate) async fn say(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut tcp = within(TcpStream::connect(address)).await.unwrap();
    // It may have hung up before all was written.
    let _ = within(tcp.write_all(bytes)).await;
    let mut answer = Vec::new();
    let _ = within(tcp.read_to_end(&mut answer)).await;
    answer
}

/// Whether `answer` is a fatal alert with this description (RFC 8446 §6).
pub(crate) fn is_alert(answer: &[u8], description: u8) -> bool {
    matches!(answer, [21, 3, _, 0, 2, 2, found] if *found == description)
}
