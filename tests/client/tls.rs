//! `wss`: who is believed, and what is shown.

use alloc::sync::Arc;
use framewire::client::{Config, ConnectError, InvalidTls, Phase, Tls, TlsBuilder, connect_with};
use framewire::engine::Message;
use framewire::wire::close::CloseCode;
use rcgen::{
    CertificateRevocationListParams, ExtendedKeyUsagePurpose, GeneralSubtree, KeyIdMethod,
    NameConstraints, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::server::{ClientCertVerifierBuilder, WebPkiClientVerifier};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::tls_server::{
    Authority, Identity, Saw, authority, builder, echoing, issued, parts, self_signed,
    server_config, watching,
};
use crate::{LONG, raw, within};

fn trusting(root: &Authority) -> TlsBuilder {
    Tls::builder()
        .with_roots_pem(root.pem().as_bytes())
        .expect("a root")
}

fn config(tls: TlsBuilder) -> Config {
    let tls = tls.build().expect("it can be used");
    Config::default().with_tls(tls).with_total_timeout(LONG)
}

//= WS-017 type=test
//= WS-171 type=test
//= WS-019 type=test
//= D05 type=test
//= E03 type=test
#[tokio::test]
async fn a_message_comes_back_over_tls_by_name_and_by_address() {
    let root = authority(|_| {});
    let port = echoing(server_config(&issued(&root, |_| {}))).await;
    let config = config(trusting(&root));
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("wss://{host}:{port}/");
        let (mut socket, _) = within(connect_with(&url, &config)).await.expect("open");
        assert!(socket.stream().is_tls());
        within(socket.send("hello")).await.expect("no failure");
        let echoed = within(socket.recv()).await.expect("no failure");
        assert_eq!(echoed, Some(Message::text("hello")));
        let closed = within(socket.close(CloseCode::NORMAL_CLOSURE, "")).await;
        assert!(closed.expect("a normal close").is_clean());
    }
}

//= WS-017 type=test
//= WS-020 type=test
#[tokio::test]
async fn tls_comes_first_with_the_name_and_the_protocol() {
    let root = authority(|_| {});
    let mut server = server_config(&issued(&root, |_| {}));
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    let (port, mut saw) = watching(server).await;
    let config = config(trusting(&root));
    for (host, name) in [("localhost", Some("localhost")), ("127.0.0.1", None)] {
        let url = format!("wss://{host}:{port}/");
        let failed = within(connect_with(&url, &config)).await.err();
        assert_eq!(failed.and_then(|it| it.phase()), Some(Phase::Handshake));
        let expected = Saw::Opened {
            name: name.map(str::to_owned),
            alpn: Some(b"http/1.1".to_vec()),
            certificates: 0,
            first: Some(b'G'),
        };
        assert_eq!(within(saw.recv()).await, Some(expected));
    }
}

/// Suites with forward secrecy and authenticated encryption, and the mark that only says that a
/// renegotiation is secure.
const STRONG: [u16; 10] = [
    0x1301, 0x1302, 0x1303, 0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9, 0x00FF,
];

//= WS-173 type=test
#[tokio::test]
async fn what_a_client_offers_is_strong() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}/", listener.local_addr().unwrap());
    let config = config(trusting(&authority(|_| {})));
    let connecting = connect_with(&url, &config);
    let listening = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut record = [0; 5];
        stream.read_exact(&mut record).await.unwrap();
        let mut hello = vec![0; usize::from(u16::from_be_bytes([record[3], record[4]]))];
        stream.read_exact(&mut hello).await.unwrap();
        hello
    };
    let (_, hello) = within(async { tokio::join!(connecting, listening) }).await;
    // Behind the type, the length, the version and the random bytes stands the session's name.
    let at = 1 + 3 + 2 + 32;
    let at = at + 1 + usize::from(hello[at]);
    let length = usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
    let suites = hello[at + 2..at + 2 + length].chunks(2);
    let suites: Vec<_> = suites
        .map(|it| u16::from_be_bytes([it[0], it[1]]))
        .collect();
    assert!(suites.len() > 1);
    assert!(suites.iter().all(|it| STRONG.contains(it)), "{suites:04x?}");
}

