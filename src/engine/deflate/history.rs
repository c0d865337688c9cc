//! The last bytes of what was inflated.

use alloc::vec::Vec;

/// The end of the text so far, up to the size of the window.
///
/// A block with BFINAL ends the stream for the decoder, but not the window (RFC 7692 §7.2.3.4):
/// the next block may still refer to it.
#[derive(Debug)]
pub(crate) struct History {
    bytes: Vec<u8>,
    window: usize,
}

impl History {
    pub(crate) const fn new(window_bits: u8) -> Self {
        Self {
            bytes: Vec::new(),
            window: 1 << window_bits,
        }
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        if text.len() >= self.window {
            self.bytes.clear();
            self.bytes
                .extend_from_slice(&text[text.len() - self.window..]);
            return;
        }
        let keep = self.window - text.len();
        if self.bytes.len() > keep {
            let drop = self.bytes.len() - keep;
            self.bytes.copy_within(drop.., 0);
            self.bytes.truncate(keep);
        }
        self.bytes.extend_from_slice(text);
    }

    pub(crate) fn clear(&mut self) {
        self.bytes = Vec::new();
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
