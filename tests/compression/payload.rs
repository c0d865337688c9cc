//! Payloads as the cases write them, down to the bits of DEFLATE (RFC 1951).

/// What a number written as `LIMIT` stands for: the endpoint's largest message, in bytes.
pub(crate) type Limit = u64;

/// The bytes that `text` describes.
pub(crate) fn bytes(text: &str, limit: Limit) -> Vec<u8> {
    let tokens = tokens(text);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        limit,
    };
    let mut bits = Bits::default();
    reader.items(&mut bits, Coding::Raw);
    assert_eq!(
        reader.at,
        tokens.len(),
        "a bracket without its opening one: {text}"
    );
    bits.align();
    bits.bytes
}

/// How literal bytes are written at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// As they are: between blocks, or inside a stored one.
    Raw,
    /// By the fixed Huffman code (RFC 1951 §3.2.6).
    Fixed,
    /// By the one dynamic code of the suite, which knows 00 and copies of 258 bytes.
    Dynamic,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(Vec<u8>),
    Open,
    Close,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        match first {
            '"' => {
                let (inside, behind) = rest[1..].split_once('"').expect("a closing quote");
                tokens.push(Token::Text(inside.as_bytes().to_vec()));
                rest = behind;
            }
            '[' | ']' => {
                tokens.push(if first == '[' {
                    Token::Open
                } else {
                    Token::Close
                });
                rest = &rest[1..];
            }
            _ => {
                let end = rest.find([' ', '"', '[', ']']).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].into()));
                rest = &rest[end..];
            }
        }
        rest = rest.trim_start();
    }
    tokens
}

/// A number: digits with `_` between them, or `LIMIT` with something added or taken away.
fn number(word: &str, limit: Limit) -> u64 {
    let plain = |text: &str| text.replace('_', "").parse::<u64>();
    match word.strip_prefix("LIMIT") {
        None => plain(word).unwrap_or_else(|_| panic!("`{word}` is no number")),
        Some("") => limit,
        Some(rest) => match rest.split_at(1) {
            ("+", more) => limit + plain(more).expect("a number behind LIMIT+"),
            ("-", less) => limit - plain(less).expect("a number behind LIMIT-"),
            _ => panic!("`{word}` is no number"),
        },
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    limit: Limit,
}

impl Reader<'_> {
    fn word(&mut self) -> String {
        let token = self.tokens.get(self.at);
        self.at += 1;
        match token {
            Some(Token::Word(word)) => word.clone(),
            other => panic!("a word is due and {other:?} stands there"),
        }
    }

    fn number(&mut self) -> u64 {
        let limit = self.limit;
        number(&self.word(), limit)
    }

    fn items(&mut self, bits: &mut Bits, coding: Coding) {
        while let Some(token) = self.tokens.get(self.at).cloned() {
            self.at += 1;
            match token {
                Token::Text(text) => bits.literals(&text, coding),
                Token::Word(word) => self.item(&word, bits, coding),
                Token::Open => panic!("a bracket that belongs to nothing"),
                Token::Close => {
                    self.at -= 1;
                    return;
                }
            }
        }
    }

    /// What stands between the brackets that follow.
    fn group(&mut self, bits: &mut Bits, coding: Coding) {
        assert_eq!(
            self.tokens.get(self.at),
            Some(&Token::Open),
            "a bracket is due"
        );
        self.at += 1;
        self.items(bits, coding);
        assert_eq!(
            self.tokens.get(self.at),
            Some(&Token::Close),
            "a bracket is open"
        );
        self.at += 1;
    }

    fn item(&mut self, word: &str, bits: &mut Bits, coding: Coding) {
        match word {
            "repeat" => {
                let (times, start) = (self.number(), self.at + 1);
                for _ in 0..times {
                    self.at = start - 1;
                    self.group(bits, coding);
                }
            }
            "run" => {
                let byte = hex(&self.word())[0];
                let len = self.number();
                bits.run(byte, len, coding);
            }
            "noise" => {
                let (len, seed) = (self.number(), self.number());
                bits.literals(&noise(len, seed), coding);
            }
            "slice" => {
                let (start, len) = (self.number(), self.number());
                let mut inside = Bits::default();
                self.group(&mut inside, Coding::Raw);
                let index = |at: u64| usize::try_from(at).expect("a place in memory");
                let slice = &inside.bytes[index(start)..index(start + len)];
                bits.literals(slice, coding);
            }
            "copy" => {
                let (len, distance) = (self.number(), self.number());
                assert_eq!(coding, Coding::Fixed, "a copy stands in a fixed block");
                bits.copy(len, distance);
            }
            "stored" | "stored-last" => {
                let mut inside = Bits::default();
                self.group(&mut inside, Coding::Raw);
                bits.stored(word == "stored-last", &inside.bytes);
            }
            "fixed" | "fixed-last" => {
                bits.push(u32::from(word == "fixed-last"), 1);
                bits.push(1, 2);
                self.group(bits, Coding::Fixed);
                bits.push_code(0, 7);
                if word == "fixed-last" {
                    bits.align();
                }
            }
            "dynamic" => {
                bits.dynamic_header();
                self.group(bits, Coding::Dynamic);
                bits.push_code(0b11, 2);
            }
            "bits" => {
                for bit in self.word().bytes() {
                    bits.push(u32::from(bit - b'0'), 1);
                }
            }
            // An empty stored block: the tail that a sender strips, here without its four bytes.
            "end" => {
                bits.push(0, 3);
                bits.align();
            }
            "flush" => bits.stored(false, &[]),
            _ => bits.literals(&hex(word), coding),
        }
    }
}

