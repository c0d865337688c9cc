//! The extension in use, and the message that it is at.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;

use crate::engine::buffer::Buffer;
use crate::engine::event::{Chunk, Kind};
use crate::engine::extension::Extension;
use crate::engine::inbound::check_text;
use crate::engine::part::Part;
use crate::engine::prepared::Prepared;
use crate::engine::violation::Violation;
use crate::wire::utf8::Utf8Stream;

/// A buffer that a message was coded in is kept for the next one up to this size.
const SCRATCH_BYTES_KEPT: usize = 64 << 10;

/// How much room is made at once for what a chunk becomes: so many times what came, within these
/// bounds, or as much as there is of the message already. A step that ends within a message costs:
/// what follows refers to the decoder's copy of the window, and the window is kept anew. The last
/// kilobyte is there so that 64 KiB do not end where the room does.
const STEP_TIMES: usize = 6;
const STEP_BYTES_MIN: usize = 2 << 10;
const STEP_BYTES_MAX: usize = 65 << 10;

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
    /// has `output` hold at most `room` bytes more. Says whether the chunk is done with.
    pub(crate) fn expand(
        &mut self,
        message_bytes_max: u64,
        chunk: &Chunk<'_>,
        taken: &mut usize,
        room: usize,
        output: &mut Buffer,
    ) -> Result<bool, Violation> {
        if chunk.first && *taken == 0 && !self.is_within_chunk {
            self.expanded_bytes = 0;
            self.utf8 = Utf8Stream::new();
        }
        let limit = output.held.saturating_add(room);
        while output.held < limit {
            // One byte beyond the bound tells a message that is too big from one that just fits.
            //= PX-03
            let left = message_bytes_max.saturating_sub(self.expanded_bytes);
            let left = usize::try_from(left.saturating_add(1)).unwrap_or(usize::MAX);
            let room = left.min(limit - output.held);
            let (first, before) = (self.expanded_bytes == 0, output.held);
            let done = self.expand_step(chunk, taken, room, output)?;
            let added = &output.held()[before..];
            self.expanded_bytes += added.len() as u64;
            if self.expanded_bytes > message_bytes_max {
                return Err(Violation::MessageTooBig);
            }
            //= PD-024
            if chunk.kind == Kind::Text {
                check_text(&mut self.utf8, added, first, chunk.last && done)?;
            }
            if done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Expands as much as there is made room for at once, and says whether the chunk is done with.
    fn expand_step(
        &mut self,
        chunk: &Chunk<'_>,
        taken: &mut usize,
        room: usize,
        output: &mut Buffer,
    ) -> Result<bool, Violation> {
        let rest = &chunk.bytes[*taken..];
        let step = rest.len().saturating_mul(STEP_TIMES);
        let step = step.clamp(STEP_BYTES_MIN, STEP_BYTES_MAX.max(output.held));
        let target = output.room(step, room);
        let expanded = self.extension.expand(rest, chunk.last, target)?;
        let is_stuck = expanded.taken == 0 && expanded.given == 0 && !expanded.done;
        if is_stuck || expanded.taken > rest.len() || expanded.given > target.len() {
            return Err(Violation::ExtensionData);
        }
        *taken += expanded.taken;
        self.is_within_chunk = !expanded.done;
        output.held += expanded.given;
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
