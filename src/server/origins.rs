//! Which pages may open a WebSocket here (RFC 6455 §10.2).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::engine::{Refusal, UpgradeRequest};

/// The origins from which browsers may open a WebSocket.
///
/// A browser sends cookies with the request whatever page asks, and says in the Origin header
/// which page that is; a server that does not look lets every page act for its users. A client
/// that is no browser can say what it likes, or nothing: this is no authentication.
#[derive(Clone, Debug)]
pub struct Origins {
    allowed: Allowed,
    missing: bool,
}

#[derive(Clone, Debug)]
enum Allowed {
    Any,
    Same,
    Listed(Vec<Origin>),
}

/// Scheme, host and port, all of which count (RFC 6454 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origins {
    /// Any page: for a server that keeps nothing that depends on who asks.
    pub const fn any() -> Self {
        Self::new(Allowed::Any)
    }

    /// Pages of the host and port that the request is addressed to, read over the same kind of
    /// connection: `https` over TLS, `http` without. Behind a proxy that ends TLS, list the
    /// origins instead.
    pub const fn same() -> Self {
        Self::new(Allowed::Same)
    }

    /// Pages of these origins and no others, such as `https://example.org`. Scheme, host and
    /// port must be equal; ports 80 of `http` and 443 of `https` may be left out.
    ///
    /// # Errors
    ///
    /// [`InvalidOrigin`] for what is no origin: without a scheme, with a path, `null`, `*`.
    pub fn only<'o>(origins: impl IntoIterator<Item = &'o str>) -> Result<Self, InvalidOrigin> {
        let parse = |it: &str| Origin::parse(it).ok_or_else(|| InvalidOrigin(it.to_owned()));
        let listed: Result<_, _> = origins.into_iter().map(parse).collect();
        Ok(Self::new(Allowed::Listed(listed?)))
    }

    const fn new(allowed: Allowed) -> Self {
        Self {
            allowed,
            missing: true,
        }
    }

    /// Sets whether a request without an Origin header is let in, which comes from no browser.
    /// Default: it is.
    #[must_use]
    pub const fn with_missing(mut self, allowed: bool) -> Self {
        self.missing = allowed;
        self
    }

    /// Looks at the origin of a request.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] with which to answer, 403.
    //= E15
    //= A33
    pub fn check(&self, request: &UpgradeRequest, is_tls: bool) -> Result<(), Refusal> {
        let headers = request.head().headers();
        let allowed = match (headers.count("origin"), request.origin()) {
            (0, _) => self.missing,
            (1, Some(origin)) => self.allows(origin, headers.get_str("host"), is_tls),
            _ => false,
        };
        match allowed {
            true => Ok(()),
            false => Err(Refusal::forbidden("pages of this origin are not welcome")),
        }
    }

    fn allows(&self, origin: &str, host: Option<&str>, is_tls: bool) -> bool {
        let parsed = Origin::parse(origin);
        match &self.allowed {
            Allowed::Any => true,
            Allowed::Listed(listed) => parsed.is_some_and(|it| listed.contains(&it)),
            Allowed::Same => {
                let scheme = if is_tls { "https" } else { "http" };
                let own = host.and_then(|host| Origin::parse(&format!("{scheme}://{host}")));
                parsed.is_some() && parsed == own
            }
        }
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        // The colons of an IPv6 address stand within brackets.
        let host_end = authority.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match authority[host_end..].find(':') {
            None => (authority, None),
            Some(at) => {
                let (host, port) = authority.split_at(host_end + at);
                (host, Some(port[1..].parse().ok()?))
            }
        };
        let default = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        let valid = |text: &str, others: &[u8]| {
            let fits = |it: u8| it.is_ascii_alphanumeric() || others.contains(&it);
            !text.is_empty() && text.bytes().all(fits)
        };
        let is_origin = valid(&scheme, b"+-.") && valid(host, b"-._~[]:");
        is_origin.then(|| Self {
            host: host.to_ascii_lowercase(),
            port: port.or(default),
            scheme,
        })
    }
}

/// What was given as an origin and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOrigin(String);

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a scheme, a host and a port", self.0)
    }
}

impl core::error::Error for InvalidOrigin {}
