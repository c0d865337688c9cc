//! From the wire: inflating within bounds (RFC 7692 §7.2.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use zlib_rs::{Inflate, InflateFlush, Status};

use crate::engine::deflate::history::History;
use crate::engine::violation::Violation;

/// What the sender strips from the end of a message, and the receiver puts there again.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// How much output is made room for at once.
const STEP_BYTES: usize = 4 << 10;

/// The ratio counts from here on: a short message may well grow a thousandfold.
const RATIO_FREE_BYTES: u64 = 64 << 10;

/// Undoes the compression of messages, one after the other.
pub(crate) struct Inflater {
    window_bits: u8,
    keeps_context: bool,
    ratio_max: u64,
    /// Made for the first message.
    stream: Option<Box<Inflate>>,
    history: History,
    /// Bytes of the present message so far, as they came and as they became.
    taken: u64,
    given: u64,
}

impl Inflater {
    pub(crate) fn new(window_bits: u8, keeps_context: bool, ratio_max: u32) -> Self {
        Self {
            window_bits,
            keeps_context,
            ratio_max: u64::from(ratio_max),
            stream: None,
            history: History::new(window_bits),
            taken: 0,
            given: 0,
        }
    }

    /// Appends what `input` becomes to `output`: at most `room` bytes.
    //= PD-056
    //= PD-057
    //= PD-058
    //= PD-063
    pub(crate) fn expand(
        &mut self,
        input: &[u8],
        last: bool,
        room: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        self.taken += input.len() as u64;
        //= PX-04
        if last && self.taken == 0 {
            return Err(Violation::ExtensionData);
        }
        let before = output.len();
        self.inflate(input, room, output)?;
        if last {
            // At the end of a block the tail is an empty block; anywhere else the message was
            // cut off, and its bits mean something.
            let whole = output.len();
            let room = room - (whole - before) as u64;
            self.inflate(&TAIL, room, output)?;
            if output.len() != whole {
                return Err(Violation::ExtensionData);
            }
        }
        self.history.push(&output[before..]);
        if last {
            self.end_message();
        }
        Ok(())
    }

    fn end_message(&mut self) {
        (self.taken, self.given) = (0, 0);
        if !self.keeps_context {
            // A window of one size is not another's: the decoder is made anew.
            self.stream = None;
            self.history.clear();
        }
    }

    //= PX-03
    fn inflate(
        &mut self,
        mut input: &[u8],
        room: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let limit = output.len().saturating_add(room);
        let bits = self.window_bits;
        let begun = output.len();
        loop {
            let stream = self
                .stream
                .get_or_insert_with(|| Box::new(Inflate::new(false, bits)));
            let at = output.len();
            // One byte beyond the room tells a message that is too big from one that just fits.
            let step = STEP_BYTES
                .min(1 << bits)
                .min((limit - at).saturating_add(1));
            output.resize(at + step, 0);
            let (taken, given) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(input, &mut output[at..], InflateFlush::SyncFlush);
            let taken = count(stream.total_in() - taken);
            let given = count(stream.total_out() - given);
            output.truncate(at + given);
            input = &input[taken..];
            self.given += given as u64;
            if output.len() > limit || self.is_beyond_ratio() {
                return Err(Violation::MessageTooBig);
            }
            match status {
                Err(_) => return Err(Violation::ExtensionData),
                Ok(Status::StreamEnd) => {
                    self.begin_again(&output[begun..])?;
                    if input.is_empty() {
                        return Ok(());
                    }
                }
                Ok(_) if given < step && input.is_empty() => return Ok(()),
                Ok(_) if taken == 0 && given == 0 => return Err(Violation::ExtensionData),
                Ok(_) => {}
            }
        }
    }

    /// A block said to be the last one has ended: what follows is a new stream with the window
    /// of the old one.
    fn begin_again(&mut self, text: &[u8]) -> Result<(), Violation> {
        let mut window = History::new(self.window_bits);
        window.push(self.history.bytes());
        window.push(text);
        let mut stream = Inflate::new(false, self.window_bits);
        if !window.bytes().is_empty() {
            stream
                .set_dictionary(window.bytes())
                .map_err(|_| Violation::ExtensionData)?;
        }
        self.stream = Some(Box::new(stream));
        Ok(())
    }

    fn is_beyond_ratio(&self) -> bool {
        self.given > RATIO_FREE_BYTES && self.given / self.taken.max(1) > self.ratio_max
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
