//! What is known about one connection.
//!
//! ```text
//!             Sign, token verifies
//!  anonymous ─────────────────────▶ signed in ──▶ (the connection ends)
//! ```
//!
//! There is no way back: a connection keeps the person and the namespace that it signed in
//! with, and a failed message later on changes neither.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::time::SystemTime;

use crate::announce::announcement::FeedKey;
use crate::announce::token::Claims;

/// After how many malformed messages in a row the connection is closed.
pub const MALFORMED_MAX: u32 = 5;

/// After how many failed authentications the connection is closed.
pub const AUTH_FAILURES_MAX: u32 = 3;

/// Who a connection belongs to, from verified claims alone. The token itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The namespace in which the person is here.
    pub namespace: String,
    /// The name of this stay, 128 random bits. It proves nothing.
    pub session: String,
    /// What the token says.
    pub claims: Arc<Claims>,
}

impl Identity {
    /// The person.
    #[must_use]
    pub fn user(&self) -> &str {
        self.claims.user()
    }

    /// The channels and roles that the token makes the person a member of. A claim that cannot
    /// be the name of a feed makes a member of nothing.
    #[must_use]
    pub fn feeds(&self) -> Vec<FeedKey> {
        let channels = self.claims.channels().iter().map(|it| FeedKey::channel(it));
        let roles = self.claims.roles().iter().map(|it| FeedKey::role(it));
        channels.chain(roles).flatten().collect()
    }
}

/// A message asks for another namespace than the request for its connection did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherNamespace;

/// What is known about one connection.
#[derive(Debug, Default)]
pub struct Caller {
    identity: Option<Identity>,
    /// The namespace that the request for the connection asked for.
    namespace: Option<String>,
    malformed: u32,
    auth_failures: u32,
}

impl Caller {
    /// A connection of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection whose request has asked for a namespace, if it has.
    #[must_use]
    pub fn in_namespace(namespace: Option<String>) -> Self {
        Self {
            namespace,
            ..Self::default()
        }
    }

    /// The namespace to sign in to, of which the message says that it is `asked`.
    ///
    /// # Errors
    ///
    /// [`OtherNamespace`] if the request for the connection has asked for another.
    pub(crate) fn namespace<'n>(
        &'n self,
        asked: Option<&'n str>,
    ) -> Result<Option<&'n str>, OtherNamespace> {
        match (asked, self.namespace.as_deref()) {
            (Some(asked), Some(before)) if asked != before => Err(OtherNamespace),
            (asked, before) => Ok(asked.or(before)),
        }
    }

    /// Who the connection belongs to, once it has signed in.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// When the token ends, and the connection has to be closed with 4401. A newer token may
    /// have moved it; ask again after each message.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        //= A56
        self.identity
            .as_ref()
            .map(|identity| identity.claims.expires_at())
    }

    /// Gives the connection to a person.
    pub(crate) fn sign_in(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    /// Puts a newer token of the same person in the place of the one before. An older one does
    /// not shorten the stay, nor give back what a newer one took.
    pub(crate) fn refresh(&mut self, claims: Claims) {
        if let Some(identity) = &mut self.identity
            && claims.expires_at() >= identity.claims.expires_at()
        {
            identity.claims = Arc::new(claims);
        }
    }

    /// Counts a malformed message; whether it was one too many.
    pub(crate) fn is_malformed_too_often(&mut self) -> bool {
        self.malformed += 1;
        self.malformed >= MALFORMED_MAX
    }

    /// Notes that a message was well formed.
    pub(crate) fn was_well_formed(&mut self) {
        self.malformed = 0;
    }

    /// Counts a failed authentication; whether it was one too many.
    pub(crate) fn is_refused_too_often(&mut self) -> bool {
        self.auth_failures += 1;
        self.auth_failures >= AUTH_FAILURES_MAX
    }
}
