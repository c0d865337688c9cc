//! Everybody who hears a fan-out: one encoded frame is written to each socket, from the task of
//! whoever sent it.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use tokio::net::tcp::OwnedWriteHalf;

/// How much may wait for somebody who does not read.
const OWED_MAX: usize = 64 << 20;

#[derive(Default)]
pub struct Hall {
    members: RefCell<Vec<Rc<Member>>>,
}

/// The half of a connection that others write to.
pub struct Member {
    socket: OwnedWriteHalf,
    /// What did not fit into the socket.
    owed: RefCell<Vec<u8>>,
    /// Wakes the connection's own task, which writes what is owed.
    waker: RefCell<Option<Waker>>,
    is_lost: Cell<bool>,
}

impl Hall {
    pub fn join(&self, member: &Rc<Member>) {
        self.members.borrow_mut().push(Rc::clone(member));
    }

    pub fn leave(&self, member: &Rc<Member>) {
        self.members
            .borrow_mut()
            .retain(|it| !Rc::ptr_eq(it, member));
    }

    /// Writes whole frames to everybody; control frames, which are between two, only to `own`.
    pub fn publish(&self, frames: &mut Vec<u8>, own: &Member) {
        take_control(frames, own);
        if !frames.is_empty() {
            for member in self.members.borrow().iter() {
                member.send(frames);
            }
            frames.clear();
        }
    }
}

impl Member {
    pub fn new(socket: OwnedWriteHalf) -> Self {
        Self {
            socket,
            owed: RefCell::default(),
            waker: RefCell::default(),
            is_lost: Cell::new(false),
        }
    }

    pub fn send(&self, bytes: &[u8]) {
        let mut owed = self.owed.borrow_mut();
        let mut written = 0;
        if owed.is_empty() {
            while written < bytes.len() {
                match self.socket.try_write(&bytes[written..]) {
                    Ok(count) => written += count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => return self.is_lost.set(true),
                }
            }
        }
        if written < bytes.len() {
            owed.extend_from_slice(&bytes[written..]);
            self.is_lost.set(owed.len() > OWED_MAX);
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }

    /// Writes what is owed, and is ready when that is nothing.
    pub fn poll_owed(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_lost.get() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut owed = self.owed.borrow_mut();
        while !owed.is_empty() {
            match self.socket.try_write(&owed) {
                Ok(count) => drop(owed.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.socket.as_ref().poll_write_ready(cx))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The task to wake when something is owed.
    pub fn wakes(&self, waker: &Waker) {
        let mut slot = self.waker.borrow_mut();
        if !slot.as_ref().is_some_and(|it| it.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }
}

/// Takes control frames away, and sends them to `own` alone.
fn take_control(frames: &mut Vec<u8>, own: &Member) {
    let mut at = 0;
    while at < frames.len() {
        let Some(size) = frame_size(&frames[at..]).filter(|size| at + size <= frames.len()) else {
            // No library writes a part of a frame before it reads on.
            own.is_lost.set(true);
            return frames.clear();
        };
        if frames[at] & 0x08 != 0 {
            let control: Vec<u8> = frames.drain(at..at + size).collect();
            own.send(&control);
        } else {
            at += size;
        }
    }
}

/// How long the unmasked frame is that begins here.
fn frame_size(bytes: &[u8]) -> Option<usize> {
    let length = |from: usize, to: usize| {
        let bytes = bytes.get(from..to)?;
        let length = bytes
            .iter()
            .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        usize::try_from(length).ok()
    };
    match bytes.get(1)? & 0x7f {
        126 => Some(4 + length(2, 4)?),
        127 => 10_usize.checked_add(length(2, 10)?),
        short => Some(2 + usize::from(short)),
    }
}
