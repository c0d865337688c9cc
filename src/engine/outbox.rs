//! Bytes that wait to leave.
//!
//! Data frames wait in the order in which they were sent. Control frames have a lane of their
//! own and leave at the next boundary between two frames, so that a Pong never waits behind more
//! than the rest of the frame that is on its way (RFC 6455 §5.4, §5.5.2). Small frames share a
//! buffer; a large payload that the caller gave away is queued as it is.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::engine::event::Kind;
use crate::wire::header::{Decoded, FrameHeader, Reserved};
use crate::wire::mask::{self, MaskKey};
use crate::wire::opcode::Opcode;

/// From this size on a payload that is given away is queued without copying it.
pub(crate) const SHARE_BYTES_MIN: usize = 4 << 10;
/// A shared buffer takes no further frame from this size on.
const BUFFER_BYTES_FULL: usize = 64 << 10;

/// A frame to be queued, its payload apart.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) fin: bool,
    pub(crate) reserved: Reserved,
    pub(crate) opcode: Opcode,
    pub(crate) mask: Option<MaskKey>,
    pub(crate) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// A control frame: never fragmented, never with a reserved bit.
    //= WS-088
    //= PD-017
    //= PD-021
    pub(crate) const fn control(opcode: Opcode, mask: Option<MaskKey>, payload: &'a [u8]) -> Self {
        Self {
            fin: true,
            reserved: Reserved::NONE,
            opcode,
            mask,
            payload,
        }
    }

    pub(crate) fn header(&self) -> FrameHeader {
        FrameHeader {
            fin: self.fin,
            reserved: self.reserved,
            opcode: self.opcode,
            mask: self.mask,
            payload_len: self.payload.len() as u64,
        }
    }

    /// Appends header and payload to `target`, masking on the way.
    pub(crate) fn encode_into(&self, target: &mut Vec<u8>) {
        target.extend_from_slice(self.header().encode().as_bytes());
        let Some(key) = self.mask else {
            target.extend_from_slice(self.payload);
            return;
        };
        let start = target.len();
        target.resize(start + self.payload.len(), 0);
        mask::copy(key, self.payload, &mut target[start..]);
    }
}

/// The frames in which a message leaves: one, or as many as it takes for none to be larger than
/// a bound, so that a control frame never waits behind more than that (RFC 6455 §5.4).
pub(crate) struct Fragments<'a> {
    opcode: Opcode,
    reserved: Reserved,
    /// What has not been framed; `None` once all has.
    rest: Option<&'a [u8]>,
    /// Whether the message ends with these frames.
    last: bool,
    frame_bytes_max: usize,
}

impl<'a> Fragments<'a> {
    pub(crate) const fn new(
        kind: Kind,
        reserved: Reserved,
        payload: &'a [u8],
        frame_bytes_max: usize,
    ) -> Self {
        Self::of_part(opcode_of(kind), reserved, payload, true, frame_bytes_max)
    }

    /// The frames of a part of a message, of which the first has this opcode.
    pub(crate) const fn of_part(
        opcode: Opcode,
        reserved: Reserved,
        payload: &'a [u8],
        last: bool,
        frame_bytes_max: usize,
    ) -> Self {
        Self {
            opcode,
            reserved,
            rest: Some(payload),
            last,
            frame_bytes_max,
        }
    }
}

impl<'a> Iterator for Fragments<'a> {
    type Item = Frame<'a>;

    /// The next frame, to be masked where its sender masks.
    fn next(&mut self) -> Option<Frame<'a>> {
        let rest = self.rest?;
        let (payload, rest) = match rest.split_at_checked(self.frame_bytes_max) {
            Some((payload, rest)) if !rest.is_empty() => (payload, Some(rest)),
            _ => (rest, None),
        };
        self.rest = rest;
        let frame = Frame {
            fin: self.last && rest.is_none(),
            //= PD-021
            reserved: core::mem::replace(&mut self.reserved, Reserved::NONE),
            opcode: core::mem::replace(&mut self.opcode, Opcode::Continuation),
            mask: None,
            payload,
        };
        Some(frame)
    }
}

/// The opcode that begins a message of `kind`.
pub(crate) const fn opcode_of(kind: Kind) -> Opcode {
    match kind {
        Kind::Text => Opcode::Text,
        Kind::Binary => Opcode::Binary,
    }
}

