//! The bytes of a receive buffer, and how far they have been read.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

/// Bytes that have arrived: a message that is being put together, and behind it what has not been
/// read.
#[derive(Default)]
pub(crate) struct Buffer {
    /// All of it can be read into; only what is filled means something.
    pub(crate) data: Vec<u8>,
    /// Bytes of `data` that came from the transport.
    pub(crate) filled: usize,
    /// Bytes of `data` that the engine is done with.
    pub(crate) parsed: usize,
    /// Where the message that is being put together begins.
    pub(crate) start: usize,
    /// How long it is so far.
    pub(crate) held: usize,
    /// Whether what was held has been given away since something was found last.
    pub(crate) is_given: bool,
}

impl Buffer {
    pub(crate) const fn new() -> Self {
        Self {
            data: Vec::new(),
            filled: 0,
            parsed: 0,
            start: 0,
            held: 0,
            is_given: false,
        }
    }

    pub(crate) fn with_bytes(bytes: Vec<u8>) -> Self {
        Self {
            filled: bytes.len(),
            data: bytes,
            ..Self::new()
        }
    }

    /// The message that is being put together, as far as it has come.
    #[inline]
    pub(crate) fn held(&self) -> &[u8] {
        &self.data[self.start..self.start + self.held]
    }

    /// Bytes that are held or have not been read.
    pub(crate) const fn waiting(&self) -> usize {
        self.held + self.filled - self.parsed
    }

    /// Whether it came from a transport, and nothing but what is held waits here.
    pub(crate) const fn is_free_but_for_held(&self) -> bool {
        self.filled > 0 && self.parsed == self.filled
    }

    /// Holds all of `bytes`, to hold more: for what is made here, and not read from a transport.
    /// Nothing is filled then, and what is held begins at the front.
    pub(crate) fn holding(bytes: Vec<u8>) -> Self {
        Self {
            held: bytes.len(),
            data: bytes,
            ..Self::new()
        }
    }

    /// Room behind what is held, of at least `wanted` bytes and at most `max`.
    ///
    /// It is memory that has been written before, and is written no more than once as it grows:
    /// by half of what there is, and never beyond `max`.
    pub(crate) fn room(&mut self, wanted: usize, max: usize) -> &mut [u8] {
        let limit = self.held.saturating_add(max);
        let end = self.held.saturating_add(wanted).min(limit);
        if self.data.len() < end {
            let grown = self
                .data
                .capacity()
                .saturating_add(self.data.capacity() / 2);
            let grown = grown.min(limit).max(end);
            self.data.reserve_exact(grown - self.data.len());
            self.data.resize(end, 0);
        }
        let end = self.data.len().min(limit);
        &mut self.data[self.held..end]
    }

    /// What was held from the front on.
    pub(crate) fn into_held(mut self) -> Vec<u8> {
        self.data.truncate(self.held);
        self.data
    }

    /// Gives the memory away, and says where in it the message stands that was held.
    pub(crate) fn take(&mut self) -> (Vec<u8>, Range<usize>) {
        let Self {
            data, start, held, ..
        } = core::mem::take(self);
        self.is_given = true;
        (data, start..start + held)
    }
}

/// How far it has been read. The memory is handed from one connection to the next, so what it
/// holds is not for the eyes of whoever prints this one.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("len", &self.data.len())
            .field("filled", &self.filled)
            .field("parsed", &self.parsed)
            .field("start", &self.start)
            .field("held", &self.held)
            .field("is_given", &self.is_given)
            .finish()
    }
}
