//! Whole messages: lent and owned.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use core::ops::Range;

use crate::engine::buffer::Buffer;
use crate::engine::compress::Compress;
use crate::engine::event::Kind;
use crate::engine::prepared::Prepared;
use crate::wire::utf8;

/// A whole message, lent from the receive buffer until the next one is asked for.
pub struct Lent<'a> {
    kind: Kind,
    /// The receive buffer, or what an extension has made of what was received: it is what is held.
    buffer: &'a mut Buffer,
}

impl<'a> Lent<'a> {
    #[inline(always)]
    pub(crate) const fn new(kind: Kind, buffer: &'a mut Buffer) -> Self {
        Self { kind, buffer }
    }

    /// Whether the message is text or binary.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The payload; UTF-8 if the message is text.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.held()
    }

    /// The text of a text message, `None` for a binary one.
    pub fn text(&self) -> Option<&str> {
        text_of(self.kind, self.bytes())
    }

    /// A copy that can be kept.
    pub fn to_owned(&self) -> Message {
        Message::new(self.kind, Bytes::copy_from_slice(self.bytes()))
    }

    /// Encodes the message once, to be sent to many.
    pub fn prepare(&self) -> Prepared {
        Prepared::new(self.kind, self.bytes(), Compress::Auto)
    }

    /// The buffer in which the message stands, and where it stands there.
    ///
    /// # Errors
    ///
    /// The message as it was, if its buffer holds anything else.
    pub(crate) fn take_buffer(self) -> Result<(Vec<u8>, Range<usize>), Self> {
        match self.buffer.is_free_but_for_held() {
            true => Ok(self.buffer.take()),
            false => Err(self),
        }
    }
}

/// The message, and nothing else that its buffer may hold.
impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_tuple("Lent");
        match self.text() {
            Some(text) => told.field(&text).finish(),
            None => told.field(&self.kind).field(&self.bytes()).finish(),
        }
    }
}

/// A whole message, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 §5.6 has these two")]
pub enum Message {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
}

impl Message {
    /// `bytes` must be UTF-8 when `kind` is text: everything that a connection delivers is.
    pub(crate) fn new(kind: Kind, bytes: Bytes) -> Self {
        match kind {
            Kind::Text => Self::Text(Utf8Bytes(bytes)),
            Kind::Binary => Self::Binary(bytes),
        }
    }

    /// A text message.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Utf8Bytes::from(text.into()))
    }

    /// A binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::Binary(bytes.into())
    }

    /// Whether the message is text or binary.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }

    /// The payload.
    pub const fn as_bytes(&self) -> &Bytes {
        match self {
            Self::Text(text) => &text.0,
            Self::Binary(bytes) => bytes,
        }
    }

    /// Encodes the message once, to be sent to many.
    pub fn prepare(&self) -> Prepared {
        Prepared::new(self.kind(), self.as_bytes(), Compress::Auto)
    }

    /// The payload, taken out.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.0,
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text of a text message, `None` for a binary one.
    pub fn as_text(&self) -> Option<&str> {
        text_of(self.kind(), self.as_bytes())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::binary(bytes)
    }
}

/// Shared bytes that are UTF-8.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Utf8Bytes(Bytes);

impl Utf8Bytes {
    /// The text. It is checked again, which costs one fast pass over it: the house keeps
    /// unchecked conversions to masks.
    pub fn as_str(&self) -> &str {
        text_of(Kind::Text, &self.0).unwrap_or_default()
    }

    /// The bytes of the text.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

fn text_of(kind: Kind, bytes: &[u8]) -> Option<&str> {
    match kind {
        Kind::Text => utf8::validate(bytes).ok(),
        Kind::Binary => None,
    }
}
