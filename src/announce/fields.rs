//! The fields of a request, and what is said when one is not as it has to be.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use std::time::SystemTime;

use serde_json::value::RawValue;

use crate::announce::announcement::{FeedKey, Priority};
use crate::announce::code::Code;
use crate::announce::json::{self, Fields};
use crate::announce::outcome::Position;
use crate::announce::store::{Cursor, ReadMark};
use crate::announce::time;

/// How many announcements are returned where a request does not say it.
pub const UNREAD_DEFAULT: usize = 50;

/// The longest identifier that a client may give to something, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 256;

/// What is wrong with the fields of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub code: Code,
    /// A sentence for the person who debugs the sender. It names fields, never their values.
    pub message: String,
}

impl Fault {
    pub(crate) fn missing(field: &str) -> Self {
        Self {
            code: Code::MissingField,
            message: format!("{field} is missing"),
        }
    }

    pub(crate) fn wrong(field: &str, wanted: &str) -> Self {
        Self {
            code: Code::WrongType,
            message: format!("{field} has to be {wanted}"),
        }
    }
}

/// A token as it arrived. `Debug` does not print it, and nothing else gives it away: it is for
/// the verifier alone.
#[derive(Clone)]
pub struct Credential(String);

impl Credential {
    pub(crate) fn new(token: String) -> Self {
        Self(token)
    }

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

/// The fields of one object. `null` counts as absence.
pub(crate) struct Given<'a>(pub(crate) &'a Fields<'a>);

impl<'a> Given<'a> {
    /// The value of a field, unless it is absent or `null`.
    pub(crate) fn find(&self, name: &str) -> Option<&'a RawValue> {
        let found = self
            .0
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| *value);
        found.filter(|value| value.get() != "null")
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, Fault> {
        let value = self.find(name);
        value
            .map(|v| json::string(v).ok_or_else(|| Fault::wrong(name, "a string")))
            .transpose()
    }

