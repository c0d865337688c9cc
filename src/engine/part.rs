//! What an extension is given to code.

use crate::engine::compress::Compress;
use crate::engine::event::Kind;

/// A message that is to be sent, or a part of one.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Part<'a> {
    /// The kind of the message.
    pub kind: Kind,
    /// The bytes of this part.
    pub bytes: &'a [u8],
    /// Whether the message begins with this part.
    pub first: bool,
    /// Whether the message ends with this part.
    pub last: bool,
    /// What the sender wishes for the message.
    pub compress: Compress,
}

impl<'a> Part<'a> {
    /// A message in one part.
    pub const fn whole(kind: Kind, bytes: &'a [u8], compress: Compress) -> Self {
        Self {
            kind,
            bytes,
            first: true,
            last: true,
            compress,
        }
    }
}
