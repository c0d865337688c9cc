//! The extension in use, and the message that it is at.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;

use crate::engine::event::{Chunk, Kind};
use crate::engine::extension::Extension;
use crate::engine::part::Part;
use crate::engine::prepared::Prepared;
use crate::engine::violation::Violation;
use crate::wire::utf8::Utf8Stream;

/// A buffer that a message was coded in is kept for the next one up to this size.
const SCRATCH_BYTES_KEPT: usize = 64 << 10;

/// An extension in use, and how far the message that it expands has come.
#[derive(Debug)]
pub(crate) struct Coding {
    extension: Box<dyn Extension>,
    expanded_bytes: u64,
    /// Whether a chunk has been begun and not been done with.
    is_within_chunk: bool,
    utf8: Utf8Stream,
    scratch: Vec<u8>,
}

impl Coding {
    pub(crate) fn new(extension: Box<dyn Extension>) -> Self {
        Self {
            extension,
            expanded_bytes: 0,
            is_within_chunk: false,
            utf8: Utf8Stream::new(),
            scratch: Vec::new(),
        }
    }

    /// The coded form of a message or a part of one, unless it is better sent as it is.
    pub(crate) fn reduce(&mut self, part: Part<'_>) -> Option<&[u8]> {
        if self.scratch.capacity() > SCRATCH_BYTES_KEPT {
            self.scratch = Vec::new();
        }
        self.scratch.clear();
        self.extension
            .reduce(part, &mut self.scratch)
            .then_some(self.scratch.as_slice())
    }

    /// The coded frames of a prepared message, unless it is better sent as it is.
    pub(crate) fn reduce_prepared(&mut self, message: &Prepared) -> Option<Bytes> {
        self.extension.reduce_prepared(message)
    }

    /// Undoes the coding of a chunk from byte `taken` on, within the bound of the message, and
    /// appends at most `room` bytes. Says whether the chunk is done with.
    pub(crate) fn expand(
        &mut self,
        message_bytes_max: u64,
        chunk: &Chunk<'_>,
        taken: &mut usize,
        room: usize,
        output: &mut Vec<u8>,
    ) -> Result<bool, Violation> {
        if chunk.first && *taken == 0 && !self.is_within_chunk {
            self.expanded_bytes = 0;
            self.utf8 = Utf8Stream::new();
        }
        let before = output.len();
        // One byte beyond the bound tells a message that is too big from one that just fits.
        //= PX-03
        let left = message_bytes_max.saturating_sub(self.expanded_bytes);
        let left = left.saturating_add(1);
        let room = usize::try_from(left).map_or(room, |left| room.min(left));
        let rest = &chunk.bytes[*taken..];
        let expanded = self.extension.expand(rest, chunk.last, room, output)?;
        *taken += expanded.taken;
        self.is_within_chunk = !expanded.done;
        let added = &output[before..];
        self.expanded_bytes += added.len() as u64;
        if self.expanded_bytes > message_bytes_max {
            return Err(Violation::MessageTooBig);
        }
        //= PD-024
        if chunk.kind == Kind::Text {
            self.utf8.feed(added).map_err(|_| Violation::NotUtf8)?;
            if chunk.last && expanded.done {
                self.utf8.finish().map_err(|_| Violation::NotUtf8)?;
            }
        }
        Ok(expanded.done)
    }

    /// Gives up the memory that can be had again.
    pub(crate) fn rest(&mut self) {
        self.scratch = Vec::new();
        self.extension.rest();
    }

    /// What was agreed on, as it stands in the header.
    pub(crate) fn agreed(&self) -> Option<String> {
        self.extension.agreed().map(|it| it.to_string())
    }
}
