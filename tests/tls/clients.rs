//! Clients that show certificates, or should.

use framewire::server::{ClientCertificate, Config, HandshakeError, TlsFiles};
use rcgen::date_time_ymd;
use rustls::ClientConfig;

use crate::EchoServer;
use crate::authority::Authority;
use crate::peer::{self, config};

/// The files of a server of `authority` that asks clients for certificates.
fn asking(authority: &Authority, wanted: ClientCertificate) -> TlsFiles {
    let files = authority.issue("localhost").files();
    files.with_clients(authority.file(), wanted)
}

async fn start(files: TlsFiles) -> EchoServer {
    EchoServer::start(Config::default().with_tls(files.load().unwrap())).await
}

async fn expect_refused(server: &mut EchoServer, client: ClientConfig) {
    let opened = peer::try_open(server.address, client, "localhost").await;
    assert!(opened.is_err(), "no certificate, no connection");
    let refused = server.next_refused().await;
    assert!(matches!(refused, HandshakeError::Tls(_)), "{refused:?}");
}

//= TL-12 type=test
#[tokio::test]
async fn clients_without_a_certificate_that_counts_are_refused() {
    let (authority, foreign) = (Authority::new("one"), Authority::new("two"));
    let mut server = start(asking(&authority, ClientCertificate::Required)).await;
    let expired = authority.issue_with("client", 3, |it| {
        it.not_before = date_time_ymd(2000, 1, 1);
        it.not_after = date_time_ymd(2001, 1, 1);
    });
    expect_refused(&mut server, config(&authority, None)).await;
    expect_refused(&mut server, config(&authority, Some(&expired))).await;
    let other = foreign.issue("client");
    expect_refused(&mut server, config(&authority, Some(&other))).await;
    let good = authority.issue_with("client", 4, |_| {});
    let mut socket = peer::open(server.address, config(&authority, Some(&good))).await;
    peer::echo(&mut socket, "hello").await.unwrap();
    assert_eq!(server.next_shown().await, 1);
}

//= TL-12 type=test
#[tokio::test]
async fn a_revoked_certificate_is_refused_and_its_neighbour_is_not() {
    let authority = Authority::new("one");
    let files = asking(&authority, ClientCertificate::Required);
    let mut server = start(files.with_revoked_clients(authority.revoke(66))).await;
    let revoked = authority.issue_with("client", 66, |_| {});
    expect_refused(&mut server, config(&authority, Some(&revoked))).await;
    let good = authority.issue_with("client", 67, |_| {});
    let mut socket = peer::open(server.address, config(&authority, Some(&good))).await;
    peer::echo(&mut socket, "hello").await.unwrap();
}

//= TL-12 type=test
#[test]
fn a_crafted_list_of_revocations_is_refused_when_it_is_read() {
    use base64::Engine;
    let authority = Authority::new("one");
    let files = asking(&authority, ClientCertificate::Required);
    let good = std::fs::read_to_string(authority.revoke(1)).unwrap();
    let body: String = good.lines().filter(|it| !it.starts_with("---")).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    // Every length, tag and number of it is spoiled once: none of that is a panic.
    let (mut refused, pem) = (0, base64::engine::general_purpose::STANDARD);
    for at in 0..der.len() {
        let mut crafted = der.clone();
        crafted[at] ^= 0x9F;
        let text = format!(
            "-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n",
            pem.encode(&crafted)
        );
        let lists = authority.write("crafted.pem", &text);
        // A spoiled name or signature is seen only when a client comes.
        if let Err(error) = files.clone().with_revoked_clients(&lists).load() {
            assert_eq!(error.path(), lists, "{error}");
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused} of {}", der.len());
}

#[tokio::test]
async fn where_certificates_are_optional_a_false_one_is_still_refused() {
    let (authority, foreign) = (Authority::new("one"), Authority::new("two"));
    let mut server = start(asking(&authority, ClientCertificate::Optional)).await;
    let mut socket = peer::open(server.address, config(&authority, None)).await;
    peer::echo(&mut socket, "hello").await.unwrap();
    assert_eq!(server.next_shown().await, 0);
    let other = foreign.issue("client");
    expect_refused(&mut server, config(&authority, Some(&other))).await;
}
