//! What a check is told about the world.

use alloc::string::String;
use core::fmt;
use jiff::Timestamp;

use crate::announce::config::model::SecretSource;

/// What is known about a secret without telling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// Its length.
    pub bytes: usize,
    /// Whether it looks like one of an example: known words, or a few characters repeated.
    pub is_sample: bool,
}

impl Strength {
    /// Judges a secret.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        const WORDS: [&str; 6] = [
            "secret",
            "password",
            "changeme",
            "change-me",
            "example",
            "12345678",
        ];
        const DISTINCT_MIN: usize = 10;
        let text = String::from_utf8_lossy(secret).to_lowercase();
        let mut distinct = secret.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let is_sample = WORDS.iter().any(|word| text.contains(word))
            || distinct.len() < DISTINCT_MIN.min(secret.len());
        let bytes = secret.len();
        Self { bytes, is_sample }
    }
}

/// What the check is told about the world, so that it asks nobody itself.
pub struct World<'w> {
    /// What time it is.
    pub now: Timestamp,
    /// What is known about a secret: `None` where the variable is not set or there is no file.
    pub secret: &'w dyn Fn(&SecretSource) -> Option<Strength>,
}

impl fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
