//! From text to a request.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::announce::announcement::{FeedKey, Kind};
use crate::announce::code::Code;
use crate::announce::desk::Draft;
use crate::announce::fields::{Credential, Fault, Given, NAME_BYTES_MAX};
use crate::announce::json::{self, Object};
use crate::announce::outcome::Position;
use crate::announce::store::{Cursor, ReadMark};

/// The longest request, in bytes.
pub const BYTES_MAX: usize = 64 * 1024;

/// The names that `Intent` may have.
pub const INTENTS: [&str; 6] = [SIGN, PUBLISH, MARK, UNREAD, INFORM, ACKNOWLEDGE];

pub(crate) const SIGN: &str = "Sign";
pub(crate) const PUBLISH: &str = "Public announcement";
pub(crate) const MARK: &str = "Mark as read";
pub(crate) const UNREAD: &str = "Get unread messages";
pub(crate) const INFORM: &str = "Inform HR Master Data Change";
pub(crate) const ACKNOWLEDGE: &str = "Acknowledge";

/// The fields of a publication that are for the server; all others are the announcement.
const CONSUMED: [&str; 12] = [
    "APIToken",
    "Bearer",
    "Intent",
    "UserID",
    "Namespace",
    "Group",
    "IdempotencyKey",
    "RequestID",
    "RequireAck",
    "AckBy",
    "VisibleAt",
    "ExpiresAt",
];

/// The channel of the HR department.
const HR: &str = "HR";

/// The value of `RequestID`, a string or a number, in the spelling in which it is echoed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// What has been read as one before.
    pub(crate) fn echo(json: &str) -> Self {
        Self(json.to_owned())
    }

    /// The value as JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Intent {
    /// To belong to a person from now on.
    Sign {
        /// The person that the sender believes to be; settles nothing.
        user: Option<String>,
        /// Up to where the sender has each feed.
        since: Vec<(FeedKey, Position)>,
    },
    /// To announce something, or to tell the HR department of a change.
    Announce(Draft),
    /// To note what was read.
    MarkAsRead {
        /// The feed that it stands in.
        group: FeedKey,
        /// What was read.
        mark: ReadMark,
    },
    /// To be told what was not read.
    GetUnread {
        /// How many at most.
        limit: usize,
        /// Where the page begins.
        after: Option<Cursor>,
    },
    /// To acknowledge what has to be acknowledged.
    Acknowledge {
        /// The announcement.
        id: String,
        /// Its version, where the sender says it.
        version: Option<u64>,
    },
    /// Something that this server does not know.
    Unknown(String),
}

/// Why a text is no request at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reject {
    /// It is not what this dialect is written in.
    Fault(Fault),
    /// `APIToken` is missing, empty, or no string; the answer is `NO_TOKEN`.
    NoToken,
}

/// What an answer repeats of its request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The value of `Intent`, where it is a string that is not too long to be repeated.
    pub name: Option<String>,
    /// The value of `RequestID`, where it is usable.
    pub id: Option<RequestId>,
}

/// A request that carries a token. Nothing but the token may be acted upon before that has
/// been verified.
#[derive(Clone, Debug)]
pub struct Request {
    /// The token.
    pub credential: Credential,
    /// What answers repeat.
    pub context: Context,
    /// The value of `Namespace`.
    pub namespace: Option<String>,
    /// What is asked for, or why that cannot be told.
    pub intent: Result<Intent, Fault>,
}

