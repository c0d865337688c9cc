//! Random messages under random agreements, read by an inflater that is not the engine's.

use core::time::Duration;
use std::sync::Arc;

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig, DeflateOffer};
use framewire::engine::{
    Answer, Compress, Connection, Kind, Limits, Message, Offer, Role, Timestamp,
};

use crate::cases::Told;
use crate::endpoint::{Opened, take};
use crate::judge::hear;
use crate::raw::frames;

/// How many sequences are run. `COMPRESSION_SEQUENCES=100000` runs as many.
fn count() -> u32 {
    let asked = std::env::var("COMPRESSION_SEQUENCES").ok();
    asked.map_or(500, |it| it.parse().expect("a number of sequences"))
}

/// Numbers that look random, the same ones in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.roll(2) == 0
    }

    fn bits(&mut self) -> u8 {
        u8::try_from(8 + self.roll(8)).unwrap()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.roll(256)).unwrap()
    }

    fn config(&mut self) -> DeflateConfig {
        DeflateConfig::default()
            .with_window_bits(self.bits(), self.bits())
            .with_context_kept(self.flip(), self.flip())
            .with_level(u8::try_from(self.roll(10)).unwrap())
            .with_threshold_bytes(self.roll(200))
    }

    /// Text that compresses, noise that does not, long ones, and repeats of those before.
    fn message(&mut self, before: &[Message]) -> Message {
        let len = match self.roll(4) {
            0 => self.roll(8),
            1 | 2 => self.roll(700),
            _ => self.roll(40_000),
        };
        match self.roll(4) {
            0 if !before.is_empty() => before[self.roll(before.len())].clone(),
            0 | 1 => {
                let letters = 2 + self.roll(20);
                let letter = |_| char::from(b'a' + u8::try_from(self.roll(letters)).unwrap());
                Message::text((0..len).map(letter).collect::<String>())
            }
            2 => Message::binary((0..len).map(|_| self.byte()).collect::<Vec<_>>()),
            _ => {
                // A period near the sizes of windows.
                let period = (256 << self.roll(8)) + self.roll(400) - 200;
                let one: Vec<u8> = (0..period).map(|_| self.byte()).collect();
                Message::binary(one.into_iter().cycle().take(len).collect::<Vec<_>>())
            }
        }
    }
}

/// Both ends of an agreement, and its text.
fn agree(dice: &mut Dice) -> (Connection, Connection, Opened) {
    let offer = Box::new(DeflateOffer::new(dice.config()));
    let answered = DeflateAnswer::new(dice.config()).answer(&offer.offers());
    let (answer, theirs) = answered.expect("what our client offers");
    let ours = offer.accept(&answer).expect("what our server answers");
    let limits = Limits::default()
        .with_outbox_marks(1 << 20, 64 << 20)
        .with_frame_bytes_max(125 + dice.roll(50_000));
    let limits = Arc::new(limits);
    let open = |role, it| {
        Connection::new(role, Arc::clone(&limits), Timestamp::ZERO, [7; 32]).with_extension(it)
    };
    let agreed = Opened::Agreed(answer.to_string());
    (open(Role::Client, ours), open(Role::Server, theirs), agreed)
}

/// Sends one message in one of the ways that there are.
fn send(dice: &mut Dice, now: Timestamp, connection: &mut Connection, message: &Message) {
    let wish = [
        Compress::Auto,
        Compress::Auto,
        Compress::Never,
        Compress::Always,
    ][dice.roll(4)];
    let sent = match dice.roll(4) {
        0 => connection.send_prepared(now, &message.prepare().with_compress(wish)),
        1 => {
            let (kind, bytes) = (message.kind(), message.as_bytes());
            let (one, two) = bytes.split_at(dice.roll(bytes.len() + 1));
            let first = connection.send_fragment_with(now, kind, one, false, wish);
            first.and_then(|()| connection.send_fragment_with(now, kind, two, true, wish))
        }
        _ => connection.send_message_with(now, message.clone(), wish),
    };
    sent.expect("an open connection with room");
}

//= DF-25 type=test
//= PX-02 type=test
#[test]
fn another_inflater_reads_random_messages_under_every_agreement() {
    for seed in 0..count() {
        let mut dice = Dice::new(u64::from(seed) + 1);
        let (client, server, agreed) = agree(&mut dice);
        for (role, mut connection) in [(Role::Client, client), (Role::Server, server)] {
            let mut now = Timestamp::ZERO;
            let (mut messages, mut bytes) = (Vec::new(), Vec::new());
            for _ in 0..=dice.roll(8) {
                let message = dice.message(&messages);
                send(&mut dice, now, &mut connection, &message);
                bytes.extend(take(&mut connection));
                messages.push(message);
                if dice.roll(4) == 0 {
                    now = now.after(Duration::from_secs(2));
                    connection.timeout(now);
                }
            }
            let heard = hear(role, &agreed, &frames(&bytes));
            let heard = heard.unwrap_or_else(|why| panic!("seed {seed}, {agreed:?}: {why}"));
            let plain = |it: &Told| (it.is_text, it.data.clone());
            let heard: Vec<_> = heard.messages.iter().map(plain).collect();
            let sent = messages.iter();
            let sent: Vec<_> = sent
                .map(|it| (it.kind() == Kind::Text, it.as_bytes().to_vec()))
                .collect();
            assert!(heard == sent, "seed {seed}, {role:?}, {agreed:?}");
        }
    }
}
