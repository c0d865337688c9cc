//! What a client asks for, and its bounds.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::client::proxy::{Proxies, basic};
use crate::client::tls::Tls;
use crate::client::url::Url;
use crate::engine::deflate::{DeflateConfig, DeflateOffer};
use crate::engine::{ClientRequest, Limits};
use crate::wire::http::HeadLimits;

/// Headers that say who asks: they go to the origin that they were meant for, and no further.
const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// How a client connects.
///
/// `Debug` prints the names of headers and not their values, for they may be secret.
#[derive(Clone)]
pub struct Config {
    limits: Arc<Limits>,
    head_limits: HeadLimits,
    timeouts: Timeouts,
    subprotocols: Vec<String>,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
    /// Shared by clones, and so by all connections made with them.
    deflate: Option<DeflateOffer>,
    tls: Option<Tls>,
    proxy_tls: Option<Tls>,
    proxies: Proxies,
    redirects_max: u8,
}

/// How long each phase may take, and all together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) resolve: Duration,
    pub(crate) connect: Duration,
    pub(crate) proxy: Duration,
    pub(crate) tls: Duration,
    pub(crate) handshake: Duration,
    pub(crate) total: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let phase = Duration::from_secs(10);
        Self {
            limits: Arc::default(),
            head_limits: HeadLimits::default(),
            timeouts: Timeouts {
                resolve: phase,
                connect: phase,
                proxy: phase,
                tls: phase,
                handshake: phase,
                total: Duration::from_secs(30),
            },
            subprotocols: Vec::new(),
            headers: Vec::new(),
            cookies: Vec::new(),
            deflate: None,
            tls: None,
            proxy_tls: None,
            proxies: Proxies::default(),
            redirects_max: 0,
        }
    }
}

