//! The vectors: one case in each file of `tests/vectors`.
//!
//! A file holds lines of a word and what belongs to it; `#` begins a comment. Bytes are
//! hexadecimal digits, `5a*256` for many of one, or text in quotes with `\r` and `\n`.
//!
//! | line | what it says |
//! |---|---|
//! | `role` | `client`, `server` or `both`: who receives |
//! | `bytes` | what arrives; several lines are one stream |
//! | `text`, `binary`, `ping`, `pong` | what is told next, and its payload |
//! | `close` | the peer's Close is told, with a code or `none`, and a reason |
//! | `fail` | the connection fails with a code, and a phrase |
//! | `sent` | a frame that is sent: its first byte, and its payload without the mask |
//! | `answer` | a line that stands in the answer to an opening handshake |

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use std::path::Path;

use framewire::engine::{Acceptance, Inbox, Incoming, Limits, Role, ServerHandshake};
use framewire::engine::{ServerProgress, Timestamp};
use framewire::wire::http::HeadLimits;

use crate::support::chunks::Cut;
use crate::support::hex::hex;
use crate::support::raw_peer::read_frames;
use crate::support::receiver::{Receiver, Told, open};

/// One file.
#[derive(Debug, Default)]
struct Vector {
    roles: Vec<Role>,
    bytes: Vec<u8>,
    told: Vec<String>,
    sent: Vec<Vec<u8>>,
    answer: Vec<String>,
}

/// Reads bytes as the table above says.
fn bytes_of(words: &str) -> Vec<u8> {
    if let Some(text) = words.strip_prefix('"') {
        let text = text.strip_suffix('"').expect("a closing quote");
        return text.replace("\\r", "\r").replace("\\n", "\n").into_bytes();
    }
    let word = |word: &str| match word.split_once('*') {
        Some((byte, times)) => hex(byte).repeat(times.parse().expect("a count")),
        None => hex(word),
    };
    words.split_whitespace().flat_map(word).collect()
}

/// A line of what is told, so that two can be compared.
fn line_of(told: &Told, receiver: &Receiver) -> String {
    match told {
        Told::Text(text) => said("text", text.as_bytes()),
        Told::Binary(bytes) => said("binary", bytes),
        Told::Ping(payload) => said("ping", payload),
        Told::Pong(payload) => said("pong", payload),
        Told::Failed(violation) => {
            format!("fail {} {}", violation.close_code(), violation.phrase())
        }
        Told::Close => {
            let received = receiver.connection.closure().and_then(|it| it.received());
            let received = received.expect("a Close");
            let code = received
                .code()
                .map_or_else(|| "none".to_owned(), |code| code.to_string());
            format!("close {code} {}", received.reason())
                .trim_end()
                .to_owned()
        }
    }
}

fn said(word: &str, bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{word} {digits}")
}

