//! Memory that belongs to a thread while no connection needs it.
//!
//! A connection on which nothing happens holds none of this. What a thread keeps is bounded,
//! whatever its connections did before.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::net::receiving::Receiving;

/// How much is read at once: what fits, with a header, into the 64 KiB less their own headers that
/// the system hands down at once. What is sent back as it came would leave as two segments
/// otherwise, one of them tiny.
const READ_BYTES: usize = (64 << 10) - 128;
/// What sends with a larger buffer than this is not kept.
const SEND_BYTES_MAX: usize = 128 << 10;
/// How many of each kind a thread keeps.
const KEPT_MAX: usize = 16;
/// How many bytes a thread keeps of buffers for messages larger than [`READ_BYTES`].
const LARGE_BYTES_MAX: usize = 24 << 20;

std::thread_local! {
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept::new()) };
}

struct Kept {
    #[expect(
        clippy::vec_box,
        reason = "a connection holds the box, and it changes hands whole"
    )]
    receiving: Vec<Box<Receiving>>,
    /// Buffers of [`READ_BYTES`].
    read: Vec<Vec<u8>>,
    /// Buffers that are larger, the one that was given last behind the others.
    large: Vec<Vec<u8>>,
    /// How large they are together.
    large_bytes: usize,
}

impl Kept {
    const fn new() -> Self {
        Self {
            receiving: Vec::new(),
            read: Vec::new(),
            large: Vec::new(),
            large_bytes: 0,
        }
    }
}

/// What to work with.
pub(crate) fn take_receiving() -> Box<Receiving> {
    KEPT.with_borrow_mut(|kept| kept.receiving.pop())
        .unwrap_or_else(|| Receiving::with_bytes(Vec::new()))
}

/// Keeps what was worked with, and in which nothing waits.
pub(crate) fn give_receiving(mut receiving: Box<Receiving>) {
    if receiving
        .sending
        .as_ref()
        .is_some_and(|it| it.capacity() > SEND_BYTES_MAX)
    {
        receiving.sending = None;
    }
    if let Some(buffer) = receiving.inbox.take_buffer_unless(READ_BYTES) {
        give_read(buffer);
    }
    KEPT.with_borrow_mut(|kept| keep(&mut kept.receiving, receiving));
}

/// Lends a buffer to receive into: the one there is has next to no room left.
///
/// That a frame declares much allocates nothing: a buffer that would hold all that is to come is
/// lent where the thread keeps one from before.
#[inline(never)]
pub(crate) fn lend_read(receiving: &mut Receiving, to_come: u64) {
    let inbox = &mut receiving.inbox;
    if inbox.wants_buffer(READ_BYTES) {
        inbox.lend_buffer(take_read());
    } else if to_come > 0 && inbox.is_full() {
        let needed = (inbox.waiting_bytes() as u64).saturating_add(to_come);
        if let Some(buffer) = take_large(needed) {
            inbox.lend_buffer(buffer);
        }
    }
}

/// A buffer to read into.
fn take_read() -> Vec<u8> {
    KEPT.with_borrow_mut(|kept| kept.read.pop())
        .unwrap_or_else(|| vec![0; READ_BYTES])
}

/// A buffer that holds so many bytes, if there is one.
fn take_large(bytes: u64) -> Option<Vec<u8>> {
    KEPT.with_borrow_mut(|kept| {
        let fits = |it: &Vec<u8>| it.len() as u64 >= bytes;
        let at = kept.large.iter().rposition(fits)?;
        let buffer = kept.large.swap_remove(at);
        kept.large_bytes -= buffer.len();
        Some(buffer)
    })
}

/// Keeps a buffer to read into, if it is as large as such a buffer is or larger.
pub(crate) fn give_read(buffer: Vec<u8>) {
    KEPT.with_borrow_mut(|kept| match buffer.len() {
        READ_BYTES => keep(&mut kept.read, buffer),
        len if len > READ_BYTES && len <= LARGE_BYTES_MAX - kept.large_bytes => {
            kept.large_bytes += len;
            kept.large.push(buffer);
        }
        _ => {}
    });
}

fn keep<T>(kept: &mut Vec<T>, value: T) {
    if kept.len() < KEPT_MAX {
        kept.push(value);
    }
}
