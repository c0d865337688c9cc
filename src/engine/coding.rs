//! The extension in use, and the message that it is at.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::event::{Chunk, Kind};
use crate::engine::extension::Extension;
use crate::engine::violation::Violation;
use crate::wire::utf8::Utf8Stream;

/// An extension in use, and how far the message that it expands has come.
#[derive(Debug)]
pub(crate) struct Coding {
    extension: Box<dyn Extension>,
    expanded_bytes: u64,
    utf8: Utf8Stream,
    scratch: Vec<u8>,
}

impl Coding {
    pub(crate) fn new(extension: Box<dyn Extension>) -> Self {
        Self {
            extension,
            expanded_bytes: 0,
            utf8: Utf8Stream::new(),
            scratch: Vec::new(),
        }
    }

    /// The coded form of a message to be sent, unless it is better sent as it is.
    pub(crate) fn reduce(&mut self, kind: Kind, message: &[u8]) -> Option<&[u8]> {
        self.scratch.clear();
        self.extension
            .reduce(kind, message, &mut self.scratch)
            .then_some(self.scratch.as_slice())
    }

    /// Undoes the coding of a chunk, within the bound of the message.
    pub(crate) fn expand(
        &mut self,
        message_bytes_max: u64,
        chunk: &Chunk<'_>,
        output: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        if chunk.first {
            self.expanded_bytes = 0;
            self.utf8 = Utf8Stream::new();
        }
        let before = output.len();
        //= PX-03
        let room = message_bytes_max.saturating_sub(self.expanded_bytes);
        self.extension
            .expand(chunk.bytes, chunk.last, room, output)?;
        let added = &output[before..];
        self.expanded_bytes += added.len() as u64;
        if self.expanded_bytes > message_bytes_max {
            return Err(Violation::MessageTooBig);
        }
        //= PD-024
        if chunk.kind == Kind::Text {
            self.utf8.feed(added).map_err(|_| Violation::NotUtf8)?;
            if chunk.last {
                self.utf8.finish().map_err(|_| Violation::NotUtf8)?;
            }
        }
        Ok(())
    }
}
