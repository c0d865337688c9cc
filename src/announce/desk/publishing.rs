//! Who may announce, change and take back what.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use std::time::SystemTime;

use crate::announce::announcement::{Announcement, FeedKey, FeedKind, Kind, NewAnnouncement};
use crate::announce::code::Code;
use crate::announce::desk::{
    ADMIN_SCOPE, Actor, Denied, Desk, Draft, HR_SCOPE, PUBLISH_SCOPE, failed,
};
use crate::announce::store::{Edit, Published};

impl Desk {
    /// Stores an announcement, to be delivered from its `visible_at` on.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the actor may not publish to the feed, or not so often, if there is no such
    /// feed, or if the store fails.
    ///
    /// # Cancel safety
    ///
    /// The announcement is stored whole or not at all; with a key, asking again tells which.
    pub async fn publish(
        &self,
        actor: Actor<'_>,
        draft: Draft,
        now: SystemTime,
    ) -> Result<Published, Denied> {
        self.may_publish(actor, &draft.feed, draft.kind).await?;
        if let (Some(from), Some(to)) = (draft.visible_at, draft.expires_at)
            && to <= from
        {
            let message = "it would expire before it can be seen";
            return Err(Denied::new(Code::WrongType, message));
        }
        if draft.expires_at.is_some_and(|end| end <= now) {
            return Err(Denied::new(Code::WrongType, "it has expired already"));
        }
        self.may_publish_now(actor)?;
        let policy = self.policy();
        let mut new = NewAnnouncement::new(
            actor.namespace,
            draft.feed.clone(),
            actor.user(),
            &draft.body,
            now,
        )
        .with_key(draft.key.as_deref())
        .with_kind(draft.kind)
        .with_priority(draft.priority)
        .with_visible_at(draft.visible_at)
        .with_expires_at(draft.expires_at);
        let required = draft
            .require_ack
            .unwrap_or_else(|| policy.of(&draft.feed).require_ack);
        if required || draft.ack_by.is_some() {
            new = new.with_ack(draft.ack_by);
        }
        self.store
            .publish(new)
            .await
            .map_err(|error| failed(&error))
    }

    /// Whether somebody may publish to a feed.
    ///
    /// # Errors
    ///
    /// [`Denied`] if not, or if there is no such feed.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn may_publish(
        &self,
        actor: Actor<'_>,
        feed: &FeedKey,
        kind: Kind,
    ) -> Result<(), Denied> {
        //= A64
        //= A68
        let policy = self.policy();
        let scopes = match (policy.of(feed).publish_scopes.as_slice(), kind) {
            (_, Kind::HrChange) => vec![HR_SCOPE.to_owned()],
            ([], _) => vec![scope_of(feed)],
            (own, _) => own.to_vec(),
        };
        if !scopes.iter().any(|scope| actor.claims.allows(scope)) {
            return Err(Denied::scope(&scopes.join(" or ")));
        }
        //= A63
        let known = match feed.kind() {
            FeedKind::Public | FeedKind::User => true,
            _ if kind == Kind::HrChange || policy.names(feed) => true,
            _ => self
                .store
                .feed_exists(actor.namespace, feed)
                .await
                .map_err(|error| failed(&error))?,
        };
        if known {
            Ok(())
        } else {
            Err(Denied::new(Code::UnknownGroup, "there is no such group"))
        }
    }

    /// Puts another text in the place of an announcement's. With `again`, it is unread again
    /// for everybody.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the announcement is not the actor's, is gone, or has another version than
    /// the expected one.
    ///
    /// # Cancel safety
    ///
    /// The edit is stored whole or not at all; with the expected version, asking again tells
    /// which.
    pub async fn edit(
        &self,
        actor: Actor<'_>,
        id: &str,
        body: &str,
        expected: Option<u64>,
        again: bool,
        now: SystemTime,
    ) -> Result<Announcement, Denied> {
        self.may_change(actor, id).await?;
        let edit = Edit {
            by: actor.user().to_owned(),
            body: body.to_owned(),
            expected_version: expected,
            again,
            at: now,
        };
        self.store
            .edit(actor.namespace, id, edit)
            .await
            .map_err(|error| failed(&error))
    }

    /// Takes an announcement back: out of the unread, and off open screens.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the announcement is not the actor's, or is gone.
    ///
    /// # Cancel safety
    ///
    /// The recall is stored or not; asking again changes nothing more.
    pub async fn recall(
        &self,
        actor: Actor<'_>,
        id: &str,
        now: SystemTime,
    ) -> Result<Announcement, Denied> {
        self.may_change(actor, id).await?;
        self.store
            .recall(actor.namespace, id, actor.user(), now)
            .await
            .map_err(|error| failed(&error))
    }

    /// Lets pass who has published an announcement, or runs the server.
    pub(crate) async fn may_change(
        &self,
        actor: Actor<'_>,
        id: &str,
    ) -> Result<Announcement, Denied> {
        let announcement = self.find(actor.namespace, id).await?;
        if actor.claims.allows(ADMIN_SCOPE) {
            return Ok(announcement);
        }
        // Whoever is neither learns no more than that there is nothing of theirs.
        if announcement.publisher != actor.user() {
            return Err(Denied::no_such_announcement());
        }
        self.may_publish(actor, &announcement.feed, announcement.kind)
            .await?;
        Ok(announcement)
    }
}

/// The scope that publishing to a feed needs where nothing else is settled.
fn scope_of(feed: &FeedKey) -> String {
    match feed.kind() {
        FeedKind::Public => PUBLISH_SCOPE.to_owned(),
        FeedKind::Channel => format!("announce:channel:{}", feed.name()),
        FeedKind::Role => format!("announce:role:{}", feed.name()),
        _ => "announce:user".to_owned(),
    }
}
