//! Lists in header values: tokens, and extensions with their parameters.
//!
//! An element may be empty (`a, , b`), which RFC 9110 §5.6.1.2 asks of those who read, and
//! several header lines of one name are one list (RFC 6455 §9.1). All of this takes time
//! in proportion to the bytes.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::wire::case::is_same_word;

#[cfg(test)]
mod tests;

/// The most extensions that a list may name.
pub const OFFERS_MAX: usize = 16;

/// The most parameters that one extension in a list may have.
pub const PARAMS_MAX: usize = 16;

/// Whether a byte may stand in a token (RFC 9110 §5.6.2).
#[must_use]
pub const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
        | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+'
        | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// Whether these bytes are a token: not empty, and of token characters only
/// (RFC 9110 §5.6.2).
#[must_use]
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_byte(byte))
}

/// The tokens of one header value, in order, as in `Sec-WebSocket-Protocol`.
///
/// An element that is not a token yields [`MalformedList::NotAToken`], and the elements
/// after it follow.
pub fn tokens(value: &[u8]) -> impl Iterator<Item = Result<&str, MalformedList>> {
    elements(value)
        .filter(|element| !element.is_empty())
        .map(token)
}

/// Whether some value, read as a list, has this token, whatever the case of its letters.
///
/// Elements that are not tokens are passed over, as `Connection` asks of its readers.
pub fn contains_token<'a>(mut values: impl Iterator<Item = &'a [u8]>, wanted: &[u8]) -> bool {
    //= WS-162
    values.any(|value| {
        // Most lists have one element.
        is_same_word(value, wanted) || elements(value).any(|element| is_same_word(element, wanted))
    })
}

/// The number in a `Sec-WebSocket-Version` element: 0 to 255 with no leading zero
/// (RFC 6455 §4.3).
#[must_use]
pub fn parse_version(element: &[u8]) -> Option<u8> {
    //= WS-067
    let digits = element.iter().all(u8::is_ascii_digit);
    if !digits || (element.len() > 1 && element[0] == b'0') {
        return None;
    }
    core::str::from_utf8(element).ok()?.parse().ok()
}

/// One element of `Sec-WebSocket-Extensions`: a name and its parameters, in order.
///
/// Names and values are tokens, and are kept in the case in which they came. `Display`
/// writes the element as a header carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionOffer {
    name: String,
    params: Vec<(String, Option<String>)>,
}

impl ExtensionOffer {
    /// An extension without parameters.
    ///
    /// # Errors
    ///
    /// [`MalformedList::NotAToken`] if the name is not one.
    pub fn new(name: &str) -> Result<Self, MalformedList> {
        let name = token(name.as_bytes())?.into();
        Ok(Self {
            name,
            params: Vec::new(),
        })
    }

    /// The same extension with one more parameter, which may have a value.
    ///
    /// # Errors
    ///
    /// [`MalformedList::NotAToken`] if the name or the value is not one, and
    /// [`MalformedList::TooManyParams`] beyond [`PARAMS_MAX`].
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Result<Self, MalformedList> {
        let name = token(name.as_bytes())?.into();
        let value = value
            .map(|value| token(value.as_bytes()).map(String::from))
            .transpose()?;
        self.push(name, value)?;
        Ok(self)
    }

    /// The name of the extension, as `permessage-deflate`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The parameters in order, repeated ones included.
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, Option<&str>)> {
        self.params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    fn push(&mut self, name: String, value: Option<String>) -> Result<(), MalformedList> {
        if self.params.len() == PARAMS_MAX {
            return Err(MalformedList::TooManyParams);
        }
        self.params.push((name, value));
        Ok(())
    }
}

