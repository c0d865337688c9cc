//! The rules: who may do what. No dialect and no socket stands here.
//!
//! What is announced does not travel in answers: it comes from the store's releases, which one
//! task takes in the order in which they were committed and sends to everyone concerned. So the
//! order of a feed is the same for everybody, and an announcement whose publisher vanished
//! between the commit and the answer is delivered like any other.

mod draft;
mod inquiry;
mod oversight;
mod pace;
mod policy;
mod publishing;
mod revocation;

pub use draft::{Actor, Denied, Draft};
pub(crate) use oversight::subject;
pub use policy::{FeedPolicy, Policy};

use alloc::string::String;
use alloc::sync::Arc;
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use crate::announce::announcement::{Announcement, FeedKey};
use crate::announce::caller::{Caller, Identity};
use crate::announce::code::Code;
use crate::announce::random::{hex, random};
use crate::announce::rate::Buckets;
use crate::announce::store::{
    Acknowledged, Cursor, ReadMark, ReadState, SignedIn, Store, StoreError, UnreadPage,
};
use crate::announce::token::{Claims, TokenError, Verifier};

/// The scope that publishing to everyone needs.
pub const PUBLISH_SCOPE: &str = "announce:public";

/// The scope of those who run the server.
pub const ADMIN_SCOPE: &str = "admin";

/// The scope of telling the HR department of a change.
pub const HR_SCOPE: &str = "hr:inform";

/// The scope of sending something that is not kept to the connections of a person.
pub const SEND_SCOPE: &str = "send";

/// The scope of signing in as somebody else.
pub const ACT_AS_SCOPE: &str = "act_as";

/// The store and the verifier behind one set of rules.
#[derive(Debug)]
pub struct Desk {
    store: Store,
    verifier: Verifier,
    policy: RwLock<Arc<Policy>>,
    publications: RwLock<Option<Buckets<(String, String)>>>,
}

