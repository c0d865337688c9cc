//! A WebSocket on which others write while its own task listens.

use bytes::Bytes;
use core::cell::RefCell;
use core::task::{Context, Poll, Waker};
use tokio::io::AsyncRead;

use crate::engine::Prepared;
use crate::net::websocket::WebSocket;
use crate::net::write_now::WriteNow;

/// A WebSocket that belongs to a task, and to which others on the same thread hand messages for
/// all: they are written at once, without a detour over the task.
///
/// The task polls it with [`poll`](Self::poll), and is woken when the stream takes more of what
/// could not be written at once.
#[derive(Debug)]
pub(crate) struct Line<S> {
    socket: RefCell<Option<WebSocket<S>>>,
    /// Wakes the task, once that has polled.
    waker: RefCell<Option<Waker>>,
}

impl<S: AsyncRead + WriteNow> Line<S> {
    pub(crate) const fn new(socket: WebSocket<S>) -> Self {
        Self {
            socket: RefCell::new(Some(socket)),
            waker: RefCell::new(None),
        }
    }

    /// Has the task that calls this do something with the WebSocket, and be woken for it from now
    /// on. `None` when it has been taken.
    pub(crate) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut WebSocket<S>, &mut Context<'_>) -> Poll<T>,
    ) -> Option<Poll<T>> {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|it| it.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        drop(waker);
        self.socket.borrow_mut().as_mut().map(|it| act(it, cx))
    }

    /// Whether frames of messages for all can leave as they are and at once.
    #[inline(always)]
    pub(crate) fn takes_frames(&self) -> bool {
        let socket = self.socket.borrow();
        let driver = socket.as_ref().map(|it| &it.driver);
        driver.is_some_and(|it| it.connection.takes_frames())
    }

    /// Writes frames without compression where they [are taken](Self::takes_frames), and says how
    /// many bytes have left. If that is less than all, [`write`](Self::write) is to be told.
    #[inline(always)]
    pub(crate) fn write_at_once(&self, frames: &[u8]) -> usize {
        match &mut *self.socket.borrow_mut() {
            Some(socket) => socket.driver.write_at_once(frames),
            None => 0,
        }
    }

    /// Writes messages, of which `frames` are the frames without compression, or queues them for
    /// as long as there is room; `written` bytes of the frames have left. Says how many of them
    /// there was room for; those for whom it is too late, since the connection closes, count.
    pub(crate) fn write(&self, messages: &[Prepared], frames: &Bytes, written: usize) -> usize {
        let waker = self.waker.borrow();
        let mut cx = Context::from_waker(waker.as_ref().unwrap_or(Waker::noop()));
        match &mut *self.socket.borrow_mut() {
            Some(socket) => {
                let driver = &mut socket.driver;
                driver.write_for_all(&mut cx, messages, frames, written)
            }
            None => messages.len(),
        }
    }

    /// Bytes that are queued and have not been handed to the stream.
    pub(crate) fn buffered_bytes(&self) -> usize {
        let socket = self.socket.borrow();
        socket.as_ref().map_or(0, WebSocket::buffered_bytes)
    }
}

impl<S> Line<S> {
    /// Takes the WebSocket out.
    pub(crate) fn take(&self) -> Option<WebSocket<S>> {
        self.socket.take()
    }
}
