//! Tokens: who somebody is and what they may do, signed with a key that is known beforehand.
//!
//! ```text
//!   Verifier     header, signature, claims, revocation: in this order
//!   Settings     what is asked of the claims, and where they stand
//!   Keys         each for one algorithm            KeyRing      those in force
//!   Jwks         keys from a file or a URL         Revocations  what is refused early
//! ```
//!
//! The algorithm is not negotiable: the header only chooses among keys that are each tied to
//! one, and no claim is parsed before the signature has been checked. The time claims are
//! checked here and not by a library, for two reasons: a claim of the wrong JSON type must
//! never count as absent, and the clock has to come from the caller so that the boundaries can
//! be tested.

mod algorithm;
mod base64url;
mod claims;
mod error;
mod fetch;
mod header;
mod jwk;
mod jwks;
mod key;
mod keys;
mod mint;
mod revocation;
mod ring;
mod settings;

pub use algorithm::Algorithm;
pub use claims::{Claims, USER_BYTES_MAX};
pub use error::{BYTES_MAX, TokenError};
pub use fetch::FetchError;
pub use jwk::{InvalidJwks, JWKS_BYTES_MAX};
pub use jwks::{Jwks, JwksError, JwksLocation, JwksSettings};
pub use key::{KeyError, Pin};
pub use keys::{KEYS_MAX, Keys, TRIES_MAX};
pub use mint::{Grant, Minter};
pub use revocation::{
    REVOCATIONS_MAX, Revocation, RevocationError, RevocationKind, Revocations, Revoked,
};
pub use ring::KeyRing;
pub use settings::{InvalidSettings, LIFETIME_MAX, SKEW, SKEW_MAX, Settings};

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use core::time::Duration;
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use crate::announce::secret::Secret;
use crate::announce::token::header::Header;

/// Verifies tokens. Cheap to clone; clones share keys and revocations. `Debug` prints no key.
#[derive(Clone, Debug)]
pub struct Verifier {
    ring: KeyRing,
    settings: Arc<RwLock<Arc<Settings>>>,
    revocations: Revocations,
}

impl Verifier {
    /// Verifies HS256 with `secret`, by the default settings.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        // One key without a name always finds room.
        let keys = Keys::new().with_secret(secret, Pin::default());
        Self {
            ring: KeyRing::new(keys.unwrap_or_default()),
            settings: Arc::default(),
            revocations: Revocations::new(),
        }
    }

    /// Verifies with the keys that are in `ring` at the time, by these settings.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`] if the settings cannot be used.
    pub fn with_keys(ring: KeyRing, settings: Settings) -> Result<Self, InvalidSettings> {
        settings.check()?;
        Ok(Self {
            ring,
            settings: Arc::new(RwLock::new(Arc::new(settings))),
            revocations: Revocations::new(),
        })
    }

    /// Takes only tokens whose claim `iss` is exactly this.
    #[must_use]
    pub fn with_issuer(self, issuer: String) -> Self {
        self.with_settings(|settings| settings.issuers = vec![issuer])
    }

    /// Takes only tokens whose claim `aud` is or contains exactly this.
    #[must_use]
    pub fn with_audience(self, audience: String) -> Self {
        self.with_settings(|settings| settings.audience = Some(audience))
    }

    /// Refuses what is in this set, from now on.
    #[must_use]
    pub fn with_revocations(self, revocations: Revocations) -> Self {
        Self {
            revocations,
            ..self
        }
    }

    /// The keys, to be changed while this and its clones are in use.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// What has been revoked.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// What is asked of a token at this moment.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        let settings = self.settings.read();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks other things of the tokens that come from now on; its clones do too.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`] if the settings cannot be used; then the present ones stay.
    pub fn set_settings(&self, settings: Settings) -> Result<(), InvalidSettings> {
        settings.check()?;
        let place = self.settings.write();
        *place.unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        Ok(())
    }

    /// Settings of its own, that its clones of before do not share.
    fn with_settings(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.settings());
        change(&mut settings);
        Self {
            settings: Arc::new(RwLock::new(Arc::new(settings))),
            ..self
        }
    }

    /// Checks a token at the time `now` and returns what it says.
    ///
    /// Namespaces in which the person or everybody was revoked are not among the claims; a
    /// token that opens no other is refused.
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
        //= AU-06
        //= AU-07
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        let header = base64url::text(header).ok_or(TokenError::Malformed)?;
        let settings = self.settings();
        let header = Header::read(&header, &settings.algorithms)?;
        let signature = base64url::bytes(signature).ok_or(TokenError::Malformed)?;
        let issuer = self
            .ring
            .keys()
            .verify(&header, message.as_bytes(), &signature, now)
            .inspect_err(|error| {
                if *error == TokenError::UnknownKey {
                    self.ring.want();
                }
            })?;
        let payload = base64url::text(payload).ok_or(TokenError::Malformed)?;
        let claims = Claims::read(&payload, &settings, now)?;
        //= AU-14
        if issuer.is_some_and(|issuer| claims.issuer() != Some(&issuer)) {
            return Err(TokenError::Source);
        }
        //= A56
        self.revocations
            .admit(claims, now)
            .ok_or(TokenError::Revoked)
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
