//! A document by HTTP: one GET, bounded in time and size, without redirects.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::header::ACCEPT;
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Fetches one address. Nothing that a document or a token says changes which.
pub(crate) struct Fetcher {
    address: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl Fetcher {
    /// For an address that begins with `https://`, or with `http://` where the host is this
    /// machine, and that holds no name and password. Trusts the certificates in `roots` (PEM),
    /// else those of the system, else the bundled ones. Reading those of the system blocks.
    pub(crate) fn new(address: &str, roots: Option<&[u8]>) -> Result<Self, FetchError> {
        let uri: Uri = address.parse().map_err(|_| FetchError::Address)?;
        let host = uri.host().ok_or(FetchError::Address)?;
        // A password in an address would be logged with it.
        let has_password = uri.authority().is_some_and(|it| it.as_str().contains('@'));
        let is_safe = match uri.scheme_str() {
            _ if has_password => false,
            Some("https") => true,
            Some("http") => is_this_machine(host),
            _ => false,
        };
        if !is_safe {
            return Err(FetchError::Address);
        }
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config(roots)?)
            .https_or_http()
            .enable_http1()
            .build();
        // What is asked for every few minutes needs no connection in between.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Ok(Self {
            address: uri,
            client,
        })
    }

    /// The body of the answer, if that is 200 and whole within `timeout` and `bytes_max`.
    pub(crate) async fn get(
        &self,
        timeout: Duration,
        bytes_max: usize,
    ) -> Result<Bytes, FetchError> {
        let get = self.get_in_any_time(bytes_max);
        tokio::time::timeout(timeout, get)
            .await
            .unwrap_or(Err(FetchError::Slow))
    }

    async fn get_in_any_time(&self, bytes_max: usize) -> Result<Bytes, FetchError> {
        let request = Request::get(self.address.clone())
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .body(Empty::new())
            .map_err(|_| FetchError::Address)?;
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| FetchError::Connection(error.to_string()))?;
        // A redirect is an answer like any other that is not 200.
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        match body {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Err(FetchError::TooLong)
            }
            Err(error) => Err(FetchError::Connection(error.to_string())),
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

fn config(pem: Option<&[u8]>) -> Result<ClientConfig, FetchError> {
    let mut roots = RootCertStore::empty();
    match pem {
        Some(pem) => {
            for root in CertificateDer::pem_slice_iter(pem) {
                let root = root.map_err(|_| FetchError::Roots)?;
                roots.add(root).map_err(|_| FetchError::Roots)?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
    }
    if roots.is_empty() {
        return Err(FetchError::Roots);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| FetchError::Roots)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Why a document was not fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchError {
    /// The address is none with `https`, or with `http` on this machine.
    Address,
    /// No certificate to trust, or one that cannot be read.
    Roots,
    /// The answer is something else than 200.
    Status(u16),
    /// The answer is longer than permitted.
    TooLong,
    /// The answer was not whole in time.
    Slow,
    /// The connection failed, TLS included.
    Connection(String),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("the address needs https, or http on this machine"),
            Self::Roots => f.write_str("there is no certificate to trust that can be read"),
            Self::Status(code) => write!(f, "the answer is {code} instead of 200"),
            Self::TooLong => f.write_str("the answer is too long"),
            Self::Slow => f.write_str("there was no whole answer in time"),
            Self::Connection(what) => write!(f, "the connection failed: {what}"),
        }
    }
}

impl core::error::Error for FetchError {}
