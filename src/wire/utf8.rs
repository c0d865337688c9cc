//! UTF-8 that arrives in pieces.
//!
//! Whole characters go to `simdutf8`. What is left is the character that a piece begins or
//! ends inside, and finding the byte at which text went wrong: both are done byte by byte
//! with the rows of Table 3-7 of the Unicode standard.

use core::fmt;

use crate::wire::mask::{self, MaskKey, Seen};

#[cfg(test)]
mod tests;

/// Checks that a text which arrives in pieces is UTF-8.
///
/// A piece may end inside a character (RFC 6455 §5.6). The first byte after which no
/// continuation could make the text valid is an error as soon as it arrives: `0xC0` at
/// once, and `0xA0` right after `0xED`.
///
/// A stream that has failed stays failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utf8Stream {
    /// How many bytes the character that has begun still needs; 0 between characters.
    missing: u8,
    /// The least and the greatest byte that may come next, while `missing` is not 0.
    least: u8,
    greatest: u8,
}

/// Accepts no byte and is not complete.
const FAILED: Utf8Stream = Utf8Stream {
    missing: 1,
    least: 0xff,
    greatest: 0,
};

impl Utf8Stream {
    /// A stream between two characters.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            missing: 0,
            least: 0,
            greatest: 0,
        }
    }

    /// Takes the next piece, of any length.
    ///
    /// # Errors
    ///
    /// [`InvalidUtf8`] with the index within `bytes` of the first byte that cannot follow
    /// what came before.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), InvalidUtf8> {
        //= WS-114
        //= WS-155
        let result = self.feed_piece(bytes);
        if result.is_err() {
            *self = FAILED;
        }
        result
    }

    /// Unmasks the next piece in place, and takes it: in one pass where that is how it is done
    /// fastest.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed). All of the piece is unmasked then, too.
    pub fn feed_masked(&mut self, key: MaskKey, bytes: &mut [u8]) -> Result<(), InvalidUtf8> {
        //= WS-114
        //= WS-155
        match mask::apply_text(key, bytes) {
            Seen::Ascii if self.is_complete() => Ok(()),
            Seen::Sound if self.is_complete() => {
                // What is sound so far, up to a character that has begun, is sound.
                let tail = bytes.len() - unfinished_bytes(bytes);
                self.steps(&bytes[tail..], tail)
            }
            _ => self.feed(bytes),
        }
    }

    /// Ends the text.
    ///
    /// On success the stream is as new.
    ///
    /// # Errors
    ///
    /// [`InvalidUtf8`] at index 0 if the text ends inside a character.
    pub fn finish(&mut self) -> Result<(), InvalidUtf8> {
        //= WS-114
        if self.is_complete() {
            return Ok(());
        }
        *self = FAILED;
        Err(InvalidUtf8 { at: 0 })
    }

    /// Whether the text could end here: the stream is between two characters.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.missing == 0
    }

    fn feed_piece(&mut self, bytes: &[u8]) -> Result<(), InvalidUtf8> {
        let mut begun = 0;
        while !self.is_complete() {
            let Some(&byte) = bytes.get(begun) else {
                return Ok(());
            };
            self.step(byte, begun)?;
            begun += 1;
        }
        let rest = &bytes[begun..];
        let (whole, tail) = rest.split_at(rest.len() - unfinished_bytes(rest));
        if simdutf8::basic::from_utf8(whole).is_ok() {
            return self.steps(tail, begun + whole.len());
        }
        let valid = match core::str::from_utf8(whole) {
            Ok(_) => whole.len(),
            Err(error) => error.valid_up_to(),
        };
        self.steps(&rest[valid..], begun + valid)
    }

    /// Takes bytes one by one, the first of which stands at index `from` of the piece.
    fn steps(&mut self, bytes: &[u8], from: usize) -> Result<(), InvalidUtf8> {
        bytes
            .iter()
            .zip(from..)
            .try_for_each(|(&byte, at)| self.step(byte, at))
    }

    /// Takes the byte at index `at` of the piece.
    fn step(&mut self, byte: u8, at: usize) -> Result<(), InvalidUtf8> {
        if self.is_complete() {
            *self = Self::after_first(byte).ok_or(InvalidUtf8 { at })?;
            return Ok(());
        }
        if !(self.least..=self.greatest).contains(&byte) {
            return Err(InvalidUtf8 { at });
        }
        *self = match self.missing - 1 {
            0 => Self::new(),
            missing => Self {
                missing,
                least: 0x80,
                greatest: 0xbf,
            },
        };
        Ok(())
    }

    /// The state after the first byte of a character: a row of Table 3-7 (Unicode §3.9).
    const fn after_first(byte: u8) -> Option<Self> {
        let (missing, least, greatest) = match byte {
            0x00..=0x7f => (0, 0, 0),
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xe1..=0xec | 0xee..=0xef => (2, 0x80, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return None,
        };
        Some(Self {
            missing,
            least,
            greatest,
        })
    }
}

/// How many bytes at the end of `bytes` belong to a character that is not finished there.
///
/// Only first bytes and distances are looked at; whether the bytes between are valid is
/// for the caller to find out.
fn unfinished_bytes(bytes: &[u8]) -> usize {
    for (index, &byte) in bytes.iter().rev().take(3).enumerate() {
        let whole = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let there = index + 1;
        return if there < whole { there } else { 0 };
    }
    0
}

/// Checks a text that is there as a whole.
///
/// # Errors
///
/// [`InvalidUtf8`] with the index of the first byte that cannot follow what came before,
/// which is the length of `bytes` if it ends inside a character.
pub fn validate(bytes: &[u8]) -> Result<&str, InvalidUtf8> {
    //= WS-155
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        return Ok(text);
    }
    let mut stream = Utf8Stream::new();
    stream.feed_piece(bytes)?;
    Err(InvalidUtf8 { at: bytes.len() })
}

/// Unmasks a text in place that is there as a whole, and says whether it is UTF-8: in one pass
/// where that is how it is done fastest.
#[inline]
pub fn validate_masked(key: MaskKey, bytes: &mut [u8]) -> bool {
    //= WS-155
    match mask::apply_text(key, bytes) {
        Seen::Ascii => true,
        Seen::Sound => unfinished_bytes(bytes) == 0,
        Seen::Unknown => simdutf8::basic::from_utf8(bytes).is_ok(),
    }
}

/// Bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUtf8 {
    at: usize,
}

impl InvalidUtf8 {
    /// The index, within the bytes of the call that failed, of the first impossible byte.
    #[must_use]
    pub const fn at(self) -> usize {
        self.at
    }
}

impl fmt::Display for InvalidUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not UTF-8 at byte {}", self.at)
    }
}

impl core::error::Error for InvalidUtf8 {}
