//! permessage-deflate beside its backend alone: `cargo bench --bench deflate`.
//!
//! JSON of each size is compressed and sent by a server's end, and received and inflated by a
//! client's, with and without a context that is kept. The floor is zlib-rs with the same window,
//! level and flushes: no frames, no bounds, no check of text. A figure is a round of messages that
//! all differ, so that a window does not hold them already.

extern crate alloc;

use core::hint::black_box;
use criterion::{Criterion, Throughput};

use framewire::engine::deflate::DeflateConfig;
use framewire::engine::{Connection, Inbox};

use crate::agreed::agreed;
use crate::backend::{Compressor, Decompressor};
use crate::beside::{Group, alone};
use crate::ends::{NOW, drain};

#[path = "floors/agreed.rs"]
mod agreed;
#[path = "floors/backend.rs"]
mod backend;
#[expect(dead_code, reason = "some of it is for other programs")]
#[path = "floors/beside.rs"]
mod beside;
#[path = "floors/ends.rs"]
mod ends;
#[path = "floors/json.rs"]
mod json;
#[path = "floors/settings.rs"]
mod settings;

const SIZES: [usize; 5] = [256, 1 << 10, 4 << 10, 16 << 10, 64 << 10];

/// A round is more than the window: what a message repeats is what JSON repeats.
const ROUND_BYTES: usize = 128 << 10;

/// How much arrives at once.
const READ_BYTES: usize = 64 << 10;

fn main() {
    let mut criterion = settings::criterion();
    for keeps_context in [true, false] {
        compress(&mut criterion, keeps_context);
        inflate(&mut criterion, keeps_context);
    }
    criterion.final_summary();
}

fn name(what: &str, keeps_context: bool) -> String {
    let context = if keeps_context { "kept" } else { "not kept" };
    format!("{what}, context {context}")
}

fn config(keeps_context: bool) -> DeflateConfig {
    DeflateConfig::default().with_context_kept(keeps_context, keeps_context)
}

fn round(size: usize) -> Vec<String> {
    json::messages(1, (ROUND_BYTES / size).max(4), size)
}

fn compress(criterion: &mut Criterion, keeps_context: bool) {
    let mut group = Group::new(criterion, name("compress", keeps_context));
    for size in SIZES {
        let messages = &round(size);
        group.throughput(Throughput::Bytes((size * messages.len()) as u64));
        let (_client, mut server) = agreed(config(keeps_context));
        let mut backend = Compressor::new(keeps_context, size);
        group.measure(
            size,
            [
                (
                    "framewire",
                    alone(|| {
                        for message in black_box(messages) {
                            server.send_text(NOW, message).expect("room");
                            drain(&mut server);
                        }
                    }),
                ),
                (
                    "zlib-rs",
                    alone(|| {
                        for message in black_box(messages) {
                            black_box(backend.message(message.as_bytes()));
                        }
                    }),
                ),
            ],
        );
    }
    group.finish();
}

fn inflate(criterion: &mut Criterion, keeps_context: bool) {
    let mut group = Group::new(criterion, name("inflate", keeps_context));
    for size in SIZES {
        let messages = round(size);
        group.throughput(Throughput::Bytes((size * messages.len()) as u64));
        let (mut client, mut server) = agreed(config(keeps_context));
        let frames: &Vec<_> = &messages.iter().map(|it| sent(&mut server, it)).collect();
        let mut inbox = Inbox::new();
        inbox.lend_buffer(vec![0; READ_BYTES]);
        let mut compressor = Compressor::new(keeps_context, size);
        let coded: &Vec<_> = &messages
            .iter()
            .map(|it| compressor.message(it.as_bytes()).to_vec())
            .collect();
        let mut backend = Decompressor::new(keeps_context, size);
        group.measure(
            size,
            [
                (
                    "framewire",
                    alone(|| {
                        for frame in black_box(frames) {
                            receive(&mut client, &mut inbox, frame, size);
                        }
                    }),
                ),
                (
                    "zlib-rs",
                    alone(|| {
                        for coded in black_box(coded) {
                            assert_eq!(black_box(backend.message(coded)).len(), size);
                        }
                    }),
                ),
            ],
        );
    }
    group.finish();
}

/// The frame of a message. In each round the first one looks back to nothing, so the rounds can
/// follow one another.
fn sent(server: &mut Connection, message: &str) -> Vec<u8> {
    server.send_text(NOW, message).expect("room");
    let frame: Vec<u8> = server.transmit().flatten().copied().collect();
    server.transmitted(frame.len());
    frame
}

fn receive(client: &mut Connection, inbox: &mut Inbox, frame: &[u8], size: usize) {
    let mut rest = frame;
    while !rest.is_empty() {
        let space = inbox.space(client.frame_bytes_to_come());
        let taken = rest.len().min(space.len());
        space[..taken].copy_from_slice(&rest[..taken]);
        inbox.filled(taken);
        rest = &rest[taken..];
        while inbox.advance(client, NOW) {
            let message = inbox.lent().expect("a message");
            assert_eq!(black_box(message.bytes()).len(), size);
        }
    }
}
