//! From text to a request.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use core::fmt;

use serde_json::value::RawValue;

use crate::announce::announcement::FeedKey;
use crate::announce::intent::code::Code;
use crate::announce::json::{self, Fields, Object};
use crate::announce::store::{Cursor, ReadMark};

/// The longest request, in bytes.
pub const BYTES_MAX: usize = 64 * 1024;

/// The names that `Intent` may have.
pub const INTENTS: [&str; 5] = [SIGN, PUBLISH, MARK, UNREAD, INFORM];

/// How many announcements are returned where `Limit` does not say it.
pub const UNREAD_DEFAULT: usize = 50;

pub(crate) const SIGN: &str = "Sign";
pub(crate) const PUBLISH: &str = "Public announcement";
pub(crate) const MARK: &str = "Mark as read";
pub(crate) const UNREAD: &str = "Get unread messages";
pub(crate) const INFORM: &str = "Inform HR Master Data Change";

/// The fields of a publication that are for the server; all others are the announcement.
const CONSUMED: [&str; 8] = [
    "APIToken",
    "Bearer",
    "Intent",
    "UserID",
    "Namespace",
    "Group",
    "IdempotencyKey",
    "RequestID",
];

/// The longest `RequestID`, `IdempotencyKey` or echoed `Intent`, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// A token as it arrived. `Debug` does not print it, and nothing else gives it away: it is for
/// the verifier alone.
#[derive(Clone)]
pub struct Credential(String);

impl Credential {
    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(redacted)")
    }
}

/// The value of `RequestID`, a string or a number, in the spelling in which it is echoed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
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
    },
    /// To announce something.
    PublicAnnouncement {
        /// The feed that it goes to.
        group: FeedKey,
        /// What makes a repetition recognisable.
        key: Option<String>,
        /// The sender's own fields, as the text of one JSON object.
        fields: String,
    },
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
    /// To tell the HR department of a change.
    InformHr,
    /// Something that this server does not know.
    Unknown(String),
}

/// What is wrong with the fields of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub code: Code,
    /// A sentence for the person who debugs the sender. It names fields, never their values.
    pub message: String,
}

impl Fault {
    fn missing(field: &str) -> Self {
        Self {
            code: Code::MissingField,
            message: format!("{field} is missing"),
        }
    }

    fn wrong(field: &str, wanted: &str) -> Self {
        Self {
            code: Code::WrongType,
            message: format!("{field} has to be {wanted}"),
        }
    }
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
        let id = fields.request_id();
        let namespace = fields.string("Namespace");
        let intent = match (&id, &namespace) {
            (Err(fault), _) | (_, Err(fault)) => Err(fault.clone()),
            _ => fields.intent(&token),
        };
        Ok(Self {
            credential: Credential(token),
            context: Context {
                name: name.filter(|name| name.len() <= NAME_BYTES_MAX),
                id: id.ok().flatten(),
            },
            namespace: namespace.ok().flatten(),
            intent,
        })
    }
}

/// The fields of one request.
struct Given<'a>(&'a Fields<'a>);

