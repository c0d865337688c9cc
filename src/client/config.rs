//! What a client asks for, and its bounds.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::engine::{ClientRequest, Limits};
use crate::wire::http::HeadLimits;

/// How a client connects.
#[derive(Clone, Debug)]
pub struct Config {
    limits: Arc<Limits>,
    head_limits: HeadLimits,
    connect_timeout: Duration,
    handshake_timeout: Duration,
    subprotocols: Vec<String>,
    headers: Vec<(String, String)>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Arc::default(),
            head_limits: HeadLimits::default(),
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            subprotocols: Vec::new(),
            headers: Vec::new(),
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

    /// Sets how long looking up the host and opening TCP may take. Default: 10 s.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long the server may take to answer the request. Default: 10 s.
    #[must_use]
    pub const fn with_handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Offers a subprotocol, less wanted than those before it.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.subprotocols.push(subprotocol.into());
        self
    }

    /// Adds a header to the request, such as Origin or Authorization.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) const fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    pub(crate) const fn head_limits(&self) -> HeadLimits {
        self.head_limits
    }

    pub(crate) const fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    pub(crate) const fn handshake_timeout(&self) -> Duration {
        self.handshake_timeout
    }

    /// The request for `resource` of `host`.
    pub(crate) fn request(&self, host: &str, resource: &str) -> ClientRequest {
        let mut request = ClientRequest::new(host, resource);
        for subprotocol in &self.subprotocols {
            request = request.with_subprotocol(subprotocol);
        }
        for (name, value) in &self.headers {
            request = request.with_header(name, value);
        }
        request
    }
}