impl Config {
    /// Sets the bounds of the connection. Default: [`Limits::default`].
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Arc::new(limits);
        self
    }

    /// Sets the bounds of the answer's head. Default: [`HeadLimits::default`].
    #[must_use]
    pub const fn with_head_limits(mut self, limits: HeadLimits) -> Self {
        self.head_limits = limits;
        self
    }

    /// Sets how long looking up the host may take. Default: 10 s; then it is given up.
    #[must_use]
    pub const fn with_resolve_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.resolve = timeout;
        self
    }

    /// Sets how long opening TCP may take, waiting for the turn of the address included.
    /// Default: 10 s; then it is given up.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = timeout;
        self
    }

    /// Sets how long a proxy may take to pass the connection on, from looking up the proxy to
    /// its answer. Default: 10 s; then it is given up.
    #[must_use]
    pub const fn with_proxy_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.proxy = timeout;
        self
    }

    /// Sets how long opening TLS to the server may take. Default: 10 s; then it is given up.
    #[must_use]
    pub const fn with_tls_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.tls = timeout;
        self
    }

    /// Sets how long the server may take to answer the request. Default: 10 s.
    #[must_use]
    pub const fn with_handshake_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.handshake = timeout;
        self
    }

    /// Sets how long all phases may take together, redirects included. Default: 30 s; then the
    /// connection is given up.
    #[must_use]
    pub const fn with_total_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.total = timeout;
        self
    }

    /// Offers a subprotocol, less wanted than those before it.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.subprotocols.push(subprotocol.into());
        self
    }

    /// Adds a header to the request. A redirect to another origin drops Authorization, Cookie
    /// and Proxy-Authorization and takes all others along.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Says in whose name a page asks (RFC 6454): `https://example.com`.
    //= WS-031
    #[must_use]
    pub fn with_origin(self, origin: impl Into<String>) -> Self {
        self.with_header("Origin", origin)
    }

    /// Sends a cookie; several are sent in one header. What the server sets stands in
    /// `Set-Cookie` of the answer's head.
    ///
    /// Name and value are sent as they are: one with a `;` would be two, and one with a control
    /// character fails the request.
    #[must_use]
    pub fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push(format!("{name}={value}"));
        self
    }

    /// Sends a token (RFC 6750) in Authorization, instead of what was there.
    #[must_use]
    pub fn with_bearer(self, token: &str) -> Self {
        self.with_authorization(format!("Bearer {token}"))
    }

    /// Sends user and password (RFC 7617) in Authorization, instead of what was there. Anybody
    /// on the way can read them unless the URL is `wss`.
    #[must_use]
    pub fn with_basic(self, user: &str, password: &str) -> Self {
        self.with_authorization(basic(user, password))
    }

    fn with_authorization(mut self, value: String) -> Self {
        self.headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        self.with_header("Authorization", value)
    }

    /// Offers permessage-deflate. Default: it is not offered.
    ///
    /// Connections that are made with this configuration, or a clone of it, share the memory that
    /// they compress with where no context is kept.
    #[must_use]
    pub fn with_deflate(mut self, config: DeflateConfig) -> Self {
        self.deflate = Some(DeflateOffer::new(config));
        self
    }

    /// Sets how TLS is spoken with the server. Default: the roots of the system are trusted, and
    /// no certificate is shown.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets how TLS is spoken with a proxy. Default: as with the server, without the client's
    /// certificate.
    #[must_use]
    pub fn with_proxy_tls(mut self, tls: Tls) -> Self {
        self.proxy_tls = Some(tls);
        self
    }

    /// Sets which connections go through which proxy. Default: none goes through any, whatever
    /// the environment says.
    #[must_use]
    pub fn with_proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Follows so many redirects. Default: 0, none is followed: the answer is an error that says
    /// where it leads. One more, a circle, and one from `wss` to `ws` are refused.
    #[must_use]
    pub const fn with_redirects_max(mut self, max: u8) -> Self {
        self.redirects_max = max;
        self
    }

    pub(crate) const fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    pub(crate) const fn head_limits(&self) -> HeadLimits {
        self.head_limits
    }

    pub(crate) const fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    pub(crate) const fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    pub(crate) const fn proxy_tls(&self) -> Option<&Tls> {
        self.proxy_tls.as_ref()
    }

    pub(crate) const fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    pub(crate) const fn redirects_max(&self) -> u8 {
        self.redirects_max
    }

    /// The same without what says who asks: for an origin that it was not meant for.
    pub(crate) fn without_credentials(&self) -> Self {
        let mut config = self.clone();
        config.cookies.clear();
        config.headers.retain(|(name, _)| !is_credential(name));
        config.tls = self.tls.as_ref().map(Tls::without_client_certificate);
        config
    }

    /// The request for `url`.
    pub(crate) fn request(&self, url: &Url) -> ClientRequest {
        let mut request = ClientRequest::new(&url.authority(), url.resource());
        for subprotocol in &self.subprotocols {
            request = request.with_subprotocol(subprotocol);
        }
        for (name, value) in &self.headers {
            request = request.with_header(name, value);
        }
        if !self.cookies.is_empty() {
            request = request.with_header("Cookie", &self.cookies.join("; "));
        }
        match &self.deflate {
            Some(offer) => request.with_offer(Box::new(offer.clone())),
            None => request,
        }
    }
}

fn is_credential(name: &str) -> bool {
    CREDENTIALS.iter().any(|it| name.eq_ignore_ascii_case(it))
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| name.to_string());
        f.debug_struct("Config")
            .field("limits", &self.limits)
            .field("head_limits", &self.head_limits)
            .field("timeouts", &self.timeouts)
            .field("headers", &names.collect::<Vec<_>>())
            .field("cookies", &self.cookies.len())
            .field("deflate", &self.deflate)
            .field("tls", &self.tls)
            .field("proxies", &self.proxies)
            .field("redirects_max", &self.redirects_max)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_not_printed() {
        let config = Config::default()
            .with_bearer("secret")
            .with_cookie("session", "secret")
            .with_header("X-Api-Key", "secret")
            .with_subprotocol("secret");
        assert!(!format!("{config:?}").contains("secret"));
    }
}
