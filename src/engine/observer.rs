//! Watching a connection: statistics, and a hook for every frame.

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use crate::engine::closure::Closure;
use crate::engine::time::Timestamp;
use crate::wire::header::{Decoded, FrameHeader};
use crate::wire::opcode::Opcode;

/// Is told what happens on a connection, as it happens.
///
/// It runs inside the engine: it should be short, and it cannot change anything.
pub trait Observer: fmt::Debug + Send {
    /// Something happened.
    fn observe(&mut self, what: &Observed<'_>);
}

/// What an [`Observer`] is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Observed<'a> {
    /// A frame began to arrive and is allowed where it stands.
    Received(&'a FrameHeader),
    /// A frame was queued to be sent. The masking key is not shown.
    Sent(&'a FrameHeader),
    /// A piece of a message was expanded: bytes as they came and as they became.
    Expanded {
        /// In the coding of the extension.
        coded: u64,
        /// As the application gets them.
        plain: u64,
    },
    /// A message or a part of one was coded by the extension.
    Reduced {
        /// As the application gave it.
        plain: u64,
        /// In the coding of the extension.
        coded: u64,
    },
    /// The peer answered a keep-alive Ping after so long.
    RoundTrip(Duration),
    /// The transport took nothing for so long while bytes waited.
    Stalled(Duration),
    /// The connection is closed.
    Closed(&'a Closure),
}

/// Frames of one kind, and the payload in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Frames.
    pub frames: u64,
    /// Bytes of payload, as they stand on the wire.
    pub bytes: u64,
}

/// Bytes before and after an extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recoded {
    /// As the application sees them.
    pub plain: u64,
    /// As they stand on the wire.
    pub coded: u64,
}

impl Recoded {
    /// How many bytes of the application there are to one on the wire; `None` before the first.
    #[expect(clippy::cast_precision_loss, reason = "a ratio is not exact")]
    pub fn ratio(&self) -> Option<f64> {
        (self.coded > 0).then(|| self.plain as f64 / self.coded as f64)
    }
}

/// What has passed over a connection since statistics were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    received: [Traffic; 6],
    sent: [Traffic; 6],
    expanded: Recoded,
    reduced: Recoded,
    stalled: Duration,
    round_trip: Option<Duration>,
}

impl Statistics {
    /// Frames received with this opcode.
    pub const fn received(&self, opcode: Opcode) -> Traffic {
        self.received[place(opcode)]
    }

    /// Frames sent, or queued to be, with this opcode.
    pub const fn sent(&self, opcode: Opcode) -> Traffic {
        self.sent[place(opcode)]
    }

    /// What was received in the coding of the extension.
    pub const fn expanded(&self) -> Recoded {
        self.expanded
    }

    /// What was sent in the coding of the extension.
    pub const fn reduced(&self) -> Recoded {
        self.reduced
    }

    /// For how long the transport took nothing while bytes waited, in all.
    pub const fn stalled(&self) -> Duration {
        self.stalled
    }

    /// How long the peer took to answer the last keep-alive Ping.
    pub const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}

impl Observer for Statistics {
    fn observe(&mut self, what: &Observed<'_>) {
        match *what {
            Observed::Received(header) => count(&mut self.received, header),
            Observed::Sent(header) => count(&mut self.sent, header),
            Observed::Expanded { coded, plain } => {
                self.expanded.coded += coded;
                self.expanded.plain += plain;
            }
            Observed::Reduced { plain, coded } => {
                self.reduced.plain += plain;
                self.reduced.coded += coded;
            }
            Observed::RoundTrip(took) => self.round_trip = Some(took),
            Observed::Stalled(time) => self.stalled += time,
            Observed::Closed(_) => {}
        }
    }
}

fn count(traffic: &mut [Traffic; 6], header: &FrameHeader) {
    let traffic = &mut traffic[place(header.opcode)];
    traffic.frames += 1;
    traffic.bytes += header.payload_len;
}

const fn place(opcode: Opcode) -> usize {
    match opcode {
        Opcode::Continuation => 0,
        Opcode::Text => 1,
        Opcode::Binary => 2,
        Opcode::Close => 3,
        Opcode::Ping => 4,
        Opcode::Pong => 5,
    }
}

/// Whoever watches a connection. With nobody it is a null pointer.
#[derive(Debug, Default)]
pub(crate) struct Watch(Option<Box<Watchers>>);

#[derive(Debug, Default)]
struct Watchers {
    statistics: Option<Statistics>,
    observer: Option<Box<dyn Observer>>,
    /// Since when the transport has taken nothing while bytes waited.
    stalled_since: Option<Timestamp>,
}

impl Watch {
    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn keep_statistics(&mut self) {
        let watchers = self.0.get_or_insert_default();
        watchers.statistics.get_or_insert_default();
    }

    pub(crate) fn set_observer(&mut self, observer: Box<dyn Observer>) {
        self.0.get_or_insert_default().observer = Some(observer);
    }

    pub(crate) fn statistics(&self) -> Option<&Statistics> {
        self.0.as_ref()?.statistics.as_ref()
    }

    pub(crate) fn tell(&mut self, what: &Observed<'_>) {
        let Some(watchers) = &mut self.0 else {
            return;
        };
        if let Some(statistics) = &mut watchers.statistics {
            statistics.observe(what);
        }
        if let Some(observer) = &mut watchers.observer {
            observer.observe(what);
        }
    }

    /// The transport takes nothing, or takes something again.
    pub(crate) fn note_stalled(&mut self, now: Timestamp, is_stalled: bool) {
        let Some(watchers) = &mut self.0 else {
            return;
        };
        if is_stalled {
            watchers.stalled_since.get_or_insert(now);
        } else if let Some(since) = watchers.stalled_since.take() {
            self.tell(&Observed::Stalled(now.since(since)));
        }
    }

    /// Tells of a frame that was queued.
    pub(crate) fn tell_sent(&mut self, header: FrameHeader) {
        if self.is_on() {
            let header = FrameHeader {
                mask: None,
                ..header
            };
            self.tell(&Observed::Sent(&header));
        }
    }

    /// Tells of every frame in bytes that were encoded before, and returns how much payload they
    /// hold.
    pub(crate) fn tell_sent_frames(&mut self, mut frames: &[u8]) -> usize {
        let mut payload_bytes = 0;
        while let Ok(Decoded::Header(header, taken)) = FrameHeader::decode(frames) {
            let len = usize::try_from(header.payload_len).unwrap_or(usize::MAX);
            self.tell_sent(header);
            payload_bytes += len;
            frames = frames.get(taken.saturating_add(len)..).unwrap_or_default();
        }
        payload_bytes
    }

    /// Tells of a part that the extension has coded.
    pub(crate) fn tell_reduced(&mut self, plain: usize, coded: usize) {
        let (plain, coded) = (plain as u64, coded as u64);
        self.tell(&Observed::Reduced { plain, coded });
    }
}
