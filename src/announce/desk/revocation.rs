//! Tokens that are refused before their time.

use std::time::SystemTime;

use crate::announce::caller::Identity;
use crate::announce::code::Code;
use crate::announce::desk::{Denied, Desk, failed};
use crate::announce::token::Revocation;

impl Desk {
    /// Has tokens refused before their time, from now on and after a restart.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the store fails, or if there are too many revocations.
    ///
    /// # Cancel safety
    ///
    /// It is stored or not; asking again changes nothing more.
    pub async fn revoke(&self, revocation: Revocation, now: SystemTime) -> Result<(), Denied> {
        let stored = self.store.revoke(revocation.clone()).await;
        stored.map_err(|error| failed(&error))?;
        let added = self.verifier.revocations().add(revocation, now);
        added.map_err(|error| {
            tracing::error!(%error, "a revocation is stored, and cannot be held in memory");
            Denied::new(Code::Unavailable, "there are too many revocations")
        })
    }

    /// Takes over the revocations that are stored: once, when the server starts.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the store fails, or if there are too many revocations.
    ///
    /// # Cancel safety
    ///
    /// All are taken over or none; asking again changes nothing more.
    pub async fn remember_revocations(&self, now: SystemTime) -> Result<(), Denied> {
        let stored = self.store.revocations(now).await;
        let stored = stored.map_err(|error| failed(&error))?;
        let added = self.verifier.revocations().extend(stored, now);
        added.map_err(|_| Denied::new(Code::Unavailable, "there are too many revocations"))
    }

    /// Whether a stay has been revoked.
    #[must_use]
    pub fn is_revoked(&self, identity: &Identity, now: SystemTime) -> bool {
        let revocations = self.verifier.revocations();
        revocations.covers(&identity.claims, &identity.namespace, now)
    }
}