#[derive(Debug)]
enum Segment {
    /// Whole frames; the last one may be a header whose payload is the next segment.
    Frames(Vec<u8>),
    /// Bytes that others may hold too. A boundary between frames follows them.
    Shared {
        bytes: Bytes,
        /// Whether they are whole frames, rather than the payload of one.
        whole: bool,
    },
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Frames(bytes) => bytes,
            Self::Shared { bytes, .. } => bytes,
        }
    }

    /// The bytes, if they begin with a header.
    fn frames(&self) -> Option<&[u8]> {
        match self {
            Self::Frames(bytes) => Some(bytes),
            Self::Shared { bytes, whole: true } => Some(bytes),
            Self::Shared { whole: false, .. } => None,
        }
    }
}

/// The queue of bytes on their way out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Whole control frames, but for what has left of the first one.
    control: Vec<u8>,
    /// Where in `control` the Pong begins that a newer one may replace.
    last_pong: Option<usize>,
    data: VecDeque<Segment>,
    /// How much of the front segment has left.
    sent: usize,
    /// A boundary between frames in the front segment, from which to look for the next.
    boundary: usize,
    /// Bytes in `data` that have not left.
    data_bytes: usize,
    /// An empty buffer for frames, kept for the next one.
    spare: Option<Vec<u8>>,
}

impl Outbox {
    /// Bytes that have not left.
    pub(crate) fn len(&self) -> usize {
        self.data_bytes + self.control.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.data_bytes == 0 && self.control.is_empty()
    }

    pub(crate) fn control_len(&self) -> usize {
        self.control.len()
    }

    /// Queues bytes that are no frame and come before all frames: the opening handshake.
    pub(crate) fn push_preamble(&mut self, bytes: Vec<u8>) {
        self.data_bytes += bytes.len();
        self.data.push_back(Segment::Shared {
            bytes: bytes.into(),
            whole: false,
        });
    }

    /// Queues a data or Close frame behind what waits.
    //= WS-089
    //= WS-168
    pub(crate) fn push_frame(&mut self, frame: Frame<'_>) {
        self.push_encoded(|target| frame.encode_into(target));
    }

