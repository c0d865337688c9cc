//! TLS on the server's side (RFC 6455 §10.6).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// The one protocol that is spoken inside TLS.
const ALPN: &[u8] = b"http/1.1";

/// Which files a server's TLS is made of.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    default: Pair,
    named: Vec<(String, Pair)>,
    clients: Option<(PathBuf, ClientCertificate)>,
    revoked: Option<PathBuf>,
}

#[derive(Clone, Debug)]
struct Pair {
    certificates: PathBuf,
    key: PathBuf,
}

/// Whether a client must show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientCertificate {
    /// A client without a certificate is let in; one that shows a certificate that does not lead
    /// to the roots is not.
    Optional,
    /// Nobody is let in without one.
    Required,
}

impl TlsFiles {
    /// A chain of certificates, the server's own first, and its private key, both in PEM.
    pub fn new(certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            default: Pair {
                certificates: certificates.into(),
                key: key.into(),
            },
            named: Vec::new(),
            clients: None,
            revoked: None,
        }
    }

    /// Shows another certificate to clients that ask for the host `name` (SNI). Clients that ask
    /// for an unknown name, or for none, are shown the first certificate.
    #[must_use]
    pub fn with_name(
        mut self,
        name: &str,
        certificates: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        let pair = Pair {
            certificates: certificates.into(),
            key: key.into(),
        };
        self.named.push((name.to_ascii_lowercase(), pair));
        self
    }

    /// Asks clients for certificates that lead to the roots in a PEM file.
    #[must_use]
    pub fn with_clients(mut self, roots: impl Into<PathBuf>, wanted: ClientCertificate) -> Self {
        self.clients = Some((roots.into(), wanted));
        self
    }

    /// Refuses the client certificates that the revocation lists in a PEM file name, and those
    /// whose issuer has no list there. Default: no list.
    #[must_use]
    pub fn with_revoked_clients(mut self, lists: impl Into<PathBuf>) -> Self {
        self.revoked = Some(lists.into());
        self
    }

    /// Reads the files.
    ///
    /// # Errors
    ///
    /// [`TlsError`], which names the file.
    pub fn load(self) -> Result<Tls, TlsError> {
        let current = ours(self.read()?);
        Ok(Tls {
            shared: Arc::new(Shared {
                files: Some(self),
                current: RwLock::new(Arc::new(current)),
            }),
        })
    }

    fn read(&self) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut certificates = Certificates {
            default: Arc::new(self.default.read(&provider)?),
            named: HashMap::new(),
        };
        for (name, pair) in &self.named {
            let key = Arc::new(pair.read(&provider)?);
            certificates.named.insert(name.clone(), key);
        }
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::new(&self.default.certificates, error))?;
        let verifier = match &self.clients {
            None => WebPkiClientVerifier::no_client_auth(),
            Some((roots, wanted)) => self.read_verifier(roots, *wanted, provider)?,
        };
        let builder = builder.with_client_cert_verifier(verifier);
        Ok(builder.with_cert_resolver(Arc::new(certificates)))
    }

    fn read_verifier(
        &self,
        path: &Path,
        wanted: ClientCertificate,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let mut roots = RootCertStore::empty();
        for root in read_all(path)? {
            roots
                .add(root)
                .map_err(|error| TlsError::new(path, error))?;
        }
        let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        if let Some(lists) = &self.revoked {
            verifier = verifier.with_crls(read_all::<CertificateRevocationListDer<'_>>(lists)?);
        }
        if wanted == ClientCertificate::Optional {
            verifier = verifier.allow_unauthenticated();
        }
        verifier.build().map_err(|error| {
            let of_lists = matches!(error, VerifierBuilderError::InvalidCrl(_));
            let lists = self.revoked.as_deref().filter(|_| of_lists);
            TlsError::new(lists.unwrap_or(path), error)
        })
    }
}

impl Pair {
    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = read_all(&self.certificates)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| TlsError::new(&self.key, error))?;
        // That key and certificate belong together is checked here as well.
        CertifiedKey::from_der(chain, key, provider)
            .map_err(|error| TlsError::new(&self.key, error))
    }
}

/// Everything of one kind that a file holds; nothing is an error.
fn read_all<T: PemObject>(path: &Path) -> Result<Vec<T>, TlsError> {
    let all: Vec<T> = T::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| TlsError::new(path, error))?;
    match all.is_empty() {
        true => Err(TlsError::new(path, pem::Error::NoItemsFound)),
        false => Ok(all),
    }
}

/// Why the files of [`TlsFiles`] cannot be used.
#[derive(Debug)]
pub struct TlsError {
    path: PathBuf,
    what: String,
}

impl TlsError {
    fn new(path: &Path, what: impl fmt::Display) -> Self {
        Self {
            path: path.to_owned(),
            what: alloc::format!("{what}"),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be used: {}", self.path.display(), self.what)
    }
}

impl core::error::Error for TlsError {}

/// A server's side of TLS: version 1.2 or 1.3, `http/1.1` inside, no data before the handshake
/// is complete. Clones are the same.
#[derive(Clone, Debug)]
pub struct Tls {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    files: Option<TlsFiles>,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// TLS as `config` says, save ALPN and early data, which are as for all.
    pub fn from_config(config: &ServerConfig) -> Self {
        Self {
            shared: Arc::new(Shared {
                files: None,
                current: RwLock::new(Arc::new(ours(config.clone()))),
            }),
        }
    }

    /// Reads the files again, for the handshakes that begin from now on. Open connections are
    /// not touched; sessions from before are not resumed, so a client whose certificate is no
    /// longer welcome cannot come back by one. Without files there is nothing to do.
    ///
    /// # Errors
    ///
    /// [`TlsError`]; what was in use stays in use.
    //= TL-09
    pub fn reload(&self) -> Result<(), TlsError> {
        if let Some(files) = &self.shared.files {
            self.set(files.read()?);
        }
        Ok(())
    }

    /// Uses `config`, as [`from_config`](Self::from_config) does, for the handshakes that begin
    /// from now on.
    pub fn replace(&self, config: &ServerConfig) {
        self.set(config.clone());
    }

    fn set(&self, config: ServerConfig) {
        let current = self.shared.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = Arc::new(ours(config));
    }

    /// What the next handshake uses.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        let current = self.shared.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sets what does not depend on who the server is.
//= TL-13
//= TL-14
fn ours(mut config: ServerConfig) -> ServerConfig {
    config.alpn_protocols = Vec::from([ALPN.to_owned()]);
    // It can be replayed.
    config.max_early_data_size = 0;
    config
}

/// Chooses the certificate by the name that the client asks for.
#[derive(Debug)]
struct Certificates {
    default: Arc<CertifiedKey>,
    named: HashMap<String, Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Certificates {
    //= TL-07
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello
            .server_name()
            .and_then(|name| self.named.get(&name.to_ascii_lowercase()));
        Some(Arc::clone(named.unwrap_or(&self.default)))
    }
}
