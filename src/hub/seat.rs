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
pub(crate) struct Seat<S> {
    line: Line<S>,
    mailbox: Arc<Mailbox>,
    /// Whether messages wait in the mailbox.
    keeps: Cell<bool>,
}

impl<S: AsyncRead + WriteNow> Seat<S> {
    pub(crate) fn new(socket: WebSocket<S>, mailbox: &Arc<Mailbox>) -> Self {
        Self {
            line: Line::new(socket),
            mailbox: Arc::clone(mailbox),
            keeps: Cell::new(false),
        }
    }

    /// Writes messages to the connection; what there is no room for is offered to the mailbox.
    pub(crate) fn give(&self, batch: &Batch) {
        let messages = batch.messages();
        if messages.is_empty() {
            return;
        }
        if let Some(waiting_max) = batch.waiting_max()
            && (self.line.buffered_bytes() > 0 || self.keeps.get())
        {
            for message in messages {
                self.keep(self.mailbox.offer_passing(message, waiting_max));
            }
            return;
        }
        // What waits comes first; who is to close gets no more.
        let taken = match self.keeps.get() || self.mailbox.is_closing() {
            true => 0,
            false => self.line.write(messages, batch.frames()),
        };
        self.mailbox.count_direct(taken);
        for message in &messages[taken..] {
            self.keep(self.mailbox.offer(message));
        }
    }

    fn keep(&self, waits: bool) {
        self.keeps.set(self.keeps.get() || waits);
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

    /// The place in the hub: to subscribe, to be named, to be counted.
    pub const fn member(&self) -> &Member {
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
