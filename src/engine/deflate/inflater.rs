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

/// The largest window, which is the one that the decoder itself keeps to.
const WINDOW_BITS_MAX: u8 = 15;

/// How much output is made room for at once: so many times what came, within these bounds. All of
/// the room is written before it is lent, so a short message is given little; and a step that ends
/// within a message costs, for what follows refers to the decoder's copy of the window.
const STEP_TIMES: usize = 6;
const STEP_BYTES_MIN: usize = 1 << 10;
const STEP_BYTES_MAX: usize = 64 << 10;

/// The ratio counts from here on: a short message may well grow a thousandfold.
const RATIO_FREE_BYTES: u64 = 64 << 10;

/// Behind each block that is said to be the last one a decoder is made anew, with its window. A
/// message may have so many, and one more for so many bytes; who needs more wants it to be slow.
const ENDS_FREE: u64 = 64;
const BYTES_PER_END: u64 = 64;

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
            taken: 0,
            given: 0,
            ends: 0,
        }
    }

    /// Appends at most `room` bytes of what `input` becomes to `output`.
    //= PD-056
    //= PD-057
    //= PD-058
    //= PD-063
    pub(crate) fn expand(
        &mut self,
        input: &[u8],
        last: bool,
        room: usize,
        output: &mut Vec<u8>,
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
        let (taken, drained, remembered) = self.inflate(input, room, output)?;
        if let Some(distances) = &mut self.distances {
            distances.decoded(taken);
        }
        let done = drained && taken == input.len();
        let ends = done && last;
        if self.keeps_context || !ends {
            self.history.push(&output[remembered..]);
        }
        if ends {
            self.take_tail()?;
            self.end_message();
        }
        Ok(Expanded { taken, done })
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

    /// Inflates into at most `room` bytes. Says how much of `input` was taken, whether all that was
    /// taken has been given, and up to where the history holds `output`.
    //= PX-03
    fn inflate(
        &mut self,
        input: &[u8],
        room: usize,
        output: &mut Vec<u8>,
    ) -> Result<(usize, bool, usize), Violation> {
        let limit = output.len().saturating_add(room);
        let (mut at, mut remembered) = (0, output.len());
        loop {
            let step = (input.len() - at).saturating_mul(STEP_TIMES);
            let step = step.clamp(STEP_BYTES_MIN, STEP_BYTES_MAX);
            let step = step.min(limit - output.len());
            if step == 0 {
                return Ok((at, false, remembered));
            }
            let flush = InflateFlush::SyncFlush;
            let before = output.len();
            grow(output, step, limit);
            output.resize(before + step, 0);
            let stepped = self.step(&input[at..], flush, &mut output[before..]);
            output.truncate(before + stepped.map_or(0, |(_, given, _)| given));
            let (taken, given, status) = stepped?;
            at += taken;
            if self.is_beyond_ratio() {
                return Err(Violation::MessageTooBig);
            }
            match status {
                // A block said to be the last one has ended: what follows is a new stream with
                // the window of the old one.
                Status::StreamEnd => {
                    self.history.push(&output[remembered..]);
                    remembered = output.len();
                    self.stream = None;
                    self.ends += 1;
                    if self.ends > ENDS_FREE + self.taken / BYTES_PER_END {
                        return Err(Violation::MessageTooBig);
                    }
                    if at == input.len() {
                        return Ok((at, true, remembered));
                    }
                }
                _ if given < step && at == input.len() => {
                    return Ok((at, true, remembered));
                }
                _ if taken == 0 && given == 0 => return Err(Violation::ExtensionData),
                _ => {}
            }
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
            none => {
                let mut stream = self.pool.take_inflate(self.window_bits);
                let window = self.history.bytes();
                if !window.is_empty() {
                    stream
                        .set_dictionary(window)
                        .map_err(|_| Violation::ExtensionData)?;
                }
                none.insert(stream)
            }
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
            self.history.shrink();
        }
    }

    fn is_beyond_ratio(&self) -> bool {
        self.given > RATIO_FREE_BYTES && self.given / self.taken.max(1) > self.ratio_max
    }
}

/// Makes room for a step: by half of what there is, and never beyond the limit.
fn grow(output: &mut Vec<u8>, step: usize, limit: usize) {
    let wanted = output.len() + step;
    if output.capacity() < wanted {
        let half = output.capacity() / 2;
        let grown = output
            .capacity()
            .saturating_add(half)
            .min(limit)
            .max(wanted);
        output.reserve_exact(grown - output.len());
    }
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
