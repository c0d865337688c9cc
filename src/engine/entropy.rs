//! Masking keys (RFC 6455 §5.3, §10.3).

use core::fmt;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::wire::mask::MaskKey;

/// A cryptographic generator of masking keys and nonces.
///
/// Each key is fresh and tells nothing about the next. One block of the generator's output makes
/// many keys, so that nobody is tempted to use a weaker one.
pub(crate) struct MaskKeys(StdRng);

impl MaskKeys {
    //= WS-083
    //= WS-084
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(StdRng::from_seed(seed))
    }

    //= WS-082
    //= WS-167
    pub(crate) fn next_key(&mut self) -> MaskKey {
        MaskKey::new(self.0.next_u32().to_ne_bytes())
    }

    /// Sixteen bytes for a Sec-WebSocket-Key (RFC 6455 §4.1).
    //= WS-030
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.0.fill_bytes(&mut nonce);
        nonce
    }
}

impl fmt::Debug for MaskKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKeys(..)")
    }
}
