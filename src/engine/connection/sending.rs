//! Commands that send.

use crate::engine::connection::Connection;
use crate::engine::event::Kind;
use crate::engine::message::{Lent, Message};
use crate::engine::misuse::{Misuse, SendError};
use crate::engine::outbox::{Frame, SHARE_BYTES_MIN, opcode_of};
use crate::engine::prepared::Prepared;
use crate::engine::streamed::Streamed;
use crate::engine::time::Timestamp;
use crate::wire::header::{CONTROL_PAYLOAD_MAX, FrameHeader, Reserved};
use crate::wire::opcode::Opcode;

impl Connection {
    /// Queues a text message in one frame.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] when the outbox is at its high mark, and [`Misuse::Closing`] or
    /// [`Misuse::MessageUnfinished`]. The message is not queued then.
    pub fn send_text(&mut self, now: Timestamp, text: &str) -> Result<(), SendError> {
        self.send(now, Kind::Text, text.as_bytes())
    }

    /// Queues a binary message in one frame.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_binary(&mut self, now: Timestamp, bytes: &[u8]) -> Result<(), SendError> {
        self.send(now, Kind::Binary, bytes)
    }

    /// Queues a message that was received, here or elsewhere: an echo, a relay.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_lent(&mut self, now: Timestamp, message: &Lent<'_>) -> Result<(), SendError> {
        self.send(now, message.kind(), message.bytes())
    }

    /// Queues a message whose text is known to be UTF-8.
    //= WS-117
    //= WS-118
    //= WS-119
    fn send(&mut self, now: Timestamp, kind: Kind, payload: &[u8]) -> Result<(), SendError> {
        self.admit_message()?;
        self.deadlines.note_message(now);
        let mask = self.next_mask();
        let (reserved, opcode) = (Reserved::NONE, opcode_of(kind));
        if let Some(payload) = self
            .coding
            .as_deref_mut()
            .and_then(|it| it.reduce(kind, payload))
        {
            let reserved = Reserved::RSV1;
            self.outbox.push_frame(Frame {
                fin: true,
                reserved,
                opcode,
                mask,
                payload,
            });
            return Ok(());
        }
        self.outbox.push_frame(Frame {
            fin: true,
            reserved,
            opcode,
            mask,
            payload,
        });
        Ok(())
    }

    /// Queues a message that the caller gives away.
    ///
    /// A server queues a large payload without copying it.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_message(&mut self, now: Timestamp, message: Message) -> Result<(), SendError> {
        let (kind, payload) = (message.kind(), message.into_bytes());
        if self.role.masks() || self.coding.is_some() || payload.len() < SHARE_BYTES_MIN {
            return self.send(now, kind, &payload);
        }
        self.admit_message()?;
        self.deadlines.note_message(now);
        let header = FrameHeader {
            fin: true,
            reserved: Reserved::NONE,
            opcode: opcode_of(kind),
            mask: None,
            payload_len: payload.len() as u64,
        };
        self.outbox.push_shared_payload(header, payload);
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
        if self.role.masks() || self.coding.is_some() {
            return self.send(now, message.kind(), message.payload());
        }
        self.admit_message()?;
        self.deadlines.note_message(now);
        self.outbox.push_shared_frame(message.frame().clone());
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
        self.admit_data()?;
        let begun = self.streamed;
        let mut streamed = begun.unwrap_or_else(|| Streamed::begin(kind));
        streamed.admit(kind, fragment, last)?;
        self.deadlines.note_message(now);
        let opcode = if begun.is_some() {
            Opcode::Continuation
        } else {
            opcode_of(kind)
        };
        let mask = self.next_mask();
        let reserved = Reserved::NONE;
        self.outbox.push_frame(Frame {
            fin: last,
            reserved,
            opcode,
            mask,
            payload: fragment,
        });
        self.streamed = (!last).then_some(streamed);
        Ok(())
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
        let mask = self.next_mask();
        self.outbox
            .push_control(Frame::control(opcode, mask, payload));
        Ok(())
    }

    //= WS-073
    //= WS-103
    //= WS-116
    fn admit_data(&self) -> Result<(), SendError> {
        if !self.state.may_send() {
            return Err(Misuse::Closing.into());
        }
        if self.outbox.len() >= self.limits.outbox_bytes_high() {
            return Err(SendError::Full);
        }
        Ok(())
    }

    fn admit_message(&self) -> Result<(), SendError> {
        self.admit_data()?;
        match self.streamed {
            Some(_) => Err(Misuse::MessageUnfinished.into()),
            None => Ok(()),
        }
    }
}
