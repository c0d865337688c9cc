//! The last bytes of what was inflated.

use alloc::collections::VecDeque;

/// The end of the text so far, up to the size of the window.
///
/// A block with BFINAL ends the stream for the decoder, but not the window (RFC 7692 §7.2.3.4):
/// the next block may still refer to it. And a connection that rests keeps this and no decoder.
#[derive(Debug)]
pub(crate) struct History {
    bytes: VecDeque<u8>,
    window: usize,
}

impl History {
    pub(crate) const fn new(window_bits: u8) -> Self {
        Self {
            bytes: VecDeque::new(),
            window: 1 << window_bits,
        }
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        let text = &text[text.len().saturating_sub(self.window)..];
        let beyond = (self.bytes.len() + text.len()).saturating_sub(self.window);
        self.bytes.drain(..beyond);
        self.bytes.extend(text);
    }

    pub(crate) fn clear(&mut self) {
        self.bytes = VecDeque::new();
    }

    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    pub(crate) fn bytes(&mut self) -> &[u8] {
        self.bytes.make_contiguous()
    }
}
