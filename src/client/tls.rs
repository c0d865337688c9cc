//! Whom a client believes, and how it shows itself (RFC 6455 §10.6).

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime,
};
use rustls::sign::CertifiedKey;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::{TlsConnector, TlsStream};

/// The protocol that is offered by ALPN: WebSocket begins as HTTP/1.1.
const ALPN: &[u8] = b"http/1.1";

/// How a client speaks TLS: the roots it trusts, and the certificate it shows.
///
/// Cheap to clone; clones share the cache of sessions. It offers TLS 1.2 and 1.3, names the
/// server by SNI where the host is a name, offers `http/1.1` by ALPN, and sends no early data.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    /// Begins with no roots at all: add the ones to trust.
    pub fn builder() -> TlsBuilder {
        TlsBuilder {
            roots: RootCertStore::empty(),
            crls: Vec::new(),
            identity: None,
            accepts_any: false,
        }
    }

    /// Takes a configuration as it is. Where it offers something by ALPN, `http/1.1` must be
    /// chosen by the server.
    pub const fn from_config(config: Arc<ClientConfig>) -> Self {
        Self { config }
    }

    /// The configuration, for whoever drives TLS without tokio.
    #[cfg_attr(
        not(feature = "cli"),
        expect(dead_code, reason = "for the load generator")
    )]
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// What is used where nothing else was asked for: the roots of the system, read once.
    pub(crate) async fn of_system() -> Result<Self, InvalidTls> {
        static SYSTEM: OnceCell<Tls> = OnceCell::const_new();
        // Reading the roots blocks.
        let read = || async {
            tokio::task::spawn_blocking(|| Self::builder().with_system_roots()?.build())
                .await
                .unwrap_or_else(|error| Err(InvalidTls::Roots(error.to_string())))
        };
        SYSTEM.get_or_try_init(read).await.cloned()
    }

    /// The same without the client's certificate and without what sessions remember of it.
    pub(crate) fn without_client_certificate(&self) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.client_auth_cert_resolver = Arc::new(NoCertificate);
        config.resumption = Resumption::default();
        Self::from_config(Arc::new(config))
    }

    /// Opens TLS to `host` over `stream`.
    //= WS-017
    //= WS-018
    //= WS-020
    pub(crate) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        // An address gets no SNI, and its certificate must name the address (RFC 6066 §3).
        let name = ServerName::try_from(host.to_string())
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let opened = TlsConnector::from(Arc::clone(&self.config))
            .connect(name, stream)
            .await?;
        match opened.get_ref().1.alpn_protocol() {
            None | Some(ALPN) => Ok(TlsStream::Client(opened)),
            Some(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                rustls::Error::NoApplicationProtocol,
            )),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// Puts a [`Tls`] together.
pub struct TlsBuilder {
    roots: RootCertStore,
    crls: Vec<CertificateRevocationListDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    accepts_any: bool,
}

impl TlsBuilder {
    /// Trusts what the system trusts. This reads files, and blocks meanwhile.
    ///
    /// # Errors
    ///
    /// [`InvalidTls::Roots`] where the system has no root that can be read: then trust the
    /// [bundled roots](Self::with_bundled_roots), or name roots.
    pub fn with_system_roots(mut self) -> Result<Self, InvalidTls> {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = self.roots.add_parsable_certificates(found.certs);
        match (added, found.errors.first()) {
            (0, Some(error)) => Err(InvalidTls::Roots(error.to_string())),
            (0, None) => Err(InvalidTls::Roots("there are none".into())),
            _ => Ok(self),
        }
    }

    /// Trusts the roots of Mozilla's list that came with this version of the program.
    #[must_use]
    pub fn with_bundled_roots(mut self) -> Self {
        self.roots
            .extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        self
    }

    /// Trusts the certificates in a PEM file.
    ///
    /// # Errors
    ///
    /// [`InvalidTls::Pem`] where there is none, or one that cannot be read.
    pub fn with_roots_pem(mut self, pem: &[u8]) -> Result<Self, InvalidTls> {
        for root in certificates(pem)? {
            self.roots
                .add(root)
                .map_err(|error| InvalidTls::Roots(error.to_string()))?;
        }
        Ok(self)
    }

