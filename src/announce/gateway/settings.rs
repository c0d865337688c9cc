//! What an endpoint of the gateway dialect is set to.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::error;
use core::fmt;
use core::time::Duration;
use std::collections::HashMap;

use crate::announce::bus::{BadTopic, REPLY_DEADLINE, Topic};

/// How many types of messages may have a topic of their own.
pub const TYPES_MAX: usize = 10_000;

/// Types of messages, and the topics on which they are published besides the general one.
#[derive(Clone, Debug, Default)]
pub struct Types(HashMap<String, Topic>);

impl Types {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a type. It is compared byte for byte with the `type` of a message.
    ///
    /// # Errors
    ///
    /// The type is there already, or there are [`TYPES_MAX`].
    pub fn insert(&mut self, name: &str, topic: Topic) -> Result<(), SettingsError> {
        //= B08
        if self.0.contains_key(name) {
            return Err(SettingsError::DuplicateType(name.to_owned()));
        }
        if self.0.len() == TYPES_MAX {
            return Err(SettingsError::TooManyTypes);
        }
        self.0.insert(name.to_owned(), topic);
        Ok(())
    }

    /// The topic of a type.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        //= B09
        self.0.get(name)
    }

    /// Every topic.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.0.values()
    }
}

/// Whom a broadcast without a namespace reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BroadcastScope {
    /// The namespace of the producer.
    #[default]
    Namespace,
    /// Everybody, where the producer may leave its namespace. Each such broadcast is logged.
    AllNamespaces,
}

/// What an endpoint of the gateway dialect is set to. A topic that is absent is not published,
/// or not listened to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The path of the socket, from `/` on, without a query. It is matched as a whole.
    pub path: String,
    /// Published when a connection has been accepted (`onconnect.publish`).
    pub onconnect: Option<Topic>,
    /// Published for every valid message (`onmessage.publish`).
    pub onmessage: Option<Topic>,
    /// Published for messages of these types, after the general topic (`onmessage.types`).
    pub types: Types,
    /// Published once when a connection is over (`onclose.publish`).
    pub onclose: Option<Topic>,
    /// Listened to: what producers send to the sockets of persons (`send.subscribe`).
    pub send: Option<Topic>,
    /// Listened to: what producers send to all sockets (`broadcast.subscribe`).
    pub broadcast: Option<Topic>,
    /// Whom a broadcast without a namespace reaches (`broadcast.scope`).
    pub broadcast_scope: BroadcastScope,
    /// Whether text that is no JSON object, and binary messages, are published too.
    pub allow_raw: bool,
    /// How long a handler has to answer.
    pub reply_deadline: Duration,
}

impl Settings {
    /// Checks that the parts fit together.
    ///
    /// # Errors
    ///
    /// The path is none, or clients could publish on a topic that the server listens on.
    pub fn check(&self) -> Result<(), SettingsError> {
        //= B04
        let path = &self.path;
        let sound = path.starts_with('/')
            && path
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"?#".contains(&b));
        if !sound {
            return Err(SettingsError::Path);
        }
        let hooks = [&self.onconnect, &self.onmessage, &self.onclose];
        let published = hooks.into_iter().flatten().chain(self.types.topics());
        for topic in published {
            if [&self.send, &self.broadcast]
                .iter()
                .any(|it| it.as_ref() == Some(topic))
            {
                return Err(SettingsError::Loop(topic.clone()));
            }
        }
        if self.send.is_some() && self.send == self.broadcast {
            return Err(SettingsError::SameTopic);
        }
        Ok(())
    }
}

impl Default for Settings {
    /// The names that applications of the first gateway know, without types.
    fn default() -> Self {
        let topic = |name| Topic::parse(name).ok();
        Self {
            path: "/connect".to_owned(),
            onconnect: topic("socket:connection"),
            onmessage: topic("socket:generalMessage"),
            types: Types::new(),
            onclose: topic("socket:close"),
            send: topic("socket:send"),
            broadcast: topic("socket:broadcast"),
            broadcast_scope: BroadcastScope::Namespace,
            allow_raw: false,
            reply_deadline: REPLY_DEADLINE,
        }
    }
}

/// Why settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// The path does not begin with `/`, or holds what no path holds.
    Path,
    /// The type stands there twice.
    DuplicateType(String),
    /// There are more than [`TYPES_MAX`] types.
    TooManyTypes,
    /// Messages of clients would be published on a topic that the server listens on.
    Loop(Topic),
    /// `send` and `broadcast` name the same topic.
    SameTopic,
    /// The text is no name of a topic.
    Topic(BadTopic),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("`path` must begin with `/` and hold no query"),
            Self::DuplicateType(name) => write!(f, "the type {name:?} stands there twice"),
            Self::TooManyTypes => write!(f, "more than {TYPES_MAX} types"),
            Self::Loop(topic) => write!(
                f,
                "clients would publish on {topic:?}, on which the server listens for producers"
            ),
            Self::SameTopic => f.write_str("`send` and `broadcast` need topics of their own"),
            Self::Topic(error) => error.fmt(f),
        }
    }
}

impl error::Error for SettingsError {}

impl From<BadTopic> for SettingsError {
    fn from(error: BadTopic) -> Self {
        Self::Topic(error)
    }
}
