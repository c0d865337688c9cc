//! The connections of one thread.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use mio::{Events, Interest, Poll, Token};
use std::io;

use crate::cli::bench::alarm::Alarm;
use crate::cli::bench::fault::Fault;
use crate::cli::bench::frames::Frames;
use crate::cli::bench::link::{Link, Secure, source};
use crate::cli::bench::opening::{Opening, Progress, failed};
use crate::cli::bench::outgoing::Outgoing;
use crate::cli::bench::reader::{Hearer, Reader, control};
use crate::client::{Config, Url};
use crate::wire::opcode::Opcode;

/// What is received goes here, whosever it is.
const BUFFER_BYTES: usize = 256 << 10;
/// How long to wait where nothing is due.
const PATIENCE: Duration = Duration::from_millis(100);
const ALARM: Token = Token(usize::MAX);

/// Whom to connect to, and how.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) address: SocketAddr,
    pub(crate) secure: Secure,
    pub(crate) config: Config,
}

/// What a place in the pool holds.
#[derive(Debug)]
enum Slot {
    Empty,
    Opening(Box<Opening>),
    Open(Box<Socket>),
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Socket {
    link: Link,
    reader: Reader,
    pub(crate) out: Outgoing,
    /// What came behind the answer to the handshake.
    early: Vec<u8>,
}

/// What an event was for.
#[derive(Debug)]
pub(crate) enum Turn {
    Nothing,
    /// A connection is open.
    Opened,
    /// It is not, for this reason.
    Failed(Fault, String),
    /// Something of an open connection.
    Open,
}

/// Connections, by number, and the means to wait for all of them.
#[derive(Debug)]
pub(crate) struct Pool {
    target: Arc<Target>,
    poll: Poll,
    alarm: Alarm,
    buffer: Vec<u8>,
    slots: Vec<Slot>,
    /// When it was last looked for what takes too long.
    expired: u64,
}

impl Pool {
    pub(crate) fn new(target: Arc<Target>, connections: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        Ok(Self {
            target,
            poll,
            alarm,
            buffer: vec![0; BUFFER_BYTES],
            slots: (0..connections).map(|_| Slot::Empty).collect(),
            expired: 0,
        })
    }

    /// Waits until something happens or it is `at`.
    #[inline]
    pub(crate) fn wait(
        &mut self,
        events: &mut Events,
        at: Option<u64>,
        now: u64,
    ) -> io::Result<()> {
        let wait = match at {
            Some(at) if at <= now => Duration::ZERO,
            Some(at) => self.alarm.set(at, now)?.min(PATIENCE),
            None => PATIENCE,
        };
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// Begins the connection of this number. Which of this machine's addresses it comes from is
    /// up to `which`.
    pub(crate) fn begin(&mut self, at: usize, which: u64, now: u64) -> Result<(), (Fault, String)> {
        let target = &*self.target;
        let from = source(target.address, which).filter(|_| which > 0);
        let mut link =
            Link::begin(target.address, from, &target.secure).map_err(|error| failed(&error))?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(link.tcp(), Token(at), interest)
            .map_err(|error| failed(&error))?;
        let opening = Opening::new(link, target.config.request(&target.url), now)?;
        self.slots[at] = Slot::Opening(Box::new(opening));
        Ok(())
    }

    /// Goes on with a connection for which there was an event.
    #[inline]
    pub(crate) fn turn(&mut self, at: usize) -> Turn {
        match self.slots.get_mut(at) {
            Some(Slot::Open(_)) => Turn::Open,
            Some(Slot::Opening(_)) => self.open(at),
            _ => Turn::Nothing,
        }
    }

    fn open(&mut self, at: usize) -> Turn {
        let Slot::Opening(opening) = core::mem::replace(&mut self.slots[at], Slot::Empty) else {
            return Turn::Nothing;
        };
        match opening.go_on(&self.target.config) {
            Progress::More(opening) => {
                self.slots[at] = Slot::Opening(opening);
                Turn::Nothing
            }
            Progress::Open(link, early) => {
                self.slots[at] = Slot::Open(Box::new(Socket {
                    link,
                    reader: Reader::default(),
                    out: Outgoing::default(),
                    early,
                }));
                Turn::Opened
            }
            Progress::Failed(fault, words) => Turn::Failed(fault, words),
        }
    }

    /// As [`expire`](Self::expire), and only now and then: it looks at every place.
    pub(crate) fn expire_rarely(&mut self, before: u64, now: u64) -> u64 {
        const EVERY: u64 = 100_000_000;
        if now < self.expired + EVERY {
            return 0;
        }
        self.expired = now;
        self.expire(before)
    }

    /// Gives up what has been opening since before that time; how many these were.
    pub(crate) fn expire(&mut self, before: u64) -> u64 {
        let mut expired = 0;
        for slot in &mut self.slots {
            if matches!(slot, Slot::Opening(opening) if opening.began() < before) {
                *slot = Slot::Empty;
                expired += 1;
            }
        }
        expired
    }

    /// The connection, where it is open.
    #[inline]
    pub(crate) fn socket(&mut self, at: usize) -> Option<&mut Socket> {
        match self.slots.get_mut(at) {
            Some(Slot::Open(socket)) => Some(socket),
            _ => None,
        }
    }

    /// How many places there are.
    pub(crate) const fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many connections are open.
    pub(crate) fn open_count(&self) -> usize {
        let is_open = |slot: &&Slot| matches!(slot, Slot::Open(_));
        self.slots.iter().filter(is_open).count()
    }

    /// Ends the connection, as it is.
    pub(crate) fn end(&mut self, at: usize) {
        self.slots[at] = Slot::Empty;
    }

    /// Reads what has come, and has it heard. With `to_the_end` the stream is known to end.
    #[inline]
    pub(crate) fn hear<H: Hearer>(
        &mut self,
        at: usize,
        to_the_end: bool,
        hearer: &mut H,
    ) -> Result<(), Fault> {
        let Some(Slot::Open(socket)) = self.slots.get_mut(at) else {
            return Ok(());
        };
        let Socket {
            link,
            reader,
            out,
            early,
        } = &mut **socket;
        if !early.is_empty() {
            hearer.arrived();
            reader.feed(&core::mem::take(early), hearer, &mut out.queue)?;
        }
        loop {
            match link.read(&mut self.buffer) {
                Ok(0) => return Err(Fault::Cut),
                Ok(n) => {
                    hearer.arrived();
                    reader.feed(&self.buffer[..n], hearer, &mut out.queue)?;
                    if n < self.buffer.len() && link.short_is_all() && !to_the_end {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Fault::Cut),
            }
        }
    }

    /// Sends what there is room for.
    #[inline]
    pub(crate) fn flush(&mut self, at: usize, frames: &Frames) -> Result<(), Fault> {
        match self.slots.get_mut(at) {
            Some(Slot::Open(socket)) => socket
                .out
                .flush(&mut socket.link, frames)
                .map_err(|_| Fault::Cut),
            _ => Ok(()),
        }
    }

    /// Says goodbye on the connection, in the order of the protocol.
    pub(crate) fn say_close(&mut self, at: usize, frames: &Frames) {
        const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();
        if let Some(socket) = self.socket(at) {
            control(Opcode::Close, &NORMAL, &mut socket.out.queue);
        }
        if self.flush(at, frames).is_err() {
            self.end(at);
        }
    }
}
