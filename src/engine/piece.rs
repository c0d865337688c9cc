//! A piece of a message that is not put together.

use core::fmt;

use crate::engine::event::Kind;
use crate::engine::message::Lent;

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
    /// Those of a message in one piece.
    pub(crate) const fn whole(kind: Kind) -> Self {
        Self {
            kind,
            first: true,
            last: true,
        }
    }

    const fn is_whole(self) -> bool {
        self.first && self.last
    }

    pub(crate) const fn piece(self, bytes: &[u8]) -> Piece<'_> {
        Piece {
            kind: self.kind,
            bytes,
            first: self.first,
            last: self.last,
        }
    }
}

/// A piece of a message, or all of it, lent with the means to send it back from where it stands.
pub struct LentPiece<'a> {
    /// `None` for all of a message, so that this is one look.
    ends: Option<Ends>,
    lent: Lent<'a>,
}

impl<'a> LentPiece<'a> {
    pub(crate) fn new(ends: Ends, lent: Lent<'a>) -> Self {
        let ends = (!ends.is_whole()).then_some(ends);
        Self { ends, lent }
    }

    /// The piece by itself.
    pub fn piece(&self) -> Piece<'_> {
        let ends = self.ends.unwrap_or_else(|| Ends::whole(self.lent.kind()));
        ends.piece(self.lent.bytes())
    }

    /// What it is a piece of, unless it is all of a message.
    #[inline(always)]
    pub(crate) const fn into_parts(self) -> (Option<Ends>, Lent<'a>) {
        (self.ends, self.lent)
    }
}

/// All of a message.
impl<'a> From<Lent<'a>> for LentPiece<'a> {
    #[inline(always)]
    fn from(lent: Lent<'a>) -> Self {
        Self { ends: None, lent }
    }
}

impl fmt::Debug for LentPiece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LentPiece").field(&self.piece()).finish()
    }
}
