//! How a TLS connection begins, or does not.

use alloc::sync::Arc;
use core::time::Duration;
use framewire::net;
use framewire::server::{Config, HandshakeError, Tls};
use framewire::wire::close::CloseCode;
use rustls::ServerConfig;
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::authority::Authority;
use crate::peer::{self, config, first_flight, hello, is_alert, record, say};
use crate::serving::harm::Watched;
use crate::{EchoServer, within};

/// Descriptions of alerts (RFC 8446 §6.2).
const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

//= TL-01 type=test
//= WS-055 type=test
#[tokio::test]
async fn plain_http_to_the_port_with_tls_is_closed_and_told_apart() {
    let authority = Authority::new("one");
    let mut server = EchoServer::secure(&authority, Config::default()).await;
    assert_eq!(say(server.address, REQUEST).await, b"");
    assert!(matches!(
        server.next_refused().await,
        HandshakeError::NotTls
    ));
    assert_eq!(server.admission.connections(), 0);
}

//= TL-02 type=test
#[tokio::test]
async fn tls_to_the_plain_port_is_answered_400() {
    let authority = Authority::new("one");
    let mut server = EchoServer::start(Config::default()).await;
    let answer = say(server.address, &first_flight(config(&authority, None))).await;
    assert!(answer.starts_with(b"HTTP/1.1 400 "), "{answer:?}");
    assert!(matches!(
        server.next_refused().await,
        HandshakeError::Refused(_)
    ));
}

