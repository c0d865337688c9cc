//! The short way for what most connections carry: whole messages in one frame that is not large,
//! and has arrived as a whole.
//!
//! It does what the long way does, [`receive`](Connection::receive) and the encoding of any
//! frame, to the same bytes, and declines whatever is not so simple. A property test holds the
//! two to each other.

use bytes::Bytes;

use crate::engine::connection::Connection;
use crate::engine::event::Kind;
use crate::engine::frame::opcode_of;
use crate::engine::limits::Limits;
use crate::engine::outbox::SHARE_BYTES_MIN;
use crate::engine::role::Role;
use crate::engine::streamed::Streamed;
use crate::engine::time::Timestamp;
use crate::wire::mask::{self, MaskKey};
use crate::wire::utf8;

/// The longest payload that goes the short way out: what is longer is not copied.
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

    /// From here on there is more to a message than its bytes: an extension, somebody who
    /// watches, or an end that has begun.
    pub(super) const fn leave_short_way(&mut self) {
        (self.plain, self.timed) = (false, true);
        (self.awaits_small, self.takes_small) = (false, false);
    }

    /// Takes a whole small message from the front of `input`, if that is what stands there, and
    /// says where its payload does, which has been unmasked. Otherwise nothing has changed.
    ///
    /// That it came is to be noted with [`note_small`](Self::note_small).
    #[inline(always)]
    pub(crate) fn receive_small(&self, input: &mut [u8]) -> Option<(Kind, Payload)> {
        if !self.awaits_small {
            return None;
        }
        // No frame of a client is shorter.
        let [first, second, _, _, _, _, ..] = *input else {
            return None;
        };
        let kind = match first {
            0x81 => Kind::Text,
            0x82 => Kind::Binary,
            _ => return None,
        };
        // The two lengths that are short, in their shortest form (RFC 6455 §5.2).
        let place = match second {
            MASKED..=0xfd => unmask::<2>(kind, input, usize::from(second - MASKED))?,
            0xfe => match usize::from(u16::from_be_bytes([input[2], input[3]])) {
                len @ 126..=SMALL_BYTES_MAX => unmask::<4>(kind, input, len)?,
                len => self.receive_medium(kind, input, len)?,
            },
            _ => return None,
        };
        Some((kind, place))
    }

    /// As [`receive_small`](Self::receive_small), up to the longest length of 16 bits; the limits
    /// may be less than that. What is written in 16 bits and would fit 7 is declined too.
    #[inline(never)]
    fn receive_medium(&self, kind: Kind, input: &mut [u8], len: usize) -> Option<Payload> {
        let is_allowed = len > SMALL_BYTES_MAX && len as u64 <= self.limits.message_bytes_max();
        is_allowed.then(|| unmask::<4>(kind, input, len))?
    }

    /// Takes note that a small message came, where it matters when.
    #[inline(always)]
    pub(crate) fn note_small(&mut self, now: Timestamp) {
        if self.timed {
            self.deadlines.note_received(now);
            self.deadlines.note_message(now);
        }
    }

    /// Whether it matters at what time a message comes or goes; where it does not, only what ends
    /// the connection is timed.
    #[inline(always)]
    pub(crate) const fn keeps_time(&self) -> bool {
        self.timed
    }

    /// Queues a small message, if nothing about it is special. Otherwise nothing has changed.
    ///
    /// Whether a message may be sent at all has been decided.
    #[inline(always)]
    pub(super) fn send_small(&mut self, kind: Kind, payload: &[u8]) -> bool {
        self.plain && self.push_small(kind, payload)
    }

    /// Takes note of the message that is being sent in fragments, or that none is any more.
    pub(super) fn set_streamed(&mut self, streamed: Option<Streamed>) {
        self.takes_small = self.plain && streamed.is_none();
        self.streamed = streamed;
    }

    /// Queues a message on a connection that goes the short way, if it is small.
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each length is less than what it becomes can hold"
    )]
    pub(super) fn push_small(&mut self, kind: Kind, payload: &[u8]) -> bool {
        let first = FIN | opcode_of(kind) as u8;
        match payload.len() {
            len @ 0..=125 => {
                self.outbox.queue().push_small([first, len as u8], payload);
            }
            len @ 126..=SMALL_BYTES_MAX => {
                let [high, low] = (len as u16).to_be_bytes();
                let header = [first, 126, high, low];
                self.outbox.queue().push_small(header, payload);
            }
            _ => return false,
        }
        true
    }

    /// Whether frames of a message for all can leave as they are and at once: nothing waits
    /// before them, and nothing is to be made of them here.
    #[inline(always)]
    #[cfg_attr(not(feature = "net"), expect(dead_code, reason = "for a floor above"))]
    pub(crate) fn takes_frames(&self) -> bool {
        self.takes_small && self.outbox.is_empty()
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

/// Where the payload of a small message stands.
pub(crate) struct Payload {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// Unmasks a payload of `len` bytes whose key stands at `AT`; `None`, and as it was, where it has
/// not all arrived or is text that is none.
#[inline(always)]
fn unmask<const AT: usize>(kind: Kind, input: &mut [u8], len: usize) -> Option<Payload> {
    let (key, rest) = input.get_mut(AT..)?.split_first_chunk_mut()?;
    let key = MaskKey::new(*key);
    let payload = rest.get_mut(..len)?;
    let is_good = if len < mask::SHORT_BYTES {
        // To look at binary as well costs less than to tell the two apart.
        mask::apply_ascii(key, payload) || kind == Kind::Binary || is_text(key, payload)
    } else if kind == Kind::Binary {
        mask::apply(key, payload);
        true
    } else {
        unmask_text(key, payload)
    };
    let start = AT + key.bytes().len();
    is_good.then_some(Payload { start, len })
}

/// Unmasks a payload that is UTF-8; one that is not stays as it was.
#[inline(never)]
fn unmask_text(key: MaskKey, payload: &mut [u8]) -> bool {
    let is_text = utf8::validate_masked(key, payload);
    kept(is_text, key, payload)
}

/// Whether an unmasked payload is UTF-8; where it is not, it is masked again.
#[inline(never)]
fn is_text(key: MaskKey, payload: &mut [u8]) -> bool {
    let is_text = utf8::validate(payload).is_ok();
    kept(is_text, key, payload)
}

/// What is no text is masked again: which rule was broken is for the long way to say.
fn kept(is_text: bool, key: MaskKey, payload: &mut [u8]) -> bool {
    if !is_text {
        mask::apply(key, payload);
    }
    is_text
}
