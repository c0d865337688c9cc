//! The bytes that wait to leave, in order.
//!
//! Data frames wait in the order in which they were sent. Control frames have a lane of their
//! own and leave at the next boundary between two frames, so that a Pong never waits behind more
//! than the rest of the frame that is on its way (RFC 6455 §5.4, §5.5.2). Small frames share a
//! buffer; a large payload that the caller gave away is queued as it is, and so is a receive
//! buffer whose message goes back.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::engine::event::Kind;
use crate::engine::frame::{Fragments, Frame};
use crate::engine::given::Given;
use crate::engine::tail::Tail;
use crate::wire::header::{Decoded, FrameHeader, Reserved};

/// Up to this size frames that others hold too are copied.
const COPY_BYTES_MAX: usize = 1 << 10;

/// A shared buffer is not made longer from this size on.
const BUFFER_BYTES_FULL: usize = 64 << 10;

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
    /// A message in the buffer in which it arrived, frame by frame.
    Given(Given),
}

impl Segment {
    /// How many bytes can be lent, those that have left included.
    fn len(&self) -> usize {
        match self {
            Self::Frames(bytes) => bytes.len(),
            Self::Shared { bytes, .. } => bytes.len(),
            Self::Given(given) => given.frame_len(),
        }
    }

    /// The bytes from `offset` on, as far as they stand together.
    fn from(&self, offset: usize) -> &[u8] {
        match self {
            Self::Frames(bytes) => &bytes[offset..],
            Self::Shared { bytes, .. } => &bytes[offset..],
            Self::Given(given) => given.from(offset),
        }
    }

    /// The bytes from `offset` on, if they stand together.
    fn whole_from(&self, offset: usize) -> Option<&[u8]> {
        let bytes = self.from(offset);
        (offset + bytes.len() == self.len()).then_some(bytes)
    }

    /// Whether it has bytes that can be lent only when those before have left.
    const fn has_more(&self) -> bool {
        matches!(self, Self::Given(given) if given.has_more())
    }

    /// The bytes, if they begin with a header.
    fn frames(&self) -> Option<&[u8]> {
        match self {
            Self::Frames(bytes) => Some(bytes),
            Self::Shared { bytes, whole: true } => Some(bytes),
            Self::Shared { whole: false, .. } | Self::Given(_) => None,
        }
    }
}

/// The queue of bytes on their way out.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Whole control frames, but for what has left of the first one.
    control: Vec<u8>,
    /// Where in `control` the Pong begins that a newer one may replace.
    last_pong: Option<usize>,
    /// What waits before `tail`.
    data: VecDeque<Segment>,
    /// Whole frames, to which the next one is added; mostly all there is. As in a segment the
    /// last one may be a header whose payload comes next.
    tail: Tail,
    /// How much of the front has left: of the first segment, or of the tail without one.
    sent: usize,
    /// A boundary between frames in the front, from which to look for the next. Nothing that has
    /// not left lies before it, but for what comes before all frames.
    boundary: usize,
    /// Bytes in `data` and `tail` that have not left.
    data_bytes: usize,
    /// An empty buffer for frames, kept for when the tail has become a segment.
    spare: Tail,
    /// A buffer that was given and has been sent.
    returned: Option<Vec<u8>>,
}

