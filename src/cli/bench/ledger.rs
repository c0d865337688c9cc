//! Who has published what, and who has heard it.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::cli::args::Verify;
use crate::cli::bench::clock::Clock;
use crate::cli::bench::fault::Fault;
use crate::cli::bench::frames::{Frames, STAMP_BYTES, read_stamp, stamp};
use crate::cli::bench::hearing::SAMPLE;
use crate::cli::bench::reader::Hearer;
use crate::cli::bench::tally::Tally;
use crate::wire::opcode::Opcode;

/// How many missing messages are remembered, to tell one that is late from one that is doubled.
const MISSING_MAX: usize = 65_536;

/// A message that some have not heard yet.
#[derive(Clone, Copy, Debug)]
struct Publication {
    /// When it was sent, or was meant to be.
    at: u64,
    /// How many are still to hear it.
    waiting: usize,
    /// Whether all have heard it who are to.
    is_complete: bool,
}

/// What one connection has published.
#[derive(Debug, Default)]
pub(crate) struct Publisher {
    /// Those that some have not heard, in order; the first has this number.
    open: VecDeque<Publication>,
    first: u64,
}

impl Publisher {
    /// The number of the next message.
    fn next(&self) -> u64 {
        self.first + self.open.len() as u64
    }

    /// How many messages are on the way.
    pub(crate) fn on_the_way(&self) -> usize {
        self.open.len()
    }

    /// Notes a message to so many, and returns its number.
    pub(crate) fn publish(&mut self, at: u64, listeners: usize) -> u64 {
        let number = self.next();
        self.open.push_back(Publication {
            at,
            waiting: listeners,
            is_complete: true,
        });
        number
    }

    fn get(&mut self, number: u64) -> Option<&mut Publication> {
        let at = number.checked_sub(self.first)?;
        self.open.get_mut(usize::try_from(at).ok()?)
    }

    /// Takes away what needs to be waited for no longer; how many these are.
    fn settle(&mut self) -> u64 {
        let before = self.first;
        while self.open.front().is_some_and(|it| it.waiting == 0) {
            self.open.pop_front();
            self.first += 1;
        }
        self.first - before
    }
}

/// One connection, listening.
#[derive(Debug)]
struct Listener {
    /// Of each publisher, the number of the message that is to come.
    next: Vec<u64>,
    /// How many messages have come, whosever they are.
    heard: u64,
    /// How the message begins that is coming.
    stamp: [u8; STAMP_BYTES],
}

/// Who has published what, and who has heard it.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) publishers: Vec<Publisher>,
    listeners: Vec<Listener>,
    /// What some have not heard although they have heard what came behind: who, of whom, which.
    missing: BTreeSet<(usize, usize, u64)>,
    /// Messages that everybody has heard, or will not.
    pub(crate) settled: u64,
    /// Whether listeners may begin anywhere: some have joined later than others.
    is_gathering: bool,
}

impl Ledger {
    pub(crate) fn new(publishers: usize, listeners: usize) -> Self {
        let listener = || Listener {
            next: vec![0; publishers],
            heard: 0,
            stamp: [0; STAMP_BYTES],
        };
        Self {
            publishers: (0..publishers).map(|_| Publisher::default()).collect(),
            listeners: (0..listeners).map(|_| listener()).collect(),
            missing: BTreeSet::new(),
            settled: 0,
            is_gathering: true,
        }
    }

    /// Listeners hear from now on all that is published.
    pub(crate) fn gathered(&mut self) {
        self.is_gathering = false;
        for at in 0..self.publishers.len() {
            let publisher = &mut self.publishers[at];
            publisher.first = publisher.next();
            publisher.open.clear();
            for listener in &mut self.listeners {
                listener.next[at] = self.publishers[at].first;
            }
        }
    }

    /// Whether this listener has heard the last message of the first publisher.
    pub(crate) fn is_up_to_date(&self, listener: usize) -> bool {
        self.listeners[listener].next[0] == self.publishers[0].next()
    }

    /// The publisher's messages that have not been settled.
    pub(crate) fn is_waiting(&self) -> bool {
        self.publishers.iter().any(|it| it.on_the_way() > 0)
    }

