//! Who acts, what is to be announced, and what is answered to what may not be.

use alloc::borrow::{Cow, ToOwned as _};
use alloc::string::String;
use core::time::Duration;
use std::time::SystemTime;

use crate::announce::announcement::{FeedKey, Kind, Priority};
use crate::announce::caller::Identity;
use crate::announce::code::Code;
use crate::announce::token::Claims;

/// Who does something: a person of one namespace, with what the token permits.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The namespace in which it is done. The token gives access to it.
    pub namespace: &'a str,
    /// The verified claims.
    pub claims: &'a Claims,
}

impl<'a> Actor<'a> {
    /// The person.
    #[must_use]
    pub fn user(&self) -> &'a str {
        self.claims.user()
    }
}

impl<'a> From<&'a Identity> for Actor<'a> {
    fn from(identity: &'a Identity) -> Self {
        Self {
            namespace: &identity.namespace,
            claims: &identity.claims,
        }
    }
}

/// What is to be announced.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Draft {
    /// Where it goes.
    pub feed: FeedKey,
    /// What it is.
    pub kind: Kind,
    /// The publisher's own fields: the text of one JSON object.
    pub body: String,
    /// What makes a repetition recognisable.
    pub key: Option<String>,
    /// How much it matters.
    pub priority: Priority,
    /// Whether everybody has to acknowledge it; `None` leaves it to the feed.
    pub require_ack: Option<bool>,
    /// By when.
    pub ack_by: Option<SystemTime>,
    /// From when it is there to be seen.
    pub visible_at: Option<SystemTime>,
    /// From when it is not unread any more.
    pub expires_at: Option<SystemTime>,
}

impl Draft {
    /// An announcement of these fields, seen at once and for as long as the feed keeps it.
    #[must_use]
    pub fn new(feed: FeedKey, body: String) -> Self {
        Self {
            feed,
            kind: Kind::Announcement,
            body,
            key: None,
            priority: Priority::Normal,
            require_ack: None,
            ack_by: None,
            visible_at: None,
            expires_at: None,
        }
    }
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The kind of refusal.
    pub code: Code,
    /// A sentence for the person who asked; it repeats nothing that was not theirs.
    pub message: Cow<'static, str>,
    /// After what time it may be asked again, where that is known.
    pub retry_in: Option<Duration>,
}

impl Denied {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_in: None,
        }
    }

    pub(crate) fn too_often(retry_in: Duration) -> Self {
        Self {
            retry_in: Some(retry_in),
            ..Self::new(Code::TooOften, "too many announcements in too short a time")
        }
    }

    pub(crate) fn scope(scope: &str) -> Self {
        Self::new(
            Code::Forbidden,
            alloc::format!("that needs the scope {scope}"),
        )
    }

    pub(crate) fn no_such_announcement() -> Self {
        let message = "there is no such announcement here";
        Self::new(Code::UnknownNotification, message.to_owned())
    }
}
