//! A piece of a message that is not put together.

use crate::engine::event::Kind;

/// A piece of a message, lent until the next one is asked for.
///
/// Pieces of text are checked and may end inside a character (RFC 6455 §5.6).
#[derive(Debug)]
#[non_exhaustive]
pub struct Piece<'a> {
    /// Whether the message is text or binary.
    pub kind: Kind,
    /// The bytes, without masking and coding; empty only at the end of a message.
    pub bytes: &'a [u8],
    /// Whether the message begins with this piece.
    pub first: bool,
    /// Whether the message ends with this piece.
    pub last: bool,
}

/// What a piece is a piece of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) kind: Kind,
    pub(crate) first: bool,
    pub(crate) last: bool,
}

impl Ends {
    pub(crate) const fn piece(self, bytes: &[u8]) -> Piece<'_> {
        Piece {
            kind: self.kind,
            bytes,
            first: self.first,
            last: self.last,
        }
    }
}
