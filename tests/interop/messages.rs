//! Random messages, the same for the same seed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use framewire::engine::Kind;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// Sizes where a header, a buffer or a window begins to be another; each is there in any run.
const SIZES: [usize; 8] = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20];
const WORDS: [&str; 12] = [
    "frame ",
    "payload ",
    "the ",
    "of ",
    "Grüße ",
    "世界 ",
    "naïve ",
    "∑ ",
    "👋🏽 ",
    "Ωmega ",
    "{\"id\":7,\"name\":\"x\"},",
    "\u{0}\r\n",
];

/// A message and the fragments in which its sender is to send it.
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    pub(crate) payload: Vec<u8>,
    /// How long each fragment is; one for a message that is sent whole.
    pub(crate) fragments: Vec<usize>,
}

impl Planned {
    /// The payload in pieces.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.payload[..];
        self.fragments.iter().map(move |size| {
            let (piece, after) = rest.split_at(*size);
            rest = after;
            piece
        })
    }
}

/// `count` messages from 0 bytes to 1 MiB, most of them small.
pub(crate) fn plan(seed: u64, count: usize) -> Vec<Planned> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..count)
        .map(|index| {
            // The sizes that have to be there come first, and then again every thousand messages.
            let size = match SIZES.get(index % 1000) {
                Some(size) => *size,
                None => size(&mut random),
            };
            let kind = [Kind::Text, Kind::Binary][usize::from(random.random_bool(0.5))];
            let payload = match kind {
                Kind::Text => text(&mut random, size),
                _ => octets(&mut random, size),
            };
            let fragments = fragments(&mut random, size);
            Planned {
                kind,
                payload,
                fragments,
            }
        })
        .collect()
}

/// Writes the messages for the peers, which read what `tests/peers/README.md` says.
pub(crate) fn write(messages: &[Planned], path: &Path) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for message in messages {
        let kind = if message.kind == Kind::Text { 1 } else { 2 };
        file.write_all(&[kind]).unwrap();
        let count = u32::try_from(message.fragments.len()).unwrap();
        file.write_all(&count.to_le_bytes()).unwrap();
        for size in &message.fragments {
            let size = u32::try_from(*size).unwrap();
            file.write_all(&size.to_le_bytes()).unwrap();
        }
        file.write_all(&message.payload).unwrap();
    }
    file.flush().unwrap();
}

/// Every size has its decade: half of all messages fit a short header, one in a hundred is large.
fn size(random: &mut StdRng) -> usize {
    let (least, most) = match random.random_range(0..1000) {
        0..500 => (0, 7),
        500..800 => (7, 12),
        800..993 => (12, 16),
        _ => (16, 20),
    };
    let power: f64 = random.random_range(f64::from(least)..f64::from(most));
    #[expect(clippy::cast_possible_truncation, reason = "at most 2²⁰")]
    let size = power.exp2().round() as usize;
    size
}

/// Half the messages are whole; the others are in a few fragments, some of them empty, or in many.
pub(crate) fn fragments(random: &mut StdRng, size: usize) -> Vec<usize> {
    let count = match random.random_range(0..10) {
        0..5 => 1,
        5..9 => random.random_range(2..=6),
        _ => random.random_range(7..=60),
    };
    let mut cuts: Vec<usize> = (1..count).map(|_| random.random_range(0..=size)).collect();
    cuts.extend([0, size]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// UTF-8 of exactly so many bytes: words, which compress, between characters of all lengths.
fn text(random: &mut StdRng, size: usize) -> Vec<u8> {
    let mut text = String::with_capacity(size + 32);
    let plain = random.random_bool(0.5);
    while text.len() < size {
        if plain || random.random_bool(0.9) {
            text.push_str(WORDS[random.random_range(0..WORDS.len())]);
        } else {
            text.push(random.random());
        }
    }
    while text.len() > size {
        text.pop();
    }
    while text.len() < size {
        text.push('.');
    }
    text.into_bytes()
}

/// Runs of noise, of one byte, and of what has been there before.
fn octets(random: &mut StdRng, size: usize) -> Vec<u8> {
    let mut octets = Vec::with_capacity(size);
    while octets.len() < size {
        let run = random.random_range(1..=4096).min(size - octets.len());
        let from = octets.len();
        match random.random_range(0..3) {
            0 => octets.resize(from + run, random.random()),
            1 if from > 0 => {
                let start = random.random_range(0..from);
                let end = from.min(start + run);
                octets.extend_from_within(start..end);
            }
            _ => {
                octets.resize(from + run, 0);
                random.fill_bytes(&mut octets[from..]);
            }
        }
    }
    octets
}
