//! The header lines of a head.

use alloc::vec::Vec;
use core::fmt;

use crate::wire::case::is_same_word;

/// A part of a head, by where it stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// Where `part` stands in `whole`, of which it must be a part if it is not empty.
    pub(super) fn of(part: &[u8], whole: &[u8]) -> Self {
        if part.is_empty() {
            return Self::default();
        }
        let start = part.as_ptr().addr() - whole.as_ptr().addr();
        Self {
            start,
            end: start + part.len(),
        }
    }

    pub(super) fn bytes(self, whole: &[u8]) -> &[u8] {
        &whole[self.start..self.end]
    }

    /// The text of a part that was found to be ASCII.
    pub(super) fn text(self, whole: &[u8]) -> &str {
        core::str::from_utf8(self.bytes(whole)).unwrap_or_default()
    }
}

/// Where the name and the value of one header line stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct HeaderSpans {
    pub(super) name: Span,
    pub(super) value: Span,
}

/// The header lines of a head, in the order in which they came.
///
/// Names are compared without regard to case (RFC 9110 §5.1). Values come without the
/// white space around them, and may hold bytes that are not ASCII.
///
/// `Debug` prints the names alone, for values may be secret.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    spans: &'a [HeaderSpans],
}

impl<'a> Headers<'a> {
    pub(super) fn new(bytes: &'a [u8], spans: &'a [HeaderSpans]) -> Self {
        Self { bytes, spans }
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// All lines.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let bytes = self.bytes;
        self.spans
            .iter()
            .map(move |line| (line.name.text(bytes), line.value.bytes(bytes)))
    }

    /// The value of the first line of this name.
    // Where the name is known, its length is, and lines of another are passed over at once.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// The value of the first line of this name, if it is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&'a str> {
        //= WS-155
        core::str::from_utf8(self.get(name)?).ok()
    }

    /// The values of all lines of this name.
    #[inline]
    pub fn get_all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        //= WS-044
        let bytes = self.bytes;
        self.spans
            .iter()
            .filter(move |line| is_same_word(line.name.bytes(bytes), name.as_bytes()))
            .map(move |line| line.value.bytes(bytes))
    }

    /// The value of the line of this name, if there is just one.
    #[inline]
    #[must_use]
    pub fn only(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.get_all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// How many lines of this name there are.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.get_all(name).count()
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

/// The spans of parsed lines.
pub(super) fn spans(lines: &[httparse::Header<'_>], whole: &[u8]) -> Vec<HeaderSpans> {
    let span = |line: &httparse::Header<'_>| HeaderSpans {
        name: Span::of(line.name.as_bytes(), whole),
        value: Span::of(line.value, whole),
    };
    lines.iter().map(span).collect()
}
