//! Clients that the system keeps until they have said something.
#![cfg(target_os = "linux")]

use core::time::Duration;
use framewire::engine::Acceptance;
use framewire::server::{Config, HandshakeError, Incoming, Listener};

use crate::raw::{Raw, masked, request};
use crate::within;

fn deferred() -> Config {
    Config::default().with_deferred_accept(true)
}

async fn listener(config: Config) -> Listener {
    let any = "127.0.0.1:0".parse().expect("an address");
    Listener::bind(any, config).await.expect("a free port")
}

/// A client that has said this before it was accepted.
async fn arrived(config: Config, said: &[u8]) -> (Raw, Incoming) {
    let listener = listener(config).await;
    let mut raw = Raw::connect(listener.local_addr().expect("it is bound")).await;
    raw.send(said).await;
    (raw, within(listener.accept()).await)
}

#[tokio::test]
async fn who_has_said_nothing_is_behind_who_has() {
    let listener = listener(deferred()).await;
    let address = listener.local_addr().expect("it is bound");
    let mut silent = Raw::connect(address).await;
    let mut live = Raw::connect(address).await;
    live.send(request("").as_bytes()).await;
    let first = within(listener.accept()).await;
    assert_eq!(first.peer_addr(), live.stream.local_addr().expect("it has"));
    silent.send(request("").as_bytes()).await;
    let second = within(listener.accept()).await;
    let address = silent.stream.local_addr().expect("it has");
    assert_eq!(second.peer_addr(), address);
}

#[tokio::test]
async fn a_request_that_is_there_is_answered() {
    let frames = [request("").as_bytes(), &masked(1, b"hello")].concat();
    let (mut raw, incoming) = arrived(deferred(), &frames).await;
    let mut socket = within(incoming.accept_with(Acceptance::new()))
        .await
        .expect("a request");
    raw.expect_switched().await;
    let message = within(socket.recv()).await.expect("no failure");
    assert_eq!(message.as_ref().and_then(|it| it.as_text()), Some("hello"));
    socket.send("and back").await.expect("it is open");
    assert_eq!(raw.bytes(10).await, b"\x81\x08and back");
}

#[tokio::test]
async fn a_request_of_which_a_part_is_there_is_read_to_its_end() {
    let request = request("");
    let (said, rest) = request.as_bytes().split_at(1);
    let (mut raw, incoming) = arrived(deferred(), said).await;
    raw.send(rest).await;
    within(incoming.accept_with(Acceptance::new()))
        .await
        .expect("a request");
    raw.expect_switched().await;
}

/// A client is answered so, and its place is given up.
async fn expect_refused(mut raw: Raw, incoming: Incoming, status: &str) {
    let opening = tokio::spawn(incoming.accept_with(Acceptance::new()));
    let answer = raw.answer().await;
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    drop(raw);
    let opened = within(opening).await.expect("no panic");
    assert!(matches!(opened, Err(HandshakeError::Refused(_))));
}

#[tokio::test]
async fn a_wrong_request_that_is_there_is_refused() {
    let (raw, incoming) = arrived(deferred(), b"GET / HTTP/1.1\r\nno colon\r\n\r\n").await;
    expect_refused(raw, incoming, "400").await;
}

#[tokio::test]
async fn who_leaves_without_a_word_is_an_end_of_the_stream() {
    let listener = listener(deferred()).await;
    drop(Raw::connect(listener.local_addr().expect("it is bound")).await);
    let incoming = within(listener.accept()).await;
    let opened = within(incoming.accept_with(Acceptance::new())).await;
    assert!(matches!(opened, Err(HandshakeError::Io(_))), "{opened:?}");
}

#[tokio::test]
async fn who_stays_silent_is_handed_over_after_all_and_answered_408() {
    let config = deferred().with_handshake_timeout(Duration::from_millis(50));
    let listener = listener(config).await;
    let silent = Raw::connect(listener.local_addr().expect("it is bound")).await;
    let incoming = within(listener.accept()).await;
    expect_refused(silent, incoming, "408").await;
}
