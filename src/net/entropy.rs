//! Seeds from the operating system.

use rand::TryRng;
use rand::rngs::SysRng;
use std::io;

/// Thirty-two unpredictable bytes: what a client's masking keys are made from (RFC 6455 §10.3).
///
/// # Errors
///
/// When the operating system gives none.
pub fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed).map_err(io::Error::other)?;
    Ok(seed)
}
