//! Whether what came back is what was sent.

use crate::cli::args::Verify;
use crate::cli::bench::clock::Clock;
use crate::cli::bench::fault::Fault;
use crate::cli::bench::frames::Frames;
use crate::cli::bench::lane::Lane;
use crate::cli::bench::reader::Hearer;
use crate::cli::bench::tally::Tally;
use crate::cli::bench::windows::Windows;
use crate::wire::opcode::Opcode;

/// Of so many messages one is compared whole. The number shares no factor with how many
/// different messages there are, so that each of them has its turn.
pub(crate) const SAMPLE: u64 = 61;
/// How many bytes of every other message are compared.
const PREFIX_BYTES: usize = 8;

/// Hears one connection.
#[derive(Debug)]
pub(crate) struct Ear<'a> {
    lane: &'a mut Lane,
    frames: &'a Frames,
    tally: &'a mut Tally,
    windows: &'a mut Windows,
    clock: Clock,
    verify: Verify,
    /// When bytes came last, and how many messages have.
    pub(crate) now: u64,
    pub(crate) messages: u64,
}

impl<'a> Ear<'a> {
    pub(crate) const fn new(
        lane: &'a mut Lane,
        frames: &'a Frames,
        tally: &'a mut Tally,
        windows: &'a mut Windows,
        clock: Clock,
        verify: Verify,
    ) -> Self {
        Self {
            lane,
            frames,
            tally,
            windows,
            clock,
            verify,
            now: 0,
            messages: 0,
        }
    }

    /// Whether the message that is coming is compared whole.
    #[inline]
    const fn is_whole(&self) -> bool {
        match self.verify {
            Verify::All => true,
            Verify::Sample => self.lane.next.is_multiple_of(SAMPLE),
            Verify::Off => false,
        }
    }

    /// What a piece is that nothing was sent for.
    #[cold]
    fn unasked(&self, from: usize, bytes: &[u8]) -> Fault {
        let before = self.lane.next.checked_sub(1);
        let payload = before.map(|number| self.frames.payload(number));
        match payload.and_then(|payload| payload.get(from..from + bytes.len())) {
            Some(payload) if payload == bytes => Fault::Doubled,
            _ => Fault::Unasked,
        }
    }

    /// What is wrong with a piece that is not as expected.
    #[cold]
    fn why(&self, from: usize, bytes: &[u8]) -> Fault {
        let is_of = |number| {
            let payload = self.frames.payload(number);
            payload.get(from..from + bytes.len()) == Some(bytes)
        };
        let (next, waiting) = (self.lane.next, self.lane.asked.len() as u64);
        // What there are not more messages than cannot be told from one another.
        let behind = waiting.min(self.frames.variants() as u64 - 1);
        if bytes.len() < 2 {
            Fault::WrongPayload
        } else if (next + 1..next + behind).any(is_of) {
            Fault::Lost
        } else if next > 0 && is_of(next - 1) {
            Fault::Doubled
        } else {
            Fault::WrongPayload
        }
    }
}

impl Hearer for Ear<'_> {
    #[inline]
    fn arrived(&mut self) {
        self.now = self.clock.now();
        self.windows.pass(self.now, &mut self.tally.times);
    }

    #[inline]
    fn piece(&mut self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
        let expected = self.frames.payload(self.lane.next);
        let from = usize::try_from(at).map_err(|_| Fault::WrongLength)?;
        if self.lane.asked.is_empty() {
            return Err(self.unasked(from, bytes));
        }
        let Some(expected) = expected.get(from..from + bytes.len()) else {
            return Err(Fault::WrongLength);
        };
        let compared = match self.verify {
            Verify::Off => 0,
            _ if self.is_whole() => bytes.len(),
            _ => PREFIX_BYTES.saturating_sub(from).min(bytes.len()),
        };
        match bytes[..compared] == expected[..compared] {
            true => Ok(()),
            false => Err(self.why(from, &bytes[..compared])),
        }
    }

    #[inline]
    fn whole(&mut self, opcode: Opcode, bytes: u64) -> Result<(), Fault> {
        let Some(sent) = self.lane.asked.front() else {
            return Err(Fault::Unasked);
        };
        if opcode != self.frames.opcode() {
            return Err(Fault::WrongKind);
        }
        if bytes != self.frames.bytes() as u64 {
            return Err(Fault::WrongLength);
        }
        self.tally.times.record(self.now.saturating_sub(*sent));
        self.tally.compared += u64::from(self.is_whole());
        self.tally.messages += 1;
        self.messages += 1;
        self.lane.asked.pop_front();
        self.lane.next += 1;
        Ok(())
    }
}
