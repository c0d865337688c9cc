//! The least that permessage-deflate can cost: zlib-rs by itself, with the window, the level and
//! the flushes that the engine uses, and buffers that are there already.

use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush};

const WINDOW_BITS: u8 = 15;
const LEVEL: i32 = 6;

/// What a flushed message ends with, and is sent without.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// A compressor and the room for what it makes of a message.
pub(crate) struct Compressor {
    stream: Deflate,
    keeps_context: bool,
    target: Vec<u8>,
}

impl Compressor {
    pub(crate) fn new(keeps_context: bool, message_bytes_max: usize) -> Self {
        Self {
            stream: Deflate::new(LEVEL, false, WINDOW_BITS),
            keeps_context,
            target: vec![0; 2 * message_bytes_max + 64],
        }
    }

    /// The compressed message, without its tail.
    pub(crate) fn message(&mut self, message: &[u8]) -> &[u8] {
        let before = self.stream.total_out();
        self.stream
            .compress(message, &mut self.target, DeflateFlush::SyncFlush)
            .expect("a stream in order");
        let made = usize::try_from(self.stream.total_out() - before).expect("a buffer's length");
        if !self.keeps_context {
            self.stream.reset();
        }
        self.target[..made].strip_suffix(&TAIL).expect("a flush")
    }
}

/// A decompressor and the room for a message.
pub(crate) struct Decompressor {
    stream: Inflate,
    keeps_context: bool,
    target: Vec<u8>,
}

impl Decompressor {
    pub(crate) fn new(keeps_context: bool, message_bytes_max: usize) -> Self {
        Self {
            stream: Inflate::new(false, WINDOW_BITS),
            keeps_context,
            // With room to spare, so that the decoder need not look at where it ends.
            target: vec![0; message_bytes_max + 4096],
        }
    }

    /// The message of a compressed one, whose tail is put there again.
    pub(crate) fn message(&mut self, coded: &[u8]) -> &[u8] {
        let before = self.stream.total_out();
        self.inflate(coded, 0);
        let made = usize::try_from(self.stream.total_out() - before).expect("a buffer's length");
        self.inflate(&TAIL, made);
        if !self.keeps_context {
            self.stream.reset(false);
        }
        &self.target[..made]
    }

    fn inflate(&mut self, input: &[u8], at: usize) {
        self.stream
            .decompress(input, &mut self.target[at..], InflateFlush::SyncFlush)
            .expect("a stream in order");
    }
}
