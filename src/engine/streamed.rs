//! A message that is sent fragment by fragment.

use crate::engine::event::Kind;
use crate::engine::misuse::Misuse;
use crate::wire::utf8::Utf8Stream;

/// A message of which not all fragments have been sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streamed {
    kind: Kind,
    /// Whether its fragments are coded by the extension.
    pub(crate) coded: bool,
    utf8: Utf8Stream,
}

impl Streamed {
    pub(crate) const fn begin(kind: Kind) -> Self {
        Self {
            kind,
            coded: false,
            utf8: Utf8Stream::new(),
        }
    }

    /// Takes the next fragment into account; an error leaves the message as it was.
    pub(crate) fn admit(&mut self, kind: Kind, fragment: &[u8], last: bool) -> Result<(), Misuse> {
        if self.kind != kind {
            return Err(Misuse::KindChanged);
        }
        if kind == Kind::Text {
            let mut utf8 = self.utf8;
            utf8.feed(fragment).map_err(|_| Misuse::NotUtf8)?;
            if last {
                utf8.finish().map_err(|_| Misuse::NotUtf8)?;
            }
            self.utf8 = utf8;
        }
        Ok(())
    }
}
