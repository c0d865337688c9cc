//! How connections end (RFC 6455 §7), and when they want to be called.

extern crate alloc;

mod closing;
mod deadlines;
mod end_of_stream;
mod failing_sends;
mod keep_alive;
mod model;
#[path = "../raw/mod.rs"]
mod raw;

use alloc::sync::Arc;
use core::time::Duration;

use framewire::engine::{
    Connection, Inbox, Incoming, Kind, Limits, Misuse, Role, SendError, Timestamp, Violation,
};
use framewire::wire::close::{CloseCode, CloseReason};

use raw::{Frame, frames};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// One end of a connection with its receive buffer.
#[derive(Debug)]
struct End {
    connection: Connection,
    inbox: Inbox,
}

/// What an end found in the bytes of its peer.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close,
    Failed(Violation),
}

impl End {
    fn new(role: Role) -> Self {
        Self::with_limits(role, Limits::default())
    }

    fn with_limits(role: Role, limits: Limits) -> Self {
        Self {
            connection: Connection::new(role, Arc::new(limits), at(0), [3; 32]),
            inbox: Inbox::new(),
        }
    }

    /// The bytes of a frame as this end's peer sends it.
    fn peer_frame(&self, first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
        let frame = Frame::new(first, payload);
        match self.connection.role() {
            Role::Server => frame.masked().to_bytes(),
            Role::Client => frame.to_bytes(),
        }
    }

    /// Receives bytes; what is incomplete waits for the next call.
    fn feed(&mut self, now: Timestamp, mut bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let space = self.inbox.space(0);
            let taken = space.len().min(bytes.len());
            space[..taken].copy_from_slice(&bytes[..taken]);
            self.inbox.filled(taken);
            bytes = &bytes[taken..];
            while let Some(incoming) = self.inbox.next(&mut self.connection, now) {
                found.push(owned(incoming));
            }
        }
        found
    }

    /// Receives one frame.
    fn hear(&mut self, now: Timestamp, first: u8, payload: impl AsRef<[u8]>) -> Vec<Found> {
        let bytes = self.peer_frame(first, payload);
        self.feed(now, &bytes)
    }

    /// Up to `n` bytes of what is to be sent, taken.
    fn take(&mut self, n: usize) -> Vec<u8> {
        let waiting = self.connection.transmit().flatten();
        let bytes: Vec<u8> = waiting.take(n).copied().collect();
        self.connection.transmitted(bytes.len());
        bytes
    }

    /// All that is to be sent, as first byte and payload; masked if and only if a client sends.
    fn sent(&mut self) -> Vec<(u8, Vec<u8>)> {
        let all = self.take(usize::MAX);
        let pair = |frame: Frame| {
            assert_eq!(frame.mask.is_some(), self.connection.role() == Role::Client);
            (frame.first, frame.payload)
        };
        frames(&all).into_iter().map(pair).collect()
    }

    /// Nothing can be sent any more, and trying changes nothing.
    fn expect_no_sending(&mut self, now: Timestamp) {
        let before = self.connection.buffered_bytes();
        let refused = Err(SendError::Misuse(Misuse::Closing));
        let connection = &mut self.connection;
        assert_eq!(connection.send_text(now, "late"), refused);
        assert_eq!(connection.send_binary(now, b"late"), refused);
        assert_eq!(connection.send_message(now, "late".into()), refused);
        assert_eq!(connection.send_message(now, vec![0; 5_000].into()), refused);
        let prepared = framewire::engine::Prepared::text("late");
        assert_eq!(connection.send_prepared(now, &prepared), refused);
        for last in [false, true] {
            assert_eq!(
                connection.send_fragment(now, Kind::Text, b"late", last),
                refused
            );
        }
        assert_eq!(connection.ping(b""), refused);
        assert_eq!(connection.pong(b""), refused);
        assert_eq!(connection.buffered_bytes(), before);
        assert!(!connection.is_open());
    }
}

fn owned(incoming: Incoming<'_>) -> Found {
    match incoming {
        Incoming::Message(message) => match message.text() {
            Some(text) => Found::Text(text.to_owned()),
            None => Found::Binary(message.bytes().to_vec()),
        },
        Incoming::Ping(payload) => Found::Ping(payload.to_vec()),
        Incoming::Pong(payload) => Found::Pong(payload.to_vec()),
        Incoming::Close => Found::Close,
        Incoming::Failed(violation) => Found::Failed(violation),
        other => panic!("{other:?}"),
    }
}

/// The moment so many milliseconds after the beginning.
fn at(millis: u64) -> Timestamp {
    Timestamp::ZERO.after(ms(millis))
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn reason(code: u16, text: &str) -> CloseReason {
    CloseReason::new(CloseCode::new(code), text).expect("a code that may be sent")
}

/// The body of a Close frame.
fn body(code: u16, text: &str) -> Vec<u8> {
    [&code.to_be_bytes(), text.as_bytes()].concat()
}
