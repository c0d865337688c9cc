//! Tokens that are refused before their time: by their id, by their holder, by their namespace.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::announce::token::claims::Claims;

/// The most revocations that are held at a time.
pub const REVOCATIONS_MAX: usize = 100_000;

/// The longest value of a revocation, in bytes: a namespace and a user.
const VALUE_BYTES_MAX: usize = 1024;

/// Parts a namespace from a user; neither holds a control character.
const PART: char = '\u{1f}';

/// What a revocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationKind {
    /// One token.
    Token,
    /// One user of one namespace.
    User,
    /// Everyone in one namespace.
    Namespace,
}

impl RevocationKind {
    /// Its name, for storing it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::User => "user",
            Self::Namespace => "namespace",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Token, Self::User, Self::Namespace];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

/// One revocation, as a plain value that can be stored and told to others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revocation {
    /// What it is about.
    pub kind: RevocationKind,
    /// Which one: the claim `jti`; namespace and user, parted by U+001F; or the namespace.
    pub value: String,
    /// Tokens that were issued before this moment are refused, and those that do not say when.
    /// For one token it says nothing.
    pub issued_before: SystemTime,
    /// When it is forgotten. It should be no earlier than the last of those tokens ends.
    pub until: SystemTime,
}

impl Revocation {
    /// One of these parts.
    #[must_use]
    pub fn new(
        kind: RevocationKind,
        value: String,
        issued_before: SystemTime,
        until: SystemTime,
    ) -> Self {
        Self {
            kind,
            value,
            issued_before,
            until,
        }
    }

    /// The token whose claim `jti` is `id`.
    #[must_use]
    pub fn of_token(id: &str, until: SystemTime) -> Self {
        Self::new(RevocationKind::Token, id.into(), UNIX_EPOCH, until)
    }

    /// The tokens of one user of one namespace that were issued before a moment.
    #[must_use]
    pub fn of_user(
        namespace: &str,
        user: &str,
        issued_before: SystemTime,
        until: SystemTime,
    ) -> Self {
        let value = holder(namespace, user);
        Self::new(RevocationKind::User, value, issued_before, until)
    }

    /// Everybody's tokens of one namespace that were issued before a moment.
    #[must_use]
    pub fn of_namespace(namespace: &str, issued_before: SystemTime, until: SystemTime) -> Self {
        let kind = RevocationKind::Namespace;
        Self::new(kind, namespace.into(), issued_before, until)
    }
}

fn holder(namespace: &str, user: &str) -> String {
    format!("{namespace}{PART}{user}")
}

/// What has been revoked and not forgotten. Clones are the same set.
#[derive(Clone)]
pub struct Revocations(Arc<Inner>);

struct Inner {
    held: RwLock<Held>,
    count_max: usize,
    changes: watch::Sender<u64>,
}

/// By kind and value: the moment before which tokens must have been issued, and the end.
type Held = HashMap<(RevocationKind, String), (SystemTime, SystemTime)>;