impl Desk {
    /// Joins a store and a verifier, with the rules of [`Policy::new`].
    #[must_use]
    pub fn new(store: Store, verifier: Verifier) -> Self {
        Self {
            store,
            verifier,
            policy: RwLock::default(),
            publications: RwLock::default(),
        }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The verifier.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The rules that hold now.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        let policy = self.policy.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&policy)
    }

    /// Puts other rules in their place. What is being handled ends by the old ones.
    pub fn set_policy(&self, policy: Policy) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    /// Checks a token for a connection at the time `now`.
    ///
    /// The skew that is allowed for between clocks does not prolong a stay: a connection ends
    /// when its token does, so a token that has ended begins none.
    ///
    /// # Errors
    ///
    /// [`TokenError`]; for the log, not for whoever holds the token.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, TokenError> {
        let claims = self.verifier.verify(token, now)?;
        if claims.expires_at() <= now {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    /// Makes a stay of the person of the token in the namespace that is asked for, or the
    /// token's first.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the token does not give access to the namespace.
    pub fn identify(&self, claims: Claims, namespace: Option<&str>) -> Result<Identity, Denied> {
        let found = claims
            .namespaces()
            .iter()
            .find(|name| namespace.is_none_or(|asked| asked == *name));
        //= AU-40
        //= B05
        let Some(namespace) = found else {
            let message = "the token does not give access to this namespace";
            return Err(Denied::new(Code::Forbidden, message));
        };
        let session = random::<16>()
            .map_err(|_| Denied::new(Code::Unavailable, "no random numbers at present"))?;
        //= A51
        //= A54
        Ok(Identity {
            namespace: namespace.clone(),
            session: hex(&session),
            claims: Arc::new(claims),
        })
    }

    /// As [`identify`](Self::identify), for a connection whose request may have asked for a
    /// namespace as well.
    //= AU-40
    pub(crate) fn identify_caller(
        &self,
        caller: &Caller,
        claims: Claims,
        asked: Option<&str>,
    ) -> Result<Identity, Denied> {
        let namespace = caller.namespace(asked).map_err(|_| {
            let message = "the connection was opened for another namespace";
            Denied::new(Code::Forbidden, message)
        })?;
        self.identify(claims, namespace)
    }

    /// Notes that a person is here, and says what there is to read.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the store fails.
    ///
    /// # Cancel safety
    ///
    /// The person is noted or not; asking again changes nothing more.
    pub async fn enter(&self, identity: &Identity, now: SystemTime) -> Result<SignedIn, Denied> {
        let late = self.policy().of(&FeedKey::public()).late_joiners;
        self.store
            .sign_in(
                &identity.namespace,
                identity.user(),
                &identity.feeds(),
                late,
                now,
            )
            .await
            .map_err(|error| failed(&error))
    }

    /// Notes what a person has read.
    ///
    /// # Errors
    ///
    /// [`Denied`] if anything that is named is not there for the person.
    ///
    /// # Cancel safety
    ///
    /// All of it is noted or nothing; asking again changes nothing more.
    pub async fn mark_read(
        &self,
        identity: &Identity,
        feed: &FeedKey,
        mark: ReadMark,
        now: SystemTime,
    ) -> Result<ReadState, Denied> {
        self.store
            .mark_read(&identity.namespace, identity.user(), feed, mark, now)
            .await
            .map_err(|error| failed(&error))
    }

    /// Notes what has arrived at a device of a person.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the person does not read the feed.
    ///
    /// # Cancel safety
    ///
    /// It is noted or not; asking again changes nothing more.
    pub async fn delivered(
        &self,
        identity: &Identity,
        feed: &FeedKey,
        up_to: u64,
        now: SystemTime,
    ) -> Result<(), Denied> {
        self.store
            .note_delivered(&identity.namespace, identity.user(), feed, up_to, now)
            .await
            .map_err(|error| failed(&error))
    }

    /// Reads a page of what a person has not read.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the store fails.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn unread(
        &self,
        identity: &Identity,
        after: Option<Cursor>,
        limit: usize,
        now: SystemTime,
    ) -> Result<UnreadPage, Denied> {
        self.store
            .unread(&identity.namespace, identity.user(), after, limit, now)
            .await
            .map_err(|error| failed(&error))
    }

    /// Notes that a person acknowledges a version of an announcement. That reads it as well.
    ///
    /// # Errors
    ///
    /// [`Denied`] if it is not there for the person, or not in this version.
    ///
    /// # Cancel safety
    ///
    /// It is noted or not; asking again changes nothing more.
    pub async fn acknowledge(
        &self,
        identity: &Identity,
        id: &str,
        version: Option<u64>,
        now: SystemTime,
    ) -> Result<Acknowledged, Denied> {
        let version = match version {
            Some(version) => version,
            None => self.find(&identity.namespace, id).await?.version,
        };
        self.store
            .acknowledge(&identity.namespace, identity.user(), id, version, now)
            .await
            .map_err(|error| failed(&error))
    }

    pub(crate) async fn find(&self, namespace: &str, id: &str) -> Result<Announcement, Denied> {
        let found = self.store.get(namespace, id).await;
        found.map_err(|error| match error {
            StoreError::UnknownNotification => Denied::no_such_announcement(),
            error => failed(&error),
        })
    }
}

/// What the person is told of a failure of the store; the reasons are for the log.
pub(crate) fn failed(error: &StoreError) -> Denied {
    match error {
        StoreError::UnknownNotification => Denied::new(
            Code::UnknownNotification,
            "there is no such notification in this group",
        ),
        StoreError::Outdated { .. } => Denied::new(Code::Conflict, "it has another version by now"),
        StoreError::Recalled => Denied::new(Code::Conflict, "it has been recalled"),
        StoreError::FixedAudience => {
            Denied::new(Code::WrongType, "nobody joins or leaves this group")
        }
        StoreError::TooMany { .. } => {
            Denied::new(Code::TooLarge, "the person would be in too many groups")
        }
        _ => {
            tracing::error!(%error, "the store failed");
            let message = "the server cannot do that at present; try again later";
            Denied::new(Code::Unavailable, message)
        }
    }
}
