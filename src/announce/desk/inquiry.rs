//! What publishers and operators may ask: who has got what, and why not.

use alloc::vec::Vec;
use std::time::SystemTime;

use crate::announce::desk::{ADMIN_SCOPE, Actor, Denied, Desk, Draft, failed};
use crate::announce::store::{Ledger, Step, Who};

impl Desk {
    /// How many people an announcement would reach.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the actor may not publish it.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn audience(&self, actor: Actor<'_>, draft: &Draft) -> Result<u64, Denied> {
        self.may_publish(actor, &draft.feed, draft.kind).await?;
        self.store()
            .audience_size(actor.namespace, &draft.feed)
            .await
            .map_err(|error| failed(&error))
    }

    /// Who has been sent, received, read and acknowledged an announcement.
    ///
    /// # Errors
    ///
    /// [`Denied`] unless the actor has published it, or runs the server.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn ledger(
        &self,
        actor: Actor<'_>,
        id: &str,
        who: Who,
        after: Option<&str>,
        most: usize,
    ) -> Result<Ledger, Denied> {
        self.may_change(actor, id).await?;
        self.store()
            .ledger(actor.namespace, id, who, after, most)
            .await
            .map_err(|error| failed(&error))
    }

    /// What became of an announcement on its way to one person, or why it has not reached them.
    ///
    /// # Errors
    ///
    /// [`Denied`] unless the actor runs the server.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn explain(
        &self,
        actor: Actor<'_>,
        id: &str,
        user: &str,
        now: SystemTime,
    ) -> Result<Vec<Step>, Denied> {
        if !actor.claims.allows(ADMIN_SCOPE) {
            return Err(Denied::scope(ADMIN_SCOPE));
        }
        self.store()
            .explain(actor.namespace, id, user, now)
            .await
            .map_err(|error| failed(&error))
    }
}
