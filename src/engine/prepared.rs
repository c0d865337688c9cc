//! A message that is encoded once and sent to many.

use alloc::vec::Vec;
use bytes::Bytes;

use crate::engine::event::Kind;
use crate::engine::outbox::{Frame, opcode_of};
use crate::wire::header::Reserved;

/// A message as one encoded frame, to be shared by many connections.
///
/// A server masks nothing (RFC 6455 §5.1), so the bytes are the same for every receiver and a
/// clone shares them.
#[derive(Clone, Debug)]
pub struct Prepared {
    kind: Kind,
    header_bytes: usize,
    frame: Bytes,
}

impl Prepared {
    /// Encodes a text message.
    pub fn text(text: &str) -> Self {
        Self::new(Kind::Text, text.as_bytes())
    }

    /// Encodes a binary message.
    pub fn binary(bytes: &[u8]) -> Self {
        Self::new(Kind::Binary, bytes)
    }

    pub(crate) fn new(kind: Kind, payload: &[u8]) -> Self {
        let mut frame = Vec::with_capacity(payload.len() + 10);
        let (reserved, opcode) = (Reserved::NONE, opcode_of(kind));
        Frame {
            fin: true,
            reserved,
            opcode,
            mask: None,
            payload,
        }
        .encode_into(&mut frame);
        Self {
            kind,
            header_bytes: frame.len() - payload.len(),
            frame: frame.into(),
        }
    }

    /// Whether the message is text or binary.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The message itself.
    pub fn payload(&self) -> &[u8] {
        &self.frame[self.header_bytes..]
    }

    /// The frame as it stands on the wire, unmasked.
    pub const fn frame(&self) -> &Bytes {
        &self.frame
    }
}
