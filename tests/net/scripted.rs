//! A stream that does what a test says: gives little, takes little, waits, fails, and counts.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Mutex, MutexGuard};

use framewire::engine::Role;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::peer::{self, Frame};

/// What reading finds next.
#[derive(Clone, Debug)]
pub(crate) enum Give {
    Bytes(Vec<u8>),
    /// Nothing, this once.
    Pending,
    Error(ErrorKind),
    End,
}

#[derive(Debug, Default)]
struct State {
    incoming: VecDeque<Give>,
    reader: Option<Waker>,
    read_bytes_max: Option<usize>,
    reads: usize,

    written: Vec<u8>,
    parsed: usize,
    writer: Option<Waker>,
    write_bytes_max: Option<usize>,
    /// Whether every other write and flush finds the stream busy.
    hesitates: bool,
    hesitated: bool,
    /// How much may still be written; without end when there is none.
    room: Option<usize>,
    write_error: Option<ErrorKind>,
    writes: usize,
    flushes: usize,
    is_shut_down: bool,
}

/// The end that the WebSocket under test holds.
#[derive(Debug)]
pub(crate) struct Scripted(Arc<Mutex<State>>);

/// The end that the test holds.
#[derive(Clone, Debug)]
pub(crate) struct Script(Arc<Mutex<State>>);

/// Both ends of a stream on which nothing has happened.
pub(crate) fn stream() -> (Scripted, Script) {
    let state = Arc::new(Mutex::default());
    (Scripted(Arc::clone(&state)), Script(state))
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Script {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics with the lock")
    }

    /// Has reading find these things, after those before.
    pub(crate) fn give(&self, gives: impl IntoIterator<Item = Give>) {
        let mut state = self.lock();
        state.incoming.extend(gives);
        let reader = state.reader.take();
        drop(state);
        wake(reader);
    }

    pub(crate) fn give_bytes(&self, bytes: &[u8]) {
        self.give([Give::Bytes(bytes.to_vec())]);
    }

    /// Has each read return at most so much, and each write take at most so much.
    pub(crate) fn limit_bytes(&self, reads: usize, writes: usize) {
        let mut state = self.lock();
        (state.read_bytes_max, state.write_bytes_max) = (Some(reads), Some(writes));
    }

    /// Has every other write, flush and shutdown find the stream busy, and be woken at once.
    pub(crate) fn hesitate(&self) {
        self.lock().hesitates = true;
    }

    /// Lets only so much more be written.
    pub(crate) fn set_room(&self, room: Option<usize>) {
        let mut state = self.lock();
        state.room = room;
        let writer = state.writer.take();
        drop(state);
        wake(writer);
    }

    /// Has the next write fail.
    pub(crate) fn fail_write(&self, kind: ErrorKind) {
        let mut state = self.lock();
        state.write_error = Some(kind);
        let writer = state.writer.take();
        drop(state);
        wake(writer);
    }

    pub(crate) fn reads(&self) -> usize {
        self.lock().reads
    }

    pub(crate) fn writes(&self) -> usize {
        self.lock().writes
    }

    pub(crate) fn flushes(&self) -> usize {
        self.lock().flushes
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.lock().is_shut_down
    }

    /// What has been given and not been read.
    pub(crate) fn unread(&self) -> usize {
        let state = self.lock();
        let bytes = state.incoming.iter().map(|give| match give {
            Give::Bytes(bytes) => bytes.len(),
            _ => 0,
        });
        bytes.sum()
    }

    pub(crate) fn written(&self) -> usize {
        self.lock().written.len()
    }

    /// The whole frames that an end in `role` has written since this was last asked.
    pub(crate) fn frames(&self, role: Role) -> Vec<Frame> {
        let mut state = self.lock();
        let (frames, len) = peer::parse_from(role, &state.written[state.parsed..]);
        state.parsed += len;
        frames
    }
}

impl State {
    /// Whether the stream is busy this time.
    fn hesitate(&mut self, cx: &Context<'_>) -> bool {
        self.hesitated = self.hesitates && !self.hesitated;
        if self.hesitated {
            cx.waker().wake_by_ref();
        }
        self.hesitated
    }

    fn write(&mut self, cx: &Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.hesitate(cx) {
            return Poll::Pending;
        }
        self.writes += 1;
        assert!(!self.is_shut_down, "written behind the end");
        if let Some(kind) = self.write_error {
            return Poll::Ready(Err(kind.into()));
        }
        let mut left = self
            .room
            .unwrap_or(usize::MAX)
            .min(self.write_bytes_max.unwrap_or(usize::MAX));
        if left == 0 {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let before = self.written.len();
        for slice in slices {
            let taken = slice.len().min(left);
            self.written.extend_from_slice(&slice[..taken]);
            left -= taken;
        }
        let taken = self.written.len() - before;
        self.room = self.room.map(|room| room - taken);
        Poll::Ready(Ok(taken))
    }
}

impl AsyncRead for Scripted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().expect("no test panics with the lock");
        state.reads += 1;
        match state.incoming.pop_front() {
            None => {
                state.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Some(Give::Pending) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Give::Error(kind)) => return Poll::Ready(Err(kind.into())),
            Some(Give::End) => state.incoming.push_front(Give::End),
            Some(Give::Bytes(mut bytes)) => {
                let max = state.read_bytes_max.unwrap_or(usize::MAX);
                let rest = bytes.split_off(bytes.len().min(max).min(buffer.remaining()));
                buffer.put_slice(&bytes);
                if !rest.is_empty() {
                    state.incoming.push_front(Give::Bytes(rest));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0
            .lock()
            .expect("no test panics with the lock")
            .write(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().expect("no test panics with the lock");
        if state.hesitate(cx) {
            return Poll::Pending;
        }
        state.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().expect("no test panics with the lock");
        if state.hesitate(cx) {
            return Poll::Pending;
        }
        state.is_shut_down = true;
        Poll::Ready(Ok(()))
    }
}
