//! What a message costs in the engine beside its bytes alone: `cargo bench --bench engine`.
//!
//! A server's end receives messages and sends them back, lent and owned, whole, in fragments and
//! compressed. The floor moves the same bytes to the same places and unmasks them, and knows
//! beforehand where each message stands. Then text in the place where it arrived, beside
//! unmasking it and checking it alone.

extern crate alloc;

use core::cell::RefCell;
use core::hint::black_box;
use core::ops::Range;
use criterion::{Criterion, Throughput};

use framewire::engine::deflate::DeflateConfig;
use framewire::engine::{Connection, Event, Inbox, Role};
use framewire::wire::header::{FrameHeader, Reserved};
use framewire::wire::mask::{self, MaskKey};
use framewire::wire::opcode::Opcode;

use crate::backend::{Compressor, Decompressor};
use crate::beside::{Group, alone, with};
use crate::ends::{NOW, drain};

#[path = "floors/agreed.rs"]
mod agreed;
#[path = "floors/backend.rs"]
mod backend;
#[path = "floors/beside.rs"]
mod beside;
#[path = "floors/ends.rs"]
mod ends;
#[path = "floors/json.rs"]
mod json;
#[path = "floors/settings.rs"]
mod settings;

/// No byte of it has the top bit, so ASCII stays ASCII, masked and unmasked.
const KEY: MaskKey = MaskKey::new([0x12, 0x34, 0x56, 0x78]);

/// How much arrives at once.
const READ_BYTES: usize = 64 << 10;

/// An answer of this size and more is sent from where it stands.
const LARGE_BYTES: usize = 4 << 10;

const FRAGMENTS: usize = 4;

fn main() {
    let mut criterion = settings::criterion();
    for (what, does) in [("receive", Then::Nothing), ("echo", Then::Back)] {
        let sizes = [0, 16, 125, 126, 1 << 10, 64 << 10, 1 << 20];
        whole_or_not(&mut criterion, what, &sizes, 1, does);
    }
    let sizes = [1 << 10, 64 << 10, 1 << 20];
    whole_or_not(
        &mut criterion,
        "echo in fragments",
        &sizes,
        FRAGMENTS,
        Then::Back,
    );
    compressed(&mut criterion);
    text(&mut criterion);
    criterion.final_summary();
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Nothing,
    Back,
    OwnedAndNothing,
    OwnedAndBack,
}

fn whole_or_not(
    criterion: &mut Criterion,
    what: &str,
    sizes: &[usize],
    fragments: usize,
    does: Then,
) {
    let mut group = Group::new(criterion, what);
    for &size in sizes {
        let batch = &Batch::new(size, fragments);
        group.throughput(Throughput::Elements(batch.messages.len() as u64));
        let end = RefCell::new(End::new(ends::open(Role::Server)));
        let owned = match does {
            Then::Back => Then::OwnedAndBack,
            _ => Then::OwnedAndNothing,
        };
        let mut bare = Bare::default();
        group.measure(
            size,
            [
                ("lent", with(&end, |it| it.take(&batch.bytes, does))),
                ("owned", with(&end, |it| it.take(&batch.bytes, owned))),
                (
                    "bytes alone",
                    alone(|| bare.take(batch, does == Then::Back)),
                ),
            ],
        );
    }
    group.finish();
}

/// Messages as a client sends them: as many as one read brings, or one that is larger.
struct Batch {
    bytes: Vec<u8>,
    /// Where the payloads of the fragments of each message stand.
    messages: Vec<Vec<Range<usize>>>,
}

impl Batch {
    fn new(size: usize, fragments: usize) -> Self {
        let count = match size {
            0..LARGE_BYTES => READ_BYTES / (size + 14 * fragments),
            _ => 1,
        };
        let (mut bytes, mut messages) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let each = |index| {
                let opcode = match index {
                    0 => Opcode::Binary,
                    _ => Opcode::Continuation,
                };
                push_frame(&mut bytes, opcode, index + 1 == fragments, size / fragments)
            };
            messages.push((0..fragments).map(each).collect());
        }
        Self { bytes, messages }
    }
}

/// Appends a masked frame, and says where its payload stands.
fn push_frame(bytes: &mut Vec<u8>, opcode: Opcode, fin: bool, size: usize) -> Range<usize> {
    let header = FrameHeader {
        fin,
        reserved: Reserved::NONE,
        opcode,
        mask: Some(KEY),
        payload_len: size as u64,
    };
    bytes.extend_from_slice(header.encode().as_bytes());
    let start = bytes.len();
    bytes.extend((b'a'..=b'z').cycle().take(size));
    mask::apply(KEY, &mut bytes[start..]);
    start..bytes.len()
}

/// A server's end and its receive buffer.
struct End {
    connection: Connection,
    inbox: Inbox,
}

