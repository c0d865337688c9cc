//! What a connection leaves to others.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use framewire::engine::Acceptance;
use framewire::server::{Config, Listener};

use crate::raw::{Raw, request};
use crate::within;

/// How many messages are sent in a row: far fewer than a socket takes unread.
const MESSAGES: usize = 1_000;

#[tokio::test]
async fn who_sends_without_a_pause_lets_others_have_their_turns() {
    let any = "127.0.0.1:0".parse().expect("an address");
    let listener = Listener::bind(any, Config::default())
        .await
        .expect("a free port");
    let mut raw = Raw::connect(listener.local_addr().expect("it is bound")).await;
    raw.send(request("").as_bytes()).await;
    let incoming = within(listener.accept()).await;
    let mut socket = within(incoming.accept_with(Acceptance::new()))
        .await
        .expect("a request");

    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    for _ in 0..MESSAGES {
        socket.send("again").await.expect("it is open");
    }
    other.abort();
    let turns = turns.load(Ordering::Relaxed);
    assert!(turns >= 3, "{turns} turns while {MESSAGES} messages left");
}
