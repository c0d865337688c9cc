//! Random DEFLATE, block by block, of which it is known what it means: what the engine makes of it
//! in every window.

use core::fmt::Write;
use std::sync::Arc;

use framewire::engine::Limits;
use framewire::engine::deflate::{DeflateAnswer, DeflateConfig};

use crate::endpoint::{Endpoint, open_server};
use crate::payload;
use crate::raw::{Frame, frames};
use crate::sequences::Dice;

/// How many streams are run. `COMPRESSION_STREAMS=100000` runs as many.
fn count() -> u32 {
    let asked = std::env::var("COMPRESSION_STREAMS").ok();
    asked.map_or(1_500, |it| it.parse().expect("a number of streams"))
}

/// A sender that knows what its bytes mean.
struct Sender {
    dice: Dice,
    window: usize,
    /// What was sent so far, and how much of it a copy may refer to.
    text: Vec<u8>,
    reach: usize,
    /// Whether a copy has reached too far.
    is_broken: bool,
}

impl Sender {
    /// The words for the payload of one message.
    fn message(&mut self) -> String {
        let mut words = String::new();
        for _ in 0..=self.dice.roll(5) {
            let last = if self.dice.roll(5) == 0 { "-last" } else { "" };
            match self.dice.roll(4) {
                0 => {
                    let (len, seed) = (self.dice.roll(600), self.dice.roll(1_000));
                    write!(words, "stored{last} [ noise {len} {seed} ] ").unwrap();
                    self.grow(&payload::noise(len as u64, seed as u64));
                }
                1 => {
                    let len = self.dice.roll(2_000) + 1;
                    write!(words, "dynamic [ run 00 {len} ] ").unwrap();
                    self.grow(&vec![0; len]);
                }
                _ => {
                    write!(words, "fixed{last} [ ").unwrap();
                    self.tokens(&mut words);
                    words.push_str("] ");
                }
            }
        }
        words + "end"
    }

    fn tokens(&mut self, words: &mut String) {
        for _ in 0..self.dice.roll(12) {
            if self.dice.flip() || self.text.is_empty() {
                let bytes: Vec<u8> = (0..=self.dice.roll(40)).map(|_| self.dice.byte()).collect();
                bytes
                    .iter()
                    .for_each(|it| write!(words, "{it:02x} ").unwrap());
                self.grow(&bytes);
            } else {
                let len = 3 + self.dice.roll(256);
                let distance = self.distance();
                write!(words, "copy {len} {distance} ").unwrap();
                self.copy(len, distance);
            }
        }
    }

    /// Mostly one that is allowed, often the longest such, and rarely one that is not.
    fn distance(&mut self) -> usize {
        let most = self.reach.min(self.window);
        match self.dice.roll(60) {
            0 => most + 1,
            1 => (most + 1 + self.dice.roll(2_000)).min(32_768),
            2..=20 => most.max(1),
            _ => 1 + self.dice.roll(most.max(1)),
        }
    }

    fn grow(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        self.reach += bytes.len();
    }

    fn copy(&mut self, len: usize, distance: usize) {
        if distance > self.reach.min(self.window) {
            self.is_broken = true;
            return;
        }
        for _ in 0..len {
            self.text.push(self.text[self.text.len() - distance]);
        }
        self.reach += len;
    }
}

//= DF-05 type=test
//= DF-06 type=test
//= DF-11 type=test
//= PD-058 type=test
//= PD-060 type=test
#[test]
fn random_blocks_are_read_in_every_window_and_no_copy_reaches_beyond_it() {
    let limits = Arc::new(Limits::default());
    // Nothing that comes back is compressed.
    let config = DeflateConfig::default().with_threshold_bytes(usize::MAX);
    let deflate = DeflateAnswer::new(config);
    let (mut read, mut refused) = (0, 0);
    for seed in 0..count() {
        let mut dice = Dice::new(u64::from(seed) + 7);
        let (bits, keeps) = (8 + dice.roll(8), dice.roll(3) > 0);
        let takeover = if keeps {
            ""
        } else {
            "; client_no_context_takeover"
        };
        let line = format!("permessage-deflate; client_max_window_bits={bits}{takeover}");
        let (connection, _) = open_server(&deflate, core::slice::from_ref(&line), &limits).unwrap();
        let mut endpoint = Endpoint::new(connection);
        let cut = [1 + dice.roll(50), 1 + dice.roll(3_000)];
        let mut sender = Sender {
            dice,
            window: 1 << bits,
            text: Vec::new(),
            reach: 0,
            is_broken: false,
        };
        for _ in 0..4 {
            let begun = sender.text.len();
            let words = sender.message();
            let payload = payload::bytes(&words, 0);
            let (one, two) = payload.split_at(payload.len() / 2);
            let frames_sent = [
                Frame::new(0x42, one).masked(),
                Frame::new(0x80, two).masked(),
            ];
            let bytes = frames_sent.map(|it| it.to_bytes()).concat();
            endpoint.receive(&bytes, &cut);
            let answer = whole(&core::mem::take(&mut endpoint.sent));
            if sender.is_broken {
                assert_eq!(answer, (0x88, vec![]), "seed {seed}, {line}: {words}");
                refused += 1;
                break;
            }
            let expected = sender.text[begun..].to_vec();
            assert!(answer == (0x82, expected), "seed {seed}, {line}: {words}");
            read += 1;
            if !keeps {
                sender.reach = 0;
            }
        }
    }
    assert!(
        read > count() && refused > count() / 20,
        "{read} read, {refused} refused"
    );
}

/// The one message that was sent; or a Close with 1007, without its body.
fn whole(bytes: &[u8]) -> (u8, Vec<u8>) {
    let frames = frames(bytes);
    assert!(!frames.is_empty(), "an answer");
    if frames[0].first == 0x88 {
        assert_eq!(frames[0].payload[..2], 1007_u16.to_be_bytes());
        return (0x88, vec![]);
    }
    let data = frames.iter().flat_map(|it| it.payload.clone()).collect();
    (frames[0].first | 0x80, data)
}
