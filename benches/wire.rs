//! What `wire` costs beside the least that it can: `cargo bench --bench wire`.
//!
//! Unmasking beside a stream of XOR and beside `memcpy`; checking UTF-8 beside `simdutf8`; both in
//! one pass beside either alone; headers beside reading and writing their bytes. A figure and its
//! floor are measured right after one another; `benches/ratios.py` divides them.

use core::hint::black_box;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

use framewire::wire::header::{FrameHeader, Reserved};
use framewire::wire::mask::{self, MaskKey};
use framewire::wire::opcode::Opcode;
use framewire::wire::utf8;

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

fn main() {
    let mut criterion = settings::criterion();
    for shift in SHIFTS {
        unmask(&mut criterion, shift);
    }
    unmask_text(&mut criterion);
    validate(&mut criterion, "ASCII", "The quick brown fox jumps. ");
    validate(&mut criterion, "mixed", "Grüße, 世界 😀, and so on. ");
    decode(&mut criterion);
    encode(&mut criterion);
    criterion.final_summary();
}

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// Measures one figure of a group.
fn figure<T>(group: &mut Group<'_>, name: &str, size: usize, mut work: impl FnMut() -> T) {
    group.bench_function(BenchmarkId::new(name, size), |b| b.iter(&mut work));
}

/// A buffer of ASCII that begins so far behind a cache line, with what stands around it.
struct Placed {
    bytes: Vec<u8>,
    start: usize,
    size: usize,
}

impl Placed {
    fn new(shift: usize, size: usize) -> Self {
        let bytes: Vec<u8> = (b' '..=b'~').cycle().take(size + 128).collect();
        let start = bytes.as_ptr().align_offset(64) + shift;
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
    let mut group = criterion.benchmark_group(format!("unmask at +{shift}"));
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let mut buffer = Placed::new(shift, size);
        figure(&mut group, "framewire", size, || {
            mask::apply(black_box(key), buffer.bytes());
        });
        figure(&mut group, "xor", size, || {
            stream(black_box(twice), buffer.bytes());
        });
        let source = vec![b'a'; size];
        figure(&mut group, "memcpy", size, || {
            buffer.bytes().copy_from_slice(black_box(&source));
        });
    }
    group.finish();
}

/// Where a payload of text stands that follows the header of a client's frame.
const PAYLOAD_SHIFT: usize = 8;

fn unmask_text(criterion: &mut Criterion) {
    let key = MaskKey::new(KEY);
    let mut group = criterion.benchmark_group("unmask and validate ASCII");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let mut text = Placed::new(PAYLOAD_SHIFT, size);
        figure(&mut group, "framewire", size, || {
            let payload = text.bytes();
            mask::apply_ascii(black_box(key), payload) || utf8::validate(payload).is_ok()
        });
        figure(&mut group, "unmask", size, || {
            mask::apply(black_box(key), text.bytes());
        });
        figure(&mut group, "simdutf8", size, || {
            simdutf8::basic::from_utf8(text.bytes()).is_ok()
        });
    }
    group.finish();
}

fn validate(criterion: &mut Criterion, kind: &str, text: &str) {
    let mut group = criterion.benchmark_group(format!("validate {kind}"));
    for size in [64, 1 << 10, 16 << 10, 1 << 20] {
        let text = text.repeat(size / text.len() + 1);
        let end = (0..=size).rev().find(|&at| text.is_char_boundary(at));
        let bytes = &text.as_bytes()[..end.unwrap_or(0)];
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        figure(&mut group, "framewire", size, || {
            utf8::validate(black_box(bytes)).is_ok()
        });
        figure(&mut group, "in a stream", size, || {
            let mut stream = utf8::Utf8Stream::new();
            stream.feed(black_box(bytes)).is_ok() && stream.finish().is_ok()
        });
        figure(&mut group, "simdutf8", size, || {
            simdutf8::basic::from_utf8(black_box(bytes)).is_ok()
        });
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
    let mut group = criterion.benchmark_group("decode headers");
    group.throughput(Throughput::Elements(HEADERS as u64));
    for size in FORMS {
        let one = header(size).encode();
        let bytes = one.as_bytes().repeat(HEADERS);
        let each = one.as_bytes().len();
        figure(&mut group, "framewire", size, || {
            for header in black_box(&bytes).chunks_exact(each) {
                let _ = black_box(FrameHeader::decode(header));
            }
        });
        figure(&mut group, "reading the bytes", size, || {
            for header in black_box(&bytes).chunks_exact(each) {
                black_box(read(header));
            }
        });
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
    let mut group = criterion.benchmark_group("encode headers");
    group.throughput(Throughput::Elements(HEADERS as u64));
    for size in FORMS {
        let header = header(size);
        let finished = header.encode();
        let mut target = Vec::with_capacity(16 * HEADERS);
        figure(&mut group, "framewire", size, || {
            target.clear();
            for _ in 0..HEADERS {
                target.extend_from_slice(black_box(&header).encode().as_bytes());
            }
            black_box(target.len())
        });
        figure(&mut group, "writing the bytes", size, || {
            target.clear();
            for _ in 0..HEADERS {
                target.extend_from_slice(black_box(finished.as_bytes()));
            }
            black_box(target.len())
        });
    }
    group.finish();
}
