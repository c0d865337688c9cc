//! TCP, and TLS over it where files are given.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::Failure;

pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A stream with or without TLS.
pub type Stream = Box<dyn Duplex>;

/// A socket that listens on a free port of the loopback address.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// With TLS if there are two `files`, a certificate and its key.
    pub async fn bind(files: &[&str]) -> Result<Self, Failure> {
        let tcp = TcpListener::bind("127.0.0.1:0").await?;
        let tls = match files {
            [certificate, key] => {
                let chain: Result<Vec<_>, _> =
                    CertificateDer::pem_file_iter(certificate)?.collect();
                let key = PrivateKeyDer::from_pem_file(key)?;
                let config = ServerConfig::builder()
                    .with_no_client_auth()
                    .with_single_cert(chain?, key)?;
                Some(TlsAcceptor::from(Arc::new(config)))
            }
            _ => None,
        };
        Ok(Self { tcp, tls })
    }

    pub fn url(&self) -> io::Result<String> {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        Ok(format!("{scheme}://{}", self.tcp.local_addr()?))
    }

    pub async fn accept(&self) -> Result<Stream, Failure> {
        let (stream, _) = self.tcp.accept().await?;
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            Some(tls) => Box::new(tls.accept(stream).await?),
            None => Box::new(stream),
        })
    }
}

/// What trusts the root in this file.
pub fn connector(root: &str) -> Result<TlsConnector, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root)?)?;
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Opens TCP to the host of `url`, and TLS if there is a root.
pub async fn connect(url: &str, root: Option<&str>) -> Result<Stream, Failure> {
    let authority = url.split('/').nth(2).ok_or("the URL has no host")?;
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let Some(root) = root else {
        return Ok(Box::new(stream));
    };
    let name = ServerName::try_from("127.0.0.1")?;
    Ok(Box::new(connector(root)?.connect(name, stream).await?))
}
