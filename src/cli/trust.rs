//! Whom the client commands believe.

use alloc::boxed::Box;
use alloc::format;
use core::error::Error;

use crate::cli::args::Trust;
use crate::client::{Config, Tls};

/// Sets what the arguments say about certificates.
pub(crate) fn apply(trust: &Trust, config: Config) -> Result<Config, Box<dyn Error>> {
    let builder = Tls::builder();
    let tls = match &trust.tls_ca {
        _ if trust.danger_accept_any_certificate => builder.danger_accept_any_certificate(),
        Some(file) => {
            let pem = std::fs::read(file)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            builder
                .with_roots_pem(&pem)
                .map_err(|error| format!("{}: {error}", file.display()))?
        }
        None => return Ok(config),
    };
    Ok(config.with_tls(tls.build()?))
}
