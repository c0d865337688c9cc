//! Frames on their way out, and the messages that they are cut from.

use alloc::vec::Vec;

use crate::engine::event::Kind;
use crate::wire::header::{FrameHeader, Reserved};
use crate::wire::mask::{self, MaskKey};
use crate::wire::opcode::Opcode;

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