    /// One less has to hear this message; `heard` is when it did, unless it has not.
    fn heard(&mut self, publisher: usize, number: u64, heard: Option<u64>, tally: &mut Tally) {
        let Some(publication) = self.publishers[publisher].get(number) else {
            return;
        };
        publication.waiting = publication.waiting.saturating_sub(1);
        match heard {
            Some(now) => tally.times.record(now.saturating_sub(publication.at)),
            None => publication.is_complete = false,
        }
        if publication.waiting > 0 {
            return;
        }
        if let (Some(now), true) = (heard, publication.is_complete) {
            tally.last.record(now.saturating_sub(publication.at));
            tally.messages += 1;
        }
        self.settled += self.publishers[publisher].settle();
    }

    /// A listener has heard this message, now.
    fn hear(
        &mut self,
        listener: usize,
        publisher: usize,
        number: u64,
        now: u64,
        tally: &mut Tally,
    ) -> Result<(), Fault> {
        if number >= self.publishers[publisher].next() {
            return Err(Fault::Unasked);
        }
        let next = self.listeners[listener].next[publisher];
        if self.is_gathering {
            self.listeners[listener].next[publisher] = number + 1;
            return Ok(());
        }
        if number < next {
            let was_missing = self.missing.remove(&(listener, publisher, number));
            let fault = match was_missing {
                true => Fault::OutOfOrder,
                false => Fault::Doubled,
            };
            tally.faults.add(fault, 1);
            if was_missing {
                tally.faults.take_back(Fault::Lost);
                tally.deliveries += 1;
            }
            return Ok(());
        }
        for lost in next..number {
            tally.faults.add(Fault::Lost, 1);
            if self.missing.len() < MISSING_MAX {
                self.missing.insert((listener, publisher, lost));
            }
            self.heard(publisher, lost, None, tally);
        }
        self.listeners[listener].next[publisher] = number + 1;
        tally.deliveries += 1;
        self.heard(publisher, number, Some(now), tally);
        Ok(())
    }

    /// A listener hears no more; returns how many messages it has not heard.
    pub(crate) fn leave(&mut self, listener: usize, tally: &mut Tally) -> u64 {
        let mut unheard = 0;
        for publisher in 0..self.publishers.len() {
            let next = self.listeners[listener].next[publisher];
            for number in next..self.publishers[publisher].next() {
                unheard += 1;
                self.heard(publisher, number, None, tally);
            }
        }
        unheard
    }
}

/// Hears one listener.
#[derive(Debug)]
pub(crate) struct Crowd<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) listener: usize,
    pub(crate) frames: &'a Arc<Frames>,
    pub(crate) tally: &'a mut Tally,
    pub(crate) clock: Clock,
    pub(crate) verify: Verify,
    pub(crate) now: u64,
}

impl Crowd<'_> {
    /// Of whom the message that is coming is, and which.
    #[inline]
    fn of(&self) -> Result<(usize, u64), Fault> {
        let stamp = self.ledger.listeners[self.listener].stamp;
        let (publisher, number) = read_stamp(stamp).ok_or(Fault::WrongPayload)?;
        match usize::from(publisher) {
            publisher if publisher < self.ledger.publishers.len() => Ok((publisher, number)),
            _ => Err(Fault::WrongPayload),
        }
    }

    /// Whether the message that is coming is compared whole; its stamp is in any case.
    #[inline]
    fn is_whole(&self) -> bool {
        let heard = self.ledger.listeners[self.listener].heard;
        match self.verify {
            Verify::All => true,
            Verify::Sample => (heard + self.listener as u64).is_multiple_of(SAMPLE),
            Verify::Off => false,
        }
    }
}

