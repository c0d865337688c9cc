//! The files of cases, read. What a line may say is written in `README.md`.

use std::fs;
use std::path::Path;

use framewire::engine::Role;

use crate::payload::{self, Limit};
use crate::raw::Frame;

/// One case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The roles of the endpoint for which the case is meant.
    pub(crate) roles: Vec<Role>,
    /// The requirements that it shows.
    pub(crate) covers: Vec<String>,
    pub(crate) opening: Opening,
    /// What a client must have asked for, so that the answer means something.
    pub(crate) asks: Option<String>,
    sends: Vec<Send>,
    pub(crate) expected: Expected,
}

/// How the handshake goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Both ends agree to these parameters, each of them `tester_…` or `endpoint_…`.
    Agree(Vec<String>),
    /// No extension is spoken of.
    Nothing,
    /// These lines of `Sec-WebSocket-Extensions` are offered to a server.
    Offer(Vec<String>),
    /// A client gets these as its answer.
    Answer(Vec<String>),
}

impl Default for Opening {
    fn default() -> Self {
        Self::Agree(Vec::new())
    }
}

/// What the endpoint has to do. Only what a strict endpoint does is of interest here; the
/// alternatives behind `or` are for implementations that the runner in Python meets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) handshake: Option<Handshake>,
    echoes: Vec<(bool, bool, String)>,
    /// The code with which the connection is failed.
    pub(crate) fails: Option<u16>,
}

/// How the handshake ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// A server answers to the offer of this number, counted from 1.
    Agreed(usize),
    /// A server opens the connection without an extension.
    Declined,
    /// A client opens the connection.
    Accepted,
    /// The connection is not opened.
    Refused,
}

/// A message as it is sent or echoed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) is_text: bool,
    pub(crate) is_compressed: bool,
    pub(crate) data: Vec<u8>,
}

impl core::fmt::Debug for Told {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let kind = if self.is_text { "text" } else { "binary" };
        let coding = if self.is_compressed {
            "compressed "
        } else {
            ""
        };
        let shown: String = format!("{:02x?}", &self.data[..self.data.len().min(24)]);
        write!(f, "{coding}{kind} of {} bytes {shown}", self.data.len())
    }
}

#[derive(Clone, Debug)]
enum Send {
    /// A frame: its first byte and its payload.
    Frame(u8, String),
    /// A message in pieces of this many bytes, with Pings between or without.
    Pieces(usize, bool, u8, String),
}

impl Case {
    /// The frames of the tester, not masked yet.
    pub(crate) fn frames(&self, limit: Limit) -> Vec<Frame> {
        let mut frames = Vec::new();
        for send in &self.sends {
            match send {
                Send::Frame(first, text) => {
                    frames.push(Frame::new(*first, payload::bytes(text, limit)));
                }
                Send::Pieces(size, with_pings, first, text) => {
                    let payload = payload::bytes(text, limit);
                    let last = payload.len().div_ceil(*size) - 1;
                    for (at, piece) in payload.chunks(*size).enumerate() {
                        let opening = if at == 0 { first & 0x7f } else { 0 };
                        let ending = if at == last { first & 0x80 } else { 0 };
                        frames.push(Frame::new(opening | ending, piece));
                        if *with_pings && at < last {
                            frames.push(Frame::new(0x89, format!("p{at}")));
                        }
                    }
                }
            }
        }
        frames
    }

    /// What has to come back.
    pub(crate) fn echoes(&self, limit: Limit) -> Vec<Told> {
        let told = |(is_text, is_compressed, data): &(bool, bool, String)| Told {
            is_text: *is_text,
            is_compressed: *is_compressed,
            data: payload::bytes(data, limit),
        };
        self.expected.echoes.iter().map(told).collect()
    }

    fn line(&mut self, key: &str, rest: &str) {
        match key {
            "role" => {
                self.roles = match rest {
                    "server" => vec![Role::Server],
                    "client" => vec![Role::Client],
                    _ => panic!("`{rest}` is no role"),
                };
            }
            "covers" => self.covers = rest.split_whitespace().map(Into::into).collect(),
            "agree" if rest == "nothing" => self.opening = Opening::Nothing,
            "agree" => {
                self.opening = Opening::Agree(rest.split("; ").map(Into::into).collect());
            }
            "asks" => self.asks = Some(rest.into()),
            "offer" | "answer" => self.header(key, rest),
            "send" => {
                let (first, payload) = first_byte(rest);
                self.sends.push(Send::Frame(first, payload.into()));
            }
            "pieces" => self.pieces(rest),
            "agreed" | "declined" | "accepted" | "refused" => {
                self.expected.handshake = Some(match key {
                    "agreed" => Handshake::Agreed(rest.parse().expect("the number of an offer")),
                    "declined" => Handshake::Declined,
                    "accepted" => Handshake::Accepted,
                    _ => Handshake::Refused,
                });
            }
            "echo" => {
                let compressed = rest.strip_prefix("compressed ");
                let (kind, data) = compressed.unwrap_or(rest).split_once(' ').expect("a kind");
                let is_text = match kind {
                    "text" => true,
                    "binary" => false,
                    _ => panic!("`{kind}` is no kind of message"),
                };
                let echo = (is_text, compressed.is_some(), data.into());
                self.expected.echoes.push(echo);
            }
            "fails" => self.expected.fails = Some(rest.parse().expect("a close code")),
            _ => panic!("`{key}` means nothing"),
        }
    }

    fn header(&mut self, key: &str, value: &str) {
        let value = value.to_owned();
        match &mut self.opening {
            Opening::Offer(lines) | Opening::Answer(lines) => lines.push(value),
            _ if key == "offer" => self.opening = Opening::Offer(vec![value]),
            _ => self.opening = Opening::Answer(vec![value]),
        }
    }

    fn pieces(&mut self, rest: &str) {
        let (size, rest) = rest.split_once(' ').expect("a size");
        let pinged = rest.strip_prefix("pinged ");
        let (first, payload) = first_byte(pinged.unwrap_or(rest));
        let size = size.replace('_', "").parse().expect("a size in bytes");
        self.sends
            .push(Send::Pieces(size, pinged.is_some(), first, payload.into()));
    }
}

fn first_byte(rest: &str) -> (u8, &str) {
    let (first, payload) = rest.split_once(':').expect("a colon behind the first byte");
    (payload::hex(first)[0], payload)
}

/// The cases of one file of the folder `cases`.
pub(crate) fn read(name: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compression/cases");
    let path = folder.join(name).with_extension("case");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let cases = parse(&text);
    assert!(!cases.is_empty(), "{name} holds no case");
    cases
}

fn parse(text: &str) -> Vec<Case> {
    // What stands before the first case holds for all of them.
    let mut shared = Case {
        roles: Role::BOTH.to_vec(),
        ..Case::default()
    };
    let mut cases: Vec<Case> = Vec::new();
    let mut is_alternative = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "case" => {
                let name = rest.to_owned();
                cases.push(Case {
                    name,
                    ..shared.clone()
                });
                is_alternative = false;
            }
            "or" => is_alternative = true,
            _ if is_alternative => {}
            _ => cases
                .last_mut()
                .unwrap_or(&mut shared)
                .line(key, rest.trim()),
        }
    }
    cases
}
