//! Servers with certificates of every kind.

use alloc::sync::Arc;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::raw;

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

/// A root; `change` is the last word on it.
pub(crate) fn authority(change: impl FnOnce(&mut CertificateParams)) -> Authority {
    let mut params = CertificateParams::new([]).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "a root");
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a root")
}

/// A certificate with its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
}

/// A certificate for `localhost` and 127.0.0.1 by `issuer`; `change` is the last word on it.
pub(crate) fn issued(issuer: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let (params, key) = for_localhost(change);
    let certificate = params.signed_by(&key, issuer).expect("a certificate");
    Identity {
        chain: vec![certificate.der().clone()],
        key,
    }
}

pub(crate) fn self_signed() -> Identity {
    let (params, key) = for_localhost(|_| {});
    let certificate = params.self_signed(&key).expect("a certificate");
    Identity {
        chain: vec![certificate.der().clone()],
        key,
    }
}

fn for_localhost(change: impl FnOnce(&mut CertificateParams)) -> (CertificateParams, KeyPair) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).expect("good names");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    change(&mut params);
    (params, KeyPair::generate().expect("a key"))
}

pub(crate) fn server_config(identity: &Identity) -> ServerConfig {
    let (chain, key) = parts(identity);
    builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("they belong together")
}

pub(crate) fn builder() -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("it has some")
}

pub(crate) fn parts(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = PrivatePkcs8KeyDer::from(identity.key.serialize_der());
    (identity.chain.clone(), PrivateKeyDer::from(key))
}

/// What a server saw of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Saw {
    /// TLS was opened with this name (SNI), this protocol (ALPN) and so many certificates of the
    /// client; then came this byte, if any.
    Opened {
        name: Option<String>,
        alpn: Option<Vec<u8>>,
        certificates: usize,
        first: Option<u8>,
    },
    /// TLS was not opened.
    Failed,
}

/// Serves TLS and tells what it sees of each connection. It sends nothing.
pub(crate) async fn watching(config: ServerConfig) -> (u16, mpsc::UnboundedReceiver<Saw>) {
    let (listener, _) = raw::listen().await;
    let port = listener.local_addr().expect("it is bound").port();
    let (told, saw) = mpsc::unbounded_channel();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let stream = raw::accept(&listener).await;
            let saw = match acceptor.accept(stream).await {
                Err(_) => Saw::Failed,
                Ok(mut stream) => {
                    let first = stream.read_u8().await.ok();
                    let tls = stream.get_ref().1;
                    Saw::Opened {
                        name: tls.server_name().map(str::to_owned),
                        alpn: tls.alpn_protocol().map(<[u8]>::to_vec),
                        certificates: tls.peer_certificates().map_or(0, <[_]>::len),
                        first,
                    }
                }
            };
            if told.send(saw).is_err() {
                return;
            }
        }
    });
    (port, saw)
}

/// Serves an echo over TLS on a port of its own.
pub(crate) async fn echoing(config: ServerConfig) -> u16 {
    let (listener, _) = raw::listen().await;
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(serve_echo(listener, config));
    port
}

async fn serve_echo(listener: TcpListener, config: ServerConfig) {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    loop {
        let (stream, _) = listener.accept().await.expect("it listens");
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                raw::echo(stream).await;
            }
        });
    }
}