    /// Refuses the certificates that these lists (PEM) revoke. A list that is past its next
    /// update refuses all that it is about; a certificate that no list is about passes.
    ///
    /// # Errors
    ///
    /// [`InvalidTls::Pem`] where there is no list, or one that cannot be read.
    pub fn with_crls_pem(mut self, pem: &[u8]) -> Result<Self, InvalidTls> {
        let before = self.crls.len();
        for crl in CertificateRevocationListDer::pem_slice_iter(pem) {
            self.crls.push(crl.map_err(|_| InvalidTls::Pem)?);
        }
        match self.crls.len() > before {
            true => Ok(self),
            false => Err(InvalidTls::Pem),
        }
    }

    /// Shows this certificate (PEM, with its chain) to servers that ask for one, and signs with
    /// this key (PEM).
    ///
    /// # Errors
    ///
    /// [`InvalidTls::Pem`] where one of them cannot be read.
    pub fn with_client_certificate_pem(
        mut self,
        chain: &[u8],
        key: &[u8],
    ) -> Result<Self, InvalidTls> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| InvalidTls::Pem)?;
        self.identity = Some((certificates(chain)?, key));
        Ok(self)
    }

    /// Believes whoever answers, whatever certificate is shown: anybody on the way can then
    /// read and change all that passes. For tests against servers that made their own.
    #[must_use]
    pub const fn danger_accept_any_certificate(mut self) -> Self {
        self.accepts_any = true;
        self
    }

    /// Makes the [`Tls`].
    ///
    /// # Errors
    ///
    /// [`InvalidTls::Roots`] where nothing is trusted, and [`InvalidTls::Identity`] or
    /// [`InvalidTls::Crl`] for what cannot be used.
    pub fn build(self) -> Result<Tls, InvalidTls> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match self.accepts_any {
            true => Arc::new(AnyCertificate(Arc::clone(&provider))),
            false => verifier(self.roots, self.crls, &provider)?,
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| InvalidTls::Identity(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match self.identity {
            Some((chain, key)) => config
                .with_client_auth_cert(chain, key)
                .map_err(|error| InvalidTls::Identity(error.to_string()))?,
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Tls::from_config(Arc::new(config)))
    }
}

impl fmt::Debug for TlsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsBuilder")
            .field("roots", &self.roots.len())
            .field("crls", &self.crls.len())
            .field("has_client_certificate", &self.identity.is_some())
            .field("accepts_any", &self.accepts_any)
            .finish()
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, InvalidTls> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(InvalidTls::Pem),
    }
}

//= TL-08
fn verifier(
    roots: RootCertStore,
    crls: Vec<CertificateRevocationListDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, InvalidTls> {
    if roots.is_empty() {
        return Err(InvalidTls::Roots("no root is trusted".into()));
    }
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .with_crls(crls)
        .allow_unknown_revocation_status()
        .enforce_revocation_expiration();
    match builder.build() {
        Ok(verifier) => Ok(verifier),
        Err(error) => Err(InvalidTls::Crl(error.to_string())),
    }
}

/// Shows no certificate.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _sigschemes: &[rustls::SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Accepts every certificate; the signatures of the handshake are still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Why a [`Tls`] cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidTls {
    /// No root is trusted, or one cannot be.
    Roots(String),
    /// What should be PEM is not, or holds nothing of what it should.
    Pem,
    /// A list of revoked certificates cannot be used.
    Crl(String),
    /// The client's certificate and key cannot be used, or not together.
    Identity(String),
}

impl fmt::Display for InvalidTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roots(why) => write!(f, "no roots to trust: {why}"),
            Self::Pem => f.write_str("the PEM does not hold what it should"),
            Self::Crl(why) => write!(f, "the revocation list cannot be used: {why}"),
            Self::Identity(why) => write!(f, "the client's certificate cannot be used: {why}"),
        }
    }
}

impl core::error::Error for InvalidTls {}
