//! Clients that leave at once, that speak HTTP again, or that are simply gone.

use core::time::Duration;
use framewire::engine::Limits;
use framewire::server::{Config, HandshakeError};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::raw::{Raw, masked, request};
use crate::{EchoServer, within};

/// Waits until the server has no connection any more.
async fn all_gone(server: &EchoServer) {
    within(async {
        while server.admission.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

//= C13 type=test
#[tokio::test]
async fn a_client_that_says_hello_and_close_in_one_breath_is_answered_both() {
    let server = EchoServer::start(Config::default()).await;
    let mut raw = Raw::connect(server.address).await;
    let frames = [masked(1, b"hello"), masked(8, b"\x03\xE8")].concat();
    raw.send(&[request("").as_bytes(), &frames].concat()).await;
    raw.stream.shutdown().await.expect("it is open");
    raw.expect_switched().await;
    let rest = raw.rest().await.expect("no reset");
    assert_eq!(rest, b"\x81\x05hello\x88\x02\x03\xE8");
    drop(raw);
    all_gone(&server).await;
}

//= E14 type=test
#[tokio::test]
async fn a_request_line_without_a_version_is_answered_400() {
    let mut server = EchoServer::start(Config::default()).await;
    for line in ["GET /chat", "GET /chat ", "GET  HTTP/1.1", "/chat HTTP/1.1"] {
        let mut raw = Raw::connect(server.address).await;
        let asked = request("").replace("GET /chat?room=1 HTTP/1.1", line);
        raw.send(asked.as_bytes()).await;
        let answer = raw.answer().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{line}: {answer}");
        drop(raw);
        let error = server.next_refused().await;
        assert!(matches!(error, HandshakeError::Refused(_)));
    }
}

//= E20 type=test
#[tokio::test]
async fn http_behind_the_upgrade_is_no_http_any_more() {
    let server = EchoServer::start(Config::default()).await;
    let again = "GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // In the segment of the request, as whoever smuggles sends it, and later.
    for together in [true, false] {
        let mut raw = Raw::connect(server.address).await;
        if together {
            raw.send([request(""), again.to_owned()].concat().as_bytes())
                .await;
        } else {
            raw.send(request("").as_bytes()).await;
        }
        raw.expect_switched().await;
        if !together {
            raw.send(again.as_bytes()).await;
        }
        let rest = raw.rest().await.expect("no reset");
        let close = [0x88, rest[1], 0x03, 0xEA];
        assert_eq!(rest[..4], close, "1002 and nothing else: {rest:?}");
        assert_eq!(rest.len(), 2 + usize::from(rest[1]));
    }
}

//= D15 type=test
//= D30 type=test
//= D31 type=test
//= D34 type=test
//= E66 type=test
//= E67 type=test
#[tokio::test]
async fn clients_that_are_gone_without_a_word_are_noticed_and_not_waited_for() {
    const CLIENTS: usize = 200;
    let limits = Limits::default()
        .with_keep_alive(Some(Duration::from_millis(500)), Duration::from_secs(1))
        .with_close_timeout(Duration::from_secs(600));
    let server = EchoServer::start(Config::default().with_limits(limits)).await;
    // They keep TCP open and never say anything again, as over a broken link.
    let mut gone = Vec::new();
    for _ in 0..CLIENTS {
        gone.push(Raw::open(server.address).await);
    }
    let began = Instant::now();
    let first = gone[0].bytes(1).await;
    assert_eq!(first, [0x89], "the server asks by itself");
    all_gone(&server).await;
    assert!(began.elapsed() < Duration::from_secs(600), "no close timer");
    drop(gone);
    // The next one is served as ever.
    let mut raw = Raw::open(server.address).await;
    raw.send(&masked(1, b"hello")).await;
    assert_eq!(raw.bytes(7).await, b"\x81\x05hello");
}
