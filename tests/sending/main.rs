//! What a connection sends, read by hand: frames, their order, and the bounds of what waits.

extern crate alloc;

mod back;
mod control;
mod outbox;
mod prepared;
#[path = "../raw/mod.rs"]
mod raw;
mod sending;

use alloc::sync::Arc;

use framewire::engine::{Connection, Limits, Role, Timestamp};

use raw::{Frame, frames};

const NOW: Timestamp = Timestamp::ZERO;

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

fn open(role: Role) -> Connection {
    open_with(role, Limits::default())
}

fn open_with(role: Role, limits: Limits) -> Connection {
    Connection::new(role, Arc::new(limits), NOW, [5; 32])
}

/// Up to `n` bytes of what waits, taken.
fn take(connection: &mut Connection, n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for slice in connection.transmit() {
        assert!(!slice.is_empty(), "nothing to send is no slice");
        bytes.extend_from_slice(&slice[..slice.len().min(n - bytes.len())]);
        if bytes.len() == n {
            break;
        }
    }
    let before = connection.buffered_bytes();
    connection.transmitted(bytes.len());
    assert_eq!(connection.buffered_bytes(), before - bytes.len());
    bytes
}

/// All that waits, as frames; they are masked if and only if a client sends them.
fn sent(connection: &mut Connection) -> Vec<Frame> {
    let all = frames(&take(connection, usize::MAX));
    assert_eq!(connection.buffered_bytes(), 0);
    for frame in &all {
        assert_eq!(frame.mask.is_some(), connection.role() == Role::Client);
    }
    all
}

/// The first byte and the payload of each frame.
fn pairs(frames: &[Frame]) -> Vec<(u8, &[u8])> {
    frames
        .iter()
        .map(|frame| (frame.first, &frame.payload[..]))
        .collect()
}

/// A frame of the peer, received; what it makes of it does not matter.
fn hear(connection: &mut Connection, first: u8, payload: impl AsRef<[u8]>) {
    let frame = Frame::new(first, payload);
    let mut bytes = match connection.role() {
        Role::Server => frame.masked().to_bytes(),
        Role::Client => frame.to_bytes(),
    };
    let given = bytes.len();
    assert_eq!(connection.receive(NOW, &mut bytes).consumed, given);
}
