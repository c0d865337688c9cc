//! The short way for what most connections carry: whole messages in one frame that is not large.
//!
//! It does what the long way does, [`receive`](Connection::receive) and the encoding of any
//! frame, to the same bytes, and declines whatever is not so simple. A property test holds the
//! two to each other.

use bytes::Bytes;
use core::ops::Range;

use crate::engine::connection::Connection;
use crate::engine::event::Kind;
use crate::engine::frame::opcode_of;
use crate::engine::limits::Limits;
use crate::engine::outbox::SHARE_BYTES_MIN;
use crate::engine::role::Role;
use crate::engine::time::Timestamp;
use crate::wire::mask::{self, MaskKey};
use crate::wire::utf8;

/// The longest payload that goes the short way: what is longer is dear enough by itself.
pub(super) const SMALL_BYTES_MAX: usize = SHARE_BYTES_MIN - 1;

/// FIN and no reserved bit, in the first byte of a header.
const FIN: u8 = 0x80;

/// In the second byte of a header, that a masking key follows.
const MASKED: u8 = 0x80;

impl Connection {
    /// Whether the short way does all that a connection of this role is to do with these limits,
    /// as long as it has no extension and nobody watches.
    pub(super) fn is_plain(role: Role, limits: &Limits) -> bool {
        role.requires_mask()
            && limits.message_bytes_max() >= SMALL_BYTES_MAX as u64
            && limits.frame_bytes_max() >= SMALL_BYTES_MAX
            && limits.fragments_max() > 0
    }

    /// Takes a whole small message from the front of `input`, if that is what stands there, and
    /// says where its payload does, which has been unmasked. Otherwise nothing has changed.
    #[inline]
    pub(crate) fn receive_small(
        &mut self,
        now: Timestamp,
        input: &mut [u8],
    ) -> Option<(Kind, Range<usize>)> {
        if !self.takes_small() {
            return None;
        }
        let [first, second, third, fourth, ..] = *input else {
            return None;
        };
        let kind = match first {
            0x81 => Kind::Text,
            0x82 => Kind::Binary,
            _ => return None,
        };
        // The two lengths that are short, in their shortest form (RFC 6455 §5.2).
        let (length_bytes, len) = match second {
            MASKED..=0xfd => (0, usize::from(second - MASKED)),
            0xfe => match usize::from(u16::from_be_bytes([third, fourth])) {
                len @ 126..=SMALL_BYTES_MAX => (2, len),
                _ => return None,
            },
            _ => return None,
        };
        let (key, rest) = input.get_mut(2 + length_bytes..)?.split_first_chunk_mut()?;
        let key = MaskKey::new(*key);
        let payload = rest.get_mut(..len)?;
        if kind == Kind::Binary {
            mask::apply(key, payload);
        } else if !mask::apply_ascii(key, payload) && utf8::validate(payload).is_err() {
            // Which rule was broken is for the long way to say.
            mask::apply(key, payload);
            return None;
        }
        self.deadlines.note_received(now);
        self.deadlines.note_message(now);
        let start = 2 + length_bytes + key.bytes().len();
        Some((kind, start..start + len))
    }

    #[inline]
    fn takes_small(&self) -> bool {
        self.plain && self.state.reads() && !self.inbound.is_within_message()
    }

    /// Whether it matters at what time a message comes or goes; where it does not, only what ends
    /// the connection is timed.
    #[inline]
    pub(crate) const fn keeps_time(&self) -> bool {
        self.timed || !self.plain
    }

    /// Queues a small message, if nothing about it is special. Otherwise nothing has changed.
    ///
    /// Whether a message may be sent at all has been decided.
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a small message is shorter"
    )]
    pub(super) fn send_small(&mut self, kind: Kind, payload: &[u8]) -> bool {
        let len = payload.len();
        if !self.plain || len > SMALL_BYTES_MAX {
            return false;
        }
        let first = FIN | opcode_of(kind) as u8;
        let queue = self.outbox.queue();
        match u8::try_from(len) {
            Ok(len @ 0..=125) => queue.push_small([first, len], payload),
            _ => {
                let [high, low] = (len as u16).to_be_bytes();
                queue.push_small([first, 126, high, low], payload);
            }
        }
        true
    }

    /// Whether frames of a message for all can leave as they are and at once: nothing waits
    /// before them, and nothing is to be made of them here.
    #[inline]
    #[cfg_attr(not(feature = "net"), expect(dead_code, reason = "for a floor above"))]
    pub(crate) fn takes_frames(&self) -> bool {
        self.plain && self.state.may_send() && self.streamed.is_none() && self.outbox.is_empty()
    }

    /// Queues frames of which so many bytes have left, where
    /// [`takes_frames`](Self::takes_frames) said so.
    #[cfg_attr(not(feature = "net"), expect(dead_code, reason = "for a floor above"))]
    pub(crate) fn queue_frames(&mut self, frames: Bytes, sent: usize) {
        let queue = self.outbox.queue();
        queue.push_shared_frames(frames);
        queue.advance(sent);
    }

    /// Takes note that a message has been sent without being queued.
    #[cfg_attr(not(feature = "net"), expect(dead_code, reason = "for a floor above"))]
    pub(crate) const fn note_message(&mut self, now: Timestamp) {
        self.deadlines.note_message(now);
    }

    /// All that [`transmit`](Self::transmit) lends, where that is one slice.
    #[inline]
    #[cfg_attr(not(feature = "net"), expect(dead_code, reason = "for a floor above"))]
    pub(crate) fn transmit_whole(&self) -> Option<&[u8]> {
        self.outbox.whole()
    }
}
