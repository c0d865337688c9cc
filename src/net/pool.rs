//! Buffers that belong to a thread while no connection needs them.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

/// How much is read at once.
pub(crate) const READ_BYTES: usize = 64 << 10;
/// A buffer for writing that has grown beyond this is not kept.
const WRITE_BYTES_MAX: usize = 128 << 10;
/// How many buffers of each kind a thread keeps.
const KEPT_MAX: usize = 16;

std::thread_local! {
    static READ: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    static WRITE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer to read into.
pub(crate) fn take_read() -> Vec<u8> {
    READ.with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| vec![0; READ_BYTES])
}

/// Keeps a buffer to read into, if it is one of ours.
pub(crate) fn give_read(buffer: Vec<u8>) {
    if buffer.len() == READ_BYTES {
        keep(&READ, buffer);
    }
}

/// An empty buffer to write into.
pub(crate) fn take_write() -> Vec<u8> {
    WRITE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Keeps an empty buffer to write into.
pub(crate) fn give_write(buffer: Vec<u8>) {
    if (1..=WRITE_BYTES_MAX).contains(&buffer.capacity()) {
        keep(&WRITE, buffer);
    }
}

fn keep(pool: &'static std::thread::LocalKey<RefCell<Vec<Vec<u8>>>>, buffer: Vec<u8>) {
    pool.with_borrow_mut(|kept| {
        if kept.len() < KEPT_MAX {
            kept.push(buffer);
        }
    });
}