    /// Queues the frames of a message, or of a part of one, one behind the other in one buffer.
    pub(crate) fn push_frames<'a>(&mut self, frames: impl Iterator<Item = Frame<'a>>) {
        self.push_encoded(|target| {
            for frame in frames {
                frame.encode_into(target);
            }
        });
    }

    /// Queues an unmasked message whose payload others may hold too.
    pub(crate) fn push_shared_payload(
        &mut self,
        kind: Kind,
        payload: &Bytes,
        frame_bytes_max: usize,
    ) {
        for frame in Fragments::new(kind, Reserved::NONE, payload, frame_bytes_max) {
            let header = frame.header().encode();
            self.push_encoded(|target| target.extend_from_slice(header.as_bytes()));
            self.data_bytes += frame.payload.len();
            self.data.push_back(Segment::Shared {
                bytes: payload.slice_ref(frame.payload),
                whole: false,
            });
        }
    }

    /// Queues whole unmasked frames that others may hold too.
    pub(crate) fn push_shared_frames(&mut self, frames: Bytes) {
        self.data_bytes += frames.len();
        self.data.push_back(Segment::Shared {
            bytes: frames,
            whole: true,
        });
    }

    fn push_encoded(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if !matches!(self.data.back(), Some(Segment::Frames(it)) if it.len() < BUFFER_BYTES_FULL) {
            let buffer = self.spare.take().unwrap_or_default();
            self.data.push_back(Segment::Frames(buffer));
        }
        if let Some(Segment::Frames(buffer)) = self.data.back_mut() {
            let before = buffer.len();
            encode(buffer);
            self.data_bytes += buffer.len() - before;
        }
    }

    /// Queues a control frame, to leave before the data that waits.
    pub(crate) fn push_control(&mut self, frame: Frame<'_>) {
        self.last_pong = None;
        frame.encode_into(&mut self.control);
    }

    /// Queues the Pong that answers a Ping.
    pub(crate) fn push_pong(&mut self, frame: Frame<'_>) {
        let start = self.control.len();
        self.push_control(frame);
        self.last_pong = Some(start);
    }

    /// Queues the Pong that answers a Ping in place of the one before, where that was queued last
    /// and nothing of it has left (RFC 6455 §5.5.3).
    pub(crate) fn replace_pong(&mut self, frame: Frame<'_>) {
        if let Some(start) = self.last_pong {
            self.control.truncate(start);
        }
        self.push_pong(frame);
    }

    /// The bytes to send next, in order, as slices.
    pub(crate) fn slices(&self) -> Slices<'_> {
        let first_data = if self.control.is_empty() {
            0
        } else {
            self.rest_of_frame()
        };
        Slices {
            outbox: self,
            segment: 0,
            offset: self.sent,
            before: first_data,
            control: false,
        }
    }

    /// Takes note that the first `n` bytes of [`slices`](Self::slices) have left.
    pub(crate) fn advance(&mut self, n: usize) {
        let mut n = n.min(self.len());
        if !self.control.is_empty() {
            let data_first = self.rest_of_frame().min(n);
            self.advance_data(data_first);
            n -= data_first;
            let control = n.min(self.control.len());
            self.advance_control(control);
            n -= control;
        }
        self.advance_data(n);
    }

    fn advance_control(&mut self, n: usize) {
        if n == 0 {
            return;
        }
        self.last_pong = self.last_pong.and_then(|start| start.checked_sub(n));
        self.control.drain(..n);
        if self.control.is_empty() {
            // Control frames are rare: no memory waits for the next one.
            self.control = Vec::new();
        }
    }

    fn advance_data(&mut self, mut n: usize) {
        self.data_bytes -= n;
        while let Some(front) = self.data.front() {
            let left = front.bytes().len() - self.sent;
            if n < left {
                self.sent += n;
                if let Some(frames) = front.frames() {
                    self.boundary = frame_at(frames, self.boundary, self.sent).0;
                }
                return;
            }
            n -= left;
            self.sent = 0;
            self.boundary = 0;
            if let Some(Segment::Frames(mut buffer)) = self.data.pop_front() {
                buffer.clear();
                self.spare.get_or_insert(buffer);
            }
        }
    }

    /// How many bytes of data must leave before a control frame may: the rest of the frame of
    /// which a part has left. While part of a control frame has left, data stands at a boundary.
    fn rest_of_frame(&self) -> usize {
        let next = self.data.get(1).map_or(0, |segment| segment.bytes().len());
        let Some(front) = self.data.front() else {
            return 0;
        };
        match front.frames() {
            None => front.bytes().len() - self.sent,
            Some(frames) => match frame_at(frames, self.boundary, self.sent) {
                (begin, _) if begin == self.sent => 0,
                (_, Some(end)) => end - self.sent,
                (_, None) => frames.len() - self.sent + next,
            },
        }
    }

    /// Takes the empty buffer that was kept for the next frame.
    pub(crate) fn take_spare(&mut self) -> Option<Vec<u8>> {
        self.spare.take()
    }

    /// Whether an empty buffer is kept for the next frame.
    pub(crate) const fn has_spare(&self) -> bool {
        self.spare.is_some()
    }

    /// Gives an empty buffer for the next frame.
    pub(crate) fn give_spare(&mut self, buffer: Vec<u8>) {
        if buffer.is_empty() {
            self.spare.get_or_insert(buffer);
        }
    }

    /// Gives up everything that waits.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The frame in `bytes` that holds offset `at`, looked for from the boundary `from`: where it
/// begins, and where it ends unless its payload is the next segment.
fn frame_at(bytes: &[u8], from: usize, at: usize) -> (usize, Option<usize>) {
    let mut begin = from;
    loop {
        let Ok(Decoded::Header(header, taken)) = FrameHeader::decode(&bytes[begin..]) else {
            return (begin, None);
        };
        let end = usize::try_from(header.payload_len)
            .ok()
            .and_then(|len| begin.checked_add(taken + len));
        match end {
            Some(end) if end <= at => begin = end,
            Some(end) if end <= bytes.len() => return (begin, Some(end)),
            _ => return (begin, None),
        }
    }
}

/// The waiting bytes in the order in which they are to leave; see [`Outbox::slices`].
#[derive(Debug)]
pub(crate) struct Slices<'a> {
    outbox: &'a Outbox,
    segment: usize,
    offset: usize,
    /// Bytes of data to lend before the control frames.
    before: usize,
    /// Whether the control frames have been lent.
    control: bool,
}

impl<'a> Iterator for Slices<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.before == 0 && !self.control {
            self.control = true;
            if !self.outbox.control.is_empty() {
                return Some(&self.outbox.control);
            }
        }
        let bytes = self.outbox.data.get(self.segment)?.bytes();
        let rest = &bytes[self.offset..];
        let taken = if self.control {
            rest.len()
        } else {
            rest.len().min(self.before)
        };
        self.before -= if self.control { 0 } else { taken };
        if taken == rest.len() {
            self.segment += 1;
            self.offset = 0;
        } else {
            self.offset += taken;
        }
        Some(&rest[..taken])
    }
}
