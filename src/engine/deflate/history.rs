//! The last bytes of what was inflated.

use alloc::vec::Vec;

/// The end of the text so far, up to the size of the window.
///
/// A block with BFINAL ends the stream for the decoder, but not the window (RFC 7692 §7.2.3.4):
/// the next block may still refer to it. And a connection that rests keeps this and no decoder.
#[derive(Debug)]
pub(crate) struct History {
    bytes: Vec<u8>,
    /// Where the oldest byte stands, which the next one takes the place of once the window is full.
    oldest: usize,
    window: usize,
}

impl History {
    pub(crate) const fn new(window_bits: u8) -> Self {
        Self {
            bytes: Vec::new(),
            oldest: 0,
            window: 1 << window_bits,
        }
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        let text = &text[text.len().saturating_sub(self.window)..];
        let (fits, over) = text.split_at(text.len().min(self.window - self.bytes.len()));
        if !fits.is_empty() {
            self.bytes.extend_from_slice(fits);
        }
        if !over.is_empty() {
            let to_end = over.len().min(self.window - self.oldest);
            let (last, first) = over.split_at(to_end);
            self.bytes[self.oldest..self.oldest + to_end].copy_from_slice(last);
            self.bytes[..first.len()].copy_from_slice(first);
            self.oldest = match first.len() {
                0 if self.oldest + to_end < self.window => self.oldest + to_end,
                wrapped => wrapped,
            };
        }
    }

    pub(crate) fn clear(&mut self) {
        (self.bytes, self.oldest) = (Vec::new(), 0);
    }

    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    pub(crate) fn bytes(&mut self) -> &[u8] {
        self.bytes.rotate_left(self.oldest);
        self.oldest = 0;
        &self.bytes
    }
}
