//! Topics that the server itself listens on.

use alloc::string::{String, ToString as _};
use core::error;
use core::fmt;
use core::pin::Pin;

use crate::announce::bus::credential::Credential;
use crate::announce::bus::value::Json;
use crate::announce::json::Object;

/// A topic that the server itself listens on.
pub(crate) trait Input: Send + Sync {
    /// The scope that stands for the topic.
    fn scope(&self) -> &'static str;

    /// Takes what a producer has published, which may do so.
    fn accept<'a>(
        &'a self,
        producer: &'a Credential,
        data: &'a Json,
    ) -> Pin<alloc::boxed::Box<dyn Future<Output = Result<Acceptance, Refused>> + Send + 'a>>;
}

/// What a producer is told of something that the bus has accepted. It does not say that
/// anybody has received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    pub(crate) id: String,
    pub(crate) sockets: Option<Reach>,
}

/// How far something for sockets went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) matched: usize,
    pub(crate) is_stored: bool,
}

impl Acceptance {
    /// The id: that of the producer where it gave one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many connections of this server it was offered to, where it was for sockets.
    #[must_use]
    pub fn matched(&self) -> Option<usize> {
        self.sockets.map(|reach| reach.matched)
    }

    /// Whether it was kept for somebody who is not here.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.sockets.is_some_and(|reach| reach.is_stored)
    }

    /// As JSON: `{"accepted":true,"id":"…","matched":2,"stored":false}`, without the last two
    /// where it was not for sockets.
    #[must_use]
    pub fn to_json(&self) -> String {
        let object = Object::new().raw("accepted", "true").text("id", &self.id);
        match self.sockets {
            Some(reach) => object
                .raw("matched", &reach.matched.to_string())
                .raw("stored", if reach.is_stored { "true" } else { "false" })
                .end(),
            None => object.end(),
        }
    }
}

/// Why the bus has refused something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The producer may not do that; the text says what it lacks.
    Forbidden(String),
    /// It is not what the topic takes; the text says why.
    Invalid(String),
    /// Too much waits already, or the same id is being handled.
    Busy,
    /// What has to be kept could not be.
    Unavailable,
}

impl Refused {
    /// The code as it stands on the wire.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Invalid(_) => "invalid",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        }
    }

    /// As JSON: `{"accepted":false,"code":"…","message":"…"}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        Object::new()
            .raw("accepted", "false")
            .text("code", self.code())
            .text("message", &self.to_string())
            .end()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(why) | Self::Invalid(why) => f.write_str(why),
            Self::Busy => f.write_str("too much waits already; try again"),
            Self::Unavailable => f.write_str("it could not be kept; try again later"),
        }
    }
}

impl error::Error for Refused {}
