//! What `wire` costs beside the least that it can: `cargo bench --bench wire`.
//!
//! Unmasking beside a stream of XOR and beside `memcpy`; checking UTF-8 beside `simdutf8`; both in
//! one pass beside either alone; headers beside reading and writing their bytes. A figure and its
//! floors are measured in turns; `benches/ratios.py` divides them.

extern crate alloc;

use core::cell::RefCell;
use core::hint::black_box;
use criterion::{Criterion, Throughput};

use framewire::wire::header::{FrameHeader, Reserved};
use framewire::wire::mask::{self, MaskKey};
use framewire::wire::opcode::Opcode;
use framewire::wire::utf8;

use crate::beside::{Group, alone, with};

#[path = "floors/beside.rs"]
mod beside;
#[path = "floors/settings.rs"]
mod settings;
#[path = "floors/xor.rs"]
mod xor;

/// No byte of it has the top bit, so ASCII stays ASCII, masked and unmasked.
const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

const SIZES: [usize; 7] = [16, 125, 256, 1 << 10, 16 << 10, 64 << 10, 1 << 20];

/// How far behind a cache line a buffer begins.
const SHIFTS: [usize; 3] = [0, 1, 13];

/// Headers that are decoded or encoded for one figure.
const HEADERS: usize = 256;

const TEXTS: [(&str, &str); 2] = [
    ("ASCII", "The quick brown fox jumps. "),
    ("mixed", "Grüße, 世界 😀, and so on. "),
];

fn main() {
    let mut criterion = settings::criterion();
    for shift in SHIFTS {
        unmask(&mut criterion, shift);
    }
    for (kind, text) in TEXTS {
        unmask_text(&mut criterion, kind, text);
        validate(&mut criterion, kind, text);
    }
    decode(&mut criterion);
    encode(&mut criterion);
    criterion.final_summary();
}

/// A buffer of ASCII that begins so far behind a cache line, with what stands around it.
struct Placed {
    bytes: Vec<u8>,
    start: usize,
    size: usize,
}

impl Placed {
    fn new(shift: usize, size: usize) -> Self {
        let text: Vec<u8> = (b' '..=b'~').cycle().take(size).collect();
        Self::holding(shift, &text)
    }

    fn holding(shift: usize, text: &[u8]) -> Self {
        let size = text.len();
        let mut bytes = vec![b' '; size + 128];
        let start = bytes.as_ptr().align_offset(64) + shift;
        bytes[start..start + size].copy_from_slice(text);
        Self { bytes, start, size }
    }

    fn bytes(&mut self) -> &mut [u8] {
        black_box(&mut self.bytes[self.start..self.start + self.size])
    }
}

fn unmask(criterion: &mut Criterion, shift: usize) {
    let key = MaskKey::new(KEY);
    let twice = u64::from(u32::from_ne_bytes(KEY)) * 0x1_0000_0001;
    let stream = xor::fastest();
    let mut group = Group::new(criterion, format!("unmask at +{shift}"));
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let buffer = RefCell::new(Placed::new(shift, size));
        let source = vec![b'a'; size];
        group.measure(
            size,
            [
                (
                    "framewire",
                    with(&buffer, |it| mask::apply(black_box(key), it.bytes())),
                ),
                (
                    "xor",
                    with(&buffer, |it| stream(black_box(twice), it.bytes())),
                ),
                (
                    "memcpy",
                    with(&buffer, |it| it.bytes().copy_from_slice(black_box(&source))),
                ),
            ],
        );
    }
    group.finish();
}

/// Where a payload of text stands that follows the header of a client's frame.
const PAYLOAD_SHIFT: usize = 8;

/// Text of one kind: unmasked and judged in one go, and each of the two alone. The key is 0, so
/// that it is the same text each time.
fn unmask_text(criterion: &mut Criterion, kind: &str, text: &str) {
    let key = MaskKey::new([0; 4]);
    let mut group = Group::new(criterion, format!("unmask and validate {kind}"));
    for size in SIZES {
        let bytes = whole(text, size);
        group.throughput(Throughput::Bytes(size as u64));
        let text = RefCell::new(Placed::holding(PAYLOAD_SHIFT, &bytes));
        group.measure(
            size,
            [
                (
                    "framewire",
                    with(&text, |it| {
                        utf8::validate_masked(black_box(key), it.bytes())
                    }),
                ),
                (
                    "unmask",
                    with(&text, |it| mask::apply(black_box(key), it.bytes())),
                ),
                (
                    "simdutf8",
                    with(&text, |it| simdutf8::basic::from_utf8(it.bytes()).is_ok()),
                ),
            ],
        );
    }
    group.finish();
}

