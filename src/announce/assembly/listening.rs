//! How the server listens, and what each connection may cost.

use alloc::string::String;

use crate::announce::assembly::error::StartError;
use crate::announce::config::Config;
use crate::engine::Limits;
use crate::server::{self, Proxies, Tls, TlsFiles};
use crate::wire::http::HeadLimits;

/// The certificate, where there is one.
pub(crate) fn tls(config: &Config) -> Result<Option<Tls>, StartError> {
    let Some(files) = &config.server.tls else {
        return Ok(None);
    };
    let files = TlsFiles::new(files.cert.clone(), files.key.clone());
    let loaded = files.load();
    loaded
        .map(Some)
        .map_err(|error| StartError::new("server.tls", error))
}

/// The proxies that are believed.
pub(crate) fn proxies(config: &Config) -> Result<Proxies, StartError> {
    let networks = config.server.trusted_proxies.iter();
    Proxies::new(networks.map(String::as_str))
        .map_err(|error| StartError::new("server.trusted_proxies", error))
}

/// The bounds of the listener and of each connection.
//= B56
//= A34
pub(crate) fn listener(config: &Config, tls: Option<Tls>, proxies: Proxies) -> server::Config {
    let (bounds, heartbeat) = (&config.limits, &config.heartbeat);
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let usual = Limits::default();
    // What a connection has taken and not yet sent is part of what waits for it.
    let high = usual.outbox_bytes_high().min(size(bounds.queue_bytes));
    let low = usual.outbox_bytes_low().min(high / 2);
    //= A73
    let limits = usual
        .with_message_bytes_max(bounds.message)
        .with_outbox_marks(low, high)
        .with_keep_alive(Some(heartbeat.interval), heartbeat.timeout);
    let head = HeadLimits {
        head_bytes_max: size(bounds.handshake_bytes),
        headers_max: size(bounds.handshake_headers),
        ..HeadLimits::default()
    };
    let listener = server::Config::default()
        .with_limits(limits)
        .with_keep_alive_jitter(heartbeat.jitter)
        .with_head_limits(head)
        .with_handshake_timeout(bounds.handshake_time)
        .with_connections_max(size(bounds.connections), size(bounds.connections_per_ip))
        // A proxy on this machine stands for all of its clients.
        .with_loopback_exempt(true)
        .with_proxies(proxies);
    let listener = match bounds.accept_rate {
        Some(rate) => {
            let count = u32::try_from(rate.count).unwrap_or(u32::MAX);
            listener.with_accept_rate(count, rate.period)
        }
        None => listener,
    };
    match tls {
        Some(tls) => listener.with_tls(tls),
        None => listener,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::time::Duration;

    use super::*;

    //= A73 type=test
    #[test]
    fn each_connection_is_pinged_in_its_own_time() {
        let mut config = Config::default();
        let second = Duration::from_secs(1);
        config.heartbeat.interval = 7 * second;
        config.heartbeat.jitter = 3 * second;
        config.heartbeat.timeout = 2 * second;
        let listener = listener(&config, None, Proxies::default());
        let drawn: Vec<_> = (0..64).map(|_| listener.limits()).collect();
        let interval = |at: usize| drawn[at].ping_interval().unwrap();
        for (at, limits) in drawn.iter().enumerate() {
            assert!((7 * second..10 * second).contains(&interval(at)));
            assert_eq!(limits.pong_timeout(), 2 * second);
        }
        assert!((1..64).any(|at| interval(at) != interval(0)));
    }
}
