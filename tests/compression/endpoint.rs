//! The engine as the endpoint of a case, in either role, with a tester's bytes fed to it.

use std::sync::Arc;

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig, DeflateOffer};
use framewire::engine::{
    Acceptance, ClientHandshake, ClientProgress, ClientRequest, Connection, Inbox, Incoming,
    Limits, Role, SendError, ServerHandshake, ServerProgress, Timestamp,
};
use framewire::wire::key;

use crate::cases::{Case, Opening};
use crate::raw::{self, Frame};

const NOW: Timestamp = Timestamp::ZERO;
const NAME: &str = "permessage-deflate";

/// What a case says of the two ends, in the words of RFC 7692 §7.1 for this role of the endpoint.
pub(crate) fn in_role(role: Role, parameter: &str) -> String {
    let (endpoint, tester) = match role {
        Role::Server => ("server_", "client_"),
        Role::Client => ("client_", "server_"),
    };
    parameter
        .replace("endpoint_", endpoint)
        .replace("tester_", tester)
}

/// The header lines that the tester sends: its offers, or its answer.
pub(crate) fn header_lines(case: &Case, role: Role) -> Vec<String> {
    match &case.opening {
        Opening::Nothing => Vec::new(),
        Opening::Offer(lines) | Opening::Answer(lines) => lines.clone(),
        Opening::Agree(parameters) => {
            let parameters = parameters.iter().map(|it| in_role(role, it));
            let line = |line: String, it: String| format!("{line}; {it}");
            vec![parameters.fold(NAME.to_owned(), line)]
        }
    }
}

/// How the engine opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    Refused,
    Plain,
    /// The extension is in use, as the answer says.
    Agreed(String),
}

/// What the engine did.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) opened: Opened,
    pub(crate) sent: Vec<Frame>,
}

/// Plays the whole case: the bytes of the tester arrive in pieces of the lengths of `cut`, the
/// last one again and again.
pub(crate) fn play(
    case: &Case,
    role: Role,
    frames: &[Frame],
    limits: &Arc<Limits>,
    cut: &[usize],
) -> Played {
    let lines = header_lines(case, role);
    let opened = match role {
        Role::Server => open_server(&DeflateAnswer::default(), &lines, limits),
        Role::Client => open_client(case, &lines, limits),
    };
    let Some((connection, opened)) = opened else {
        return Played {
            opened: Opened::Refused,
            sent: Vec::new(),
        };
    };
    let mut endpoint = Endpoint::new(connection);
    let mut bytes = Vec::new();
    let close = Frame::new(0x88, 1000_u16.to_be_bytes());
    for frame in frames.iter().chain([&close]).cloned() {
        let is_masked = role == Role::Server;
        bytes.extend(if is_masked { frame.masked() } else { frame }.to_bytes());
    }
    endpoint.receive(&bytes, cut);
    Played {
        opened,
        sent: raw::frames(&endpoint.sent),
    }
}

fn headers(lines: &[String]) -> String {
    let line = |line: &String| format!("Sec-WebSocket-Extensions: {line}\r\n");
    lines.iter().map(line).collect()
}

/// The extension that a head names.
fn named(head: &str) -> Opened {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut extensions = lines.filter(|(name, _)| *name == "Sec-WebSocket-Extensions");
    let first = extensions.next().map(|(_, value)| value.to_owned());
    assert_eq!(extensions.next(), None, "one line of extensions");
    first.map_or(Opened::Plain, Opened::Agreed)
}

/// A server whose answer to the handshake has been sent; `None` where it refused.
pub(crate) fn open_server(
    deflate: &DeflateAnswer,
    lines: &[String],
    limits: &Arc<Limits>,
) -> Option<(Connection, Opened)> {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{}\r\n",
        headers(lines)
    );
    let progress = ServerHandshake::default()
        .receive(request.as_bytes())
        .ok()?;
    let ServerProgress::Upgrade(request) = progress else {
        panic!("a request to upgrade");
    };
    let acceptance = Acceptance::new().with_extension(deflate);
    let accepted = request.accept(acceptance, Arc::clone(limits), NOW).unwrap();
    let mut connection = accepted.connection;
    let head = take(&mut connection);
    Some((connection, named(core::str::from_utf8(&head).unwrap())))
}

/// A client that has got its answer; `None` where it did not accept it.
fn open_client(
    case: &Case,
    lines: &[String],
    limits: &Arc<Limits>,
) -> Option<(Connection, Opened)> {
    let offer = DeflateOffer::new(asking(case.asks.as_deref()));
    let request = ClientRequest::new("test", "/").with_offer(Box::new(offer));
    let handshake = ClientHandshake::new(request, [7; 32]).unwrap();
    let asked = core::str::from_utf8(handshake.request()).unwrap();
    let (_, behind) = asked.split_once("Sec-WebSocket-Key: ").unwrap();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{}\r\n",
        key::accept(behind.lines().next().unwrap()).as_str(),
        headers(lines)
    );
    match handshake.receive(answer.as_bytes(), limits, NOW).ok()? {
        ClientProgress::Open(opened) => Some((opened.connection, named(&answer))),
        other => panic!("the answer is whole: {other:?}"),
    }
}

/// The configuration of a client that asks for just these parameters.
fn asking(parameters: Option<&str>) -> DeflateConfig {
    let config = DeflateConfig::default();
    match parameters.map(|it| it.split_once('=').unwrap_or((it, ""))) {
        // The engine asks for it in any case.
        None | Some(("client_max_window_bits", "")) => config,
        Some(("server_no_context_takeover", _)) => config.with_context_kept(true, false),
        Some(("server_max_window_bits", bits)) => {
            config.with_window_bits(15, bits.parse().unwrap())
        }
        Some(other) => panic!("{other:?} cannot be asked for"),
    }
}

/// Everything that waits to be sent.
pub(crate) fn take(connection: &mut Connection) -> Vec<u8> {
    let bytes: Vec<u8> = connection.transmit().flatten().copied().collect();
    connection.transmitted(bytes.len());
    bytes
}

/// An open connection that echoes.
pub(crate) struct Endpoint {
    pub(crate) connection: Connection,
    inbox: Inbox,
    pub(crate) sent: Vec<u8>,
}

impl Endpoint {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            inbox: Inbox::new(),
            sent: Vec::new(),
        }
    }

    /// Takes `bytes` in pieces of the lengths of `cut`, the last one again and again.
    pub(crate) fn receive(&mut self, mut bytes: &[u8], cut: &[usize]) {
        let mut lengths = cut.iter().chain(cut.last().into_iter().cycle());
        while !bytes.is_empty() {
            let wanted = lengths.next().copied().unwrap_or(usize::MAX);
            let (piece, rest) = bytes.split_at(wanted.clamp(1, bytes.len()));
            self.arrive(piece);
            bytes = rest;
        }
    }

    fn arrive(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let space = self.inbox.space(self.connection.frame_bytes_to_come());
            let len = space.len().min(piece.len());
            space[..len].copy_from_slice(&piece[..len]);
            self.inbox.filled(len);
            piece = &piece[len..];
            while let Some(incoming) = self.inbox.next(&mut self.connection, NOW) {
                if let Incoming::Message(message) = incoming {
                    let echoed = self.connection.send_message(NOW, message.to_owned());
                    assert!(
                        matches!(echoed, Ok(()) | Err(SendError::Misuse(_))),
                        "the outbox is drained after each message: {echoed:?}"
                    );
                    self.sent.extend(take(&mut self.connection));
                }
            }
            self.sent.extend(take(&mut self.connection));
        }
    }
}
