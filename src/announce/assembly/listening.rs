//! How the server listens, and what each connection may cost.

use crate::announce::assembly::error::StartError;
use crate::announce::config::Config;
use crate::engine::Limits;
use crate::server::{self, Tls, TlsFiles};
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

/// The bounds of the listener and of each connection.
//= B56
pub(crate) fn listener(config: &Config, tls: Option<Tls>) -> server::Config {
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
        .with_loopback_exempt(true);
    match tls {
        Some(tls) => listener.with_tls(tls),
        None => listener,
    }
}