impl fmt::Display for ExtensionOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (name, value) in self.params() {
            write!(f, "; {name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// Reads all values of `Sec-WebSocket-Extensions` as one list (RFC 6455 §9.1).
///
/// No values give an empty list. Values with no extension in them break the grammar, which
/// asks for one at least. A quoted value is unescaped and must then be a token. White space
/// may stand around `,`, `;` and `=`, as the grammar of RFC 2616 implies, to which
/// RFC 6455 §4.3 refers.
///
/// # Errors
///
/// Says what is malformed. RFC 6455 §9.1 then fails the handshake; to decline is for
/// offers that can be read.
pub fn parse_extensions<'a>(
    values: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<ExtensionOffer>, MalformedList> {
    //= WS-158
    //= WS-162
    let mut offers = Vec::new();
    let mut is_present = false;
    for value in values {
        is_present = true;
        parse_extension_line(Cursor { rest: value }, &mut offers)?;
    }
    if is_present && offers.is_empty() {
        return Err(MalformedList::Empty);
    }
    Ok(offers)
}

fn parse_extension_line(
    mut cursor: Cursor<'_>,
    offers: &mut Vec<ExtensionOffer>,
) -> Result<(), MalformedList> {
    loop {
        while cursor.takes(b',') {}
        if cursor.rest.is_empty() {
            return Ok(());
        }
        if offers.len() == OFFERS_MAX {
            return Err(MalformedList::TooManyOffers);
        }
        offers.push(cursor.offer()?);
        if !cursor.rest.is_empty() && !cursor.takes(b',') {
            return Err(MalformedList::Separator);
        }
    }
}

/// What is left of a header value.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Takes white space, then this byte if it comes next, then white space.
    fn takes(&mut self, byte: u8) -> bool {
        self.rest = trim(self.rest);
        let Some(rest) = self.rest.strip_prefix(&[byte]) else {
            return false;
        };
        self.rest = trim(rest);
        true
    }

    fn offer(&mut self) -> Result<ExtensionOffer, MalformedList> {
        let name = self.token()?.into();
        let mut offer = ExtensionOffer {
            name,
            params: Vec::new(),
        };
        while self.takes(b';') {
            let name = self.token()?.into();
            let value = if self.takes(b'=') {
                Some(self.value()?)
            } else {
                None
            };
            offer.push(name, value)?;
        }
        Ok(offer)
    }

    fn value(&mut self) -> Result<String, MalformedList> {
        match self.rest.strip_prefix(b"\"") {
            Some(rest) => self.quoted(rest),
            None => self.token().map(String::from),
        }
    }

    fn token(&mut self) -> Result<&'a str, MalformedList> {
        let end = self.rest.iter().position(|&byte| !is_token_byte(byte));
        let (found, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        token(found)
    }

    /// Takes a quoted string whose opening quote is gone.
    fn quoted(&mut self, inside: &'a [u8]) -> Result<String, MalformedList> {
        let mut unescaped = Vec::new();
        let mut bytes = inside.iter();
        loop {
            match bytes.next().ok_or(MalformedList::UnterminatedQuote)? {
                b'"' => break,
                b'\\' => unescaped.push(*bytes.next().ok_or(MalformedList::UnterminatedQuote)?),
                &byte => unescaped.push(byte),
            }
        }
        self.rest = bytes.as_slice();
        //= WS-066
        token(&unescaped).map(String::from)
    }
}

/// The parts between commas, without the white space around them.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim)
}

/// Without the spaces and tabs at both ends.
fn trim(bytes: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let Some(start) = bytes.iter().position(is_text) else {
        return &[];
    };
    let end = bytes
        .iter()
        .rposition(is_text)
        .map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// These bytes as a token.
fn token(bytes: &[u8]) -> Result<&str, MalformedList> {
    if !is_token(bytes) {
        return Err(MalformedList::NotAToken);
    }
    core::str::from_utf8(bytes).map_err(|_| MalformedList::NotAToken)
}

/// Why a header value is not the list that it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MalformedList {
    /// A token is due, and something else or nothing stands there (RFC 9110 §5.6.2).
    NotAToken,
    /// A quoted string has no end (RFC 9110 §5.6.4).
    UnterminatedQuote,
    /// Something other than a comma follows an element.
    Separator,
    /// The header is there and lists nothing (RFC 6455 §9.1).
    Empty,
    /// More than [`OFFERS_MAX`] extensions.
    TooManyOffers,
    /// More than [`PARAMS_MAX`] parameters at one extension.
    TooManyParams,
}

impl fmt::Display for MalformedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAToken => "an element is not a token",
            Self::UnterminatedQuote => "a quoted string has no end",
            Self::Separator => "an element is not followed by a comma",
            Self::Empty => "the list has no element",
            Self::TooManyOffers => "the list names too many extensions",
            Self::TooManyParams => "an extension has too many parameters",
        })
    }
}

impl core::error::Error for MalformedList {}
