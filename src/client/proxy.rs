//! A proxy, and which connections go through one.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use core::fmt;
use core::net::IpAddr;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;

use crate::client::url::{Url, is_host};

/// How a proxy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyKind {
    /// `http`: with CONNECT (RFC 9110 §9.3.6).
    Http,
    /// `https`: with CONNECT, inside TLS to the proxy.
    Https,
    /// `socks5`: with SOCKS 5 (RFC 1928), for an address that is looked up here.
    Socks5,
    /// `socks5h`: with SOCKS 5, for a name that the proxy looks up.
    Socks5h,
}

/// A proxy to ask for the connection.
///
/// `Debug` does not print its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: ProxyKind,
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
}

impl Proxy {
    /// Reads `scheme://user:password@host:port`, where only the host is needed: the scheme is
    /// then `http`, and the port 80, 443 for `https`, 1080 for SOCKS. User and password may be
    /// percent-encoded.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`].
    pub fn parse(text: &str) -> Result<Self, InvalidProxy> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (kind, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (ProxyKind::Http, 80),
            "https" => (ProxyKind::Https, 443),
            "socks5" => (ProxyKind::Socks5, 1080),
            "socks5h" => (ProxyKind::Socks5h, 1080),
            _ => return Err(InvalidProxy::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((given, authority)) => (Some(given), authority),
            None => (None, rest),
        };
        let (host, port) = split_port(authority);
        if !is_host(host) {
            return Err(InvalidProxy::Host);
        }
        let port = match port {
            None => default_port,
            Some(digits) => digits.parse().map_err(|_| InvalidProxy::Host)?,
        };
        let proxy = Self {
            kind,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            credentials: None,
        };
        let Some(given) = credentials else {
            return Ok(proxy);
        };
        let (user, password) = given.split_once(':').unwrap_or((given, ""));
        let decoded = |text| {
            percent_decode_str(text)
                .decode_utf8()
                .map_err(|_| InvalidProxy::Credentials)
        };
        proxy.with_credentials(&decoded(user)?, &decoded(password)?)
    }

    /// Shows this user and password to the proxy.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy::Credentials`] for what it cannot be told: a user with a colon over HTTP,
    /// one of them empty or of more than 255 bytes over SOCKS.
    pub fn with_credentials(mut self, user: &str, password: &str) -> Result<Self, InvalidProxy> {
        let is_wrong = match self.kind {
            ProxyKind::Http | ProxyKind::Https => user.contains(':'),
            _ => ![user, password]
                .iter()
                .all(|it| (1..=255).contains(&it.len())),
        };
        if is_wrong {
            return Err(InvalidProxy::Credentials);
        }
        self.credentials = Some((user.to_owned(), password.to_owned()));
        Ok(self)
    }

    /// How it is asked.
    pub const fn kind(&self) -> ProxyKind {
        self.kind
    }

    /// Its host: a name or an address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn credentials(&self) -> Option<(&str, &str)> {
        let (user, password) = self.credentials.as_ref()?;
        Some((user, password))
    }

    /// The value of Proxy-Authorization.
    pub(crate) fn authorization(&self) -> Option<String> {
        let (user, password) = self.credentials()?;
        Some(basic(user, password))
    }
}

/// The value of an Authorization header (RFC 7617).
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("kind", &self.kind)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Host, with the brackets of an IPv6 address, and port.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && !host_is_bare_v6(host) => (host, Some(port)),
        _ => (authority, None),
    }
}

fn host_is_bare_v6(host: &str) -> bool {
    host.contains(':') && !host.ends_with(']')
}

/// Why a text is no proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// The scheme is none of `http`, `https`, `socks5` and `socks5h`.
    Scheme,
    /// Host or port are missing or malformed.
    Host,
    /// User and password cannot be told to such a proxy.
    Credentials,
}

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the proxy is none of http, https, socks5 and socks5h",
            Self::Host => "the host or the port of the proxy is malformed",
            Self::Credentials => "the user and password cannot be told to such a proxy",
        })
    }
}

impl core::error::Error for InvalidProxy {}