impl Hearer for Crowd<'_> {
    #[inline]
    fn arrived(&mut self) {
        self.now = self.clock.now();
    }

    #[inline]
    fn piece(&mut self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
        let from = usize::try_from(at).map_err(|_| Fault::WrongLength)?;
        if from + bytes.len() > self.frames.bytes() {
            return Err(Fault::WrongLength);
        }
        let stamped = STAMP_BYTES.saturating_sub(from).min(bytes.len());
        if stamped > 0 {
            let stamp = &mut self.ledger.listeners[self.listener].stamp;
            stamp[from..from + stamped].copy_from_slice(&bytes[..stamped]);
        }
        if from + bytes.len() <= STAMP_BYTES || !self.is_whole() {
            return Ok(());
        }
        let (_, number) = self.of()?;
        let expected = &self.frames.payload(number)[from + stamped..from + bytes.len()];
        match bytes[stamped..] == *expected {
            true => Ok(()),
            false => Err(Fault::WrongPayload),
        }
    }

    #[inline]
    fn whole(&mut self, opcode: Opcode, bytes: u64) -> Result<(), Fault> {
        if bytes != self.frames.bytes() as u64 {
            return Err(Fault::WrongLength);
        }
        if opcode != self.frames.opcode() {
            return Err(Fault::WrongKind);
        }
        let (publisher, number) = self.of()?;
        self.tally.compared += u64::from(self.is_whole());
        self.ledger.listeners[self.listener].heard += 1;
        self.ledger
            .hear(self.listener, publisher, number, self.now, self.tally)
    }
}

/// A message of the publisher, at the end of `target`.
pub(crate) fn append(frames: &Frames, publisher: usize, number: u64, target: &mut Vec<u8>) {
    let stamp = stamp(u16::try_from(publisher).unwrap_or(u16::MAX), number);
    frames.stamped(number, stamp, target);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// What two listeners make of these numbers of one publisher, which has sent four.
    fn faults(heard: &[(usize, u64)]) -> (Vec<(Fault, u64)>, u64, u64) {
        let mut tally = Tally::new().unwrap();
        let mut ledger = Ledger::new(1, 2);
        ledger.gathered();
        for _ in 0..4 {
            ledger.publishers[0].publish(1000, 2);
        }
        for (listener, number) in heard {
            ledger
                .hear(*listener, 0, *number, 2000, &mut tally)
                .unwrap();
        }
        let faults = tally.faults.counts().collect();
        (faults, tally.messages, tally.deliveries)
    }

    #[test]
    fn what_everybody_hears_in_order_is_right() {
        let heard = [
            (0, 0),
            (0, 1),
            (1, 0),
            (1, 1),
            (1, 2),
            (0, 2),
            (0, 3),
            (1, 3),
        ];
        assert_eq!(faults(&heard), (vec![], 4, 8));
    }

    #[test]
    fn what_is_lost_doubled_or_late_is_told_apart() {
        let with = |heard: &[(usize, u64)]| faults(heard).0;
        assert_eq!(with(&[(0, 0), (0, 2)]), [(Fault::Lost, 1)]);
        assert_eq!(with(&[(0, 0), (0, 0)]), [(Fault::Doubled, 1)]);
        assert_eq!(with(&[(0, 1), (0, 0)]), [(Fault::OutOfOrder, 1)]);
        let both = [(0, 3), (0, 1), (0, 1)];
        let expected = [
            (Fault::Doubled, 1),
            (Fault::Lost, 2),
            (Fault::OutOfOrder, 1),
        ];
        assert_eq!(with(&both), expected);
    }

    #[test]
    fn a_message_that_somebody_lost_does_not_keep_the_next_from_being_sent() {
        let mut tally = Tally::new().unwrap();
        let mut ledger = Ledger::new(1, 2);
        ledger.gathered();
        for _ in 0..2 {
            ledger.publishers[0].publish(0, 2);
        }
        for (listener, number) in [(0, 0), (0, 1), (1, 1)] {
            ledger.hear(listener, 0, number, 9, &mut tally).unwrap();
        }
        assert!(!ledger.is_waiting());
        assert_eq!((ledger.settled, tally.messages), (2, 1));
    }

    #[test]
    fn who_leaves_is_not_waited_for() {
        let mut tally = Tally::new().unwrap();
        let mut ledger = Ledger::new(2, 2);
        ledger.gathered();
        ledger.publishers[1].publish(0, 2);
        ledger.hear(0, 1, 0, 9, &mut tally).unwrap();
        assert_eq!(ledger.leave(1, &mut tally), 1);
        assert!(!ledger.is_waiting());
    }

    #[test]
    fn a_number_that_was_not_sent_is_not_heard() {
        let mut tally = Tally::new().unwrap();
        let mut ledger = Ledger::new(1, 1);
        assert_eq!(ledger.hear(0, 0, 0, 9, &mut tally), Err(Fault::Unasked));
    }
}
