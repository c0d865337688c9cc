//! Where a connection's bytes wait to leave, while there are any.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::queue::Queue;

/// From this size on a payload that is given away is queued without copying it.
pub(crate) const SHARE_BYTES_MIN: usize = 4 << 10;

/// What a connection works with while it sends: lent to it, and taken back when nothing waits.
///
/// A connection makes one for itself when it has none; an idle one can give it up, to whichever
/// connection is next.
#[derive(Debug, Default)]
pub struct SendBuffer(Box<Queue>);

impl SendBuffer {
    /// How many bytes can be queued before memory is allocated.
    pub fn capacity(&self) -> usize {
        self.0.spare_bytes()
    }
}

/// The queue of bytes on their way out; without bytes it may be a null pointer.
#[derive(Debug, Default)]
pub(crate) struct Outbox(Option<Box<Queue>>);

impl Outbox {
    /// Bytes that have not left.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.len())
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|queue| queue.is_empty())
    }

    pub(crate) fn control_len(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.control_len())
    }

    /// The queue to put something into.
    #[inline]
    pub(crate) fn queue(&mut self) -> &mut Queue {
        self.0.get_or_insert_default()
    }

    /// The bytes to send next, in order, as slices.
    #[inline]
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.0.as_deref().map(Queue::slices).into_iter().flatten()
    }

    /// The bytes to send next, where they are all in one place.
    #[inline]
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        self.0.as_deref()?.whole()
    }

    /// Takes note that the first `n` bytes of [`slices`](Self::slices) have left.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) {
        if let Some(queue) = &mut self.0 {
            queue.advance(n);
        }
    }

    /// The buffer that was given and has been sent, if there is one.
    pub(crate) fn take_returned(&mut self) -> Option<Vec<u8>> {
        self.0.as_mut()?.take_returned()
    }

    /// Gives up the queue if nothing waits in it.
    pub(crate) fn take_spare(&mut self) -> Option<SendBuffer> {
        match self.is_empty() {
            true => self.0.take().map(SendBuffer),
            false => None,
        }
    }

    /// Lends a queue, where there is none.
    pub(crate) fn lend_with(&mut self, make: impl FnOnce() -> SendBuffer) {
        self.0.get_or_insert_with(|| make().0);
    }

    /// Gives up everything that waits.
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }
}
