//! Tokens for development and for the self-test.

use alloc::string::String;
use core::fmt;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use crate::announce::random::{hex, random};
use crate::announce::secret::Secret;
use crate::announce::token::claims::{USER_BYTES_MAX, is_name};
use crate::announce::token::error::{BYTES_MAX, TokenError};
use crate::announce::token::settings::LIFETIME_MAX;

/// Whom a token is for and what it gives.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Grant<'a> {
    /// The person.
    pub user: &'a str,
    /// The namespaces; none means `main`.
    pub namespaces: &'a [&'a str],
    /// The scopes, each one word.
    pub scopes: &'a [&'a str],
    /// The channels that the person is a member of.
    pub channels: &'a [&'a str],
    /// The roles of the person.
    pub roles: &'a [&'a str],
}

impl<'a> Grant<'a> {
    /// A token for this person, and nothing more.
    #[must_use]
    pub fn new(user: &'a str) -> Self {
        Self {
            user,
            ..Self::default()
        }
    }

    fn check(&self) -> Result<(), TokenError> {
        let named = |names: &[&str]| names.iter().all(|name| is_name(name, 1024));
        if !is_name(self.user, USER_BYTES_MAX) {
            return Err(TokenError::Claim("sub"));
        }
        if !self.namespaces.iter().all(|name| is_name(name, 128)) {
            return Err(TokenError::Claim("namespaces"));
        }
        if !named(self.scopes) || self.scopes.iter().any(|scope| scope.contains(' ')) {
            return Err(TokenError::Claim("scope"));
        }
        if !named(self.channels) {
            return Err(TokenError::Claim("channels"));
        }
        if !named(self.roles) {
            return Err(TokenError::Claim("roles"));
        }
        Ok(())
    }
}

/// Mints tokens with one secret. `Debug` does not print the secret.
#[derive(Clone)]
pub struct Minter(EncodingKey);

impl Minter {
    /// Signs with `secret`.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self(EncodingKey::from_secret(secret.as_bytes()))
    }

    /// Mints a token without channels and roles: see [`issue`](Self::issue).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn mint(
        &self,
        user: &str,
        namespaces: &[&str],
        scopes: &[&str],
        ttl: Duration,
        now: SystemTime,
    ) -> Result<String, TokenError> {
        let grant = Grant {
            user,
            namespaces,
            scopes,
            ..Grant::default()
        };
        self.issue(&grant, ttl, now)
    }

    /// Mints a token that is valid from `now` for `ttl`, rounded up to a whole second, with the
    /// names of claims that [`Settings`](crate::announce::token::Settings) has by default.
    ///
    /// # Errors
    ///
    /// [`TokenError::Claim`] if a part of `grant` is one that verifying would refuse,
    /// [`TokenError::TooFar`] and [`TokenError::TooLong`] likewise.
    pub fn issue(
        &self,
        grant: &Grant<'_>,
        ttl: Duration,
        now: SystemTime,
    ) -> Result<String, TokenError> {
        grant.check()?;
        if ttl > LIFETIME_MAX {
            return Err(TokenError::TooFar);
        }
        let now = now
            .duration_since(UNIX_EPOCH)
            .map_err(|_| TokenError::Claim("iat"))?;
        let end = now + ttl;
        let namespaces = match grant.namespaces {
            [] => &["main"][..],
            some => some,
        };
        let mut claims = json!({
            "sub": grant.user,
            "namespaces": namespaces,
            "scope": grant.scopes.join(" "),
            "iat": now.as_secs(),
            "exp": end.as_secs() + u64::from(end.subsec_nanos() > 0),
            "jti": hex(&random::<16>().map_err(|_| TokenError::Broken)?),
        });
        for (claim, names) in [("channels", grant.channels), ("roles", grant.roles)] {
            if !names.is_empty() {
                claims[claim] = json!(names);
            }
        }
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
