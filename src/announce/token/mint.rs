//! Tokens for development and for the self-test.

use alloc::string::String;
use core::fmt;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use crate::announce::random::{hex, random};
use crate::announce::secret::Secret;
use crate::announce::token::claims::{LIFETIME_MAX, USER_BYTES_MAX, is_name};
use crate::announce::token::error::{BYTES_MAX, TokenError};

/// Mints tokens with one secret. `Debug` does not print the secret.
#[derive(Clone)]
pub struct Minter(EncodingKey);

impl Minter {
    /// Signs with `secret`.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self(EncodingKey::from_secret(secret.as_bytes()))
    }

    /// Mints a token that is valid from `now` for `ttl`, rounded up to a whole second.
    ///
    /// No namespaces means `main`. A scope is one word.
    ///
    /// # Errors
    ///
    /// [`TokenError::Claim`] if an argument is one that verifying would refuse,
    /// [`TokenError::TooFar`] and [`TokenError::TooLong`] likewise.
    pub fn mint(
        &self,
        user: &str,
        namespaces: &[&str],
        scopes: &[&str],
        ttl: Duration,
        now: SystemTime,
    ) -> Result<String, TokenError> {
        if !is_name(user, USER_BYTES_MAX) {
            return Err(TokenError::Claim("sub"));
        }
        if !namespaces.iter().all(|name| is_name(name, 128)) {
            return Err(TokenError::Claim("namespaces"));
        }
        if !scopes
            .iter()
            .all(|scope| is_name(scope, 1024) && !scope.contains(' '))
        {
            return Err(TokenError::Claim("scope"));
        }
        if ttl > LIFETIME_MAX {
            return Err(TokenError::TooFar);
        }
        let now = now
            .duration_since(UNIX_EPOCH)
            .map_err(|_| TokenError::Claim("iat"))?;
        let end = now + ttl;
        let claims = json!({
            "sub": user,
            "namespaces": if namespaces.is_empty() { &["main"][..] } else { namespaces },
            "scope": scopes.join(" "),
            "iat": now.as_secs(),
            "exp": end.as_secs() + u64::from(end.subsec_nanos() > 0),
            "jti": hex(&random::<16>().map_err(|_| TokenError::Broken)?),
        });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.0)
            .map_err(|_| TokenError::Broken)?;
        if token.len() > BYTES_MAX {
            Err(TokenError::TooLong)
        } else {
            Ok(token)
        }
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Minter(redacted)")
    }
}
