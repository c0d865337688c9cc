//! A member whose connection belongs to a branch.

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::Cell;
use core::fmt;
use core::future::{Future, poll_fn};
use core::task::{Context, Poll};
use tokio::io::AsyncRead;

use crate::hub::batch::Batch;
use crate::hub::mailbox::Mailbox;
use crate::hub::registry::Member;
use crate::net::line::Line;
use crate::net::{Error, Exchange, WebSocket, WriteNow};
use crate::wire::close::CloseReason;

/// A connection, and where its messages wait when it is full.
// In this order, what is looked at and written for each message is one line of memory, and the
// stream another.
#[repr(C)]
pub(crate) struct Seat<S> {
    /// Whether messages wait in the mailbox.
    keeps: Cell<bool>,
    /// Whether the member is to close, and so is given nothing.
    closes: Cell<bool>,
    /// Messages that went to the connection without waiting in the mailbox.
    direct: Cell<u64>,
    line: Line<S>,
    mailbox: Arc<Mailbox>,
}

impl<S: AsyncRead + WriteNow> Seat<S> {
    pub(crate) fn new(socket: WebSocket<S>, mailbox: &Arc<Mailbox>) -> Self {
        Self {
            keeps: Cell::new(false),
            closes: Cell::new(false),
            direct: Cell::new(0),
            line: Line::new(socket),
            mailbox: Arc::clone(mailbox),
        }
    }

    /// Whether what is given can be written as it is and at once, as far as is known here.
    #[inline(always)]
    pub(crate) fn is_free(&self) -> bool {
        // What waits comes first; who is to close gets no more.
        !self.keeps.get() && !self.closes.get() && self.line.takes_frames()
    }

    /// Writes messages to the connection, which [is free](Self::is_free) or not; what there is no
    /// room for is offered to the mailbox.
    ///
    /// To most connections all leaves at once. That is little code on purpose, in one piece: with
    /// many connections, none of it is in the processor's first cache any more when the system
    /// has written to the one before.
    #[inline(always)]
    pub(crate) fn give(&self, batch: &Batch, is_free: bool) {
        let frames = batch.frames();
        let written = match is_free {
            true => self.line.write_at_once(frames),
            false => 0,
        };
        match written == frames.len() {
            true => self.count_direct(batch.messages().len()),
            false => self.give_rest(batch, written),
        }
    }

    /// Writes or keeps messages of which `written` bytes have left.
    #[inline(never)]
    fn give_rest(&self, batch: &Batch, written: usize) {
        let messages = batch.messages();
        if let Some(waiting_max) = batch.waiting_max()
            && written == 0
            && (self.line.buffered_bytes() > 0 || self.keeps.get())
        {
            for message in messages {
                self.keep(self.mailbox.offer_passing(message, waiting_max));
            }
            return;
        }
        let taken = match written == 0 && (self.keeps.get() || self.closes.get()) {
            true => 0,
            false => self.line.write(messages, batch.frames(), written),
        };
        self.count_direct(taken);
        for message in &messages[taken..] {
            self.keep(self.mailbox.offer(message));
        }
    }

    fn keep(&self, waits: bool) {
        self.keeps.set(self.keeps.get() || waits);
        // A member that is too slow may have to.
        self.closes.set(self.mailbox.is_closing());
    }

    #[inline(always)]
    fn count_direct(&self, messages: usize) {
        self.direct.set(self.direct.get() + messages as u64);
    }

    /// The member is to close.
    pub(crate) fn close(&self) {
        self.closes.set(true);
    }

    /// Sends from the mailbox what there is room for.
    fn send_kept(&self, socket: &mut WebSocket<S>) {
        if !self.keeps.get() {
            return;
        }
        self.mailbox.take_each(|message| {
            let has_room = !socket.is_full();
            if has_room {
                // That it closes is seen when it is polled.
                let _ = socket.try_feed_prepared(message);
            }
            has_room
        });
        self.keeps.set(!self.mailbox.is_empty());
    }
}

/// One connection's place in a [`Branch`](crate::hub::Branch), with the connection.
///
/// Dropping it leaves the hub and drops the connection.
pub struct Seated<S> {
    member: Member,
    seat: Rc<Seat<S>>,
}

impl<S> fmt::Debug for Seated<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_struct("Seated");
        told.field("member", &self.member).finish_non_exhaustive()
    }
}

impl<S: AsyncRead + WriteNow> Seated<S> {
    pub(crate) const fn new(member: Member, seat: Rc<Seat<S>>) -> Self {
        Self { member, seat }
    }

    /// The place in the hub: to subscribe, to be named, to be counted. What is written at once is
    /// in its counts as of this call.
    pub fn member(&self) -> &Member {
        self.seat.mailbox.set_direct(self.seat.direct.get());
        &self.member
    }

    /// Has every message from the connection heard by `hear`, as [`WebSocket::serve`] does, and
    /// sends what others have published meanwhile and the stream has not taken. However much that
    /// is, the peer is heard; an answer may find the outbox full.
    ///
    /// Ends with `None` when the connection is closed, and with the reason when the hub says that
    /// the member is to close: say so with the WebSocket that
    /// [`into_socket`](Self::into_socket) gives back.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has arrived stays in the connection, and what waits in its outbox
    /// and in the mailbox.
    pub fn serve(
        &mut self,
        mut hear: impl FnMut(Exchange<'_>),
    ) -> impl Future<Output = Result<Option<CloseReason>, Error>> {
        poll_fn(move |cx| self.poll_serve(cx, &mut hear))
    }

    fn poll_serve(
        &self,
        cx: &mut Context<'_>,
        hear: &mut impl FnMut(Exchange<'_>),
    ) -> Poll<Result<Option<CloseReason>, Error>> {
        let seat = &*self.seat;
        let polled = seat.line.poll(cx, |socket, cx| {
            loop {
                seat.send_kept(socket);
                if let Poll::Ready(reason) = seat.mailbox.poll_close(cx) {
                    return Poll::Ready(Ok(Some(reason)));
                }
                if let Poll::Ready(ended) = socket.poll_hear(cx, hear) {
                    return Poll::Ready(ended.map(|()| None));
                }
                if !seat.keeps.get() || socket.is_full() {
                    return Poll::Pending;
                }
            }
        });
        polled.unwrap_or(Poll::Ready(Ok(None)))
    }

    /// Leaves the hub, and gives the connection back; what waits in the mailbox is dropped.
    pub fn into_socket(self) -> Option<WebSocket<S>> {
        self.seat.line.take()
    }
}

impl<S> Drop for Seated<S> {
    fn drop(&mut self) {
        // The branch lets go of the seat later; the connection ends now.
        drop(self.seat.line.take());
    }
}
