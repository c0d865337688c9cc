//! A message that is encoded once and sent to many.

#[cfg(feature = "std")]
mod variants;

use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::engine::compress::Compress;
use crate::engine::event::Kind;
use crate::engine::frame::Fragments;
use crate::engine::limits::FRAME_BYTES_MAX;
use crate::wire::header::Reserved;

#[cfg(feature = "std")]
type Variants = variants::Variants;
#[cfg(not(feature = "std"))]
type Variants = ();

/// A message as encoded frames, to be shared by many connections.
///
/// A server masks nothing (RFC 6455 §5.1), so the bytes are the same for every receiver and a
/// clone shares them. A message beyond 64 KiB is encoded in fragments. For receivers that have
/// agreed on permessage-deflate it is compressed once for each size of window among them.
#[derive(Clone, Debug)]
pub struct Prepared {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    kind: Kind,
    compress: Compress,
    payload: Bytes,
    frame: Bytes,
    #[cfg_attr(not(feature = "std"), expect(dead_code, reason = "no extension codes"))]
    variants: Variants,
}

impl Prepared {
    /// Encodes a text message.
    pub fn text(text: &str) -> Self {
        Self::new(Kind::Text, text.as_bytes(), Compress::Auto)
    }

    /// Encodes a binary message.
    pub fn binary(bytes: &[u8]) -> Self {
        Self::new(Kind::Binary, bytes, Compress::Auto)
    }

    pub(crate) fn new(kind: Kind, payload: &[u8], compress: Compress) -> Self {
        let frame = encode(kind, Reserved::NONE, payload);
        let payload = match frame.len() - payload.len() {
            // In one frame, the payload stands behind its header.
            header_bytes if payload.len() <= FRAME_BYTES_MAX => frame.slice(header_bytes..),
            _ => Bytes::copy_from_slice(payload),
        };
        Self {
            shared: Arc::new(Shared {
                kind,
                compress,
                payload,
                frame,
                variants: Variants::default(),
            }),
        }
    }

    /// The same message with a wish whether it is to be compressed. Default: [`Compress::Auto`].
    #[must_use]
    pub fn with_compress(&self, compress: Compress) -> Self {
        let shared = &self.shared;
        Self {
            shared: Arc::new(Shared {
                kind: shared.kind,
                compress,
                payload: shared.payload.clone(),
                frame: shared.frame.clone(),
                variants: Variants::default(),
            }),
        }
    }

    /// Whether the message is text or binary.
    pub fn kind(&self) -> Kind {
        self.shared.kind
    }

    /// Whether it is to be compressed.
    pub fn compress(&self) -> Compress {
        self.shared.compress
    }

    /// The message itself.
    pub fn payload(&self) -> &[u8] {
        &self.shared.payload
    }

    /// The frames as they stand on the wire, unmasked and not compressed.
    pub fn frame(&self) -> &Bytes {
        &self.shared.frame
    }

    /// The frames as they are coded with `setting`; made by `reduce`, which appends the coded
    /// message and says whether it is to be sent so, if nobody has asked before.
    #[cfg(feature = "std")]
    pub(crate) fn coded(
        &self,
        setting: variants::Setting,
        reduce: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> Option<Bytes> {
        self.shared.variants.get(setting, || {
            let mut coded = Vec::new();
            reduce(&mut coded).then(|| encode(self.kind(), Reserved::RSV1, &coded))
        })
    }
}

fn encode(kind: Kind, reserved: Reserved, payload: &[u8]) -> Bytes {
    let headers = 10 * (payload.len() / FRAME_BYTES_MAX + 1);
    let mut frames = Vec::with_capacity(payload.len() + headers);
    for fragment in Fragments::new(kind, reserved, payload, FRAME_BYTES_MAX) {
        fragment.encode_into(&mut frames);
    }
    frames.into()
}
