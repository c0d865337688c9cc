//! TLS on the server's side (RFC 6455 §10.6).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
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

    /// Reads the files.
    ///
    /// # Errors
    ///
    /// [`TlsError`], which names the file.
    pub fn load(self) -> Result<Tls, TlsError> {
        let current = self.read()?;
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
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some((path, wanted)) => {
                let mut roots = RootCertStore::empty();
                for root in read_certificates(path)? {
                    roots
                        .add(root)
                        .map_err(|error| TlsError::new(path, error))?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match wanted {
                    ClientCertificate::Required => verifier,
                    ClientCertificate::Optional => verifier.allow_unauthenticated(),
                };
                let verifier = verifier
                    .build()
                    .map_err(|error| TlsError::new(path, error))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(certificates));
        config.alpn_protocols.push(ALPN.to_owned());
        Ok(config)
    }
}

impl Pair {
    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = read_certificates(&self.certificates)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| TlsError::new(&self.key, error))?;
        // That key and certificate belong together is checked here as well.
        CertifiedKey::from_der(chain, key, provider)
            .map_err(|error| TlsError::new(&self.key, error))
    }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| TlsError::new(path, error))?;
    match chain.is_empty() {
        true => Err(TlsError::new(path, "it holds no certificate")),
        false => Ok(chain),
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
    /// TLS as `config` says, ALPN included.
    pub fn from_config(config: Arc<ServerConfig>) -> Self {
        Self {
            shared: Arc::new(Shared {
                files: None,
                current: RwLock::new(config),
            }),
        }
    }

    /// Reads the files again, for the handshakes that begin from now on. Open connections are
    /// not touched.
    ///
    /// # Errors
    ///
    /// [`TlsError`]; what was in use stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        if let Some(files) = &self.shared.files {
            self.replace(Arc::new(files.read()?));
        }
        Ok(())
    }

    /// Uses `config` for the handshakes that begin from now on.
    pub fn replace(&self, config: Arc<ServerConfig>) {
        let current = self.shared.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = config;
    }

    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        let current = self.shared.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Chooses the certificate by the name that the client asks for.
#[derive(Debug)]
struct Certificates {
    default: Arc<CertifiedKey>,
    named: HashMap<String, Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello
            .server_name()
            .and_then(|name| self.named.get(&name.to_ascii_lowercase()));
        Some(Arc::clone(named.unwrap_or(&self.default)))
    }
}
