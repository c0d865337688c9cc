//! What those may do who look after others: announcements, memberships, revocations, the record.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use std::time::SystemTime;

use crate::announce::announcement::{Announcement, FeedKey, State};
use crate::announce::caller::Identity;
use crate::announce::code::Code;
use crate::announce::desk::{ACT_AS_SCOPE, ADMIN_SCOPE, Actor, Denied, Desk, failed};
use crate::announce::json::Object;
use crate::announce::store::{
    AuditEntry, AuditRecord, Cursor, Filter, Listed, Members, Membership, ReadMark, ReadState,
    UnreadPage, What,
};
use crate::announce::token::{Revocation, RevocationKind};

impl Desk {
    /// Lets pass who runs the server.
    pub(crate) fn is_operator(&self, actor: Actor<'_>) -> Result<(), Denied> {
        if actor.claims.allows(ADMIN_SCOPE) {
            return Ok(());
        }
        Err(Denied::scope(ADMIN_SCOPE))
    }

    fn is_self_or_operator(&self, actor: Actor<'_>, user: &str) -> Result<(), Denied> {
        if actor.user() == user {
            return Ok(());
        }
        self.is_operator(actor)
    }

    /// The announcements of a namespace for an operator, those of their own for anybody else.
    pub(crate) async fn announcements(
        &self,
        actor: Actor<'_>,
        mut filter: Filter,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listed, Denied> {
        if !actor.claims.allows(ADMIN_SCOPE) {
            match filter.publisher.as_deref() {
                Some(other) if other != actor.user() => return Err(Denied::scope(ADMIN_SCOPE)),
                _ => filter.publisher = Some(actor.user().to_owned()),
            }
        }
        let listed = self.store().list(actor.namespace, filter, after, most);
        listed.await.map_err(|error| failed(&error))
    }

    /// One announcement, as its publisher, an operator, or somebody in its audience may see it.
    pub(crate) async fn look_up(
        &self,
        actor: Actor<'_>,
        id: &str,
        now: SystemTime,
    ) -> Result<Announcement, Denied> {
        //= AU-27
        let found = self.find(actor.namespace, id).await?;
        if actor.claims.allows(ADMIN_SCOPE) || found.publisher == actor.user() {
            return Ok(found);
        }
        if found.state != State::Released {
            return Err(Denied::no_such_announcement());
        }
        let steps = self
            .store()
            .explain(actor.namespace, id, actor.user(), now)
            .await
            .map_err(|error| failed(&error))?;
        if steps.iter().any(|step| step.what == What::InAudience) {
            return Ok(found);
        }
        Err(Denied::no_such_announcement())
    }

    /// What a person has not read, for the person or an operator.
    pub(crate) async fn unread_of(
        &self,
        identity: &Identity,
        user: &str,
        after: Option<Cursor>,
        most: usize,
        now: SystemTime,
    ) -> Result<UnreadPage, Denied> {
        //= AU-28
        let actor = Actor::from(identity);
        self.is_self_or_operator(actor, user)?;
        if actor.user() == user {
            self.enter(identity, now).await?;
        }
        let page = self.store().unread(actor.namespace, user, after, most, now);
        page.await.map_err(|error| failed(&error))
    }

    /// Notes what a person has read: the person, or who may act for them.
    pub(crate) async fn read_of(
        &self,
        identity: &Identity,
        user: &str,
        feed: &FeedKey,
        mark: ReadMark,
        now: SystemTime,
    ) -> Result<ReadState, Denied> {
        //= A57
        let actor = Actor::from(identity);
        if actor.user() == user {
            self.enter(identity, now).await?;
            return self.mark_read(identity, feed, mark, now).await;
        }
        if !actor.claims.allows(ACT_AS_SCOPE) {
            return Err(Denied::scope(ACT_AS_SCOPE));
        }
        let state = self
            .store()
            .mark_read(actor.namespace, user, feed, mark, now)
            .await
            .map_err(|error| failed(&error))?;
        let detail = Object::new().text("feed", feed.as_str()).end();
        self.record(actor, "read.act_as", user, detail, now).await?;
        Ok(state)
    }

    /// The feeds of a person, for the person or an operator.
    pub(crate) async fn memberships_of(
        &self,
        actor: Actor<'_>,
        user: &str,
    ) -> Result<Vec<Membership>, Denied> {
        self.is_self_or_operator(actor, user)?;
        let found = self.store().memberships(actor.namespace, user);
        found.await.map_err(|error| failed(&error))
    }

    /// The people in a feed, for an operator.
    pub(crate) async fn members(
        &self,
        actor: Actor<'_>,
        feed: &FeedKey,
        after: Option<&str>,
        most: usize,
    ) -> Result<Members, Denied> {
        self.is_operator(actor)?;
        let found = self.store().members(actor.namespace, feed, after, most);
        found.await.map_err(|error| failed(&error))
    }

    /// Puts a person into a feed, or takes them out. Says whether that has changed anything.
    pub(crate) async fn set_member(
        &self,
        actor: Actor<'_>,
        feed: &FeedKey,
        user: &str,
        is_member: bool,
        now: SystemTime,
    ) -> Result<bool, Denied> {
        //= A63
        self.is_operator(actor)?;
        let (namespace, store) = (actor.namespace, self.store());
        let late = self.policy().of(feed).late_joiners;
        let changed = if is_member {
            store.join(namespace, user, feed, late, now).await
        } else {
            store.leave(namespace, user, feed, now).await
        };
        let changed = changed.map_err(|error| failed(&error))?;
        if changed {
            let action = if is_member {
                "member.add"
            } else {
                "member.remove"
            };
            let detail = Object::new().text("feed", feed.as_str()).end();
            self.record(actor, action, user, detail, now).await?;
        }
        Ok(changed)
    }

    /// Revokes, for an operator.
    pub(crate) async fn revoke_as(
        &self,
        actor: Actor<'_>,
        revocation: Revocation,
        now: SystemTime,
    ) -> Result<(), Denied> {
        self.is_operator(actor)?;
        let subject = subject(&revocation).to_owned();
        let detail = Object::new().text("kind", revocation.kind.name()).end();
        self.record(actor, "revocation.add", &subject, detail, now)
            .await?;
        self.revoke(revocation, now).await
    }

    /// The revocations that an operator of a namespace may see: its own, and those of single
    /// tokens, which belong to no namespace.
    pub(crate) async fn revocations(
        &self,
        actor: Actor<'_>,
        now: SystemTime,
    ) -> Result<Vec<Revocation>, Denied> {
        self.is_operator(actor)?;
        let found = self.store().revocations(now).await;
        let mut found = found.map_err(|error| failed(&error))?;
        let namespace = actor.namespace;
        found.retain(|it| match it.kind {
            RevocationKind::Token => true,
            RevocationKind::Namespace => it.value == namespace,
            RevocationKind::User => it
                .value
                .split_once('\u{1f}')
                .is_some_and(|(of, _)| of == namespace),
        });
        Ok(found)
    }

    /// The record of who did what in a namespace, for an operator.
    pub(crate) async fn audit_log(
        &self,
        actor: Actor<'_>,
        after: u64,
        most: usize,
    ) -> Result<Vec<AuditRecord>, Denied> {
        self.is_operator(actor)?;
        let found = self.store().audit_log(Some(actor.namespace), after, most);
        found.await.map_err(|error| failed(&error))
    }

    /// Records what somebody did.
    pub(crate) async fn record(
        &self,
        actor: Actor<'_>,
        action: &str,
        subject: &str,
        detail: String,
        now: SystemTime,
    ) -> Result<(), Denied> {
        let entry = AuditEntry {
            namespace: actor.namespace.to_owned(),
            at: now,
            actor: actor.user().to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail,
        };
        let recorded = self.store().audit(entry).await;
        recorded.map(drop).map_err(|error| failed(&error))
    }

    /// Keeps a schedule from running, or lets it run again.
    pub(crate) async fn pause(
        &self,
        actor: Actor<'_>,
        id: &str,
        is_paused: bool,
        now: SystemTime,
    ) -> Result<(), Denied> {
        self.is_operator(actor)?;
        let paused = self.store().set_paused(id, is_paused, now).await;
        paused.map_err(|error| failed(&error))?;
        let action = if is_paused {
            "schedule.pause"
        } else {
            "schedule.resume"
        };
        self.record(actor, action, id, "{}".to_string(), now).await
    }

    /// Fails where an operator has run out of words: what was asked for is not set up here.
    pub(crate) fn not_set_up(what: &'static str) -> Denied {
        Denied::new(Code::NotAvailable, what)
    }
}

/// Whom a revocation is about, without the namespace.
pub(crate) fn subject(revocation: &Revocation) -> &str {
    match revocation.value.split_once('\u{1f}') {
        Some((_, user)) if revocation.kind == RevocationKind::User => user,
        _ => &revocation.value,
    }
}
