//! Requests to other servers: small, bounded in time and in size, and without redirects.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

/// The longest address, in bytes.
const URL_BYTES_MAX: usize = 2048;

/// The head of an answer is read up to this size.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Connections that wait to be used again: so many for a host, for so long.
const IDLE_PER_HOST: usize = 2;
const IDLE_TIME: Duration = Duration::from_secs(30);

/// How long a request may take, how large its answer may be, and where it may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The time for all of it: the look-up of the name, the connection, request and answer.
    /// Default: 5 s.
    pub time_max: Duration,
    /// The largest body of an answer, in bytes. Default: 1 MiB.
    pub answer_bytes_max: usize,
    /// Whether `http` may leave this host. Default: no.
    pub allows_cleartext: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_max: Duration::from_secs(5),
            answer_bytes_max: 1024 * 1024,
            allows_cleartext: false,
        }
    }
}

/// An address that was found fit for requests.
///
/// `Debug` and `Display` leave out path and query, where addresses carry secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Uri);

/// Why an address is not fit for requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadTarget {
    /// Not an absolute address of a reasonable length.
    Malformed,
    /// Neither `https` nor `http`.
    Scheme,
    /// `http` to another host.
    Cleartext,
    /// A name or password stands before the host.
    Credentials,
}

impl fmt::Display for BadTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a URL such as https://hr.example/audience",
            Self::Scheme => "the URL must begin with https:// (or http:// on this host)",
            Self::Cleartext => "http:// to another host would be readable on the way: use https://",
            Self::Credentials => "a URL may not carry a name or a password",
        })
    }
}

impl core::error::Error for BadTarget {}

impl Target {
    /// Takes an address: `https`, or `http` where the host is this one (`localhost`, 127.0.0.0/8
    /// or `::1`) or cleartext is allowed.
    ///
    /// # Errors
    ///
    /// [`BadTarget`] says what is wrong with it.
    pub fn new(url: &str, allows_cleartext: bool) -> Result<Self, BadTarget> {
        if url.len() > URL_BYTES_MAX {
            return Err(BadTarget::Malformed);
        }
        let uri: Uri = url.parse().map_err(|_| BadTarget::Malformed)?;
        let authority = uri.authority().ok_or(BadTarget::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(BadTarget::Credentials);
        }
        if authority.host().is_empty() {
            return Err(BadTarget::Malformed);
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if allows_cleartext || is_loopback(authority.host()) => Ok(Self(uri)),
            Some("http") => Err(BadTarget::Cleartext),
            _ => Err(BadTarget::Scheme),
        }
    }

    fn is_cleartext_elsewhere(&self) -> bool {
        let host = self.0.host().unwrap_or_default();
        self.0.scheme_str() == Some("http") && !is_loopback(host)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self.0.authority().map_or("", |it| it.as_str());
        write!(f, "{scheme}://{authority}")
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// Whom the system believes; or, where it names nobody, whom Mozilla does.
pub(crate) fn trust() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = alloc::sync::Arc::new(aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse()
            .is_ok_and(|ip: core::net::IpAddr| ip.is_loopback())
}

/// What a server answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, whole.
    pub body: Bytes,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The time is over.
    TimedOut,
    /// The body is larger than the settings allow.
    TooLarge,
    /// No connection, or one that ended early.
    Broken {
        /// What was said about it.
        reason: String,
    },
    /// The settings do not let a request in cleartext leave this host.
    Cleartext,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no answer in time"),
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::Broken { reason } => f.write_str(reason),
            Self::Cleartext => f.write_str("http:// to another host is not allowed"),
        }
    }
}

impl core::error::Error for Failure {}

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Outgoing {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    settings: Settings,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    /// Trusts the roots of the system, or those that came with this version of the program where
    /// the system has none. This reads files, and blocks meanwhile.
    ///
    /// # Errors
    ///
    /// A reason if TLS cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, rustls::Error> {
        let tls = trust()?;
        Ok(Self::with_tls(settings, tls))
    }

    /// Trusts what `tls` says. Its list of protocols (ALPN) is replaced by HTTP/1.1.
    #[must_use]
    pub fn with_tls(settings: Settings, mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = Vec::new();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector);
        Self { client, settings }
    }

    /// The settings, with which an address can be judged: see [`Target::new`].
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends JSON by POST, with further headers, and reads the answer, whatever its status.
    ///
    /// A redirect is an answer like any other and is not followed.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no whole answer within the bounds.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the request. Whether the other server has acted on it is not
    /// known.
    pub async fn post_json(
        &self,
        target: &Target,
        headers: &[(HeaderName, HeaderValue)],
        json: String,
    ) -> Result<Answer, Failure> {
        let mut request = Request::new(Full::new(Bytes::from(json)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.0.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json.clone());
        request.headers_mut().insert(ACCEPT, json);
        request.headers_mut().extend(headers.iter().cloned());
        self.send(target, request).await
    }

    /// Fetches by GET, and reads the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no whole answer within the bounds.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the request.
    pub async fn get(&self, target: &Target) -> Result<Answer, Failure> {
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = target.0.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(ACCEPT, json);
        self.send(target, request).await
    }

    async fn send(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, Failure> {
        if target.is_cleartext_elsewhere() && !self.settings.allows_cleartext {
            return Err(Failure::Cleartext);
        }
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|e| broken(&e))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), self.settings.answer_bytes_max);
            let body = body.collect().await.map_err(|error| {
                match error.downcast_ref::<LengthLimitError>() {
                    Some(_) => Failure::TooLarge,
                    None => broken(&*error),
                }
            })?;
            let body = body.to_bytes();
            Ok(Answer { status, body })
        };
        let timed = tokio::time::timeout(self.settings.time_max, exchange);
        timed.await.map_err(|_| Failure::TimedOut)?
    }
}

/// The error and what lies below it. None of them quotes the request.
fn broken(error: &dyn core::error::Error) -> Failure {
    let mut reason = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        reason = format!("{reason}: {error}");
        below = error.source();
    }
    Failure::Broken { reason }
}
