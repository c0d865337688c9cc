//! What one message costs, in exact terms: `cargo bench --bench budget -- CASE MESSAGES`.
//!
//! Runs so many messages of a case through the engine and nothing else. By itself that tells
//! little; `benches/budget.py` counts the instructions of it, which are the same in every run.

extern crate alloc;

use alloc::sync::Arc;
use core::hint::black_box;
use std::process::ExitCode;

use framewire::engine::{Connection, Inbox, Incoming, Limits, Prepared, Role, Timestamp};
use framewire::wire::header::{FrameHeader, Reserved};
use framewire::wire::mask::{self, MaskKey};
use framewire::wire::opcode::Opcode;

const NOW: Timestamp = Timestamp::ZERO;
/// How much arrives at once.
const READ_BYTES: usize = 64 << 10;
/// How much of it is copied at once.
const COPY_BYTES: usize = 2 << 10;

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments: Vec<_> = std::env::args()
        .skip(1)
        .filter(|it| it != "--bench")
        .collect();
    let [case, messages] = arguments.as_slice() else {
        eprintln!("a case and a number of messages");
        return ExitCode::from(2);
    };
    let Ok(messages) = messages.parse() else {
        eprintln!("`{messages}` is no number");
        return ExitCode::from(2);
    };
    let Some((what, opcode, size)) = parse(case) else {
        eprintln!(
            "a case is arrive, decode, echo, send or prepared, text or binary, a size: {case}"
        );
        return ExitCode::from(2);
    };
    match what {
        "arrive" => arrive(opcode, size, messages),
        "decode" => receive::<false>(opcode, size, messages),
        "echo" => receive::<true>(opcode, size, messages),
        "send" => send(size, messages),
        _ => send_prepared(size, messages),
    }
    ExitCode::SUCCESS
}

fn parse(case: &str) -> Option<(&str, Opcode, usize)> {
    let mut words = case.split('-');
    let what = words.next()?;
    let opcode = match words.next()? {
        "text" => Opcode::Text,
        "binary" => Opcode::Binary,
        _ => return None,
    };
    let size = words.next()?.parse().ok()?;
    let known = ["arrive", "decode", "echo", "send", "prepared"].contains(&what);
    (known && words.next().is_none()).then_some((what, opcode, size))
}

fn server() -> Connection {
    let limits = Limits::default().with_message_bytes_max(1 << 24);
    Connection::new(Role::Server, Arc::new(limits), NOW, [0; 32])
}

/// A masked frame, as a client sends it.
fn frame(opcode: Opcode, size: usize) -> Vec<u8> {
    let key = MaskKey::new([0x12, 0x34, 0x56, 0x78]);
    let header = FrameHeader {
        fin: true,
        reserved: Reserved::NONE,
        opcode,
        mask: Some(key),
        payload_len: size as u64,
    };
    let mut bytes = header.encode().as_bytes().to_vec();
    let mut payload: Vec<u8> = (b'a'..=b'z').cycle().take(size).collect();
    mask::apply(key, &mut payload);
    bytes.extend_from_slice(&payload);
    bytes
}

/// What arrives again and again.
fn batch(opcode: Opcode, size: usize) -> Vec<u8> {
    let one = frame(opcode, size);
    // A large message mostly comes alone.
    match size {
        0..4096 => one.repeat(READ_BYTES / one.len()),
        _ => one,
    }
}

/// The loop of [`receive`] by itself: what arrives is copied and looked at, and not decoded.
fn arrive(opcode: Opcode, size: usize, messages: usize) {
    let (batch, frame_bytes) = (batch(opcode, size), frame(opcode, size).len());
    let mut buffer = vec![0; READ_BYTES.max(batch.len())];
    let mut left = messages;
    while left > 0 {
        copy(&batch, &mut buffer);
        for message in buffer[..batch.len()].chunks_exact(frame_bytes) {
            black_box(&message[frame_bytes - size..]);
            left -= 1;
            if left == 0 {
                break;
            }
        }
    }
}

/// Valgrind counts each byte of a copy that is longer than its parts here.
fn copy(bytes: &[u8], target: &mut [u8]) {
    for (target, bytes) in target.chunks_mut(COPY_BYTES).zip(bytes.chunks(COPY_BYTES)) {
        target[..bytes.len()].copy_from_slice(bytes);
    }
}

/// Receives messages, as many at once as one read brings, and sends them back or not.
fn receive<const ECHO: bool>(opcode: Opcode, size: usize, messages: usize) {
    let batch = batch(opcode, size);
    let (mut connection, mut inbox) = (server(), Inbox::new());
    // As the driver of a connection lends it.
    inbox.lend_buffer(vec![0; READ_BYTES]);
    let (mut left, mut at) = (messages, 0);
    while left > 0 {
        let rest = &batch[at..];
        let space = inbox.space(connection.frame_bytes_to_come());
        let taken = rest.len().min(space.len()).min(READ_BYTES);
        copy(&rest[..taken], space);
        inbox.filled(taken);
        at = (at + taken) % batch.len();
        while let Some(incoming) = inbox.next(&mut connection, NOW) {
            let Incoming::Message(message) = incoming else {
                continue;
            };
            left -= 1;
            if ECHO {
                connection
                    .send_back(NOW, message)
                    .expect("an open connection");
            } else {
                black_box(message.bytes());
            }
            if left == 0 {
                break;
            }
        }
        drain(&mut connection);
        if let Some(buffer) = connection.take_returned_buffer() {
            inbox.lend_buffer(buffer);
        }
    }
}

fn send(size: usize, messages: usize) {
    let payload = vec![0x61; size];
    let mut connection = server();
    for _ in 0..messages {
        let sent = connection.send_binary(NOW, black_box(&payload));
        sent.expect("an open connection");
        drain(&mut connection);
    }
}

fn send_prepared(size: usize, messages: usize) {
    let message = Prepared::binary(&vec![0x61; size]);
    let mut connection = server();
    for _ in 0..messages {
        let sent = connection.send_prepared(NOW, black_box(&message));
        sent.expect("an open connection");
        drain(&mut connection);
    }
}

/// Takes what waits, as a transport does that has room for all of it.
fn drain(connection: &mut Connection) {
    while connection.buffered_bytes() > 0 {
        let bytes = connection.transmit().map(|it| black_box(it).len()).sum();
        connection.transmitted(bytes);
    }
}
