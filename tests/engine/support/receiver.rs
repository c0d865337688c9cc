//! An engine that is fed bytes, and what it told about them.

use alloc::sync::Arc;

use framewire::engine::{Chunk, Connection, Event, Extension, Incoming, Kind, Limits, Received};
use framewire::engine::{Role, Timestamp, Violation};

use crate::support::chunks::Cut;
use crate::support::raw_peer::RawPeer;

/// What the engine told, pieces of one message put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close,
    Failed(Violation),
}

impl Told {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(crate) fn binary(bytes: &[u8]) -> Self {
        Self::Binary(bytes.to_vec())
    }

    pub(crate) fn ping(payload: &[u8]) -> Self {
        Self::Ping(payload.to_vec())
    }

    pub(crate) fn pong(payload: &[u8]) -> Self {
        Self::Pong(payload.to_vec())
    }

    /// A whole message as the engine gave it; text that is not UTF-8 stops the test.
    pub(crate) fn message(kind: Kind, bytes: Vec<u8>) -> Self {
        match kind {
            Kind::Text => Self::Text(String::from_utf8(bytes).expect("text is UTF-8")),
            Kind::Binary => Self::Binary(bytes),
        }
    }

    /// What an inbox told.
    pub(crate) fn of(incoming: &Incoming<'_>) -> Self {
        match incoming {
            Incoming::Message(lent) => {
                assert_eq!(
                    lent.text().map(str::as_bytes),
                    lent.text().map(|_| lent.bytes())
                );
                Self::message(lent.kind(), lent.bytes().to_vec())
            }
            Incoming::Ping(payload) => Self::ping(payload),
            Incoming::Pong(payload) => Self::pong(payload),
            Incoming::Close => Self::Close,
            Incoming::Failed(violation) => Self::Failed(*violation),
            other => panic!("{other:?}"),
        }
    }
}

/// The seed of every connection in these tests.
pub(crate) const SEED: [u8; 32] = [7; 32];

/// A connection in `role`, open, at the origin of time.
pub(crate) fn open(role: Role, limits: Limits) -> Connection {
    Connection::new(role, Arc::new(limits), Timestamp::ZERO, SEED)
}

/// The peer that a connection in `role` expects.
pub(crate) fn peer_of(role: Role) -> RawPeer {
    if role.requires_mask() {
        RawPeer::MASKING
    } else {
        RawPeer::PLAIN
    }
}

/// A connection and all that it has told. The contract of `receive` is checked at every call.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) connection: Connection,
    pub(crate) now: Timestamp,
    pub(crate) told: Vec<Told>,
    /// What has been delivered of a message that has not ended.
    pub(crate) unfinished: Option<(Kind, Vec<u8>)>,
    /// What was not consumed.
    pub(crate) waiting: Vec<u8>,
}

impl Receiver {
    pub(crate) fn new(role: Role) -> Self {
        Self::of(open(role, Limits::default()))
    }

    pub(crate) fn of(connection: Connection) -> Self {
        Self {
            connection,
            now: Timestamp::ZERO,
            told: Vec::new(),
            unfinished: None,
            waiting: Vec::new(),
        }
    }

    pub(crate) fn with_extension(self, extension: impl Extension + 'static) -> Self {
        Self::of(self.connection.with_extension(Box::new(extension)))
    }

    /// Lets `bytes` arrive in the pieces of `cut`.
    pub(crate) fn receive_cut(&mut self, bytes: &[u8], cut: &Cut) {
        for piece in cut.pieces(bytes) {
            self.receive(piece);
        }
    }

    /// Lets `bytes` arrive at once.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        let mut input = core::mem::take(&mut self.waiting);
        input.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            let given = input.len() - at;
            let Received { consumed, event } = self.connection.receive(self.now, &mut input[at..]);
            assert!(consumed <= given, "{consumed} bytes consumed of {given}");
            at += consumed;
            let ended = matches!(event, Some(Event::Close | Event::Failed(_)));
            assert!(
                !ended || consumed == given,
                "what follows the end is discarded"
            );
            let Some(event) = event else {
                break;
            };
            self.note(event);
        }
        // The rest of a header, or of the longest control frame.
        assert!(
            input.len() - at < 6 + 125,
            "{} bytes are left",
            input.len() - at
        );
        self.waiting = input.split_off(at);
    }

    fn note(&mut self, event: Event<'_>) {
        assert!(
            !matches!(self.told.last(), Some(Told::Close | Told::Failed(_))),
            "{event:?} after {:?}",
            self.told.last()
        );
        let told = match event {
            Event::Data(chunk) => return self.note_chunk(&chunk),
            Event::Ping(payload) => Told::ping(payload),
            Event::Pong(payload) => Told::pong(payload),
            Event::Close => Told::Close,
            Event::Failed(violation) => Told::Failed(violation),
            other => panic!("{other:?}"),
        };
        self.told.push(told);
    }

    fn note_chunk(&mut self, chunk: &Chunk<'_>) {
        let chunk_is_empty = chunk.bytes.is_empty();
        assert!(
            !chunk_is_empty || chunk.last,
            "an empty piece is the last one"
        );
        assert_eq!(chunk.first, self.unfinished.is_none(), "{chunk:?}");
        let (kind, bytes) = self.unfinished.get_or_insert((chunk.kind, Vec::new()));
        assert_eq!(*kind, chunk.kind, "a message is of one kind");
        if !chunk.coded {
            bytes.extend_from_slice(chunk.bytes);
        } else if let Err(violation) = self.connection.expand(self.now, chunk, bytes) {
            self.told.push(Told::Failed(violation));
            return;
        }
        assert_eq!(self.connection.is_within_message(), !chunk.last);
        if chunk.last {
            let (kind, bytes) = self.unfinished.take().expect("a message");
            self.told.push(Told::message(kind, bytes));
        }
    }

    /// The end of the story, if it ended with a violation.
    pub(crate) fn violation(&self) -> Option<Violation> {
        match self.told.last() {
            Some(Told::Failed(violation)) => Some(*violation),
            _ => None,
        }
    }

    /// Everything that waits to be sent, sent.
    pub(crate) fn sent(&mut self) -> Vec<u8> {
        let bytes: Vec<u8> = self.connection.transmit().flatten().copied().collect();
        assert_eq!(bytes.len(), self.connection.buffered_bytes());
        self.connection.transmitted(bytes.len());
        bytes
    }
}
