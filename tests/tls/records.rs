//! Records that no honest peer sends, behind a handshake that was one.

use alloc::sync::Arc;
use core::net::SocketAddr;
use framewire::engine::{Limits, Violation};
use framewire::net::Error;
use framewire::server::{Config, HandshakeError};
use rustls::crypto::cipher::{MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::{
    ClientConfig, ClientConnection, ConnectionTrafficSecrets, ContentType, ProtocolVersion,
    SupportedCipherSuite, SupportedProtocolVersion,
};
use std::io::ErrorKind;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::allocator::held;
use crate::authority::Authority;
use crate::peer::{self, config, first_flight, say};
use crate::serving::harm::Watched;
use crate::{EchoServer, within};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

/// "hi" in a masked frame, and a Close.
const MESSAGE: &[u8] = b"\x81\x82\0\0\0\0hi";
const CLOSE: &[u8] = b"\x88\x80\0\0\0\0";

/// A client whose keys can be taken out, which speaks this version alone.
fn opened_up(authority: &Authority, version: &'static SupportedProtocolVersion) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(authority.roots())
        .with_no_client_auth();
    config.enable_secret_extraction = true;
    config
}

/// Makes records of any content, with the keys of a session.
struct Sealer {
    encrypter: Box<dyn MessageEncrypter>,
    number: u64,
}

impl Sealer {
    fn take_over(session: ClientConnection) -> Self {
        let suite = session.negotiated_cipher_suite().unwrap();
        let (number, secrets) = session.dangerous_extract_secrets().unwrap().tx;
        let (ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }) = secrets
        else {
            panic!("another suite is preferred now");
        };
        let encrypter = match suite {
            SupportedCipherSuite::Tls13(it) => it.aead_alg.encrypter(key, iv),
            // Four bytes are fixed, and eight are sent (RFC 5288 §3).
            SupportedCipherSuite::Tls12(it) => {
                let (fixed, sent) = iv.as_ref().split_at(4);
                it.aead_alg.encrypter(key, fixed, sent)
            }
        };
        let mut sealer = Self {
            encrypter,
            number: 0,
        };
        // The cipher takes the first number that it sees for zero.
        if number > 0 {
            sealer.record(ContentType::ApplicationData, b"");
        }
        sealer.number = number;
        sealer
    }

    fn record(&mut self, typ: ContentType, payload: &[u8]) -> Vec<u8> {
        let plain = OutboundPlainMessage {
            typ,
            version: ProtocolVersion::TLSv1_2,
            payload: OutboundChunks::Single(payload),
        };
        let record = self.encrypter.encrypt(plain, self.number).unwrap();
        self.number += 1;
        record.encode()
    }

    fn records(&mut self, typ: ContentType, payload: &[u8], count: usize) -> Vec<u8> {
        (0..count).flat_map(|_| self.record(typ, payload)).collect()
    }
}

/// A connection whose records are written by hand.
struct Records {
    tcp: TcpStream,
    sealer: Sealer,
}

impl Records {
    fn take_over(stream: TlsStream<TcpStream>) -> Self {
        let (tcp, session) = stream.into_inner();
        let sealer = Sealer::take_over(session);
        Self { tcp, sealer }
    }

    /// Sends so many of a kind; says whether the server has taken them.
    async fn send(&mut self, typ: ContentType, payload: &[u8], count: usize) -> bool {
        let bytes = self.sealer.records(typ, payload, count);
        within(self.tcp.write_all(&bytes)).await.is_ok()
    }
}

/// An open WebSocket, whose records are written by hand from now on.
async fn open(address: SocketAddr, config: ClientConfig) -> Records {
    Records::take_over(peer::open(address, config).await.terminate())
}

/// So many empty records in a row are taken from anybody.
const FEW: usize = 16;

// RFC 8446 §5.1 allows empty records of application data.
//= TL-11 type=test
#[tokio::test]
async fn a_few_empty_records_are_passed_over() {
    let authority = Authority::new("one");
    let mut server = EchoServer::secure(&authority, Config::default()).await;
    for version in VERSIONS {
        let mut records = open(server.address, opened_up(&authority, version)).await;
        for frame in [MESSAGE, MESSAGE, CLOSE] {
            assert!(records.send(ContentType::ApplicationData, b"", FEW).await);
            assert!(records.send(ContentType::ApplicationData, frame, 1).await);
        }
        let ended = server.next_ended().await;
        assert!(ended.is_ok(), "{version:?}: {ended:?}");
    }
}