/// Bytes from pairs of hexadecimal digits.
pub(crate) fn hex(word: &str) -> Vec<u8> {
    let pair = |at: usize| {
        word.get(at..at + 2)
            .and_then(|it| u8::from_str_radix(it, 16).ok())
    };
    let bytes: Option<Vec<u8>> = (0..word.len()).step_by(2).map(pair).collect();
    bytes.unwrap_or_else(|| panic!("`{word}` is neither a word of the suite nor hexadecimal"))
}

/// Bytes that do not compress, the same ones in every run.
pub(crate) fn noise(len: u64, seed: u64) -> Vec<u8> {
    let mut state = u32::try_from(seed).expect("a seed of 32 bits");
    let next = |_| {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        state.to_le_bytes()[2]
    };
    (0..len).map(next).collect()
}

/// Bits in the order of RFC 1951 §3.1.1: each byte is filled from its lowest bit.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits of the last byte that are in use; 0 when it is full.
    used: u32,
}

impl Bits {
    /// The lowest `count` bits of `value`, the lowest one first.
    fn push(&mut self, value: u32, count: u32) {
        for at in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().expect("a byte was pushed");
            *last |= u8::from(value >> at & 1 == 1) << self.used;
            self.used = (self.used + 1) % 8;
        }
    }

    /// A Huffman code, whose highest bit comes first.
    fn push_code(&mut self, code: u32, count: u32) {
        for at in (0..count).rev() {
            self.push(code >> at, 1);
        }
    }

    fn align(&mut self) {
        self.used = 0;
    }

    fn literals(&mut self, bytes: &[u8], coding: Coding) {
        if coding == Coding::Raw {
            self.align();
            self.bytes.extend_from_slice(bytes);
            return;
        }
        for &byte in bytes {
            let value = u32::from(byte);
            match (coding, byte) {
                (Coding::Fixed, 0..=143) => self.push_code(0x30 + value, 8),
                (Coding::Fixed, _) => self.push_code(0x190 + value - 144, 9),
                (_, 0) => self.push_code(0b10, 2),
                _ => panic!("the dynamic block knows no byte but 00"),
            }
        }
    }

    /// The same byte `len` times, in as few bits as the coding allows.
    fn run(&mut self, byte: u8, len: u64, coding: Coding) {
        let copies = match coding {
            Coding::Raw => 0,
            _ => len.saturating_sub(1) / 258,
        };
        let single = len - 258 * copies;
        let rest = if coding == Coding::Fixed && single > 3 {
            single - 1
        } else {
            0
        };
        let literals = usize::try_from(single - rest).expect("a run that fits into memory");
        self.literals(&vec![byte; literals], coding);
        for _ in 0..copies {
            match coding {
                Coding::Dynamic => self.push_code(0, 2),
                _ => self.copy(258, 1),
            }
        }
        if rest > 0 {
            self.copy(rest, 1);
        }
    }

    /// A copy of `len` bytes from `distance` bytes before (RFC 1951 §3.2.5).
    fn copy(&mut self, len: u64, distance: u64) {
        let (symbol, extra, bits) = match len {
            3..=10 => (254 + len, 0, 0),
            11..=257 => {
                let bits = (len - 3).ilog2() - 2;
                let step = (len - 3) >> bits;
                (
                    257 + u64::from(4 * bits) + step,
                    len - 3 - (step << bits),
                    bits,
                )
            }
            258 => (285, 0, 0),
            _ => panic!("no copy is {len} bytes long"),
        };
        let symbol = u32::try_from(symbol).expect("a symbol below 286");
        match symbol {
            ..=279 => self.push_code(symbol - 256, 7),
            _ => self.push_code(0xc0 + symbol - 280, 8),
        }
        self.push(u32::try_from(extra).expect("five bits at most"), bits);
        let (symbol, extra, bits) = match distance {
            1..=4 => (distance - 1, 0, 0),
            5..=32_768 => {
                let bits = (distance - 1).ilog2() - 1;
                let step = (distance - 1) >> bits;
                (
                    u64::from(2 * bits) + step,
                    distance - 1 - (step << bits),
                    bits,
                )
            }
            _ => panic!("no copy is from {distance} bytes before"),
        };
        self.push_code(u32::try_from(symbol).expect("a symbol below 30"), 5);
        self.push(u32::try_from(extra).expect("13 bits at most"), bits);
    }

    fn stored(&mut self, last: bool, inside: &[u8]) {
        self.push(u32::from(last), 3);
        self.align();
        let len = u16::try_from(inside.len()).expect("a stored block is below 64 KiB");
        self.bytes.extend(len.to_le_bytes());
        self.bytes.extend((!len).to_le_bytes());
        self.bytes.extend(inside);
    }

    /// The beginning of a block with a code of its own (RFC 1951 §3.2.7): 258 bytes from the byte
    /// before are `0` `0`, the byte 00 is `10`, the end of the block is `11`.
    fn dynamic_header(&mut self) {
        self.push(0, 1);
        self.push(2, 2);
        self.push(286 - 257, 5);
        self.push(0, 5);
        self.push(18 - 4, 4);
        // Lengths of the codes for lengths, in the order of the document: 18 has one bit, 2 and
        // 1 have two.
        for len in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2] {
            self.push(len, 3);
        }
        let zeros = |bits: &mut Self, count: u32| {
            bits.push_code(0, 1);
            bits.push(count - 11, 7);
        };
        self.push_code(0b11, 2);
        zeros(self, 138);
        zeros(self, 117);
        self.push_code(0b11, 2);
        zeros(self, 28);
        self.push_code(0b10, 2);
        self.push_code(0b10, 2);
    }
}

#[test]
fn the_writer_agrees_with_the_examples_of_the_rfc() {
    for (text, expected) in [
        ("fixed [ \"Hello\" ] end", "f248cdc9c90700"),
        ("stored [ \"Hello\" ] end", "000500faff48656c6c6f00"),
        ("fixed-last [ \"Hello\" ] end", "f348cdc9c9070000"),
        (
            "fixed [ \"He\" ] flush fixed [ \"llo\" ] end",
            "f248050000 00ffffcac9c90700",
        ),
        ("fixed [ copy 5 5 ] end", "02130000"),
        ("fixed [ \"H\" copy 4 5 ] end", "f200110000"),
    ] {
        assert_eq!(bytes(text, 0), hex(&expected.replace(' ', "")), "{text}");
    }
    assert_eq!(bytes("run 41 LIMIT-1 noise 2 1", 4), hex("414141c67e"));
}
