//! Tokens: who somebody is and what they may do, signed with the secret.
//!
//! The algorithm is not negotiable: the signature is checked with HS256 before a byte of the
//! header or the claims is parsed, and a header that names anything else is refused after.
//! The time claims are checked here and not by the library, for two reasons: a claim of the
//! wrong JSON type must never count as absent, and the clock has to come from the caller so
//! that the boundaries can be tested.

mod claims;
mod error;
mod mint;

pub use claims::{Claims, LIFETIME_MAX, SKEW, USER_BYTES_MAX};
pub use error::{BYTES_MAX, TokenError};
pub use mint::Minter;

use alloc::string::String;
use alloc::vec;
use core::fmt;
use core::time::Duration;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};

use crate::announce::json;
use crate::announce::secret::Secret;

/// Verifies tokens with one secret. `Debug` does not print the secret.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
    issuer: Option<String>,
    audience: Option<String>,
}

impl Verifier {
    /// Verifies with `secret`, whatever the issuer and the audience.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        let key = DecodingKey::from_secret(secret.as_bytes());
        Self {
            key,
            issuer: None,
            audience: None,
        }
    }

    /// Takes only tokens whose claim `iss` is exactly this.
    #[must_use]
    pub fn with_issuer(self, issuer: String) -> Self {
        Self {
            issuer: Some(issuer),
            ..self
        }
    }

    /// Takes only tokens whose claim `aud` is or contains exactly this.
    #[must_use]
    pub fn with_audience(self, audience: String) -> Self {
        Self {
            audience: Some(audience),
            ..self
        }
    }

    /// Checks a token at the time `now` and returns what it says.
    ///
    /// # Errors
    ///
    /// [`TokenError`] names the first rule that was broken. It is for the log: the holder of
    /// the token is told no more than that it failed.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, TokenError> {
        //= A49
        if token.len() > BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        match crypto::verify(signature, message.as_bytes(), &self.key, Algorithm::HS256) {
            Ok(true) => {}
            _ => return Err(TokenError::Signature),
        }
        check_header(&decode(header)?)?;
        let claims = Claims::read(&decode(payload)?, now)?;
        claims.check_source(self.issuer.as_deref(), self.audience.as_deref())?;
        Ok(claims)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// Shows that the cryptography works in this build: mints a token, verifies it, and sees that
/// an altered one fails. To be run once when the program starts.
///
/// # Errors
///
/// [`TokenError::Broken`] if any of that does not come out as it must.
pub fn self_test(secret: &Secret, now: SystemTime) -> Result<(), TokenError> {
    //= PR-13
    //= V-88
    let verifier = Verifier::new(secret);
    let minter = Minter::new(secret);
    let mut token = minter.mint("self-test", &["main"], &[], Duration::from_secs(60), now)?;
    let sound = verifier
        .verify(&token, now)
        .is_ok_and(|claims| claims.user() == "self-test");
    let last = if token.pop() == Some('A') { 'E' } else { 'A' };
    token.push(last);
    if sound && verifier.verify(&token, now) == Err(TokenError::Signature) {
        return Ok(());
    }
    Err(TokenError::Broken)
}

fn decode(segment: &str) -> Result<String, TokenError> {
    let mut bytes = vec![0; segment.len()];
    let length = URL_SAFE_NO_PAD
        .decode_slice(segment, &mut bytes)
        .map_err(|_| TokenError::Malformed)?;
    bytes.truncate(length);
    String::from_utf8(bytes).map_err(|_| TokenError::Malformed)
}

fn check_header(text: &str) -> Result<(), TokenError> {
    let fields = json::object(text).map_err(|_| TokenError::Malformed)?;
    let mut algorithm = None;
    for (name, value) in &fields {
        match name.as_str() {
            "alg" => algorithm = json::string(value),
            // No extension is understood, so none may be critical.
            "crit" => return Err(TokenError::Critical),
            // There is one key, so its name settles nothing; but it has to be a name.
            "kid" if json::string(value).is_none_or(|id| id.len() > 256) => {
                return Err(TokenError::Claim("kid"));
            }
            _ => {}
        }
    }
    if algorithm.as_deref() != Some("HS256") {
        return Err(TokenError::Algorithm);
    }
    Ok(())
}