/// So many bytes of text, the last of which may be blanks.
fn whole(text: &str, size: usize) -> Vec<u8> {
    let text = text.repeat(size / text.len() + 1);
    let end = (0..=size).rev().find(|&at| text.is_char_boundary(at));
    let mut bytes = text.as_bytes()[..end.unwrap_or(0)].to_vec();
    bytes.resize(size, b' ');
    bytes
}

fn validate(criterion: &mut Criterion, kind: &str, text: &str) {
    let mut group = Group::new(criterion, format!("validate {kind}"));
    for size in [64, 1 << 10, 16 << 10, 1 << 20] {
        let bytes = &whole(text, size);
        group.throughput(Throughput::Bytes(size as u64));
        group.measure(
            size,
            [
                (
                    "framewire",
                    alone(|| utf8::validate(black_box(bytes)).is_ok()),
                ),
                (
                    "in a stream",
                    alone(|| {
                        let mut stream = utf8::Utf8Stream::new();
                        stream.feed(black_box(bytes)).is_ok() && stream.finish().is_ok()
                    }),
                ),
                (
                    "simdutf8",
                    alone(|| simdutf8::basic::from_utf8(black_box(bytes)).is_ok()),
                ),
            ],
        );
    }
    group.finish();
}

/// A header as a client sends it.
fn header(size: usize) -> FrameHeader {
    FrameHeader {
        fin: true,
        reserved: Reserved::NONE,
        opcode: Opcode::Binary,
        mask: Some(MaskKey::new(KEY)),
        payload_len: size as u64,
    }
}

/// A size for each of the three forms of a length.
const FORMS: [usize; 3] = [125, 1 << 10, 1 << 20];

fn decode(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "decode headers");
    group.throughput(Throughput::Elements(HEADERS as u64));
    for size in FORMS {
        let one = header(size).encode();
        let bytes = &one.as_bytes().repeat(HEADERS);
        let each = one.as_bytes().len();
        group.measure(
            size,
            [
                (
                    "framewire",
                    alone(|| {
                        for header in black_box(bytes).chunks_exact(each) {
                            let _ = black_box(FrameHeader::decode(header));
                        }
                    }),
                ),
                (
                    "reading the bytes",
                    alone(|| {
                        for header in black_box(bytes).chunks_exact(each) {
                            black_box(read(header));
                        }
                    }),
                ),
            ],
        );
    }
    group.finish();
}

/// The first byte, the length and the key of a header, with no look at whether it may be so.
fn read(header: &[u8]) -> Option<(u8, u64, [u8; 4])> {
    let (&[first, second], rest) = header.split_first_chunk()?;
    let (length, rest) = match second & 0x7f {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u16::from_be_bytes(*length).into(), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length), rest)
        }
        short => (short.into(), rest),
    };
    Some((first, length, *rest.first_chunk()?))
}

fn encode(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "encode headers");
    group.throughput(Throughput::Elements(HEADERS as u64));
    for size in FORMS {
        let header = &header(size);
        let finished = &header.encode();
        let target = RefCell::new(Vec::with_capacity(16 * HEADERS));
        group.measure(
            size,
            [
                (
                    "framewire",
                    with(&target, |it| {
                        it.clear();
                        for _ in 0..HEADERS {
                            it.extend_from_slice(black_box(header).encode().as_bytes());
                        }
                        it.len()
                    }),
                ),
                (
                    "writing the bytes",
                    with(&target, |it| {
                        it.clear();
                        for _ in 0..HEADERS {
                            it.extend_from_slice(black_box(finished.as_bytes()));
                        }
                        it.len()
                    }),
                ),
            ],
        );
    }
    group.finish();
}