/// Certificates that are not to be believed, with the root that is trusted.
fn bad_certificates() -> Vec<(&'static str, Authority, Identity)> {
    let mut bad = Vec::new();
    let mut add = |what, change: fn(&mut rcgen::CertificateParams)| {
        let root = authority(|_| {});
        let identity = issued(&root, change);
        bad.push((what, root, identity));
    };
    add("expired", |it| it.not_after = date_time_ymd(2020, 1, 1));
    add("not yet valid", |it| {
        it.not_before = date_time_ymd(4000, 1, 1)
    });
    add("for another name", |it| {
        *it = rcgen::CertificateParams::new(["example.com".to_owned()]).expect("a name");
    });
    add("for clients", |it| {
        it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    bad.push(("self-signed", authority(|_| {}), self_signed()));
    let unknown = authority(|_| {});
    bad.push((
        "by an unknown root",
        authority(|_| {}),
        issued(&unknown, |_| {}),
    ));
    let constrained = authority(|it| {
        it.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    });
    let outside = issued(&constrained, |_| {});
    bad.push((
        "outside the names that its root may vouch for",
        constrained,
        outside,
    ));
    bad
}

//= TL-08 type=test
//= WS-018 type=test
#[tokio::test]
async fn a_bad_certificate_ends_it_before_any_byte_of_http() {
    for (what, root, identity) in bad_certificates() {
        let (port, mut saw) = watching(server_config(&identity)).await;
        let url = format!("wss://localhost:{port}/");
        let failed = within(connect_with(&url, &config(trusting(&root))))
            .await
            .err();
        assert!(
            matches!(failed, Some(ConnectError::Tls(_))),
            "{what}: {failed:?}"
        );
        match within(saw.recv()).await.expect("the server runs") {
            Saw::Failed | Saw::Opened { first: None, .. } => {}
            opened => panic!("{what}: {opened:?}"),
        }
    }
}

fn crl(root: &Authority, serial: SerialNumber, next_update: i32) -> String {
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(next_update, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: serial,
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = params.signed_by(root).expect("a list");
    list.pem().expect("PEM")
}

//= TL-08 type=test
#[tokio::test]
async fn a_revoked_certificate_is_refused_where_a_list_says_so() {
    let root = authority(|_| {});
    let serial = || SerialNumber::from(77_u64);
    let identity = issued(&root, |it| it.serial_number = Some(serial()));
    let port = echoing(server_config(&identity)).await;
    let url = format!("wss://localhost:{port}/");
    for (list, is_open) in [
        (crl(&root, SerialNumber::from(78_u64), 4000), true),
        (crl(&root, serial(), 4000), false),
        // A list that is out of date says nothing good about anybody.
        (crl(&root, SerialNumber::from(78_u64), 2021), false),
    ] {
        let tls = trusting(&root).with_crls_pem(list.as_bytes()).expect("PEM");
        let opened = within(connect_with(&url, &config(tls))).await;
        assert_eq!(opened.is_ok(), is_open, "{:?}", opened.err());
    }
}

/// A server that demands a client's certificate from `root`.
fn demanding(identity: &Identity, root: &Authority) -> rustls::ServerConfig {
    verifying(identity, root, |it| it)
}

/// A server that looks at a client's certificate where there is one.
fn asking(identity: &Identity, root: &Authority) -> rustls::ServerConfig {
    verifying(
        identity,
        root,
        ClientCertVerifierBuilder::allow_unauthenticated,
    )
}

fn verifying(
    identity: &Identity,
    root: &Authority,
    change: impl FnOnce(ClientCertVerifierBuilder) -> ClientCertVerifierBuilder,
) -> rustls::ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = change(verifier).build().expect("a root is there");
    let (chain, key) = parts(identity);
    builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .expect("they belong together")
}

fn client_identity(tls: TlsBuilder, root: &Authority, year: i32) -> TlsBuilder {
    let identity = issued(root, |it| {
        it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        it.not_after = date_time_ymd(year, 1, 1);
    });
    let chain = pem(&identity);
    tls.with_client_certificate_pem(chain.as_bytes(), identity.key.serialize_pem().as_bytes())
        .expect("PEM")
}

fn pem(identity: &Identity) -> String {
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode(&identity.chain[0]);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

//= TL-12 type=test
#[tokio::test]
async fn a_client_shows_its_certificate_and_is_refused_without_a_good_one() {
    let (root, other) = (authority(|_| {}), authority(|_| {}));
    let identity = issued(&root, |_| {});
    let port = echoing(demanding(&identity, &root)).await;
    let url = format!("wss://localhost:{port}/");
    let trusting = || trusting(&root);
    for (what, tls, is_open) in [
        ("a good one", client_identity(trusting(), &root, 4000), true),
        ("none", trusting(), false),
        (
            "an expired one",
            client_identity(trusting(), &root, 2020),
            false,
        ),
        (
            "another root's",
            client_identity(trusting(), &other, 4000),
            false,
        ),
    ] {
        let opened = within(connect_with(&url, &config(tls))).await;
        assert_eq!(opened.is_ok(), is_open, "{what}: {:?}", opened.err());
    }
}

#[tokio::test]
async fn any_certificate_is_believed_only_where_that_was_asked_for() {
    let port = echoing(server_config(&self_signed())).await;
    let url = format!("wss://localhost:{port}/");
    let any = Tls::builder().danger_accept_any_certificate();
    within(connect_with(&url, &config(any)))
        .await
        .expect("open");
    let bundled = Tls::builder().with_bundled_roots();
    let failed = within(connect_with(&url, &config(bundled))).await.err();
    assert!(matches!(failed, Some(ConnectError::Tls(_))), "{failed:?}");
}

#[test]
fn what_cannot_be_trusted_or_shown_is_refused_when_it_is_given() {
    let nothing = Tls::builder().build().map(drop);
    assert!(matches!(nothing, Err(InvalidTls::Roots(_))), "{nothing:?}");
    let no_pem = Tls::builder().with_roots_pem(b"no PEM").map(drop);
    assert_eq!(no_pem, Err(InvalidTls::Pem));
    let no_pem = Tls::builder().with_crls_pem(b"").map(drop);
    assert_eq!(no_pem, Err(InvalidTls::Pem));
    let (root, own, other) = (authority(|_| {}), self_signed(), self_signed());
    let mixed = trusting(&root)
        .with_client_certificate_pem(pem(&own).as_bytes(), other.key.serialize_pem().as_bytes());
    let mixed = mixed.expect("PEM").build().map(drop);
    assert!(matches!(mixed, Err(InvalidTls::Identity(_))), "{mixed:?}");
}

//= WS-006 type=test
#[tokio::test]
async fn wss_is_never_spoken_in_the_clear() {
    let (listener, url) = raw::listen().await;
    let url = url.replace("ws://", "WSS://");
    let config = config(Tls::builder().with_bundled_roots());
    let connecting = tokio::spawn(async move { connect_with(&url, &config).await.map(drop) });
    let mut stream = raw::accept(&listener).await;
    // The first byte of a record of the handshake of TLS.
    assert_eq!(within(stream.read_u8()).await.expect("a byte"), 0x16);
    drop(stream);
    let failed = within(connecting).await.expect("no panic").err();
    assert_eq!(failed.and_then(|it| it.phase()), Some(Phase::Tls));
}

#[tokio::test]
async fn a_server_that_is_silent_within_tls_is_given_up_in_time() {
    let (listener, url) = raw::listen().await;
    let short = core::time::Duration::from_millis(100);
    let config = Config::default().with_tls_timeout(short);
    let config = config.with_tls(
        Tls::builder()
            .danger_accept_any_certificate()
            .build()
            .expect("it can be used"),
    );
    let failed = within(connect_with(&url.replace("ws:", "wss:"), &config))
        .await
        .err();
    assert!(
        matches!(failed, Some(ConnectError::TimedOut(Some(Phase::Tls)))),
        "{failed:?}"
    );
    drop(listener);
}

/// Opens TLS on one connection, with a client that must show a certificate, and redirects it.
fn redirecting(config: rustls::ServerConfig, listener: tokio::net::TcpListener, to: String) {
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        let stream = raw::accept(&listener).await;
        let mut stream = acceptor.accept(stream).await.expect("TLS");
        raw::head(&mut stream).await;
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.expect("it reads");
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
}

//= CS-14 type=test
#[tokio::test]
async fn a_client_certificate_is_not_shown_where_a_redirect_leads() {
    let root = authority(|_| {});
    let identity = issued(&root, |_| {});
    for own_origin in [true, false] {
        let (port, mut saw) = watching(asking(&identity, &root)).await;
        let to = format!("wss://localhost:{port}/");
        // To itself, or from another port.
        let url = match own_origin {
            true => to,
            false => {
                let (listener, url) = raw::listen().await;
                redirecting(demanding(&identity, &root), listener, to);
                url.replace("ws://", "wss://")
            }
        };
        let tls = client_identity(trusting(&root), &root, 4000);
        let config = config(tls).with_redirects_max(1);
        let connecting = tokio::spawn(async move { connect_with(&url, &config).await.map(drop) });
        let Some(Saw::Opened { certificates, .. }) = within(saw.recv()).await else {
            panic!("TLS was not opened");
        };
        assert_eq!(certificates, usize::from(own_origin));
        let ended = within(connecting).await.expect("no panic");
        assert!(ended.is_err(), "it answers nothing");
    }
}
