//! Writing what is for many connections, from outside of their tasks.

use bytes::Bytes;
use core::pin::Pin;
use core::task::{Context, Poll};
use tokio::io::AsyncRead;

use crate::engine::Prepared;
use crate::net::driver::Driver;
use crate::net::pool;
use crate::net::write_now::WriteNow;

impl<S: AsyncRead + WriteNow> Driver<S> {
    /// Writes frames for all where the connection takes them, and says how many bytes have left.
    #[inline(always)]
    pub(crate) fn write_at_once(&mut self, frames: &[u8]) -> usize {
        debug_assert!(self.connection.takes_frames(), "what waits comes first");
        let written = self.stream.write_now(frames);
        if written > 0 {
            self.note_message();
        }
        written
    }

    /// Takes note that messages left without being queued, where it matters when.
    #[inline(always)]
    fn note_message(&mut self) {
        if self.connection.keeps_time() {
            self.connection.note_message(self.clock.now());
        }
    }

    /// Writes messages for all of which `written` bytes [have left](Self::write_at_once), as
    /// [`Line::write`](crate::net::line::Line::write) says.
    ///
    /// `cx` is that of the connection's own task: it is woken when the stream has room for what
    /// is left, and when the connection has ended.
    pub(crate) fn write_for_all(
        &mut self,
        cx: &mut Context<'_>,
        messages: &[Prepared],
        frames: &Bytes,
        written: usize,
    ) -> usize {
        let taken = match written > 0 || self.connection.takes_frames() {
            true => {
                self.write_frames(cx, frames, written);
                messages.len()
            }
            false => self.write_messages(cx, messages),
        };
        if self.connection.is_closed() {
            // Its task is to tell.
            cx.waker().wake_by_ref();
        }
        taken
    }

    fn write_frames(&mut self, cx: &mut Context<'_>, frames: &Bytes, mut written: usize) {
        if written == 0 {
            written = match Pin::new(&mut self.stream).poll_write(cx, frames) {
                Poll::Ready(Ok(n)) => n,
                Poll::Ready(Err(error)) => return self.fail(error),
                Poll::Pending => 0,
            };
            self.unflushed |= written > 0;
            self.note_message();
        }
        // If not all leaves, the task is woken when there is room.
        let _ = match written < frames.len() {
            true => {
                self.connection.queue_frames(frames.clone(), written);
                self.poll_send(cx)
            }
            false => self.poll_flush_stream(cx),
        };
    }

    /// Queues messages and sends them, until all are sent or the stream takes no more.
    fn write_messages(&mut self, cx: &mut Context<'_>, messages: &[Prepared]) -> usize {
        let mut lent = self.receiving.is_none().then(pool::take_receiving);
        if let Some(lent) = &mut lent {
            let sending = &mut lent.sending;
            self.connection
                .lend_send_buffer_with(|| sending.take().unwrap_or_default());
        }
        let mut taken = 0;
        loop {
            while let Some(message) = messages.get(taken).filter(|_| !self.connection.is_full()) {
                // Whoever closes gets no more.
                let _ = self.connection.send_prepared(self.clock.now(), message);
                taken += 1;
            }
            let is_sent = self.poll_send(cx).is_ready();
            if !is_sent || taken == messages.len() || self.connection.is_full() {
                break;
            }
        }
        if let Some(mut lent) = lent {
            lent.sending = self.connection.take_send_buffer();
            pool::give_receiving(lent);
        }
        // What an extension holds is given up after a rest, although the task says nothing.
        if self.poll_deadline(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        taken
    }
}