impl Request {
    /// Reads a request.
    ///
    /// `APIToken` and `Bearer` are taken out here. The first comes back as
    /// [`credential`](Self::credential), the second is dropped, and a publication that repeats
    /// either in another field is refused, so that neither can reach a log, the store or
    /// another connection.
    ///
    /// # Errors
    ///
    /// [`Reject`] if the text is longer than [`BYTES_MAX`], is not one JSON object, holds a
    /// name twice in an object, is nested deeper than 32 levels, or carries no token.
    pub fn parse(text: &str) -> Result<Self, Reject> {
        if text.len() > BYTES_MAX {
            let message = format!("a message may have {BYTES_MAX} bytes");
            return Err(Reject::Fault(Fault {
                code: Code::TooLarge,
                message,
            }));
        }
        //= A43
        //= A44
        let fields = json::object(text).map_err(|fault| {
            let code = match fault {
                json::Fault::NotAnObject => Code::NotAnObject,
                _ => Code::MalformedJson,
            };
            Reject::Fault(Fault {
                code,
                message: fault.to_string(),
            })
        })?;
        let fields = Given(&fields);
        //= A47
        let token = fields.find("APIToken").and_then(json::string);
        let token = token
            .filter(|token| !token.is_empty())
            .ok_or(Reject::NoToken)?;
        let name = fields.find("Intent").and_then(json::string);
        let id = fields.id("RequestID");
        let namespace = fields.string("Namespace");
        let intent = match (&id, &namespace) {
            (Err(fault), _) | (_, Err(fault)) => Err(fault.clone()),
            _ => fields.intent(&token),
        };
        Ok(Self {
            credential: Credential::new(token),
            context: Context {
                name: name.filter(|name| name.len() <= NAME_BYTES_MAX),
                id: id.ok().flatten().map(RequestId),
            },
            namespace: namespace.ok().flatten(),
            intent,
        })
    }
}

impl Given<'_> {
    fn intent(&self, token: &str) -> Result<Intent, Fault> {
        let name = self.required("Intent")?;
        match name.as_str() {
            SIGN => Ok(Intent::Sign {
                user: self.string("UserID")?,
                since: self.since("Since")?,
            }),
            PUBLISH => self
                .draft(self.feed("Group")?, Kind::Announcement, token)
                .map(Intent::Announce),
            MARK => Ok(Intent::MarkAsRead {
                group: self.feed("Group")?,
                mark: self.mark("NotificationID", "UpTo")?,
            }),
            UNREAD => Ok(Intent::GetUnread {
                limit: self.limit("Limit")?,
                after: self.cursor("Cursor")?,
            }),
            //= A68
            INFORM => self
                .draft(self.hr()?, Kind::HrChange, token)
                .map(Intent::Announce),
            ACKNOWLEDGE => Ok(Intent::Acknowledge {
                id: self.required("NotificationID")?,
                version: self.number("Version")?,
            }),
            _ => Ok(Intent::Unknown(name)),
        }
    }

    /// The feed of the HR department, which is all that `Group` may name here.
    fn hr(&self) -> Result<FeedKey, Fault> {
        let wrong = || {
            Fault::wrong(
                "Group",
                "left out or HR: the change goes to the HR department",
            )
        };
        let hr = FeedKey::new(HR).ok_or_else(wrong)?;
        let other = self.find("Group").is_some() && self.feed("Group")? != hr;
        if other { Err(wrong()) } else { Ok(hr) }
    }

    fn draft(&self, feed: FeedKey, kind: Kind, token: &str) -> Result<Draft, Fault> {
        let mut draft = Draft::new(feed, self.announcement(kind, token)?);
        draft.kind = kind;
        draft.key = self.key("IdempotencyKey")?;
        draft.priority = self.priority("Priority");
        draft.require_ack = self.flag("RequireAck")?;
        draft.ack_by = self.time("AckBy")?;
        draft.visible_at = self.time("VisibleAt")?;
        draft.expires_at = self.time("ExpiresAt")?;
        Ok(draft)
    }

    /// What is announced: every field that is not for the server, as it was written.
    fn announcement(&self, kind: Kind, token: &str) -> Result<String, Fault> {
        //= A81
        let bearer = self.find("Bearer").and_then(json::string);
        // A shorter one is no credential, and might be part of a word.
        let bearer = bearer.filter(|bearer| bearer.len() >= 16);
        let mut object = Object::new();
        let mut empty = true;
        for (name, value) in self.0.iter() {
            // Of a change, `UserID` is the person whom it concerns.
            let concerns = kind == Kind::HrChange && name == "UserID";
            if CONSUMED.contains(&name.as_str()) && !concerns {
                continue;
            }
            let repeats =
                |credential: &str| name.contains(credential) || json::says(value.get(), credential);
            if repeats(token) || bearer.as_deref().is_some_and(repeats) {
                let message = "a field repeats the credential of the message".to_owned();
                return Err(Fault {
                    code: Code::Forbidden,
                    message,
                });
            }
            object = object.raw(name, value.get());
            empty = false;
        }
        if empty {
            return Err(Fault::missing("Body, or any field of your own,"));
        }
        Ok(object.end())
    }
}
