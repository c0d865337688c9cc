//! The bounds of a server.

use alloc::sync::Arc;
use core::time::Duration;

use crate::engine::Limits;
use crate::net::entropy;
use crate::server::proxies::Proxies;
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
    is_loopback_exempt: bool,
    accept_rate: Option<(u32, Duration)>,
    proxies: Proxies,
    keep_alive_jitter: Duration,
    tls: Option<Tls>,
    tls_handshakes_per_second_max: u32,
    is_accept_deferred: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Arc::default(),
            head_limits: HeadLimits::default(),
            handshake_timeout: Duration::from_secs(5),
            connections_max: 100_000,
            connections_per_address_max: 100_000,
            is_loopback_exempt: false,
            accept_rate: None,
            proxies: Proxies::default(),
            keep_alive_jitter: Duration::ZERO,
            tls: None,
            tls_handshakes_per_second_max: 1000,
            is_accept_deferred: false,
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

    /// Sets whether connections from this machine itself are spared the bound for one address.
    /// Default: they are not.
    #[must_use]
    pub const fn with_loopback_exempt(mut self, is_exempt: bool) -> Self {
        self.is_loopback_exempt = is_exempt;
        self
    }

    /// Sets how many clients may come in each `period`, and as many at once; one more is answered
    /// 503, or over TLS, whose handshake would cost more than all it is to spare, not at all. 0
    /// is taken as 1. Default: no bound.
    #[must_use]
    pub const fn with_accept_rate(mut self, count: u32, period: Duration) -> Self {
        self.accept_rate = Some((count, period));
        self
    }

    /// Sets which proxies are believed about who connects through them. That counts for the bound
    /// for one address, which is looked at when the request has been read, and for what a
    /// [`Stream`](crate::server::Stream) says of its client. Default: none.
    #[must_use]
    pub fn with_proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Sets how much longer than the [`Limits`] say a connection may be silent before it is sent
    /// a Ping, at most: each has a random share of it, so that Pings do not leave together.
    /// Default: none.
    #[must_use]
    pub const fn with_keep_alive_jitter(mut self, jitter: Duration) -> Self {
        self.keep_alive_jitter = jitter;
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

    /// Sets whether the system keeps a client to itself until it has said something
    /// (`TCP_DEFER_ACCEPT`), so that a handshake wakes the server once and not twice. A client that
    /// says nothing is then seen about a second late: only from then on is it counted, and its time
    /// for the handshake runs. Linux alone has this; elsewhere nothing changes. Default: no.
    #[must_use]
    pub const fn with_deferred_accept(mut self, is_deferred: bool) -> Self {
        self.is_accept_deferred = is_deferred;
        self
    }

    pub(crate) const fn is_accept_deferred(&self) -> bool {
        self.is_accept_deferred
    }

    pub(crate) const fn tls_handshakes_per_second_max(&self) -> u32 {
        self.tls_handshakes_per_second_max
    }

    pub(crate) const fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// The bounds of one connection.
    pub(crate) fn limits(&self) -> Arc<Limits> {
        let Some(interval) = self.limits.ping_interval() else {
            return Arc::clone(&self.limits);
        };
        if self.keep_alive_jitter.is_zero() {
            return Arc::clone(&self.limits);
        }
        // Without entropy it is the interval itself.
        let random = entropy::seed().map_or(0, |seed| u16::from_le_bytes([seed[0], seed[1]]));
        let share = self.keep_alive_jitter.mul_f64(f64::from(random) / 65_536.0);
        let limits = Limits::clone(&self.limits);
        Arc::new(limits.with_keep_alive(
            Some(interval.saturating_add(share)),
            self.limits.pong_timeout(),
        ))
    }

    pub(crate) const fn is_loopback_exempt(&self) -> bool {
        self.is_loopback_exempt
    }

    pub(crate) const fn accept_rate(&self) -> Option<(u32, Duration)> {
        self.accept_rate
    }

    pub(crate) const fn proxies(&self) -> &Proxies {
        &self.proxies
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_are_spread_over_the_jitter() {
        let (interval, jitter) = (Duration::from_secs(25), Duration::from_secs(5));
        let limits = Limits::default().with_keep_alive(Some(interval), Duration::from_secs(10));
        let config = Config::default().with_limits(limits);
        assert_eq!(config.limits().ping_interval(), Some(interval));
        let config = config.with_keep_alive_jitter(jitter);
        let drawn: alloc::vec::Vec<_> = (0..100)
            .filter_map(|_| config.limits().ping_interval())
            .collect();
        let range = interval..interval + jitter;
        assert!(drawn.iter().all(|it| range.contains(it)), "{drawn:?}");
        assert!(drawn.iter().any(|it| *it != drawn[0]));
        assert_eq!(config.limits().pong_timeout(), Duration::from_secs(10));
    }
}