//= TL-11 type=test
#[tokio::test]
async fn records_that_are_empty_or_mean_nothing_without_end_end_the_connection() {
    let authority = Authority::new("one");
    let server = EchoServer::secure(&authority, Config::default()).await;
    let address = server.address;
    let other = peer::open(address, config(&authority, None)).await;
    let mut watched = Watched::new(server, other).await;
    // A warning that nothing is wrong, "no renegotiation".
    const WARNING: &[u8] = &[1, 100];
    for version in VERSIONS {
        for (typ, payload) in [
            (ContentType::ApplicationData, &b""[..]),
            (ContentType::Handshake, b""),
            (ContentType::Alert, b""),
            (ContentType::ChangeCipherSpec, b""),
            (ContentType::Alert, WARNING),
        ] {
            let mut records = open(address, opened_up(&authority, version)).await;
            let (before, mut most) = (held(), 0);
            for _ in 0..100 {
                let _ = records.send(typ, payload, 100).await;
                most = most.max(held() - before);
            }
            drop(records);
            let case = format!("{version:?}, {typ:?} {payload:?}");
            let ended = watched.unharmed(&case, 0, 1).await.ended;
            assert!(
                matches!(&ended[..], [Err(Error::Io(it))] if it.kind() == ErrorKind::InvalidData),
                "{case}: {ended:?}"
            );
            println!("{version:?}, {typ:?}: {most} bytes at most");
            assert!(most <= 128 << 10, "{version:?}, {typ:?}: {most} bytes");
        }
    }
    // RFC 8446 §5 allows one before the handshake is over.
    let change = b"\x14\x03\x03\x00\x01\x01".repeat(1_000);
    let hello = first_flight(config(&authority, None));
    say(address, &[hello, change].concat()).await;
    let refused = watched
        .unharmed("too many changes of cipher", 1, 0)
        .await
        .refused;
    assert!(
        matches!(refused[..], [HandshakeError::Tls(_)]),
        "{refused:?}"
    );
}

//= TL-11 type=test
#[tokio::test]
async fn empty_records_before_the_request_are_cut_off_as_well() {
    let authority = Authority::new("one");
    let mut server = EchoServer::secure(&authority, Config::default()).await;
    for version in VERSIONS {
        let tls = peer::tls(server.address, opened_up(&authority, version), "localhost").await;
        let mut records = Records::take_over(tls.unwrap());
        let _ = records
            .send(ContentType::ApplicationData, b"", 10_000)
            .await;
        let refused = server.next_refused().await;
        // In TLS 1.3 they are seen while the handshake is being finished.
        let (HandshakeError::Tls(error) | HandshakeError::Io(error)) = &refused else {
            panic!("{version:?}: {refused:?}");
        };
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{version:?}: {error}");
    }
}

// As many as are allowed before each byte: they cost what they weigh, until the bytes end it.
//= TL-11 type=test
#[tokio::test]
async fn empty_records_between_others_hold_nothing_and_keep_nobody_waiting() {
    const FRAGMENTS_MAX: u32 = 1_000;
    let authority = Authority::new("one");
    let limits = Limits::default().with_fragments_max(FRAGMENTS_MAX);
    let mut server = EchoServer::secure(&authority, Config::default().with_limits(limits)).await;
    let mut other = peer::open(server.address, config(&authority, None)).await;
    let mut records = open(server.address, opened_up(&authority, VERSIONS[0])).await;
    let (before, mut most, mut sent) = (held(), 0, 0);
    // The fragments of one message, without an end, and each of them empty.
    let begin = [0x01, 0x80, 0, 0, 0, 0];
    let again = [0x00, 0x80, 0, 0, 0, 0];
    for fragment in core::iter::once(begin).chain(core::iter::repeat(again)) {
        let mut burst = Vec::new();
        for byte in fragment {
            burst.extend(
                records
                    .sealer
                    .records(ContentType::ApplicationData, b"", FEW),
            );
            burst.extend(records.sealer.record(ContentType::ApplicationData, &[byte]));
        }
        sent += 1;
        if within(records.tcp.write_all(&burst)).await.is_err() {
            break;
        }
        if sent % 50 == 0 {
            peer::echo(&mut other, "hello").await.unwrap();
        }
        most = most.max(held() - before);
        if !server.ended.is_empty() {
            break;
        }
    }
    let ended = server.next_ended().await;
    assert!(
        matches!(ended, Err(Error::Violation(Violation::TooManyFragments))),
        "{ended:?}"
    );
    println!("{sent} fragments, {most} bytes at most");
    assert!(sent >= FRAGMENTS_MAX);
    assert!(most <= 256 << 10, "{most} bytes");
}