impl Queue {
    /// Bytes that have not left.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.data_bytes + self.control.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.data_bytes == 0 && self.control.is_empty()
    }

    pub(crate) fn control_len(&self) -> usize {
        self.control.len()
    }

    /// Queues bytes that are no frame and come before all frames: the opening handshake. Nothing
    /// else has been queued.
    pub(crate) fn push_preamble(&mut self, bytes: Vec<u8>) {
        self.data_bytes = bytes.len();
        // The first frame begins where they end.
        self.boundary = bytes.len();
        self.tail = Tail::holding(bytes);
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
            self.push_segment(Segment::Shared {
                bytes: payload.slice_ref(frame.payload),
                whole: false,
            });
        }
    }

    /// Queues whole unmasked frames that others may hold too. Small ones are copied, which costs
    /// less than to hold them, and to write them in one go with others.
    pub(crate) fn push_shared_frames(&mut self, frames: Bytes) {
        if frames.len() <= COPY_BYTES_MAX {
            return self.push_encoded(|target| target.extend_from_slice(&frames));
        }
        self.data_bytes += frames.len();
        self.push_segment(Segment::Shared {
            bytes: frames,
            whole: true,
        });
    }

    /// Queues an unmasked message with the buffer in which it stands.
    pub(crate) fn push_given(&mut self, given: Given) {
        self.data_bytes += given.bytes_to_send();
        self.push_segment(Segment::Given(given));
    }

    /// Queues the frame of a whole small message, as [`push_frames`](Self::push_frames) would.
    ///
    /// `head` is its header.
    #[inline(always)]
    pub(crate) fn push_small<const N: usize>(&mut self, head: [u8; N], payload: &[u8]) {
        self.data_bytes += N + payload.len();
        // What is ready is used even where the tail would not be made longer.
        if !self.tail.push_ready(head, payload) {
            self.tail_for_frames().push(&head, payload);
        }
    }

    fn push_encoded(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let tail = self.tail_for_frames();
        let before = tail.len();
        tail.extend_with(encode);
        let bytes = tail.len() - before;
        self.data_bytes += bytes;
    }

    /// The buffer that takes the next frame.
    #[inline]
    fn tail_for_frames(&mut self) -> &mut Tail {
        if self.tail.len() >= BUFFER_BYTES_FULL {
            self.end_tail();
        }
        &mut self.tail
    }

    /// Queues what is no frame in a buffer of ours.
    fn push_segment(&mut self, segment: Segment) {
        self.end_tail();
        self.data.push_back(segment);
    }

    /// Makes the tail the last segment, so that something else can follow.
    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            let next = core::mem::take(&mut self.spare);
            let frames = core::mem::replace(&mut self.tail, next);
            self.data.push_back(Segment::Frames(frames.into_vec()));
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
            queue: self,
            segment: 0,
            offset: self.sent,
            before: first_data,
            control: false,
        }
    }

    /// All that is to be sent next, where that is one slice.
    #[inline]
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        let whole = match (self.data.len(), self.tail.is_empty()) {
            _ if !self.control.is_empty() => None,
            (0, false) => Some(&self.tail.bytes()[self.sent..]),
            (1, true) => self.data.front()?.whole_from(self.sent),
            _ => None,
        };
        debug_assert!(whole.is_none_or(|it| self.slices().eq([it])), "one slice");
        whole
    }

    /// Takes note that the first `n` bytes of [`slices`](Self::slices) have left.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) {
        // Mostly that is all there was.
        if n == self.data_bytes && self.data.is_empty() && self.control.is_empty() {
            self.tail.clear();
            (self.data_bytes, self.sent, self.boundary) = (0, 0, 0);
        } else {
            self.advance_any(n);
        }
    }

    fn advance_any(&mut self, n: usize) {
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
        while let Some(front) = self.data.front_mut() {
            let left = front.len() - self.sent;
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
            if let Segment::Given(given) = front
                && given.go_on()
            {
                continue;
            }
            match self.data.pop_front() {
                Some(Segment::Frames(buffer)) => self.keep(buffer),
                Some(Segment::Given(given)) => self.returned = Some(given.into_buffer()),
                Some(Segment::Shared { .. }) | None => {}
            }
        }
        self.sent += n;
        if self.sent == self.tail.len() {
            self.tail.clear();
            self.sent = 0;
            self.boundary = 0;
        } else if n > 0 {
            self.boundary = frame_at(self.tail.bytes(), self.boundary, self.sent).0;
        }
    }

    /// Keeps a buffer for the next frames.
    fn keep(&mut self, buffer: Vec<u8>) {
        if self.tail.capacity() == 0 {
            self.tail = Tail::reusing(buffer);
        } else if self.spare.capacity() < buffer.capacity() {
            self.spare = Tail::reusing(buffer);
        }
    }

    /// How many bytes of data must leave before a control frame may: the rest of the frame of
    /// which a part has left. While part of a control frame has left, data stands at a boundary.
    fn rest_of_frame(&self) -> usize {
        if self.sent < self.boundary {
            // What comes before all frames.
            return self.boundary - self.sent;
        }
        let (frames, next_len) = match self.data.front() {
            Some(Segment::Given(_)) if self.sent == 0 => return 0,
            Some(front) => match front.frames() {
                Some(frames) => (frames, self.segment_len(1)),
                None => return front.len() - self.sent,
            },
            None => (self.tail.bytes(), 0),
        };
        match frame_at(frames, self.boundary, self.sent) {
            (begin, _) if begin == self.sent => 0,
            (_, Some(end)) => end - self.sent,
            (_, None) => frames.len() - self.sent + next_len,
        }
    }

    /// How many bytes of a segment can be lent, and of the tail behind the last.
    fn segment_len(&self, at: usize) -> usize {
        self.data.get(at).map_or(self.tail.len(), Segment::len)
    }

    /// The bytes of a segment from `offset` on, as far as they stand together; of the tail behind
    /// the last.
    fn segment_from(&self, at: usize, offset: usize) -> &[u8] {
        match self.data.get(at) {
            Some(segment) => segment.from(offset),
            None => &self.tail.bytes()[offset..],
        }
    }

    /// The buffer that was given and has been sent, if there is one.
    pub(crate) const fn take_returned(&mut self) -> Option<Vec<u8>> {
        self.returned.take()
    }

    /// How many bytes of memory wait for the next frames.
    pub(crate) fn spare_bytes(&self) -> usize {
        self.spare.capacity().max(self.tail.capacity())
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

/// The waiting bytes in the order in which they are to leave; see [`Queue::slices`].
#[derive(Debug)]
pub(crate) struct Slices<'a> {
    queue: &'a Queue,
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
            if !self.queue.control.is_empty() {
                return Some(&self.queue.control);
            }
        }
        let segments = self.queue.data.len();
        if self.segment < segments && self.offset == self.queue.segment_len(self.segment) {
            if self.queue.data[self.segment].has_more() {
                return None;
            }
            self.segment += 1;
            self.offset = 0;
        }
        let rest = self.queue.segment_from(self.segment, self.offset);
        if rest.is_empty() {
            return None;
        }
        let taken = match self.control {
            true => rest.len(),
            false => rest.len().min(self.before),
        };
        self.before -= if self.control { 0 } else { taken };
        self.offset += taken;
        Some(&rest[..taken])
    }
}
