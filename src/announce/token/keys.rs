//! Several keys, each for one algorithm, and which of them a token may be verified with.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::time::SystemTime;

use crate::announce::secret::Secret;
use crate::announce::token::algorithm::Algorithm;
use crate::announce::token::error::TokenError;
use crate::announce::token::header::Header;
use crate::announce::token::jwk::{self, InvalidJwks};
use crate::announce::token::key::{Key, KeyError, Pin};

/// The most keys in one set.
pub const KEYS_MAX: usize = 64;

/// The most keys that one token is tried with; the first ones are.
pub const TRIES_MAX: usize = 16;

/// Keys that verify tokens. Cheap to clone. `Debug` prints their names and nothing of them.
///
/// Each key is tied to one algorithm when it is added, so what a token says of its algorithm
/// only chooses among the keys of that algorithm. Two issuers may use one name for two keys:
/// both are tried, and the one that verifies must be of the issuer that the claims name.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<Arc<Key>>);

impl Keys {
    /// No keys: nothing verifies.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret for HS256.
    ///
    /// # Errors
    ///
    /// [`KeyError::Name`], [`KeyError::Twice`] or [`KeyError::TooMany`].
    pub fn with_secret(self, secret: &Secret, pin: Pin) -> Result<Self, KeyError> {
        self.with(Key::shared(secret, pin)?)
    }

    /// Adds a secret of before, which verifies HS256 until a moment and signs nothing.
    ///
    /// # Errors
    ///
    /// [`KeyError::TooMany`].
    pub fn with_previous_secret(
        self,
        secret: &Secret,
        until: SystemTime,
    ) -> Result<Self, KeyError> {
        let until = Some(until);
        self.with_secret(
            secret,
            Pin {
                until,
                ..Pin::default()
            },
        )
    }

    /// Adds a public key: the one block `PUBLIC KEY` of a PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says what is wrong with the key; [`KeyError::Kind`] also for HS256, which
    /// has no public keys.
    pub fn with_pem(self, algorithm: Algorithm, pem: &[u8], pin: Pin) -> Result<Self, KeyError> {
        self.with(Key::from_pem(algorithm, pem, pin)?)
    }

    /// Adds the keys of a JWK Set (RFC 7517), all for one issuer where one is given.
    ///
    /// Keys that are for something else are passed over: to encrypt, of another algorithm or
    /// curve. A key that is meant for tokens and cannot be used condemns the whole document.
    ///
    /// # Errors
    ///
    /// [`InvalidJwks`] says what is wrong with the document.
    pub fn with_jwks(self, text: &str, issuer: Option<&str>) -> Result<Self, InvalidJwks> {
        let mut all = self;
        for (index, key) in jwk::read(text, issuer)? {
            all = all
                .with(key)
                .map_err(|error| InvalidJwks::Key { index, error })?;
        }
        Ok(all)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn with(mut self, key: Key) -> Result<Self, KeyError> {
        if self.0.len() == KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        //= AU-14
        //= V-90
        if self.0.iter().any(|other| other.is_namesake(&key)) {
            return Err(KeyError::Twice);
        }
        self.0.push(Arc::new(key));
        Ok(self)
    }

    /// All keys of several sets, in their order.
    pub(crate) fn joined<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        Self(sets.into_iter().flat_map(|set| set.0.clone()).collect())
    }

    /// This set, and what only the one `before` it held, which ends at `until`.
    //= AU-36
    pub(crate) fn succeeding(mut self, before: &Self, now: SystemTime, until: SystemTime) -> Self {
        let gone = before.0.iter().filter(|old| {
            old.is_valid(now) && now < until && !self.0.iter().any(|key| key.is_same(old))
        });
        let gone: Vec<_> = gone
            .take(KEYS_MAX)
            .map(|old| Arc::new(old.ending(until)))
            .collect();
        self.0.extend(gone);
        self
    }

    /// The issuer of the key that verifies, where that key has one.
    pub(crate) fn verify(
        &self,
        header: &Header,
        message: &[u8],
        signature: &[u8],
        now: SystemTime,
    ) -> Result<Option<String>, TokenError> {
        //= AU-03
        //= AU-04
        //= V-92
        let of_algorithm = || {
            self.0
                .iter()
                .filter(|key| key.algorithm() == header.algorithm && key.is_valid(now))
        };
        let is_meant = |key: &Key| match (&header.kid, &key.pin().kid) {
            (Some(wanted), Some(kid)) => wanted == kid,
            _ => true,
        };
        //= AU-12
        let verifier = of_algorithm()
            .filter(|key| is_meant(key))
            .take(TRIES_MAX)
            .find(|key| key.verifies(message, signature));
        if let Some(key) = verifier {
            return Ok(key.pin().issuer.clone());
        }
        let is_known = match &header.kid {
            Some(_) => of_algorithm().any(|key| key.pin().kid == header.kid),
            None => of_algorithm().next().is_some(),
        };
        Err(match is_known {
            true => TokenError::Signature,
            false => TokenError::UnknownKey,
        })
    }
}