//= TL-03 type=test
#[tokio::test]
async fn what_is_no_tls_is_closed_and_harms_nobody() {
    let authority = Authority::new("one");
    let server = EchoServer::secure(&authority, Config::default()).await;
    let address = server.address;
    let open = peer::open(address, config(&authority, None)).await;
    let mut watched = Watched::new(server, open).await;
    // An SSLv2 hello, bytes of no meaning, a record that is longer than one may be, a handshake
    // message of another kind, and one that is empty.
    let oversized = [&[22, 3, 1, 0xFF, 0xFF][..], &vec![0; 0xFFFF]].concat();
    let meaningless: Vec<u8> = (0..4096_u32)
        .map(|it| (it.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let is_tls = [false, false, true, true, true];
    let cases = [
        b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10".to_vec(),
        meaningless,
        oversized,
        record(&[20, 0, 0, 1, 0]),
        record(&[]),
    ];
    for (bytes, is_tls) in cases.iter().zip(is_tls) {
        let answer = say(address, bytes).await;
        let case = format!("{:?}", &bytes[..5]);
        let refused = watched.unharmed(&case, 1, 0).await.refused;
        match is_tls {
            true => assert!(
                matches!(refused[..], [HandshakeError::Tls(_)]),
                "{refused:?}"
            ),
            false => assert!(
                matches!(refused[..], [HandshakeError::NotTls]),
                "{refused:?}"
            ),
        }
        assert!(
            answer.is_empty() || (answer[0] == 21 && answer.len() == 7),
            "an alert or nothing: {answer:?}"
        );
    }
}

/// Passes bytes between a client and a server, the first of them as `reshape` has them.
async fn through(
    server: core::net::SocketAddr,
    reshape: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> tokio::io::DuplexStream {
    let (ours, mut theirs) = tokio::io::duplex(1 << 16);
    let mut tcp = within(TcpStream::connect(server)).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    tokio::spawn(async move {
        let mut first = vec![0; 1 << 16];
        let n = theirs.read(&mut first).await.unwrap();
        for part in reshape(&first[..n]) {
            tcp.write_all(&part).await.unwrap();
            tokio::task::yield_now().await;
        }
        let _ = tokio::io::copy_bidirectional(&mut theirs, &mut tcp).await;
    });
    ours
}

//= TL-04 type=test
#[tokio::test]
async fn a_hello_in_pieces_of_one_byte_is_understood() {
    let authority = Authority::new("one");
    let server = EchoServer::secure(&authority, Config::default()).await;
    let segments = |hello: &[u8]| hello.iter().map(|byte| vec![*byte]).collect();
    // The record is taken apart, and each byte of its payload gets a record of its own.
    let records = |hello: &[u8]| hello[5..].iter().map(|byte| record(&[*byte])).collect();
    let both = |hello: &[u8]| {
        let bytes = hello[5..].iter().flat_map(|byte| record(&[*byte]));
        bytes.map(|byte| vec![byte]).collect()
    };
    for reshape in [segments as fn(&[u8]) -> Vec<Vec<u8>>, records, both] {
        let stream = through(server.address, reshape).await;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config(&authority, None)));
        let name = "localhost".try_into().unwrap();
        let stream = within(connector.connect(name, stream)).await.unwrap();
        let request = framewire::engine::ClientRequest::new("localhost", "/");
        let config = framewire::client::config::Config::default();
        let opened = framewire::client::handshake(stream, request, &config);
        let (mut socket, _) = within(opened).await.unwrap();
        within(socket.send("hello")).await.unwrap();
        let back = within(socket.recv()).await.unwrap().unwrap();
        assert_eq!(back.as_text(), Some("hello"));
    }
}

//= TL-05 type=test
#[tokio::test]
async fn a_client_that_is_silent_within_tls_keeps_nobody_waiting() {
    let authority = Authority::new("one");
    // The bound that holds unless another is set.
    let limit = Duration::from_secs(5);
    let mut server = EchoServer::secure(&authority, Config::default()).await;
    let began = Instant::now();
    let mut silent = within(TcpStream::connect(server.address)).await.unwrap();
    let mut half = within(TcpStream::connect(server.address)).await.unwrap();
    let hello = first_flight(config(&authority, None));
    half.write_all(&hello[..hello.len() / 2]).await.unwrap();
    // This one agrees on TLS and asks for nothing.
    let mut agreed = peer::tls(server.address, config(&authority, None), "localhost")
        .await
        .unwrap();
    // Meanwhile others are served.
    let mut open = peer::open(server.address, config(&authority, None)).await;
    peer::echo(&mut open, "hello").await.unwrap();
    let mut rest = Vec::new();
    within(silent.read_to_end(&mut rest)).await.unwrap();
    within(half.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"");
    within(agreed.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.starts_with(b"HTTP/1.1 408 "), "{rest:?}");
    assert!(began.elapsed() >= limit);
    drop(agreed);
    let mut timed_out = 0;
    for _ in 0..3 {
        match server.next_refused().await {
            HandshakeError::Io(error) if error.kind() == ErrorKind::TimedOut => timed_out += 1,
            HandshakeError::Refused(refusal) => assert_eq!(refusal.status(), 408),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(timed_out, 2);
    peer::echo(&mut open, "still here").await.unwrap();
}

//= TL-06 type=test
#[tokio::test]
async fn old_versions_and_suites_without_secrecy_are_refused_by_an_alert() {
    let authority = Authority::new("one");
    let server = EchoServer::secure(&authority, Config::default()).await;
    let modern = [0xC0, 0x2B, 0xC0, 0x2F];
    // The signature algorithms and groups that everybody has.
    let extensions = [
        0, 13, 0, 6, 0, 4, 4, 3, 4, 1, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0,
    ];
    for version in [[3, 1], [3, 2]] {
        let answer = say(server.address, &hello(version, &modern, &extensions)).await;
        assert!(is_alert(&answer, PROTOCOL_VERSION), "{answer:?}");
    }
    // NULL-SHA, and RC4 with a key for export.
    for suites in [[0, 2], [0, 3]] {
        let answer = say(server.address, &hello([3, 3], &suites, &extensions)).await;
        assert!(is_alert(&answer, HANDSHAKE_FAILURE), "{answer:?}");
    }
}

//= TL-13 type=test
#[tokio::test]
async fn only_http_1_1_can_be_agreed_on() {
    let authority = Authority::new("one");
    let mut server = EchoServer::secure(&authority, Config::default()).await;
    let offering = |protocols: &[&[u8]]| {
        let mut config = config(&authority, None);
        config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        config
    };
    let cases: [&[&[u8]]; 3] = [&[], &[b"http/1.1"], &[b"h2", b"http/1.1"]];
    for protocols in cases {
        let mut socket = peer::open(server.address, offering(protocols)).await;
        let agreed = socket.stream().get_ref().1.alpn_protocol();
        let expected = (!protocols.is_empty()).then_some(&b"http/1.1"[..]);
        assert_eq!(agreed, expected);
        peer::echo(&mut socket, "hello").await.unwrap();
    }
    let told = peer::tls(server.address, offering(&[b"h2"]), "localhost").await;
    let told = told.expect_err("there is nothing to agree on").to_string();
    assert!(told.contains("NoApplicationProtocol"), "{told}");
    assert!(matches!(
        server.next_refused().await,
        HandshakeError::Tls(_)
    ));
}

//= TL-14 type=test
#[tokio::test]
async fn early_data_is_not_taken_whatever_the_configuration_says() {
    let authority = Authority::new("one");
    let issued = authority.issue("localhost");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut theirs = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.certificate()], issued.private_key())
        .unwrap();
    theirs.max_early_data_size = 16 << 10;
    let server = EchoServer::start(Config::default().with_tls(Tls::from_config(&theirs))).await;
    let mut early = config(&authority, None);
    early.enable_early_data = true;
    // The first connection brings a ticket, with which the second could send at once.
    for round in 0..2 {
        let mut socket = peer::open(server.address, early.clone()).await;
        peer::echo(&mut socket, "hello").await.unwrap();
        let (_, session) = socket.stream().get_ref();
        assert!(!session.is_early_data_accepted());
        let resumed = session.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        assert_eq!(resumed, round == 1);
        let _: Result<_, net::Error> = within(socket.close(CloseCode::NORMAL_CLOSURE, "")).await;
    }
    let name = "localhost".try_into().unwrap();
    let mut third = rustls::ClientConnection::new(Arc::new(early), name).unwrap();
    assert!(third.early_data().is_none(), "the ticket does not allow it");
}
