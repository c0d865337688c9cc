//! Requests that a parser of one's own has read.

use alloc::sync::Arc;
use framewire::engine::{AcceptError, Acceptance, Limits, Refusal, UpgradeRequest};
use framewire::server::{Switching, handle_upgrade, refusal_headers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::raw::masked;
use crate::within;

const VALID: [(&str, &[u8]); 6] = [
    ("host", b"localhost"),
    ("Upgrade", b"WebSocket"),
    ("connection", b"keep-alive, Upgrade"),
    ("sec-websocket-version", b"13"),
    ("sec-websocket-key", b"x3JJHMbDL1EzLkh9GBhXDw=="),
    ("sec-websocket-protocol", b"one, two"),
];

fn ask(method: &str, target: &str, version: (u8, u8)) -> Result<UpgradeRequest, Refusal> {
    handle_upgrade(method, target, version, VALID)
}

//= E45 type=test
//= A30 type=test
//= C03 type=test
//= C05 type=test
//= C06 type=test
//= D02 type=test
#[tokio::test]
async fn what_was_read_with_the_request_is_received_first() {
    let request = ask("GET", "/chat?room=1", (1, 1)).expect("it is valid");
    assert_eq!((request.path(), request.query()), ("/chat", Some("room=1")));
    let acceptance = Acceptance::new()
        .with_subprotocol("two")
        .with_header("X-Server", "1");
    let switching = Switching::new(request, acceptance, Arc::new(Limits::default()));
    let switching = switching.expect("it fits");
    assert_eq!(switching.subprotocol(), Some("two"));
    let headers: Vec<_> = switching.headers().collect();
    let accept: (&str, &[u8]) = ("Sec-WebSocket-Accept", b"HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
    assert!(headers.contains(&accept), "{headers:?}");
    assert!(headers.contains(&("Upgrade", b"websocket")));
    assert!(headers.contains(&("Connection", b"Upgrade")));
    assert!(headers.contains(&("X-Server", b"1")));
    let (mut client, server) = tokio::io::duplex(1024);
    let frame = masked(1, b"hello");
    let mut socket = switching.join(server, frame[..3].to_vec());
    within(client.write_all(&frame[3..])).await.expect("open");
    let message = within(socket.recv()).await.expect("no failure");
    assert_eq!(message.expect("a message").as_text(), Some("hello"));
    within(socket.send("back")).await.expect("open");
    let mut back = [0; 6];
    within(client.read_exact(&mut back)).await.expect("open");
    assert_eq!(&back, b"\x81\x04back", "nothing is sent before");
}

//= C06 type=test
//= E19 type=test
//= D08 type=test
#[test]
fn keys_that_others_have_published_are_answered_as_they_say() {
    for (key, expected) in [
        ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ("Iv8io/9s+lYFgZWcXczP8Q==", "hsBlbuDTkk24srzEOTBUlZAlC2g="),
    ] {
        let headers = VALID.map(|(name, value)| match name {
            "sec-websocket-key" => (name, key.as_bytes()),
            _ => (name, value),
        });
        let request = handle_upgrade("GET", "/", (1, 1), headers).expect("it is valid");
        let switching = Switching::new(request, Acceptance::new(), Arc::default());
        let switching = switching.expect("it fits");
        let accept = switching
            .headers()
            .find(|it| it.0 == "Sec-WebSocket-Accept");
        assert_eq!(accept.map(|it| it.1), Some(expected.as_bytes()));
    }
}

//= D06 type=test
#[test]
fn what_cannot_be_upgraded_is_refused() {
    let status = |it: Result<UpgradeRequest, Refusal>| it.expect_err("refused").status();
    assert_eq!(status(ask("POST", "/", (1, 1))), 405);
    assert_eq!(status(ask("GET", "/", (1, 0))), 505);
    assert_eq!(status(ask("GET", "/", (2, 0))), 505);
    assert_eq!(status(ask("GET", "/a b", (1, 1))), 400);
    assert_eq!(status(ask("GET /x HTTP/1.1\r\nA:", "/", (1, 1))), 400);
    let with = |name, value: &'static [u8]| {
        let more: [(&str, &[u8]); 1] = [(name, value)];
        handle_upgrade("GET", "/", (1, 1), VALID.into_iter().chain(more))
    };
    assert!(with("X-Odd", b"\xFF\x80").is_ok(), "values may be any text");
    assert_eq!(status(with("X", b"1\r\nOrigin: http://a.example")), 400);
    assert_eq!(status(with("X: 1\r\nY", b"1")), 400);
    assert_eq!(status(with("Host", b"again")), 400);
    assert_eq!(status(with("Content-Length", b"5")), 400);
}

#[test]
fn a_refusal_has_the_headers_that_the_other_server_sends() {
    let refusal = Refusal::upgrade_required("no");
    let headers = refusal_headers(&refusal);
    let has = |name: &str, value: &[u8]| headers.iter().any(|it| it.0 == name && it.1 == value);
    assert!(has("Sec-WebSocket-Version", b"13") && has("Upgrade", b"websocket"));
    assert!(has("Connection", b"close, Upgrade"));
    assert!(!headers.iter().any(|it| it.0 == "Content-Length"));
}

//= E40 type=test
#[test]
fn an_acceptance_cannot_set_the_headers_of_the_handshake() {
    for name in [
        "Connection",
        "upgrade",
        "Sec-WebSocket-Accept",
        "Transfer-Encoding",
    ] {
        let request = ask("GET", "/", (1, 1)).expect("it is valid");
        let acceptance = Acceptance::new().with_header(name, "x");
        let switching = Switching::new(request, acceptance, Arc::default());
        let error = switching.expect_err("it is reserved");
        assert_eq!(error, AcceptError::ReservedHeader);
    }
}
