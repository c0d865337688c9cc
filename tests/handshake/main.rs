//! The opening handshakes (RFC 6455 §4), against a peer that is written by hand.

extern crate alloc;

mod client;
mod extensions;
mod http;
mod property;
#[path = "../raw/mod.rs"]
mod raw;
mod refusals;
mod server;

use alloc::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use framewire::engine::{
    Acceptance, Accepted, ClientHandshake, ClientProgress, ClientRequest, Connection,
    HandshakeFailure, Inbox, Incoming, Limits, Opened, PlainRequest, Refusal, ServerHandshake,
    ServerProgress, Timestamp, UpgradeRequest,
};
use framewire::wire::http::HeadLimits;
use sha1::{Digest as _, Sha1};

use http::Head;

const NOW: Timestamp = Timestamp::ZERO;

/// The example of RFC 6455 §1.2, its optional lines apart.
const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

/// The example request with one place changed.
fn request_with(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(
        REQUEST.matches(from).count(),
        1,
        "{from:?} stands there once"
    );
    REQUEST.replace(from, to).into_bytes()
}

/// The example request with more header lines.
fn request_and(lines: &str) -> Vec<u8> {
    request_with("\r\n\r\n", &format!("\r\n{lines}\r\n\r\n"))
}

/// What became of the bytes of a client.
#[derive(Debug)]
enum Served {
    Upgrade(Box<UpgradeRequest>),
    Plain(Box<PlainRequest>),
    Refused(Refusal),
    More,
}

/// Gives a server the pieces in turn, and says how many of them it took.
fn serve_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Served, usize) {
    let mut handshake = ServerHandshake::new(HeadLimits::default());
    let mut taken = 0;
    for piece in pieces {
        taken += piece.len();
        handshake = match handshake.receive(piece) {
            Ok(ServerProgress::More(more)) => more,
            Ok(ServerProgress::Upgrade(request)) => return (Served::Upgrade(request), taken),
            Ok(ServerProgress::Plain(request)) => return (Served::Plain(request), taken),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => return (Served::Refused(refusal), taken),
        };
    }
    (Served::More, taken)
}

fn serve(bytes: &[u8]) -> Served {
    serve_pieces([bytes]).0
}

/// The request, which must be one that can be accepted.
fn upgrade(bytes: &[u8]) -> UpgradeRequest {
    match serve(bytes) {
        Served::Upgrade(request) => *request,
        other => panic!("{other:?}: {}", bytes.escape_ascii()),
    }
}

fn accept(request: UpgradeRequest, acceptance: Acceptance<'_>) -> Accepted {
    let accepted = request.accept(acceptance, Arc::default(), NOW);
    accepted.expect("an acceptance of what was offered")
}

/// Everything that a connection wants to send now, taken.
fn drain(connection: &mut Connection) -> Vec<u8> {
    let bytes: Vec<u8> = connection.transmit().flatten().copied().collect();
    connection.transmitted(bytes.len());
    assert_eq!(connection.buffered_bytes(), 0);
    bytes
}

/// The texts that `connection` finds in `bytes`.
fn texts(connection: &mut Connection, bytes: Vec<u8>) -> Vec<String> {
    let mut inbox = Inbox::with_bytes(bytes);
    let mut texts = Vec::new();
    while let Some(incoming) = inbox.next(connection, NOW) {
        match incoming {
            Incoming::Message(message) => texts.push(message.text().expect("a text").to_owned()),
            other => panic!("{other:?}"),
        }
    }
    texts
}

fn ask() -> ClientRequest {
    ClientRequest::new("server.example.com", "/chat")
}

/// A client that has asked, and the answer that it should get.
fn asked(request: ClientRequest) -> (ClientHandshake, String) {
    let handshake = ClientHandshake::new(request, [7; 32]).expect("a request that can be sent");
    let key = Head::read(handshake.request()).header("sec-websocket-key");
    let accept = accept_of(&key.expect("a key"));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    (handshake, answer)
}

/// base64(SHA-1(key, GUID)), as RFC 6455 §4.2.2 writes it down.
fn accept_of(key: &str) -> String {
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let mut accept = [0; 28];
    let written = STANDARD.encode_slice(Sha1::digest(text), &mut accept);
    assert_eq!(written.ok(), Some(28));
    str::from_utf8(&accept).expect("base64").to_owned()
}

/// Gives a client the pieces in turn; `None` when it waits for more.
fn answer_pieces<'a>(
    mut handshake: ClientHandshake,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Option<Result<Box<Opened>, HandshakeFailure>>, usize) {
    let limits = Arc::new(Limits::default());
    let mut taken = 0;
    for piece in pieces {
        taken += piece.len();
        handshake = match handshake.receive(piece, &limits, NOW) {
            Ok(ClientProgress::More(more)) => more,
            Ok(ClientProgress::Open(opened)) => return (Some(Ok(opened)), taken),
            Ok(other) => panic!("{other:?}"),
            Err(failure) => return (Some(Err(failure)), taken),
        };
    }
    (None, taken)
}

/// What a client makes of a whole answer.
fn answer(handshake: ClientHandshake, bytes: &[u8]) -> Result<Box<Opened>, HandshakeFailure> {
    let (outcome, _) = answer_pieces(handshake, [bytes]);
    outcome.unwrap_or_else(|| panic!("the client waits: {}", bytes.escape_ascii()))
}
