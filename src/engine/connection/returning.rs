//! Sending back what was received, from where it stands.

use alloc::vec::Vec;
use core::ops::Range;

use crate::engine::compress::Compress;
use crate::engine::connection::Connection;
use crate::engine::connection::small::SMALL_BYTES_MAX;
use crate::engine::frame::opcode_of;
use crate::engine::given::Given;
use crate::engine::message::Lent;
use crate::engine::misuse::SendError;
use crate::engine::outbox::SHARE_BYTES_MIN;
use crate::engine::piece::{Ends, LentPiece};
use crate::engine::streamed::Streamed;
use crate::engine::time::Timestamp;
use crate::wire::opcode::Opcode;

impl Connection {
    /// Queues a message that was received here, which is done with: an echo.
    ///
    /// A server sends a large one from the buffer in which it arrived; when all of it has left,
    /// [`take_returned_buffer`](Self::take_returned_buffer) gives the buffer back.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    #[inline]
    pub fn send_back(&mut self, now: Timestamp, message: Lent<'_>) -> Result<(), SendError> {
        self.admit_message()?;
        if !self.send_small_back(now, &message) {
            self.send_large_back(now, message);
        }
        Ok(())
    }

    /// As [`send_piece_back`](Self::send_piece_back) where the outbox is known not to be full.
    #[inline]
    #[cfg_attr(not(feature = "net"), expect(dead_code, reason = "for a floor above"))]
    pub(crate) fn send_piece_back_with_room(
        &mut self,
        now: Timestamp,
        piece: LentPiece<'_>,
    ) -> Result<(), SendError> {
        let (ends, lent) = piece.into_parts();
        match ends {
            None if self.send_small_back(now, &lent) => Ok(()),
            None => self.send_any_back(now, lent),
            Some(ends) => self.send_fragment_back(now, ends, lent),
        }
    }

    /// Queues a small message, if nothing about it is special. Otherwise nothing has changed.
    #[inline(always)]
    fn send_small_back(&mut self, now: Timestamp, message: &Lent<'_>) -> bool {
        let is_queued = self.takes_small && self.push_small(message.kind(), message.bytes());
        if is_queued && self.keeps_time() {
            self.deadlines.note_message(now);
        }
        is_queued
    }

    #[inline(never)]
    fn send_any_back(&mut self, now: Timestamp, message: Lent<'_>) -> Result<(), SendError> {
        self.admit_open()?;
        self.admit_between_messages()?;
        self.send_large_back(now, message);
        Ok(())
    }

    /// Queues a message that may be sent, with its buffer where that is possible.
    #[inline(never)]
    fn send_large_back(&mut self, now: Timestamp, message: Lent<'_>) {
        self.deadlines.note_message(now);
        let is_copied = message.bytes().len() <= SMALL_BYTES_MAX
            || self.role.masks()
            || self.coding.is_some()
            || self.watch.is_on();
        if is_copied {
            return self.send_any(now, message.kind(), message.bytes(), Compress::Auto);
        }
        let kind = message.kind();
        let (buffer, payload) = match message.take_buffer() {
            Ok(taken) => taken,
            Err(message) => return self.send_any(now, kind, message.bytes(), Compress::Auto),
        };
        self.give(opcode_of(kind), true, buffer, payload);
    }

    /// Queues a piece of a message that was received here, which is done with, as a fragment; one
    /// that is all of a message as that.
    ///
    /// As with [`send_back`](Self::send_back), a server does not copy a large one. Whoever begins
    /// a message with this sends all of it so.
    ///
    /// # Errors
    ///
    /// As [`send_fragment`](Self::send_fragment).
    #[inline]
    pub fn send_piece_back(
        &mut self,
        now: Timestamp,
        piece: LentPiece<'_>,
    ) -> Result<(), SendError> {
        let (ends, lent) = piece.into_parts();
        match ends {
            None => self.send_back(now, lent),
            Some(ends) => self.send_fragment_back(now, ends, lent),
        }
    }

    #[inline(never)]
    fn send_fragment_back(
        &mut self,
        now: Timestamp,
        ends: Ends,
        lent: Lent<'_>,
    ) -> Result<(), SendError> {
        let is_copied = lent.bytes().len() < SHARE_BYTES_MIN
            || self.role.masks()
            || self.coding.is_some()
            || self.watch.is_on();
        if is_copied {
            return self.send_fragment(now, ends.kind, lent.bytes(), ends.last);
        }
        self.admit_data()?;
        let opcode = match self.streamed {
            None => opcode_of(ends.kind),
            Some(_) => Opcode::Continuation,
        };
        let mut streamed = self.streamed.unwrap_or_else(|| Streamed::begin(ends.kind));
        streamed.admit(ends.kind, lent.bytes(), ends.last)?;
        let (buffer, payload) = match lent.take_buffer() {
            Ok(taken) => taken,
            Err(lent) => return self.send_fragment(now, ends.kind, lent.bytes(), ends.last),
        };
        self.deadlines.note_message(now);
        self.give(opcode, ends.last, buffer, payload);
        self.set_streamed((!ends.last).then_some(streamed));
        Ok(())
    }

    /// Queues frames with the buffer in which their payload stands.
    fn give(&mut self, opcode: Opcode, last: bool, buffer: Vec<u8>, payload: Range<usize>) {
        let frame_bytes_max = self.limits.frame_bytes_max();
        let given = Given::new(opcode, last, buffer, payload, frame_bytes_max);
        self.outbox.queue().push_given(given);
    }

    /// The receive buffer that went out with [`send_back`](Self::send_back), once it has been
    /// sent.
    pub fn take_returned_buffer(&mut self) -> Option<Vec<u8>> {
        self.outbox.take_returned()
    }
}
