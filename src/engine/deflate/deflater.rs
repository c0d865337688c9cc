//! To the wire: compressing messages (RFC 7692 §7.2.1).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use zlib_rs::{Deflate, DeflateFlush, Status};

use crate::engine::compress::Compress;
use crate::engine::deflate::pool::Pool;
use crate::engine::part::Part;

/// What a flushed message ends with, and is sent without.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// What a message ends with where its last part adds nothing (RFC 7692 §7.2.3.6).
const NOTHING: u8 = 0x00;

/// Compresses messages, one after the other.
pub(crate) struct Deflater {
    window_bits: u8,
    keeps_context: bool,
    level: u8,
    pool: Arc<Pool>,
    /// There from the first message on, where a context is kept, and else within a message.
    stream: Option<Box<Deflate>>,
    /// Whether a message has been begun and not ended.
    within_message: bool,
}

impl Deflater {
    pub(crate) const fn new(
        window_bits: u8,
        keeps_context: bool,
        level: u8,
        pool: Arc<Pool>,
    ) -> Self {
        Self {
            window_bits,
            keeps_context,
            level,
            pool,
            stream: None,
            within_message: false,
        }
    }

    /// The bits of the window that is used: never more than agreed.
    ///
    /// zlib keeps distances at least 262 bytes short of its window: with 9 bits they stay within
    /// 250, which a window of 8 bits holds.
    //= PD-051
    //= PD-054
    //= PD-055
    fn bits(&self) -> u8 {
        self.window_bits.max(9)
    }

    /// The window and the level: what decides how a message is coded from an empty window.
    pub(crate) fn setting(&self) -> (u8, u8) {
        (self.bits(), self.level)
    }

    /// Appends the compressed part to `output`, and says whether it is to be sent so.
    ///
    /// A message that did not become smaller is sent as it is. The compressor has taken it into
    /// its window then and the receiver has not, so it begins anew.
    //= PD-048
    //= PX-02
    pub(crate) fn reduce(&mut self, part: Part<'_>, output: &mut Vec<u8>) -> bool {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None if part.first => self.pool.take_deflate(self.bits(), self.level),
            // The message was begun with a compressor that is gone.
            None => return false,
        };
        let coded = compress(&mut stream, part.bytes, output)
            && (!part.last || strip_tail(output))
            && is_worth_while(part, output);
        self.within_message = coded && !part.last;
        if coded && (self.keeps_context || !part.last) {
            self.stream = Some(stream);
        } else {
            //= PD-052
            //= PD-053
            self.pool.give_deflate(self.bits(), self.level, stream);
        }
        coded
    }

    /// Appends a whole message, compressed from an empty window and leaving none behind.
    pub(crate) fn reduce_alone(&self, part: Part<'_>, output: &mut Vec<u8>) -> bool {
        let pool = Arc::clone(&self.pool);
        let mut alone = Self::new(self.window_bits, false, self.level, pool);
        alone.reduce(part, output)
    }

    /// Begins anew with an empty window, which costs the next message some of its shortness.
    pub(crate) fn forget(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.pool.give_deflate(self.bits(), self.level, stream);
        }
    }

    /// Gives up the compressor, unless it is within a message.
    pub(crate) fn rest(&mut self) {
        if !self.within_message {
            self.stream = None;
        }
    }
}

/// Whether a message should be sent as `output` rather than as it is. That is settled with its
/// first part.
fn is_worth_while(part: Part<'_>, output: &[u8]) -> bool {
    let whole = part.first && part.last;
    !whole || part.compress == Compress::Always || output.len() < part.bytes.len()
}

/// Compresses and flushes; `false` leaves both the stream and the output of no use.
fn compress(stream: &mut Deflate, mut part: &[u8], output: &mut Vec<u8>) -> bool {
    // Most messages become less than half; all of the room is written before it is lent.
    let room = part.len() / 2 + 64;
    loop {
        let at = output.len();
        output.resize(at + room, 0);
        let (taken, given) = (stream.total_in(), stream.total_out());
        let status = stream.compress(part, &mut output[at..], DeflateFlush::SyncFlush);
        let taken = usize::try_from(stream.total_in() - taken).unwrap_or(usize::MAX);
        let given = usize::try_from(stream.total_out() - given).unwrap_or(usize::MAX);
        let was_full = at + given == output.len();
        output.truncate(at + given);
        part = &part[taken..];
        match status {
            Ok(Status::Ok | Status::BufError) if part.is_empty() && !was_full => return true,
            Ok(Status::Ok | Status::BufError) if taken > 0 || given > 0 || was_full => {}
            _ => return false,
        }
    }
}

/// Takes the tail off the end of a message.
//= PD-050
fn strip_tail(output: &mut Vec<u8>) -> bool {
    match output.strip_suffix(&TAIL).map(<[u8]>::len) {
        Some(len) => output.truncate(len),
        // Nothing to flush: the parts before ended with a tail, or the message is empty.
        None if output.is_empty() => output.push(NOTHING),
        None => return false,
    }
    true
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("window_bits", &self.window_bits)
            .field("keeps_context", &self.keeps_context)
            .finish_non_exhaustive()
    }
}