impl<'a> Given<'a> {
    /// The value of a field, unless it is absent or `null`.
    fn find(&self, name: &str) -> Option<&'a RawValue> {
        let found = self
            .0
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| *value);
        found.filter(|value| value.get() != "null")
    }

    fn string(&self, name: &str) -> Result<Option<String>, Fault> {
        let value = self.find(name);
        value
            .map(|v| json::string(v).ok_or_else(|| Fault::wrong(name, "a string")))
            .transpose()
    }

    fn request_id(&self) -> Result<Option<RequestId>, Fault> {
        let Some(value) = self.find("RequestID") else {
            return Ok(None);
        };
        let json = value.get();
        let simple = json.starts_with(|first: char| matches!(first, '"' | '-' | '0'..='9'));
        if simple && json.len() <= NAME_BYTES_MAX {
            return Ok(Some(RequestId(json.to_owned())));
        }
        Err(Fault::wrong("RequestID", "a short string or a number"))
    }

    fn intent(&self, token: &str) -> Result<Intent, Fault> {
        let name = self
            .string("Intent")?
            .ok_or_else(|| Fault::missing("Intent"))?;
        match name.as_str() {
            SIGN => Ok(Intent::Sign {
                user: self.string("UserID")?,
            }),
            PUBLISH => Ok(Intent::PublicAnnouncement {
                group: self.group()?,
                key: self.key()?,
                fields: self.announcement(token)?,
            }),
            MARK => Ok(Intent::MarkAsRead {
                group: self.group()?,
                mark: self.mark()?,
            }),
            UNREAD => Ok(Intent::GetUnread {
                limit: self.limit()?,
                after: self.cursor()?,
            }),
            INFORM => Ok(Intent::InformHr),
            _ => Ok(Intent::Unknown(name)),
        }
    }

    /// `"Sales"` and `{"channel":"Sales"}` are the same feed.
    fn group(&self) -> Result<FeedKey, Fault> {
        //= A59
        //= A60
        let value = self.find("Group").ok_or_else(|| Fault::missing("Group"))?;
        let wrong = || Fault::wrong("Group", "a name or {\"channel\": name}");
        let name = match json::fields(value.get()) {
            Ok(inner) => {
                let channel = Given(&inner).find("channel");
                let channel = channel.ok_or_else(|| Fault::missing("Group.channel"))?;
                json::string(channel)
            }
            Err(_) => json::string(value),
        };
        FeedKey::new(&name.ok_or_else(wrong)?).ok_or_else(wrong)
    }

    fn key(&self) -> Result<Option<String>, Fault> {
        let key = self.string("IdempotencyKey")?;
        let fits = |key: &String| {
            let length = key.len();
            (1..=NAME_BYTES_MAX).contains(&length) && !key.chars().any(char::is_control)
        };
        if key.as_ref().is_none_or(fits) {
            return Ok(key);
        }
        Err(Fault::wrong("IdempotencyKey", "a string of 1 to 256 bytes"))
    }

    /// What is announced: every field that is not for the server, as it was written.
    fn announcement(&self, token: &str) -> Result<String, Fault> {
        //= A81
        let bearer = self.find("Bearer").and_then(json::string);
        // A shorter one is no credential, and might be part of a word.
        let bearer = bearer.filter(|bearer| bearer.len() >= 16);
        let mut object = Object::new();
        let mut empty = true;
        for (name, value) in self.0.iter() {
            if CONSUMED.contains(&name.as_str()) {
                continue;
            }
            let repeats =
                |credential: &str| name.contains(credential) || says(value.get(), credential);
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

    fn mark(&self) -> Result<ReadMark, Fault> {
        //= A61
        match (self.find("NotificationID"), self.find("UpTo")) {
            (None, None) => Err(Fault::missing("NotificationID or UpTo")),
            (Some(_), Some(_)) => Err(Fault::wrong("UpTo", "left out beside NotificationID")),
            (None, Some(offset)) => json::whole(offset)
                .map(ReadMark::UpTo)
                .ok_or_else(|| Fault::wrong("UpTo", "an offset, a whole number")),
            (Some(ids), None) => {
                let one = json::string(ids).map(|id| vec![id]);
                let ids = one.or_else(|| json::strings(ids));
                let wrong = || Fault::wrong("NotificationID", "a string or an array of strings");
                ids.map(ReadMark::Ids).ok_or_else(wrong)
            }
        }
    }

    fn limit(&self) -> Result<usize, Fault> {
        let Some(value) = self.find("Limit") else {
            return Ok(UNREAD_DEFAULT);
        };
        let limit = json::whole(value).filter(|limit| *limit > 0);
        let limit = limit.ok_or_else(|| Fault::wrong("Limit", "a whole number from 1"))?;
        Ok(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    fn cursor(&self) -> Result<Option<Cursor>, Fault> {
        let wrong = |_| Fault::wrong("Cursor", "one that this server has given");
        self.string("Cursor")?
            .map(|text| text.parse().map_err(wrong))
            .transpose()
    }
}

/// Whether a string anywhere in `json` contains `text`, however either is escaped.
fn says(json: &str, text: &str) -> bool {
    fn within(value: &serde_json::Value, text: &str) -> bool {
        match value {
            serde_json::Value::String(string) => string.contains(text),
            serde_json::Value::Array(items) => items.iter().any(|it| within(it, text)),
            serde_json::Value::Object(members) => members
                .iter()
                .any(|(name, it)| name.contains(text) || within(it, text)),
            _ => false,
        }
    }
    // Numbers that no f64 holds are of no interest here; the text itself then has to do.
    match serde_json::from_str(json) {
        Ok(value) => within(&value, text),
        Err(_) => json.contains(text),
    }
}