impl End {
    fn new(connection: Connection) -> Self {
        let mut inbox = Inbox::new();
        inbox.lend_buffer(vec![0; READ_BYTES]);
        Self { connection, inbox }
    }

    /// Takes bytes as they arrive, read by read.
    fn take(&mut self, bytes: &[u8], does: Then) {
        let mut rest = black_box(bytes);
        while !rest.is_empty() {
            let space = self.inbox.space(self.connection.frame_bytes_to_come());
            let taken = rest.len().min(space.len()).min(READ_BYTES);
            space[..taken].copy_from_slice(&rest[..taken]);
            self.inbox.filled(taken);
            rest = &rest[taken..];
            while self.inbox.advance(&mut self.connection, NOW) {
                self.treat(does);
            }
            drain(&mut self.connection);
            if let Some(buffer) = self.connection.take_returned_buffer() {
                self.inbox.lend_buffer(buffer);
            }
        }
    }

    fn treat(&mut self, does: Then) {
        let sent = match does {
            Then::Nothing => {
                black_box(self.inbox.lent().expect("a message").bytes());
                Ok(())
            }
            Then::Back => {
                let message = self.inbox.lent().expect("a message");
                self.connection.send_back(NOW, message)
            }
            Then::OwnedAndNothing => {
                black_box(self.inbox.take_message().expect("a message"));
                Ok(())
            }
            Then::OwnedAndBack => {
                let message = self.inbox.take_message().expect("a message");
                self.connection.send_message(NOW, message)
            }
        };
        sent.expect("room");
    }
}

/// The bytes where they have to be, and nothing else.
#[derive(Default)]
struct Bare {
    arrived: Vec<u8>,
    answers: Vec<u8>,
}

impl Bare {
    fn take(&mut self, batch: &Batch, echoes: bool) {
        self.arrived.resize(batch.bytes.len(), 0);
        let reads = black_box(&batch.bytes).chunks(READ_BYTES);
        for (read, place) in reads.zip(self.arrived.chunks_mut(READ_BYTES)) {
            place.copy_from_slice(read);
        }
        self.answers.clear();
        for fragments in &batch.messages {
            let start = fragments[0].start;
            let mut end = start;
            for payload in fragments {
                mask::apply(KEY, &mut self.arrived[payload.clone()]);
                if end != payload.start {
                    self.arrived.copy_within(payload.clone(), end);
                }
                end += payload.len();
            }
            let message = &self.arrived[start..end];
            if echoes && message.len() < LARGE_BYTES {
                self.answers.extend_from_slice(black_box(&[0x82, 0x7d]));
                self.answers.extend_from_slice(message);
            } else {
                black_box(message);
            }
        }
        black_box(&self.answers);
    }
}

fn compressed(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "echo compressed");
    for size in [256, 1 << 10, 64 << 10] {
        let messages = json::messages(2, (READ_BYTES / size).max(4), size);
        group.throughput(Throughput::Elements(messages.len() as u64));
        let (mut client, server) = agreed::agreed(DeflateConfig::default());
        let mut bytes = Vec::new();
        for message in &messages {
            client.send_text(NOW, message).expect("room");
            bytes.extend(client.transmit().flatten());
            client.transmitted(usize::MAX);
        }
        let mut end = End::new(server);
        let mut compressor = Compressor::new(true, size);
        let coded: &Vec<_> = &messages
            .iter()
            .map(|it| compressor.message(it.as_bytes()).to_vec())
            .collect();
        let mut decompressor = Decompressor::new(true, size);
        group.measure(
            size,
            [
                ("lent", alone(|| end.take(&bytes, Then::Back))),
                (
                    "zlib-rs",
                    alone(|| {
                        for coded in black_box(coded) {
                            black_box(compressor.message(decompressor.message(coded)));
                        }
                    }),
                ),
            ],
        );
    }
    group.finish();
}

/// A frame of text is received in the place where it stands, again and again: it is ASCII masked
/// and unmasked.
fn text(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "receive ASCII in place");
    for size in [16 << 10, 64 << 10, 1 << 20] {
        group.throughput(Throughput::Bytes(size as u64));
        let mut frame = Vec::new();
        let payload = &push_frame(&mut frame, Opcode::Text, true, size);
        let frame = RefCell::new(frame);
        let mut connection = ends::open(Role::Server);
        group.measure(
            size,
            [
                (
                    "framewire",
                    with(&frame, |it| {
                        let received = connection.receive(NOW, black_box(it));
                        assert!(matches!(received.event, Some(Event::Data(chunk)) if chunk.last));
                    }),
                ),
                (
                    "unmask",
                    with(&frame, |it| {
                        mask::apply(black_box(KEY), black_box(&mut it[payload.clone()]));
                    }),
                ),
                (
                    "simdutf8",
                    with(&frame, |it| {
                        simdutf8::basic::from_utf8(black_box(&it[payload.clone()])).is_ok()
                    }),
                ),
            ],
        );
    }
    group.finish();
}