impl Vector {
    fn parse(content: &str) -> Self {
        let mut vector = Self::default();
        let lines = content.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "role" => {
                    vector.roles = match rest {
                        "client" => vec![Role::Client],
                        "server" => vec![Role::Server],
                        "both" => Role::BOTH.to_vec(),
                        other => panic!("role {other}"),
                    }
                }
                "bytes" => vector.bytes.extend(bytes_of(rest)),
                "text" | "binary" | "ping" | "pong" => {
                    vector.told.push(said(word, &bytes_of(rest)))
                }
                "close" | "fail" => vector.told.push(line.to_owned()),
                "sent" => vector.sent.push(bytes_of(rest)),
                "answer" => vector.answer.push(rest.to_owned()),
                other => panic!("a line of {other}"),
            }
        }
        assert!(!vector.roles.is_empty() && !vector.bytes.is_empty());
        vector
    }

    fn check(&self) {
        for role in &self.roles {
            if self.answer.is_empty() {
                self.check_frames(*role);
                self.check_inbox(*role);
            } else {
                self.check_opening();
            }
        }
    }

    fn check_frames(&self, role: Role) {
        let cuts = match self.bytes.len() {
            0..200 => Cut::all_for(&self.bytes),
            _ => vec![Cut::Whole, Cut::EachByte],
        };
        for cut in cuts {
            let mut receiver = Receiver::of(open(role, Limits::default()));
            receiver.receive_cut(&self.bytes, &cut);
            let told: Vec<String> = receiver
                .told
                .iter()
                .map(|told| line_of(told, &receiver))
                .collect();
            assert_eq!(told, self.told, "{role:?} {cut:?}");
            let frames = read_frames(&receiver.sent()).into_iter();
            let sent: Vec<Vec<u8>> = frames
                .map(|frame| [&[frame.first], &frame.payload[..]].concat())
                .collect();
            if !self.sent.is_empty() {
                assert_eq!(sent, self.sent, "{role:?} {cut:?}");
            }
        }
    }

    /// The receive buffer finds as many messages, and as many frames of control.
    fn check_inbox(&self, role: Role) {
        let mut connection = open(role, Limits::default());
        let mut inbox = Inbox::with_bytes(self.bytes.clone());
        let mut count = 0;
        while let Some(incoming) = inbox.next(&mut connection, Timestamp::ZERO) {
            if let Incoming::Message(lent) = &incoming {
                assert!(self.told[count].ends_with(&said("", lent.bytes())));
            }
            count += 1;
        }
        assert_eq!(count, self.told.len());
    }

    fn check_opening(&self) {
        for cut in Cut::all_for(&self.bytes) {
            let mut handshake = Some(ServerHandshake::new(HeadLimits::default()));
            let mut request = None;
            for piece in cut.pieces(&self.bytes) {
                let handshake_so_far = handshake.take().expect("a request that goes on");
                match handshake_so_far.receive(piece).expect("a good request") {
                    ServerProgress::More(more) => handshake = Some(more),
                    ServerProgress::Upgrade(upgrade) => request = Some(upgrade),
                    other => panic!("{other:?}"),
                }
            }
            let request = request.expect("a request for a WebSocket");
            let subprotocol = Acceptance::new().with_subprotocol("chat");
            let limits = Arc::new(Limits::default());
            let accepted = request
                .accept(subprotocol, limits, Timestamp::ZERO)
                .expect("accepted");
            let answer: Vec<u8> = accepted.connection.transmit().flatten().copied().collect();
            let answer = String::from_utf8(answer).expect("text");
            for line in &self.answer {
                assert!(
                    answer.contains(&format!("{line}\r\n")),
                    "{line} in {answer}"
                );
            }
        }
    }
}

/// Every vector by the name of its file.
fn vectors() -> BTreeMap<String, Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
    let paths = files.map(|file| file.expect("a file").path());
    let vector = |path: std::path::PathBuf| {
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let content = std::fs::read_to_string(&path).expect("a text");
        (name, Vector::parse(&content))
    };
    paths
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .map(vector)
        .collect()
}

//= WS-063 type=test
//= WS-064 type=test
//= WS-079 type=test
#[test]
fn every_vector_gives_what_it_expects() {
    let vectors = vectors();
    assert!(vectors.len() > 40, "{} vectors", vectors.len());
    let failed: Vec<&String> = vectors
        .iter()
        .filter(|(_, vector)| std::panic::catch_unwind(|| vector.check()).is_err())
        .map(|(name, _)| name)
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// The examples of the RFC are all there.
#[test]
fn the_examples_of_the_rfc_are_among_the_vectors() {
    let vectors = vectors();
    for name in [
        "rfc6455_1_3_opening_handshake",
        "rfc6455_5_7_unmasked_text_hello",
        "rfc6455_5_7_masked_text_hello",
        "rfc6455_5_7_fragmented_text_hello",
        "rfc6455_5_7_unmasked_ping",
        "rfc6455_5_7_masked_pong",
        "rfc6455_5_7_256_bytes_of_binary",
        "rfc6455_5_7_64_kib_of_binary",
    ] {
        assert!(vectors.contains_key(name), "{name}");
    }
}
