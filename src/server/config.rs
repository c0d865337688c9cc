//! The bounds of a server.

use alloc::sync::Arc;
use core::time::Duration;

use crate::engine::Limits;
use crate::server::tls::Tls;
use crate::wire::http::HeadLimits;

/// How a server accepts.
#[derive(Clone, Debug)]
pub struct Config {
    limits: Arc<Limits>,
    head_limits: HeadLimits,
    handshake_timeout: Duration,
    connections_max: usize,
    connections_per_address_max: usize,
    tls: Option<Tls>,
    tls_handshakes_per_second_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Arc::default(),
            head_limits: HeadLimits::default(),
            handshake_timeout: Duration::from_secs(5),
            connections_max: 100_000,
            connections_per_address_max: 100_000,
            tls: None,
            tls_handshakes_per_second_max: 1000,
        }
    }
}

impl Config {
    /// Sets the bounds of each connection. Default: [`Limits::default`].
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Arc::new(limits);
        self
    }

    /// Sets the bounds of a request's head. Default: [`HeadLimits::default`].
    #[must_use]
    pub const fn with_head_limits(mut self, limits: HeadLimits) -> Self {
        self.head_limits = limits;
        self
    }

    /// Sets how long a client may take from TCP to the end of its request, TLS included; one that
    /// takes longer is dropped, and answered 408 where it has come as far as to ask. Default: 5 s.
    #[must_use]
    pub const fn with_handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Sets how many connections are admitted, in all and from one address; one more is answered
    /// 503. Default: 100,000 each.
    #[must_use]
    pub const fn with_connections_max(mut self, in_all: usize, per_address: usize) -> Self {
        self.connections_max = in_all;
        self.connections_per_address_max = per_address;
        self
    }

    /// Speaks TLS with every client (`wss`). Default: no TLS.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets how many TLS handshakes a second a listener begins, since one costs as much as
    /// thousands of messages. More than that wait for their turn, within the time that they have
    /// for the whole handshake, and are dropped when it would come too late; 0 is taken as 1.
    /// Default: 1000.
    #[must_use]
    pub const fn with_tls_handshakes_per_second_max(mut self, count: u32) -> Self {
        self.tls_handshakes_per_second_max = count;
        self
    }

    pub(crate) const fn tls_handshakes_per_second_max(&self) -> u32 {
        self.tls_handshakes_per_second_max
    }

    pub(crate) const fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    pub(crate) const fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    pub(crate) const fn head_limits(&self) -> HeadLimits {
        self.head_limits
    }

    pub(crate) const fn handshake_timeout(&self) -> Duration {
        self.handshake_timeout
    }

    pub(crate) const fn connections_max(&self) -> usize {
        self.connections_max
    }

    pub(crate) const fn connections_per_address_max(&self) -> usize {
        self.connections_per_address_max
    }
}
