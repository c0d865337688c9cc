//! A message, or a part of one, that leaves in the buffer in which it arrived.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::wire::header::{EncodedHeader, FrameHeader, Reserved};
use crate::wire::opcode::Opcode;

/// An unmasked message as frames, of which only the first is formed: the next one is when the
/// one before it has left, so that its header can stand before its payload, over bytes that
/// nobody needs any more.
pub(crate) struct Given {
    buffer: Vec<u8>,
    /// The header of the present frame, where there is no room for it before the payload.
    header: Option<EncodedHeader>,
    /// Where the present frame stands, but for a header that stands beside it.
    frame: Range<usize>,
    /// Where the payload of all frames ends.
    end: usize,
    /// Whether the message ends with the last of them.
    last: bool,
    frame_bytes_max: usize,
}

impl Given {
    /// What stands at `payload` in `buffer`, in frames of at most so many bytes, of which the
    /// first has this opcode; `last` says whether the message ends with it. What stands before
    /// the payload may be written over.
    pub(crate) fn new(
        opcode: Opcode,
        last: bool,
        buffer: Vec<u8>,
        payload: Range<usize>,
        frame_bytes_max: usize,
    ) -> Self {
        let mut given = Self {
            buffer,
            header: None,
            frame: payload.start..payload.start,
            end: payload.end,
            last,
            frame_bytes_max: frame_bytes_max.max(1),
        };
        given.form(opcode);
        given
    }

    /// Forms the frame behind the present one.
    fn form(&mut self, opcode: Opcode) {
        let begin = self.frame.end;
        let len = (self.end - begin).min(self.frame_bytes_max);
        let end = begin + len;
        let header = header(opcode, len, self.last && end == self.end);
        let bytes = header.as_bytes();
        let (header, begin) = match begin.checked_sub(bytes.len()) {
            Some(at) => {
                self.buffer[at..begin].copy_from_slice(bytes);
                (None, at)
            }
            None => (Some(header), begin),
        };
        (self.header, self.frame) = (header, begin..end);
    }

    /// The header that stands beside the present frame, or nothing.
    fn header(&self) -> &[u8] {
        self.header.as_ref().map_or(&[], EncodedHeader::as_bytes)
    }

    /// Whether there are frames behind the present one.
    pub(crate) const fn has_more(&self) -> bool {
        self.frame.end < self.end
    }

    /// Goes on to the next frame, if there is one.
    pub(crate) fn go_on(&mut self) -> bool {
        let goes_on = self.has_more();
        if goes_on {
            self.form(Opcode::Continuation);
        }
        goes_on
    }

    /// Bytes of the present frame, header and payload.
    pub(crate) fn frame_len(&self) -> usize {
        self.header().len() + self.frame.len()
    }

    /// Bytes of the present frame and of all behind it.
    pub(crate) fn bytes_to_send(&self) -> usize {
        let rest = self.end - self.frame.end;
        let (whole, last) = (rest / self.frame_bytes_max, rest % self.frame_bytes_max);
        let header_len = |len| header(Opcode::Continuation, len, true).as_bytes().len();
        let headers =
            whole * header_len(self.frame_bytes_max) + if last > 0 { header_len(last) } else { 0 };
        self.frame_len() + rest + headers
    }

    /// The bytes of the present frame from `offset` on, as far as they stand together: up to the
    /// end of a header that stands beside it, or of the frame.
    pub(crate) fn from(&self, offset: usize) -> &[u8] {
        let header = self.header();
        match offset.checked_sub(header.len()) {
            Some(sent) => &self.buffer[self.frame.clone()][sent..],
            None => &header[offset..],
        }
    }

    /// The buffer, for the next message.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

/// Where the frames stand; the memory around them may hold what another connection received.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given")
            .field("frame", &self.frame)
            .field("end", &self.end)
            .field("frame_bytes_max", &self.frame_bytes_max)
            .finish_non_exhaustive()
    }
}

fn header(opcode: Opcode, len: usize, fin: bool) -> EncodedHeader {
    FrameHeader {
        fin,
        reserved: Reserved::NONE,
        opcode,
        mask: None,
        payload_len: len as u64,
    }
    .encode()
}