impl Revocations {
    /// An empty set for up to [`REVOCATIONS_MAX`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_count_max(REVOCATIONS_MAX)
    }

    /// An empty set for up to `count_max`.
    #[must_use]
    pub fn with_count_max(count_max: usize) -> Self {
        Self(Arc::new(Inner {
            held: RwLock::default(),
            count_max,
            changes: watch::Sender::new(0),
        }))
    }

    /// Adds a revocation at the time `now`, and tells all who [listen](Self::listen). Of two
    /// about the same, the later moments hold. One that has ended already changes nothing.
    ///
    /// # Errors
    ///
    /// [`RevocationError`] if it is about nothing, or if there is no room: then it is not in
    /// force, and whoever asked for it has to be told.
    pub fn add(&self, revocation: Revocation, now: SystemTime) -> Result<(), RevocationError> {
        self.extend([revocation], now)
    }

    /// Adds several, as after a start, and tells the listeners once.
    ///
    /// # Errors
    ///
    /// [`RevocationError`] at the first that cannot be added; those before it are in force.
    pub fn extend(
        &self,
        revocations: impl IntoIterator<Item = Revocation>,
        now: SystemTime,
    ) -> Result<(), RevocationError> {
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        let mut each = revocations.into_iter();
        let added = each.try_for_each(|it| insert(&mut held, it, now, self.0.count_max));
        drop(held);
        self.0
            .changes
            .send_modify(|count| *count = count.wrapping_add(1));
        added
    }

    /// Whether these claims were revoked in this namespace. For connections that are open:
    /// they ask again whenever [something was revoked](Revoked::changed).
    #[must_use]
    pub fn covers(&self, claims: &Claims, namespace: &str, now: SystemTime) -> bool {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        !held.is_empty()
            && (covers_token(&held, claims, now) || covers_stay(&held, claims, namespace, now))
    }

    /// The claims without the namespaces in which they were revoked, if anything is left.
    pub(crate) fn admit(&self, mut claims: Claims, now: SystemTime) -> Option<Claims> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        if held.is_empty() {
            return Some(claims);
        }
        if covers_token(&held, &claims, now) {
            return None;
        }
        let is_closed = |namespace: &String| covers_stay(&held, &claims, namespace, now);
        let closed: Vec<bool> = claims.namespaces().iter().map(is_closed).collect();
        claims.close_namespaces(&closed).then_some(claims)
    }

    /// Tells of all that is revoked from now on.
    #[must_use]
    pub fn listen(&self) -> Revoked {
        Revoked(self.0.changes.subscribe())
    }

    /// Forgets what has ended, and returns what is left, in no order.
    #[must_use]
    pub fn snapshot(&self, now: SystemTime) -> Vec<Revocation> {
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        forget(&mut held, now);
        let each = held.iter().map(|((kind, value), (issued_before, until))| {
            Revocation::new(*kind, value.clone(), *issued_before, *until)
        });
        each.collect()
    }
}

impl Default for Revocations {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Revocations")
            .field("count", &held.len())
            .finish_non_exhaustive()
    }
}

fn insert(
    held: &mut Held,
    revocation: Revocation,
    now: SystemTime,
    count_max: usize,
) -> Result<(), RevocationError> {
    let Revocation {
        kind,
        value,
        issued_before,
        until,
    } = revocation;
    if value.is_empty() || value.len() > VALUE_BYTES_MAX {
        return Err(RevocationError::Value);
    }
    if until <= now {
        return Ok(());
    }
    let key = (kind, value);
    if held.len() >= count_max && !held.contains_key(&key) {
        forget(held, now);
        if held.len() >= count_max {
            return Err(RevocationError::Full);
        }
    }
    let entry = held.entry(key).or_insert((issued_before, until));
    *entry = (entry.0.max(issued_before), entry.1.max(until));
    Ok(())
}

fn forget(held: &mut Held, now: SystemTime) {
    held.retain(|_, (_, until)| *until > now);
}

/// The moment before which tokens of this kind and value are refused, while that is in force.
fn issued_before(
    held: &Held,
    kind: RevocationKind,
    value: String,
    now: SystemTime,
) -> Option<SystemTime> {
    let (issued_before, until) = held.get(&(kind, value))?;
    (now < *until).then_some(*issued_before)
}

fn covers_token(held: &Held, claims: &Claims, now: SystemTime) -> bool {
    claims
        .id()
        .is_some_and(|id| issued_before(held, RevocationKind::Token, id.into(), now).is_some())
}

fn covers_stay(held: &Held, claims: &Claims, namespace: &str, now: SystemTime) -> bool {
    let user = holder(namespace, claims.user());
    let of_user = issued_before(held, RevocationKind::User, user, now);
    let of_all = issued_before(held, RevocationKind::Namespace, namespace.into(), now);
    // A token that does not say when it was issued was issued before anything.
    of_user
        .max(of_all)
        .is_some_and(|moment| claims.issued_at().is_none_or(|issued| issued < moment))
}

/// Tells that something was revoked.
#[derive(Clone, Debug)]
pub struct Revoked(watch::Receiver<u64>);

impl Revoked {
    /// Waits until something has been revoked since this last returned. Several revocations in
    /// between are told once; what is in force is asked of the set. Pending for ever when the
    /// set is gone.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: the next call tells it.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            core::future::pending::<()>().await;
        }
    }
}

/// Why a revocation is not in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationError {
    /// It names nothing, or something longer than 1024 bytes.
    Value,
    /// There are as many as the set holds.
    Full,
}

impl fmt::Display for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "a revocation names a token, a user or a namespace in 1024 bytes",
            Self::Full => "there are too many revocations: revoke a namespace or change the key",
        })
    }
}

impl core::error::Error for RevocationError {}
