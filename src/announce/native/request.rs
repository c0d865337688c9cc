//! From text to a request.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use crate::announce::announcement::FeedKey;
use crate::announce::code::Code;
use crate::announce::desk::Draft;
use crate::announce::fields::{Credential, Fault, Given, NAME_BYTES_MAX};
use crate::announce::json::{self, Object};
use crate::announce::outcome::{Position, RoomVerb};
use crate::announce::rooms::Rooms;
use crate::announce::store::{Cursor, ReadMark};

/// The longest request, in bytes.
pub const BYTES_MAX: usize = 64 * 1024;

/// The most people to whom one message can be relayed.
const RELAY_MAX: usize = 1000;

/// The names that `type` may have.
pub const TYPES: [&str; 15] = [
    "sign",
    "refresh",
    "publish",
    "edit",
    "recall",
    "delivered",
    "read",
    "acknowledge",
    "unread",
    "join",
    "leave",
    "presence",
    "say",
    "signal",
    "relay",
];

/// What is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ask {
    /// To belong to a person from now on.
    Sign {
        /// Who that is.
        token: Credential,
        /// Where; `None` for the token's first namespace.
        namespace: Option<String>,
        /// Up to where the sender has each feed.
        since: Vec<(FeedKey, Position)>,
    },
    /// To stay beyond the end of the token.
    Refresh {
        /// A newer one of the same person.
        token: Credential,
    },
    /// To announce something.
    Publish {
        /// What, and where.
        draft: Draft,
        /// Whether only to say whom it would reach.
        dry_run: bool,
    },
    /// To put another text in the place of an announcement's.
    Edit {
        /// The announcement.
        id: String,
        /// The text, as the store keeps it.
        body: String,
        /// The version that the sender knows.
        expected: Option<u64>,
        /// Whether it is unread again for everybody.
        again: bool,
    },
    /// To take an announcement back.
    Recall {
        /// The announcement.
        id: String,
    },
    /// To note what has arrived.
    Delivered {
        /// Where.
        feed: FeedKey,
        /// Everything up to this offset.
        up_to: u64,
    },
    /// To note what was read.
    Read {
        /// Where it stands.
        feed: FeedKey,
        /// What was read.
        mark: ReadMark,
    },
    /// To acknowledge what has to be acknowledged.
    Acknowledge {
        /// The announcement.
        id: String,
        /// Its version, where the sender says it.
        version: Option<u64>,
    },
    /// To be told what was not read.
    Unread {
        /// How many at most.
        limit: usize,
        /// Where the page begins.
        after: Option<Cursor>,
    },
    /// To do something in a room.
    Room {
        /// The room.
        room: String,
        /// What.
        verb: RoomVerb,
    },
    /// To send something to all connections of some people, which is not kept.
    Relay {
        /// The people.
        to: Vec<String>,
        /// The kind of message, as the application calls it.
        event: String,
        /// A JSON value.
        payload: String,
    },
}

/// One message of the connection.
#[derive(Clone, Debug)]
pub struct Request {
    /// The value of `id`, as JSON text.
    pub id: Option<String>,
    /// What is asked for, or why that cannot be told.
    pub ask: Result<Ask, Fault>,
}

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the text is longer than [`BYTES_MAX`], is not one JSON object, holds a name
    /// twice in an object, or is nested deeper than 32 levels.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > BYTES_MAX {
            return Err(Fault {
                code: Code::TooLarge,
                message: format!("a message may have {BYTES_MAX} bytes"),
            });
        }
        let fields = json::object(text).map_err(|fault| Fault {
            code: match fault {
                json::Fault::NotAnObject => Code::NotAnObject,
                _ => Code::MalformedJson,
            },
            message: fault.to_string(),
        })?;
        let fields = Given(&fields);
        let id = fields.id("id");
        let ask = match &id {
            Err(fault) => Err(fault.clone()),
            Ok(_) => ask(&fields),
        };
        Ok(Self {
            id: id.ok().flatten(),
            ask,
        })
    }
}

