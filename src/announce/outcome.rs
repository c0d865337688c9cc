//! What has to be done after a message was handled.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::announce::announcement::FeedKey;
use crate::announce::caller::Identity;
use crate::announce::event::Event;
use crate::announce::store::{ReadMark, ReadState};
use crate::announce::token::TokenError;

/// What has to be done after a message was handled, in the order of the fields.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Add the connection to those of this person, then send the welcome of its dialect. Comes
    /// again, for the same person, when a connection signs in once more.
    pub signed_in: Option<Welcome>,
    /// Send these to the connection.
    pub replies: Vec<Reply>,
    /// Send these to others.
    pub pushes: Vec<Push>,
    /// Do this in a room, and send the connection what becomes of it.
    pub room: Option<RoomAct>,
    /// Close the connection after that.
    pub close: Option<Close>,
    /// Why a token was refused; for the log.
    pub refused: Option<TokenError>,
    /// Whether the person of the connection has shown a newer token.
    pub refreshed: bool,
}

impl Outcome {
    pub(crate) fn reply(reply: Reply) -> Self {
        Self {
            replies: vec![reply],
            ..Self::default()
        }
    }

    pub(crate) fn text(text: String) -> Self {
        Self::reply(Reply::Text(text))
    }

    pub(crate) fn closing(self, code: u16, reason: &'static str) -> Self {
        Self {
            close: Some(Close { code, reason }),
            ..self
        }
    }
}

/// Something to send to the connection.
#[non_exhaustive]
pub enum Reply {
    /// This text.
    Text(String),
    /// A text that says how many connections of the namespace are signed in.
    Online(Box<dyn FnOnce(usize) -> String + Send>),
}

impl Reply {
    /// The text to send, given how many connections of the namespace are signed in.
    #[must_use]
    pub fn text(self, online: usize) -> String {
        match self {
            Self::Text(text) => text,
            Self::Online(finish) => finish(online),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Texts hold what people wrote.
        f.write_str("Reply")
    }
}

/// Something to send to others.
#[derive(Clone, Debug)]
pub struct Push {
    /// To whom.
    pub audience: Audience,
    /// What.
    pub event: Event,
}

impl Push {
    /// What a person's other connections are told of what was read on one of them; nothing if
    /// that has changed nothing.
    //= A72
    pub(crate) fn read(
        identity: &Identity,
        feed: &FeedKey,
        mark: ReadMark,
        state: ReadState,
    ) -> Option<Self> {
        Self::read_by(&identity.namespace, identity.user(), feed, mark, state)
    }

    /// As [`read`](Self::read), by the names.
    pub(crate) fn read_by(
        namespace: &str,
        user: &str,
        feed: &FeedKey,
        mark: ReadMark,
        state: ReadState,
    ) -> Option<Self> {
        if state.newly_read.is_empty() {
            return None;
        }
        Some(Self {
            audience: Audience {
                namespace: namespace.into(),
                feed: FeedKey::user(user)?,
                except_sender: true,
            },
            event: Event::Read {
                feed: feed.clone(),
                mark,
                state: state.into(),
            },
        })
    }
}

/// Who receives a [`Push`]. Only connections that have signed in are anybody's audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The namespace.
    pub namespace: String,
    /// Every connection of a person who reads this feed.
    pub feed: FeedKey,
    /// But for the connection whose message was handled: that one has its reply.
    pub except_sender: bool,
}

/// A connection that has signed in and waits for its answer.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// Who the connection belongs to now.
    pub identity: Identity,
    /// Up to where the client has each feed already, with the epoch that it knows. What came
    /// after is delivered first; of other feeds only what comes from now on.
    pub since: Vec<(FeedKey, Position)>,
    /// How the answer names its request, in the dialect's own spelling: a JSON value.
    pub reply_to: Option<String>,
}

/// A place in a feed, as a client remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The last offset that was received; 0 for none.
    pub offset: u64,
    /// The life of the feed in which that was.
    pub epoch: Option<String>,
}

/// Where a connection stands in a feed once it has signed in: what comes after `offset` is
/// delivered as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The feed.
    pub feed: FeedKey,
    /// The last offset that had been released by then.
    pub offset: u64,
    /// The life of the feed.
    pub epoch: String,
    /// Whether everything since the client's own position is delivered; `None` where it gave
    /// none.
    pub recovered: Option<bool>,
}

/// Something to do in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomAct {
    /// The room.
    pub room: String,
    /// What.
    pub what: RoomVerb,
    /// How the answer names its request: a JSON value.
    pub reply_to: Option<String>,
}

/// What can be done in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoomVerb {
    /// To be in it from now on, and hear what is said there.
    Join,
    /// To be in it no more.
    Leave,
    /// To say something to everybody else who is in it.
    Say {
        /// The kind of message, as the application calls it.
        event: String,
        /// A JSON value.
        payload: String,
        /// Whether it is worth something only now, and may be dropped.
        passing: bool,
        /// Whether the sender is told as well.
        echo: bool,
    },
    /// To be told who is in it.
    List,
}

/// How to close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The close code: 4400 malformed messages, 4401 no valid token, 4403 forbidden.
    pub code: u16,
    /// The reason, for the person who debugs the client; at most 123 bytes.
    pub reason: &'static str,
}