    pub(crate) fn required(&self, name: &str) -> Result<String, Fault> {
        self.string(name)?.ok_or_else(|| Fault::missing(name))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.find(name).map(RawValue::get) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Fault::wrong(name, "true or false")),
        }
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<SystemTime>, Fault> {
        const WANTED: &str = "a time with its offset, such as 2026-11-20T10:01:00+01:00";
        self.string(name)?
            .map(|text| time::parse(&text).ok_or_else(|| Fault::wrong(name, WANTED)))
            .transpose()
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Fault> {
        self.find(name)
            .map(|value| json::whole(value).ok_or_else(|| Fault::wrong(name, "a whole number")))
            .transpose()
    }

    /// A short string or a number, in the spelling in which it is echoed.
    pub(crate) fn id(&self, name: &str) -> Result<Option<String>, Fault> {
        let Some(value) = self.find(name) else {
            return Ok(None);
        };
        let json = value.get();
        let simple = json.starts_with(|first: char| matches!(first, '"' | '-' | '0'..='9'));
        if simple && json.len() <= NAME_BYTES_MAX {
            return Ok(Some(json.to_owned()));
        }
        Err(Fault::wrong(name, "a short string or a number"))
    }

    /// `"Sales"` and `{"channel":"Sales"}` are the same feed.
    pub(crate) fn feed(&self, name: &str) -> Result<FeedKey, Fault> {
        //= A59
        //= A60
        let value = self.find(name).ok_or_else(|| Fault::missing(name))?;
        let wrong = || Fault::wrong(name, "a name or {\"channel\": name}");
        let Ok(inner) = json::fields(value.get()) else {
            let text = json::string(value).ok_or_else(wrong)?;
            return FeedKey::new(&text).ok_or_else(wrong);
        };
        let inner = Given(&inner);
        let named = |field: &str, feed: fn(&str) -> Option<FeedKey>| {
            let text = json::string(inner.find(field)?);
            Some(text.and_then(|text| feed(&text)).ok_or_else(wrong))
        };
        named("channel", FeedKey::new)
            .or_else(|| named("role", FeedKey::role))
            .or_else(|| named("user", FeedKey::user))
            .unwrap_or_else(|| Err(Fault::missing(&format!("{name}.channel"))))
    }

    /// What is no priority of this server is a field of the front end's own.
    pub(crate) fn priority(&self, name: &str) -> Priority {
        let name = self.find(name).and_then(json::string);
        name.and_then(|name| Priority::new(&name.to_ascii_lowercase()))
            .unwrap_or_default()
    }

    /// A priority of this server, and nothing else.
    pub(crate) fn strict_priority(&self, name: &str) -> Result<Priority, Fault> {
        let text = self.required(name)?;
        Priority::new(&text).ok_or_else(|| Fault::wrong(name, "low, normal, high or urgent"))
    }

    /// `{"Public": {"offset": 811, "epoch": "k3f"}}`, or the bare offset.
    pub(crate) fn since(&self, name: &str) -> Result<Vec<(FeedKey, Position)>, Fault> {
        let Some(value) = self.find(name) else {
            return Ok(Vec::new());
        };
        positions(value).ok_or_else(|| Fault::wrong(name, "an object of feeds and offsets"))
    }

    pub(crate) fn key(&self, name: &str) -> Result<Option<String>, Fault> {
        let key = self.string(name)?;
        let fits = |key: &String| {
            let length = key.len();
            (1..=NAME_BYTES_MAX).contains(&length) && !key.chars().any(char::is_control)
        };
        if key.as_ref().is_none_or(fits) {
            return Ok(key);
        }
        Err(Fault::wrong(name, "a string of 1 to 256 bytes"))
    }

    /// What was read: names, one or several, or everything up to an offset.
    pub(crate) fn mark(&self, ids: &str, up_to: &str) -> Result<ReadMark, Fault> {
        //= A61
        match (self.find(ids), self.find(up_to)) {
            (None, None) => Err(Fault::missing(&format!("{ids} or {up_to}"))),
            (Some(_), Some(_)) => Err(Fault::wrong(up_to, &format!("left out beside {ids}"))),
            (None, Some(offset)) => json::whole(offset)
                .map(ReadMark::UpTo)
                .ok_or_else(|| Fault::wrong(up_to, "an offset, a whole number")),
            (Some(value), None) => {
                let one = json::string(value).map(|id| vec![id]);
                let named = one.or_else(|| json::strings(value));
                let wrong = || Fault::wrong(ids, "a string or an array of strings");
                named.map(ReadMark::Ids).ok_or_else(wrong)
            }
        }
    }

    /// How many announcements a page may have.
    pub(crate) fn limit(&self, name: &str) -> Result<usize, Fault> {
        let Some(value) = self.find(name) else {
            return Ok(UNREAD_DEFAULT);
        };
        let limit = json::whole(value).filter(|limit| *limit > 0);
        let limit = limit.ok_or_else(|| Fault::wrong(name, "a whole number from 1"))?;
        Ok(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    /// Where a page begins.
    pub(crate) fn cursor(&self, name: &str) -> Result<Option<Cursor>, Fault> {
        let wrong = |_| Fault::wrong(name, "one that this server has given");
        self.string(name)?
            .map(|text| text.parse().map_err(wrong))
            .transpose()
    }
}

/// The most feeds of which a client may say up to where it has them.
const SINCE_MAX: usize = 256;

/// Reads up to where a client has each feed: offsets, or objects of `offset` and `epoch`.
fn positions(value: &RawValue) -> Option<Vec<(FeedKey, Position)>> {
    let fields = json::fields(value.get()).ok()?;
    if fields.len() > SINCE_MAX {
        return None;
    }
    let read = |(name, value): &(String, &RawValue)| {
        let feed = FeedKey::new(name)?;
        if let Some(offset) = json::whole(value) {
            let epoch = None;
            return Some((feed, Position { offset, epoch }));
        }
        let inner = json::fields(value.get()).ok()?;
        let inner = Given(&inner);
        let epoch = match inner.find("epoch") {
            Some(epoch) => Some(json::string(epoch)?),
            None => None,
        };
        let offset = json::whole(inner.find("offset")?)?;
        Some((feed, Position { offset, epoch }))
    };
    fields.iter().map(read).collect()
}
