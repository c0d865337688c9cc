//! To the wire: compressing whole messages (RFC 7692 §7.2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use zlib_rs::{Deflate, DeflateFlush, Status};

/// What a flushed message ends with, and is sent without.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Compresses messages, one after the other.
pub(crate) struct Deflater {
    window_bits: u8,
    keeps_context: bool,
    level: u8,
    /// Made for the first message; gone again where no context is kept.
    stream: Option<Box<Deflate>>,
}

impl Deflater {
    pub(crate) const fn new(window_bits: u8, keeps_context: bool, level: u8) -> Self {
        Self {
            window_bits,
            keeps_context,
            level,
            stream: None,
        }
    }

    /// Appends the compressed message to `output`, and says whether it is to be sent so.
    ///
    /// A message that did not become smaller is sent as it is. The compressor has taken it into
    /// its window then and the receiver has not, so it begins anew.
    //= PD-048
    //= PD-051
    //= PD-052
    //= PD-053
    //= PD-054
    //= PD-055
    //= PX-02
    pub(crate) fn reduce(&mut self, message: &[u8], output: &mut Vec<u8>) -> bool {
        // zlib keeps distances at least 262 bytes short of its window: with 9 bits they stay
        // within 250, which a window of 8 bits holds.
        let bits = self.window_bits.max(9);
        let level = i32::from(self.level);
        let mut stream = self
            .stream
            .take()
            .unwrap_or_else(|| Box::new(Deflate::new(level, false, bits)));
        if compress(&mut stream, message, output) && output.len() < message.len() {
            self.stream = self.keeps_context.then_some(stream);
            return true;
        }
        false
    }
}

/// Compresses and flushes; `false` leaves both the stream and the output of no use.
fn compress(stream: &mut Deflate, mut message: &[u8], output: &mut Vec<u8>) -> bool {
    output.reserve(message.len() / 2 + 64);
    loop {
        let at = output.len();
        output.resize(output.capacity().max(at + 64), 0);
        let (taken, given) = (stream.total_in(), stream.total_out());
        let status = stream.compress(message, &mut output[at..], DeflateFlush::SyncFlush);
        let taken = usize::try_from(stream.total_in() - taken).unwrap_or(usize::MAX);
        let given = usize::try_from(stream.total_out() - given).unwrap_or(usize::MAX);
        let was_full = at + given == output.len();
        output.truncate(at + given);
        message = &message[taken..];
        match status {
            Ok(Status::Ok | Status::BufError) if message.is_empty() && !was_full => break,
            Ok(Status::Ok | Status::BufError) if taken > 0 || given > 0 || was_full => {}
            _ => return false,
        }
    }
    match output.strip_suffix(&TAIL).map(<[u8]>::len) {
        Some(len) => {
            output.truncate(len);
            true
        }
        None => false,
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("window_bits", &self.window_bits)
            .field("keeps_context", &self.keeps_context)
            .finish_non_exhaustive()
    }
}
