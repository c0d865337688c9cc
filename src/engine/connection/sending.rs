//! Commands that send.

use crate::engine::compress::Compress;
use crate::engine::connection::Connection;
use crate::engine::entropy::MaskKeys;
use crate::engine::event::Kind;
use crate::engine::frame::{Fragments, Frame, opcode_of};
use crate::engine::message::{Lent, Message};
use crate::engine::misuse::{Misuse, SendError};
use crate::engine::observer::Watch;
use crate::engine::outbox::SHARE_BYTES_MIN;
use crate::engine::part::Part;
use crate::engine::prepared::Prepared;
use crate::engine::streamed::Streamed;
use crate::engine::time::Timestamp;
use crate::wire::close::{CloseCode, CloseReason};
use crate::wire::header::{CONTROL_PAYLOAD_MAX, Reserved};
use crate::wire::opcode::Opcode;

impl Connection {
    /// Queues a text message.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] when the outbox is at its high mark, and [`Misuse::Closing`] or
    /// [`Misuse::MessageUnfinished`]. The message is not queued then.
    pub fn send_text(&mut self, now: Timestamp, text: &str) -> Result<(), SendError> {
        self.send(now, Kind::Text, text.as_bytes(), Compress::Auto)
    }

    /// Queues a binary message.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_binary(&mut self, now: Timestamp, bytes: &[u8]) -> Result<(), SendError> {
        self.send(now, Kind::Binary, bytes, Compress::Auto)
    }

    /// Queues a message that was received, here or elsewhere: an echo, a relay.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    #[inline]
    pub fn send_lent(&mut self, now: Timestamp, message: &Lent<'_>) -> Result<(), SendError> {
        self.send(now, message.kind(), message.bytes(), Compress::Auto)
    }

    /// Queues a message whose text is known to be UTF-8.
    //= WS-117
    //= WS-118
    //= WS-119
    #[inline]
    fn send(
        &mut self,
        now: Timestamp,
        kind: Kind,
        payload: &[u8],
        compress: Compress,
    ) -> Result<(), SendError> {
        self.admit_message()?;
        self.deadlines.note_message(now);
        if self.send_small(kind, payload) {
            return Ok(());
        }
        self.send_any(now, kind, payload, compress);
        Ok(())
    }

    /// Queues a message that may be sent, whatever its size and coding.
    #[inline(never)]
    pub(super) fn send_any(
        &mut self,
        now: Timestamp,
        kind: Kind,
        payload: &[u8],
        compress: Compress,
    ) {
        self.note_coding(now);
        let part_bytes = payload.len();
        let coded = match &mut self.coding {
            Some(coding) => coding.reduce(Part::whole(kind, payload, compress)),
            None => None,
        };
        let (reserved, payload) = match coded {
            Some(coded) => (Reserved::RSV1, coded),
            None => (Reserved::NONE, payload),
        };
        let frame_bytes_max = self.limits.frame_bytes_max();
        if reserved == Reserved::RSV1 {
            self.watch.tell_reduced(part_bytes, payload.len());
        }
        let frames = Fragments::new(kind, reserved, payload, frame_bytes_max);
        let (watch, keys) = (&mut self.watch, self.keys.as_deref_mut());
        self.outbox
            .queue()
            .push_frames(leaving(frames, watch, keys));
    }

    /// Queues a message that the caller gives away.
    ///
    /// A server queues a large payload without copying it.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_message(&mut self, now: Timestamp, message: Message) -> Result<(), SendError> {
        self.send_message_with(now, message, Compress::Auto)
    }

    /// As [`send_message`](Self::send_message), with a wish whether it is to be compressed.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_message_with(
        &mut self,
        now: Timestamp,
        message: Message,
        compress: Compress,
    ) -> Result<(), SendError> {
        let (kind, payload) = (message.kind(), message.into_bytes());
        let is_coded = self.coding.is_some() && compress != Compress::Never;
        if self.role.masks() || is_coded || payload.len() < SHARE_BYTES_MIN {
            return self.send(now, kind, &payload, compress);
        }
        self.admit_message()?;
        self.deadlines.note_message(now);
        let frame_bytes_max = self.limits.frame_bytes_max();
        if self.watch.is_on() {
            for frame in Fragments::new(kind, Reserved::NONE, &payload, frame_bytes_max) {
                self.watch.tell_sent(frame.header());
            }
        }
        let queue = self.outbox.queue();
        queue.push_shared_payload(kind, &payload, frame_bytes_max);
        Ok(())
    }

    /// Queues a message that was encoded once for many connections.
    ///
    /// A server queues its bytes without copying them; a client masks a copy (RFC 6455 §5.3).
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_prepared(&mut self, now: Timestamp, message: &Prepared) -> Result<(), SendError> {
        if self.role.masks() {
            return self.send(now, message.kind(), message.payload(), message.compress());
        }
        self.admit_message()?;
        self.deadlines.note_message(now);
        self.note_coding(now);
        let coded = match &mut self.coding {
            Some(coding) => coding.reduce_prepared(message),
            None => None,
        };
        let is_coded = coded.is_some();
        let frames = coded.unwrap_or_else(|| message.frame().clone());
        if self.watch.is_on() {
            let coded_bytes = self.watch.tell_sent_frames(&frames);
            if is_coded {
                self.watch
                    .tell_reduced(message.payload().len(), coded_bytes);
            }
        }
        self.outbox.queue().push_shared_frames(frames);
        Ok(())
    }

    /// Queues a fragment of a message; the first call begins it, `last` ends it.
    ///
    /// Fragments of text may end inside a character; the message as a whole must be UTF-8.
    /// Control frames may leave between two fragments, other messages may not (RFC 6455 §5.4).
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text), and [`Misuse::KindChanged`] or [`Misuse::NotUtf8`].
    /// The fragment is not queued then, and the message is as it was.
    pub fn send_fragment(
        &mut self,
        now: Timestamp,
        kind: Kind,
        fragment: &[u8],
        last: bool,
    ) -> Result<(), SendError> {
        self.send_fragment_with(now, kind, fragment, last, Compress::Auto)
    }

    /// As [`send_fragment`](Self::send_fragment), with a wish whether the message is to be
    /// compressed. What is wished with its first fragment counts.
    ///
    /// # Errors
    ///
    /// As [`send_fragment`](Self::send_fragment).
    pub fn send_fragment_with(
        &mut self,
        now: Timestamp,
        kind: Kind,
        fragment: &[u8],
        last: bool,
        compress: Compress,
    ) -> Result<(), SendError> {
        self.admit_data()?;
        let first = self.streamed.is_none();
        let mut streamed = self.streamed.unwrap_or_else(|| Streamed::begin(kind));
        streamed.admit(kind, fragment, last)?;
        self.deadlines.note_message(now);
        let part = Part {
            kind,
            bytes: fragment,
            first,
            last,
            compress,
        };
        let is_coded = first || streamed.coded;
        self.note_coding(now);
        let coded = match &mut self.coding {
            Some(coding) if is_coded => coding.reduce(part),
            _ => None,
        };
        if streamed.coded && coded.is_none() {
            // Half of a message can neither be finished nor taken back.
            return Err(self.break_off(now).into());
        }
        streamed.coded = coded.is_some();
        let reserved = match first && streamed.coded {
            true => Reserved::RSV1,
            false => Reserved::NONE,
        };
        let opcode = match first {
            true => opcode_of(kind),
            false => Opcode::Continuation,
        };
        let payload = coded.unwrap_or(fragment);
        if streamed.coded {
            self.watch.tell_reduced(fragment.len(), payload.len());
        }
        let frame_bytes_max = self.limits.frame_bytes_max();
        let frames = Fragments::of_part(opcode, reserved, payload, last, frame_bytes_max);
        let (watch, keys) = (&mut self.watch, self.keys.as_deref_mut());
        self.outbox
            .queue()
            .push_frames(leaving(frames, watch, keys));
        self.set_streamed((!last).then_some(streamed));
        Ok(())
    }

    /// Closes because of a failure of ours.
    fn break_off(&mut self, now: Timestamp) -> Misuse {
        match CloseReason::new(CloseCode::INTERNAL_ERROR, "") {
            Ok(reason) => self.close(now, reason).err().unwrap_or(Misuse::Closing),
            Err(error) => Misuse::CloseReason(error),
        }
    }

    /// Queues a Ping; it overtakes the data that waits.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] when too many control frames wait, [`Misuse::ControlTooLong`] for
    /// more than 125 bytes, [`Misuse::Closing`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(Opcode::Ping, payload)
    }

    /// Queues a Pong that nobody asked for (RFC 6455 §5.5.3). Pings are answered without it.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(Opcode::Pong, payload)
    }

    //= WS-098
    fn send_control(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), SendError> {
        if !self.state.may_send() {
            return Err(Misuse::Closing.into());
        }
        if payload.len() > CONTROL_PAYLOAD_MAX {
            return Err(Misuse::ControlTooLong.into());
        }
        if self.outbox.control_len() >= self.limits.control_bytes_max() {
            return Err(SendError::Full);
        }
        let frame = Frame::control(opcode, self.next_mask(), payload);
        self.watch.tell_sent(frame.header());
        self.outbox.queue().push_control(frame);
        Ok(())
    }

    //= WS-073
    //= WS-103
    //= WS-116
    #[inline]
    pub(super) fn admit_data(&self) -> Result<(), SendError> {
        self.admit_open()?;
        if self.outbox.len() >= self.limits.outbox_bytes_high() {
            return Err(SendError::Full);
        }
        Ok(())
    }

    #[inline]
    pub(super) fn admit_message(&self) -> Result<(), SendError> {
        self.admit_data()?;
        self.admit_between_messages()
    }

    #[inline]
    pub(super) fn admit_open(&self) -> Result<(), SendError> {
        // The short way is left when the open state is.
        match self.plain || self.state.may_send() {
            true => Ok(()),
            false => Err(Misuse::Closing.into()),
        }
    }

    #[inline]
    pub(super) fn admit_between_messages(&self) -> Result<(), SendError> {
        match self.streamed {
            Some(_) => Err(Misuse::MessageUnfinished.into()),
            None => Ok(()),
        }
    }
}

/// The frames as they leave: seen by whoever watches, and masked where this end masks.
fn leaving<'a>(
    frames: Fragments<'a>,
    watch: &'a mut Watch,
    mut keys: Option<&'a mut MaskKeys>,
) -> impl Iterator<Item = Frame<'a>> {
    frames.map(move |frame| {
        watch.tell_sent(frame.header());
        Frame {
            mask: keys.as_deref_mut().map(MaskKeys::next_key),
            ..frame
        }
    })
}
