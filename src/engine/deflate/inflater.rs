//! From the wire: inflating within bounds (RFC 7692 §7.2.2).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use zlib_rs::{Inflate, InflateFlush, Status};

use crate::engine::deflate::distances::Distances;
use crate::engine::deflate::history::History;
use crate::engine::deflate::pool::Pool;
use crate::engine::extension::Expanded;
use crate::engine::violation::Violation;

/// What the sender strips from the end of a message, and the receiver puts there again.
const TAIL_BYTES: usize = 4;
/// The tail and one byte behind it, at which the decoder does not look if the tail ends a block.
const PROBE: [u8; TAIL_BYTES + 1] = [0x00, 0x00, 0xff, 0xff, 0x00];

/// What ends a message, if it is of at most so many bytes, is decoded together with the tail and
/// some bytes behind: close to the end of its input the decoder goes symbol by symbol.
const SHORT_BYTES_MAX: usize = 2 << 10;
const PADDED_TAIL: [u8; 24] = {
    let mut padded = [0; 24];
    (padded[2], padded[3]) = (PROBE[2], PROBE[3]);
    padded
};

/// The largest window, which is the one that the decoder itself keeps to.
const WINDOW_BITS_MAX: u8 = 15;

/// The ratio counts from here on: a short message may well grow a thousandfold.
const RATIO_FREE_BYTES: u64 = 64 << 10;

/// Behind each block that is said to be the last one a decoder is made anew, with its window. A
/// message may have so many, and one more for so many bytes; who needs more wants it to be slow.
const ENDS_FREE: u64 = 64;
const BYTES_PER_END: u64 = 64;

/// How far a call has come.
#[derive(Default)]
struct Inflated {
    /// Bytes of the input that were taken, and of the output that were given.
    taken: usize,
    given: usize,
    /// Whether all that was taken has been given.
    drained: bool,
    /// Up to where the history holds the output.
    remembered: usize,
}

/// Undoes the compression of messages, one after the other.
pub(crate) struct Inflater {
    window_bits: u8,
    keeps_context: bool,
    ratio_max: u64,
    pool: Arc<Pool>,
    /// Made when it is needed, with the window that `history` holds.
    stream: Option<Box<Inflate>>,
    history: History,
    /// There while a message is expanded for which a smaller window than the largest was agreed.
    distances: Option<Distances>,
    /// A short end of a message and its tail; here to be used again.
    tailed: Vec<u8>,
    /// Bytes of the present message so far, as they came and as they became.
    taken: u64,
    given: u64,
    /// Blocks of the present message that were said to be the last one.
    ends: u64,
}

impl Inflater {
    pub(crate) fn new(
        window_bits: u8,
        keeps_context: bool,
        ratio_max: u32,
        pool: Arc<Pool>,
    ) -> Self {
        Self {
            window_bits,
            keeps_context,
            ratio_max: u64::from(ratio_max),
            pool,
            stream: None,
            history: History::new(window_bits),
            distances: None,
            tailed: Vec::new(),
            taken: 0,
            given: 0,
            ends: 0,
        }
    }

    /// Writes what `input` becomes to the front of `output`.
    //= PD-056
    //= PD-057
    //= PD-058
    //= PD-063
    pub(crate) fn expand(
        &mut self,
        input: &[u8],
        last: bool,
        output: &mut [u8],
    ) -> Result<Expanded, Violation> {
        //= PX-04
        if last && self.taken == 0 && input.is_empty() {
            return Err(Violation::ExtensionData);
        }
        //= PD-061
        if self.window_bits < WINDOW_BITS_MAX {
            let bits = self.window_bits;
            let distances = self.distances.get_or_insert_with(|| Distances::new(bits));
            distances.check(input)?;
        }
        let is_short = last && input.len() <= SHORT_BYTES_MAX;
        let inflated = match is_short {
            true => self.inflate_with_tail(input, output)?,
            false => self.inflate(input, input.len(), output)?,
        };
        let Inflated { taken, given, .. } = inflated;
        if let Some(distances) = &mut self.distances {
            distances.decoded(taken);
        }
        let done = inflated.drained && taken == input.len();
        let ends = done && last;
        if self.keeps_context || !ends {
            self.history.push(&output[inflated.remembered..given]);
        }
        if ends {
            if !is_short {
                self.take_tail()?;
            }
            self.end_message();
        }
        Ok(Expanded { taken, given, done })
    }

