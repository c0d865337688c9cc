//! What an end wants of permessage-deflate.

/// The smallest and the largest window, as powers of two (RFC 7692 §7.1.2).
const WINDOW_BITS: core::ops::RangeInclusive<u8> = 8..=15;

/// How an end compresses, and what it asks of the other.
///
/// Memory for each connection with windows of 15 bits and contexts that are kept: about 420 KiB
/// while it compresses and decompresses, and after a second without a message no more than the
/// last 32 KiB that it has received. Where no context is kept, connections share the memory.
/// `cargo bench --bench compression_memory` counts it for each size of window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateConfig {
    pub(crate) send_window_bits: u8,
    pub(crate) receive_window_bits: u8,
    pub(crate) send_keeps_context: bool,
    pub(crate) receive_keeps_context: bool,
    pub(crate) level: u8,
    pub(crate) threshold_bytes: usize,
    pub(crate) ratio_max: u32,
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self {
            send_window_bits: 15,
            receive_window_bits: 15,
            send_keeps_context: true,
            receive_keeps_context: true,
            level: 6,
            threshold_bytes: 64,
            ratio_max: 1100,
        }
    }
}

impl DeflateConfig {
    /// Sets the windows in which this end sends and receives, 8 to 15 bits. Default: 15.
    #[must_use]
    pub fn with_window_bits(mut self, send: u8, receive: u8) -> Self {
        self.send_window_bits = send.clamp(*WINDOW_BITS.start(), *WINDOW_BITS.end());
        self.receive_window_bits = receive.clamp(*WINDOW_BITS.start(), *WINDOW_BITS.end());
        self
    }

    /// Sets whether the windows of this end's sending and receiving reach back into earlier
    /// messages. Default: both do.
    #[must_use]
    pub const fn with_context_kept(mut self, send: bool, receive: bool) -> Self {
        self.send_keeps_context = send;
        self.receive_keeps_context = receive;
        self
    }

    /// Sets the level, 0 (fastest) to 9 (smallest). Default: 6.
    #[must_use]
    pub fn with_level(mut self, level: u8) -> Self {
        self.level = level.min(9);
        self
    }

    /// Sets the size in bytes below which messages are sent as they are. Default: 64.
    #[must_use]
    pub const fn with_threshold_bytes(mut self, bytes: usize) -> Self {
        self.threshold_bytes = bytes;
        self
    }

    /// Sets how many times larger than what arrived a message may become; a message that grows
    /// more fails the connection with 1009. Default: 1,100, which no honest message reaches.
    #[must_use]
    pub fn with_ratio_max(mut self, ratio: u32) -> Self {
        self.ratio_max = ratio.max(1);
        self
    }
}
