//! The kinds of errors that a connection is told.

use core::fmt;

/// The kinds of errors that a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// The text is not JSON, holds a name twice, or is nested too deep.
    MalformedJson,
    /// The text is JSON, but no object.
    NotAnObject,
    /// A field that the intent needs is absent.
    MissingField,
    /// A field has a type or a value that it cannot have.
    WrongType,
    /// The intent is not one of this server's.
    UnknownIntent,
    /// The intent is known, but this server does not offer it.
    NotAvailable,
    /// The person may not do that.
    Forbidden,
    /// There is no such feed.
    UnknownGroup,
    /// The connection belongs to nobody yet.
    NotSignedIn,
    /// There is no such announcement for this person.
    UnknownNotification,
    /// The text is longer than a message may be.
    TooLarge,
    /// There were too many in too short a time.
    TooOften,
    /// Somebody else has changed it meanwhile.
    Conflict,
    /// The server cannot do that now.
    Unavailable,
    /// A field has a name that is none of this request's.
    UnknownField,
    /// There is nothing of that name here.
    NotFound,
    /// What is there cannot be treated in this way.
    WrongMethod,
    /// There is no token that verifies.
    BadToken,
}

impl Code {
    /// The code as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::NotAnObject => "not_an_object",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::UnknownIntent => "unknown_intent",
            Self::NotAvailable => "not_available",
            Self::Forbidden => "forbidden",
            Self::UnknownGroup => "unknown_group",
            Self::NotSignedIn => "not_signed_in",
            Self::UnknownNotification => "unknown_notification",
            Self::TooLarge => "too_large",
            Self::TooOften => "too_often",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::UnknownField => "unknown_field",
            Self::NotFound => "not_found",
            Self::WrongMethod => "wrong_method",
            Self::BadToken => "bad_token",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