    /// Inflates the end of a message, and takes the tail behind it as well.
    fn inflate_with_tail(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<Inflated, Violation> {
        // The stream has ended by itself, with a block said to be the last one.
        if input.is_empty() && self.stream.is_none() {
            return Ok(Inflated {
                drained: true,
                ..Inflated::default()
            });
        }
        let mut tailed = core::mem::take(&mut self.tailed);
        tailed.clear();
        tailed.extend_from_slice(input);
        tailed.extend_from_slice(&PADDED_TAIL);
        let inflated = self.inflate(&tailed, input.len(), output);
        self.tailed = tailed;
        inflated
    }

    /// Takes what the sender has stripped. It ends an empty block, and the decoder stops there;
    /// anywhere else the message was cut off, and the tail means something or is not enough.
    fn take_tail(&mut self) -> Result<(), Violation> {
        // The stream has ended by itself, with a block said to be the last one.
        if self.stream.is_none() {
            return Ok(());
        }
        let (taken, given, _) = self.step(&PROBE, InflateFlush::Block, &mut [0])?;
        if (taken, given) == (TAIL_BYTES, 0) {
            Ok(())
        } else {
            Err(Violation::ExtensionData)
        }
    }

    fn end_message(&mut self) {
        (self.taken, self.given, self.ends) = (0, 0, 0);
        if let Some(distances) = &mut self.distances {
            distances.end_message();
        }
        if !self.keeps_context {
            // A window of one size is not another's: the decoder begins anew.
            if let Some(stream) = self.stream.take() {
                self.pool.give_inflate(self.window_bits, stream);
            }
            self.history.clear();
        }
    }

    /// Inflates the first `len` bytes of `input`, behind which nothing stands or a tail.
    //= PX-03
    fn inflate(
        &mut self,
        input: &[u8],
        len: usize,
        output: &mut [u8],
    ) -> Result<Inflated, Violation> {
        // The tail is an empty block of its own, so each block is a step.
        let is_tailed = len < input.len();
        let flush = match is_tailed {
            true => InflateFlush::Block,
            false => InflateFlush::SyncFlush,
        };
        let mut at = Inflated::default();
        while at.given < output.len() {
            let target = &mut output[at.given..];
            let is_room_for = target.len();
            let (taken, given, status) = self.step(&input[at.taken..], flush, target)?;
            at.taken += taken;
            at.given += given;
            if at.taken > len {
                // It ends an empty block, or the message was cut off: see `take_tail`.
                if at.taken != len + TAIL_BYTES || given > 0 {
                    return Err(Violation::ExtensionData);
                }
                (at.taken, at.drained) = (len, true);
                return Ok(at);
            }
            if self.is_beyond_ratio() {
                return Err(Violation::MessageTooBig);
            }
            match status {
                // A block said to be the last one has ended: what follows is a new stream with
                // the window of the old one.
                Status::StreamEnd => {
                    self.end_stream(&output[at.remembered..at.given])?;
                    at.remembered = at.given;
                    at.drained = at.taken == len;
                    if at.drained {
                        return Ok(at);
                    }
                }
                _ if given < is_room_for && at.taken == len && !is_tailed => {
                    at.drained = true;
                    return Ok(at);
                }
                _ if taken == 0 && given == 0 => return Err(Violation::ExtensionData),
                _ => {}
            }
        }
        Ok(at)
    }

    /// Gives up the decoder behind a block said to be the last one, and keeps the window, which
    /// ends with `text`.
    fn end_stream(&mut self, text: &[u8]) -> Result<(), Violation> {
        self.history.push(text);
        self.stream = None;
        self.ends += 1;
        match self.ends > ENDS_FREE + self.taken / BYTES_PER_END {
            true => Err(Violation::MessageTooBig),
            false => Ok(()),
        }
    }

    /// One call of the decoder.
    fn step(
        &mut self,
        input: &[u8],
        flush: InflateFlush,
        target: &mut [u8],
    ) -> Result<(usize, usize, Status), Violation> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(begin(&self.pool, self.window_bits, &mut self.history)?),
        };
        let before = (stream.total_in(), stream.total_out());
        let status = stream.decompress(input, target, flush);
        let taken = count(stream.total_in() - before.0);
        let given = count(stream.total_out() - before.1);
        self.taken += taken as u64;
        self.given += given as u64;
        match status {
            Ok(status) => Ok((taken, given, status)),
            Err(_) => Err(Violation::ExtensionData),
        }
    }

    /// Keeps the window and gives up the decoder, unless it is within a message.
    pub(crate) fn rest(&mut self) {
        if self.taken == 0 {
            self.stream = None;
            self.distances = None;
            self.tailed = Vec::new();
            self.history.shrink();
        }
    }

    fn is_beyond_ratio(&self) -> bool {
        self.given > RATIO_FREE_BYTES && self.given / self.taken.max(1) > self.ratio_max
    }
}

/// A decoder whose window is what the history holds.
#[cold]
fn begin(pool: &Pool, window_bits: u8, history: &mut History) -> Result<Box<Inflate>, Violation> {
    let mut stream = pool.take_inflate(window_bits);
    let window = history.bytes();
    if !window.is_empty() {
        stream
            .set_dictionary(window)
            .map_err(|_| Violation::ExtensionData)?;
    }
    Ok(stream)
}

fn count(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("window_bits", &self.window_bits)
            .field("keeps_context", &self.keeps_context)
            .finish_non_exhaustive()
    }
}