/// Which connections go through which proxy. Default: none goes through any.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    plain: Option<Proxy>,
    secure: Option<Proxy>,
    exceptions: Vec<Exception>,
}

impl Proxies {
    /// Sends everything through `proxy`.
    pub fn all(proxy: Proxy) -> Self {
        Self {
            plain: Some(proxy.clone()),
            secure: Some(proxy),
            exceptions: Vec::new(),
        }
    }

    /// Does as the environment says: `http_proxy` is for `ws`, `https_proxy` for `wss`,
    /// `all_proxy` for whichever of them is not set, and `no_proxy` holds the
    /// [exceptions](Self::with_exceptions). Upper case counts as well, where lower case is not
    /// set; `HTTP_PROXY` does not in a CGI program, where it comes from a request's header.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] for the first variable that holds no proxy.
    pub fn from_environment() -> Result<Self, InvalidProxy> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidProxy> {
        let is_cgi = get("REQUEST_METHOD").is_some();
        let either = |name: &str| {
            let upper = name.to_ascii_uppercase();
            let trusted = !(is_cgi && upper == "HTTP_PROXY");
            get(name).or_else(|| get(&upper).filter(|_| trusted))
        };
        let proxy = |name: &str| {
            let text = either(name).filter(|it| !it.is_empty());
            text.map(|it| Proxy::parse(&it)).transpose()
        };
        let all = proxy("all_proxy")?;
        let proxies = Self {
            plain: proxy("http_proxy")?.or_else(|| all.clone()),
            secure: proxy("https_proxy")?.or(all),
            exceptions: Vec::new(),
        };
        Ok(match either("no_proxy") {
            Some(exceptions) => proxies.with_exceptions(&exceptions),
            None => proxies,
        })
    }

    /// Goes straight to these hosts, which are parted by commas or spaces: `*` is every host, a
    /// name is itself and all below it (with or without a dot or `*.` before it), an address is
    /// itself, and `10.0.0.0/8` is a network. `:port` behind one of them is for that port only.
    #[must_use]
    pub fn with_exceptions(mut self, list: &str) -> Self {
        let entries = list.split([',', ' ', '\t']).filter(|it| !it.is_empty());
        self.exceptions.extend(entries.map(Exception::parse));
        self
    }

    /// The proxy for `url`.
    pub(crate) fn proxy_for(&self, url: &Url) -> Option<&Proxy> {
        let proxy = if url.is_secure() {
            &self.secure
        } else {
            &self.plain
        };
        let is_excepted = self
            .exceptions
            .iter()
            .any(|it| it.covers(url.host(), url.port()));
        proxy.as_ref().filter(|_| !is_excepted)
    }
}

#[derive(Clone, Debug)]
struct Exception {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Hosts {
    All,
    Network(IpNet),
    /// In lower case, without dots at its ends.
    Domain(String),
}

impl Exception {
    fn parse(entry: &str) -> Self {
        let (host, port) = split_port(entry);
        let (host, port) = match port.map(str::parse) {
            Some(Ok(port)) => (host, Some(port)),
            _ => (entry, None),
        };
        let address = host.trim_matches(['[', ']']);
        let hosts = if host == "*" {
            Hosts::All
        } else if let Ok(network) = address.parse::<IpNet>() {
            Hosts::Network(network)
        } else if let Ok(address) = address.parse::<IpAddr>() {
            Hosts::Network(IpNet::from(address))
        } else {
            let name = host.strip_prefix('*').unwrap_or(host);
            Hosts::Domain(name.trim_matches('.').to_ascii_lowercase())
        };
        Self { hosts, port }
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.');
        let is_covered = match &self.hosts {
            Hosts::All => true,
            Hosts::Network(network) => host
                .parse::<IpAddr>()
                .is_ok_and(|address| network.contains(&address.to_canonical())),
            Hosts::Domain(domain) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|above| above.is_empty() || above.ends_with('.')),
        };
        is_covered && self.port.is_none_or(|it| it == port)
    }
}

#[cfg(test)]
mod tests;
