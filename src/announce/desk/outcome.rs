//! What has to be done after a message was handled.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::announce::caller::Identity;
use crate::announce::intent::{Acknowledgement, Context};
use crate::announce::token::TokenError;

/// What has to be done after a message was handled, in the order of the fields.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Add the connection to those of this person, then send what
    /// [`Desk::welcome`](crate::announce::desk::Desk::welcome) returns. Comes again, for the
    /// same person, when a connection prolongs its stay.
    pub signed_in: Option<Welcome>,
    /// Send these to the connection.
    pub replies: Vec<Reply>,
    /// Send these to others.
    pub pushes: Vec<Push>,
    /// Close the connection after that.
    pub close: Option<Close>,
    /// Why a token was refused; for the log.
    pub refused: Option<TokenError>,
}

impl Outcome {
    pub(crate) fn reply(reply: Reply) -> Self {
        Self {
            replies: vec![reply],
            ..Self::default()
        }
    }

    pub(crate) fn closing(self, code: u16, reason: &'static str) -> Self {
        Self {
            close: Some(Close { code, reason }),
            ..self
        }
    }
}

/// Something to send to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// This text.
    Text(String),
    /// The acknowledgement of an announcement, which needs to know who is online.
    Published(Box<Acknowledgement>),
}

impl Reply {
    /// The text to send, given how many connections of the namespace are signed in.
    #[must_use]
    pub fn text(self, online: usize) -> String {
        match self {
            Self::Text(text) => text,
            Self::Published(acknowledgement) => acknowledgement.text(online),
        }
    }
}

/// Something to send to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// To whom.
    pub audience: Audience,
    /// What.
    pub text: String,
}

/// Who receives a [`Push`]. Only connections that have signed in are anybody's audience.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Audience {
    /// Every connection that is signed in to this namespace.
    Namespace(String),
    /// Every connection of this person in this namespace, but for the one whose message was
    /// handled: that one has its reply.
    OthersOf {
        /// The namespace.
        namespace: String,
        /// The person.
        user: String,
    },
}

/// A connection that has signed in and waits for its answer.
#[derive(Clone, Debug)]
pub struct Welcome {
    pub(crate) identity: Identity,
    pub(crate) context: Context,
}

impl Welcome {
    /// Who the connection belongs to now.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
}

/// How to close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The close code: 4400 malformed messages, 4401 no valid token, 4403 forbidden.
    pub code: u16,
    /// The reason, for the person who debugs the client; at most 123 bytes.
    pub reason: &'static str,
}