fn ask(fields: &Given<'_>) -> Result<Ask, Fault> {
    let name = fields.required("type")?;
    let empty = Vec::new();
    let payload = match fields.find("payload") {
        None => empty,
        Some(value) => {
            json::fields(value.get()).map_err(|_| Fault::wrong("payload", "an object"))?
        }
    };
    let payload = Given(&payload);
    match name.as_str() {
        "sign" => Ok(Ask::Sign {
            token: Credential::new(payload.required("token")?),
            namespace: payload.string("namespace")?,
            since: payload.since("since")?,
        }),
        "refresh" => Ok(Ask::Refresh {
            token: Credential::new(payload.required("token")?),
        }),
        "publish" => Ok(Ask::Publish {
            draft: draft(&payload)?,
            dry_run: payload.flag("dry_run")?.unwrap_or(false),
        }),
        "edit" => Ok(Ask::Edit {
            id: payload.required("announcement")?,
            body: body(&payload)?,
            expected: payload.number("version")?,
            again: payload.flag("unread_again")?.unwrap_or(false),
        }),
        "recall" => Ok(Ask::Recall {
            id: payload.required("announcement")?,
        }),
        "delivered" => Ok(Ask::Delivered {
            feed: payload.feed("feed")?,
            up_to: payload
                .number("up_to")?
                .ok_or_else(|| Fault::missing("up_to"))?,
        }),
        "read" => Ok(Ask::Read {
            feed: payload.feed("feed")?,
            mark: payload.mark("announcements", "up_to")?,
        }),
        "acknowledge" => Ok(Ask::Acknowledge {
            id: payload.required("announcement")?,
            version: payload.number("version")?,
        }),
        "unread" => Ok(Ask::Unread {
            limit: payload.limit("limit")?,
            after: payload.cursor("cursor")?,
        }),
        "join" => room(&payload, RoomVerb::Join),
        "leave" => room(&payload, RoomVerb::Leave),
        "presence" => room(&payload, RoomVerb::List),
        "say" => room(&payload, say(&payload, false)?),
        "signal" => room(&payload, say(&payload, true)?),
        "relay" => relay(&payload),
        _ => Err(Fault {
            code: Code::UnknownIntent,
            message: format!("known types: {}", TYPES.join(", ")),
        }),
    }
}

/// What is to be announced. Its fields are stored as the intent dialect spells them.
pub(crate) fn draft(payload: &Given<'_>) -> Result<Draft, Fault> {
    let mut draft = Draft::new(payload.feed("feed")?, body(payload)?);
    draft.key = payload.key("key")?;
    draft.require_ack = payload.flag("require_ack")?;
    draft.ack_by = payload.time("ack_by")?;
    draft.visible_at = payload.time("visible_at")?;
    draft.expires_at = payload.time("expires_at")?;
    if payload.find("priority").is_some() {
        draft.priority = payload.strict_priority("priority")?;
    }
    Ok(draft)
}

/// `title`, `body` and the members of `data`, as one object.
pub(crate) fn body(payload: &Given<'_>) -> Result<String, Fault> {
    let title = payload.string("title")?;
    let text = payload.string("body")?;
    let data = payload.find("data");
    if title.is_none() && text.is_none() && data.is_none() {
        return Err(Fault::missing("title, body or data"));
    }
    let mut object = Object::new();
    for (name, value) in [("Title", title), ("Body", text)] {
        if let Some(value) = value {
            object = object.text(name, &value);
        }
    }
    if let Some(data) = data {
        let wrong = |_| Fault::wrong("data", "an object");
        for (name, value) in json::fields(data.get()).map_err(wrong)? {
            if ["Title", "Body"].contains(&name.as_str()) {
                return Err(Fault::wrong(
                    "data",
                    "free of Title and Body, which are title and body",
                ));
            }
            object = object.raw(&name, value.get());
        }
    }
    Ok(object.end())
}

fn room(payload: &Given<'_>, verb: RoomVerb) -> Result<Ask, Fault> {
    let room = payload.required("room")?;
    if !Rooms::is_name(&room) {
        return Err(Fault::wrong("room", "a name of 1 to 128 bytes"));
    }
    Ok(Ask::Room { room, verb })
}

fn say(payload: &Given<'_>, passing: bool) -> Result<RoomVerb, Fault> {
    Ok(RoomVerb::Say {
        event: event_name(payload)?,
        payload: value(payload),
        passing,
        echo: payload.flag("echo")?.unwrap_or(false),
    })
}

/// The people to whom something is relayed.
pub(crate) fn receivers(payload: &Given<'_>) -> Result<Vec<String>, Fault> {
    let to = payload.find("to").ok_or_else(|| Fault::missing("to"))?;
    let one = json::string(to).map(|name| vec![name]);
    let to = one.or_else(|| json::strings(to)).unwrap_or_default();
    if to.is_empty() || to.len() > RELAY_MAX {
        return Err(Fault::wrong(
            "to",
            "the name of a person, or 1 to 1000 of them",
        ));
    }
    Ok(to)
}

fn relay(payload: &Given<'_>) -> Result<Ask, Fault> {
    Ok(Ask::Relay {
        to: receivers(payload)?,
        event: event_name(payload)?,
        payload: value(payload),
    })
}

pub(crate) fn event_name(payload: &Given<'_>) -> Result<String, Fault> {
    let name = payload
        .string("event")?
        .unwrap_or_else(|| "message".to_owned());
    if (1..=NAME_BYTES_MAX).contains(&name.len()) {
        return Ok(name);
    }
    Err(Fault::wrong("event", "a string of 1 to 256 bytes"))
}

pub(crate) fn value(payload: &Given<'_>) -> String {
    payload
        .find("payload")
        .map_or_else(|| "null".to_owned(), |value| value.get().to_owned())
}
