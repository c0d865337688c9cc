//! Which certificate a server shows, and how it is exchanged.

use framewire::server::{Config, TlsFiles};
use rustls::pki_types::CertificateDer;
use std::fs;

use crate::EchoServer;
use crate::authority::Authority;
use crate::peer::{self, Secure, config, hello, say};

fn shown(socket: &Secure) -> CertificateDer<'static> {
    let certificates = socket.stream().get_ref().1.peer_certificates();
    certificates.expect("a server shows one")[0]
        .clone()
        .into_owned()
}

//= TL-07 type=test
#[tokio::test]
async fn a_certificate_is_chosen_by_name_and_unknown_names_get_the_default() {
    let authority = Authority::new("one");
    let (first, second) = (authority.issue("localhost"), authority.issue("other.test"));
    // Of an address there is no certificate but the default, which does not name it.
    let by_address = authority.issue_with("127.0.0.1", 7, |_| {});
    let files = first
        .files()
        .with_name("Other.Test", &second.chain, &second.key);
    let tls = files.load().unwrap();
    let server = EchoServer::start(Config::default().with_tls(tls)).await;
    let open =
        async |host: &str| peer::try_open(server.address, config(&authority, None), host).await;
    assert_eq!(
        shown(&open("localhost").await.unwrap()),
        first.certificate()
    );
    assert_eq!(
        shown(&open("other.test").await.unwrap()),
        second.certificate()
    );
    let refused = open("unknown.test").await.expect_err("another name");
    assert!(
        refused.to_string().contains("not valid for name"),
        "{refused}"
    );
    // An address is no name that a hello could hold: the client sends none.
    assert!(open("127.0.0.1").await.is_err());
    let tls = by_address.files().load().unwrap();
    let server = EchoServer::start(Config::default().with_tls(tls)).await;
    let opened = peer::try_open(server.address, config(&authority, None), "127.0.0.1").await;
    assert_eq!(shown(&opened.unwrap()), by_address.certificate());
}

//= TL-07 type=test
#[tokio::test]
async fn a_name_of_10_kb_or_an_address_as_a_name_is_an_alert_or_the_default() {
    let authority = Authority::new("one");
    let server = EchoServer::secure(&authority, Config::default()).await;
    for name in [vec![b'a'; 10 << 10], b"127.0.0.1".to_vec(), Vec::new()] {
        let len = |more: usize| u16::try_from(name.len() + more).unwrap().to_be_bytes();
        let mut extension = vec![0, 0];
        extension.extend(len(5));
        extension.extend(len(3));
        extension.push(0);
        extension.extend(len(0));
        extension.extend_from_slice(&name);
        let answer = say(server.address, &hello([3, 3], &[0xC0, 0x2B], &extension)).await;
        assert!(matches!(answer[..], [21, 3, _, 0, 2, 2, _]), "{answer:?}");
    }
    let mut socket = peer::open(server.address, config(&authority, None)).await;
    peer::echo(&mut socket, "still here").await.unwrap();
}

//= TL-09 type=test
#[tokio::test]
async fn certificates_are_exchanged_under_a_thousand_open_connections() {
    let authority = Authority::new("one");
    let (old, new) = (
        authority.issue("localhost"),
        authority.issue_with("localhost", 2, |_| {}),
    );
    let (first, second) = (old.certificate(), new.certificate());
    let tls = old.files().load().unwrap();
    let settings = Config::default()
        .with_tls(tls.clone())
        .with_tls_handshakes_per_second_max(10_000);
    let server = EchoServer::start(settings).await;
    let client = config(&authority, None);
    let mut open = Vec::new();
    for _ in 0..1000 {
        open.push(peer::open(server.address, client.clone()).await);
    }
    assert_eq!(server.admission.connections(), 1000);
    // A certificate with the key of another is refused, and so is what is no PEM at all.
    fs::copy(&new.chain, &old.chain).unwrap();
    let error = tls.reload().unwrap_err();
    assert_eq!(error.path(), old.key, "{error}");
    fs::write(&old.key, "no key").unwrap();
    let error = tls.reload().unwrap_err();
    assert_eq!(error.path(), old.key, "{error}");
    assert!(error.to_string().contains("localhost-1.key"), "{error}");
    let kept = peer::open(server.address, config(&authority, None)).await;
    assert_eq!(shown(&kept), first, "the old one is kept");
    fs::copy(&new.key, &old.key).unwrap();
    tls.reload().unwrap();
    let fresh = peer::open(server.address, client).await;
    assert_eq!(shown(&fresh), second);
    for socket in &mut open {
        peer::echo(socket, "still here").await.unwrap();
        assert_eq!(shown(socket), first);
    }
}

#[test]
fn files_that_are_missing_empty_or_foreign_are_named() {
    let authority = Authority::new("one");
    let issued = authority.issue("localhost");
    let empty = authority.write("empty.pem", "");
    let nowhere = authority.file().with_file_name("nowhere.pem");
    for (chain, key, named) in [
        (&nowhere, &issued.key, "nowhere.pem"),
        (&issued.chain, &nowhere, "nowhere.pem"),
        (&empty, &issued.key, "empty.pem"),
        (&issued.key, &issued.key, "localhost-1.key"),
        (&issued.chain, &issued.chain, "localhost-1.pem"),
    ] {
        let error = TlsFiles::new(chain, key).load().unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}
