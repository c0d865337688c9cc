//! What one connection has still to send.

use alloc::vec::Vec;
use core::ops::ControlFlow;
use std::io;

use crate::cli::bench::frames::Frames;
use crate::cli::bench::link::Link;

/// What is to be sent: a run of the messages that were made at the beginning, which are not
/// copied, and frames that were made since.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// How far the run of messages has been written, and how far it goes, in bytes.
    written: u64,
    until: u64,
    /// Frames of their own, such as pongs; they go out between messages.
    pub(crate) queue: Vec<u8>,
    queue_written: usize,
    /// The socket has no room; it says when it has.
    is_full: bool,
}

impl Outgoing {
    /// Begins the run at this message, before anything is sent.
    pub(crate) const fn start_at(&mut self, message: u64, frames: &Frames) {
        self.until = message * frames.wire_bytes() as u64;
        self.written = self.until;
    }

    /// Sends so many further messages of the run.
    pub(crate) const fn ask(&mut self, messages: u64, frames: &Frames) {
        self.until += messages * frames.wire_bytes() as u64;
    }

    /// The socket has room again.
    pub(crate) const fn has_room(&mut self) {
        self.is_full = false;
    }

    /// Writes as much as there is room for.
    #[inline]
    pub(crate) fn flush(&mut self, link: &mut Link, frames: &Frames) -> io::Result<()> {
        if self.is_full {
            return Ok(());
        }
        while self.written < self.until || !self.queue.is_empty() {
            match self.write(link, frames) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_full = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        match link.flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    #[inline]
    fn write(&mut self, link: &mut Link, frames: &Frames) -> io::Result<ControlFlow<()>> {
        let message = frames.wire_bytes() as u64;
        let inside = self.written % message;
        if !self.queue.is_empty() && inside == 0 {
            self.queue_written += some(link.write(&self.queue[self.queue_written..], &[])?)?;
            if self.queue_written == self.queue.len() {
                self.queue.clear();
                self.queue_written = 0;
            }
            return Ok(ControlFlow::Continue(()));
        }
        let until = match self.queue.is_empty() {
            true => self.until,
            false => self.written - inside + message,
        };
        let (wire, at) = (frames.wire(), self.written % frames.wire().len() as u64);
        let (Ok(at), Ok(left)) = (usize::try_from(at), usize::try_from(until - self.written))
        else {
            return Ok(ControlFlow::Break(()));
        };
        let first = &wire[at..wire.len().min(at.saturating_add(left))];
        let second = &wire[..(left - first.len()).min(at)];
        self.written += some(link.write(first, second)?)? as u64;
        Ok(ControlFlow::Continue(()))
    }
}

/// Nothing written means that there is no room.
fn some(written: usize) -> io::Result<usize> {
    match written {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        n => Ok(n),
    }
}
