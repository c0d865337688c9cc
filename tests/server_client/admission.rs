//! Bounds on connections, in all and from one address.

use alloc::sync::Arc;
use framewire::server::{Config, HandshakeError, Listener};

use crate::raw::{Raw, header, masked, request};
use crate::{EchoServer, within};

/// Waits until the server has so many connections.
async fn settled(server: &EchoServer, connections: usize) {
    within(async {
        while server.admission.connections() != connections {
            tokio::time::sleep(core::time::Duration::from_millis(1)).await;
        }
    })
    .await;
}

async fn expect_503(mut raw: Raw) {
    raw.send(request("").as_bytes()).await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let retry = header(&answer, "retry-after").and_then(|it| it.parse::<u32>().ok());
    assert!(retry.is_some_and(|it| it > 0), "{answer}");
}

#[tokio::test]
async fn one_connection_too_many_is_answered_503_until_a_place_is_free() {
    let mut server = EchoServer::start(Config::default().with_connections_max(2, 9)).await;
    let mut first = Raw::open(server.address).await;
    let second = Raw::open(server.address).await;
    expect_503(Raw::connect(server.address).await).await;
    assert!(matches!(
        server.next_refused().await,
        HandshakeError::Refused(_)
    ));
    assert_eq!(server.admission.connections(), 2);
    drop(second);
    settled(&server, 1).await;
    let mut third = Raw::open(server.address).await;
    for raw in [&mut first, &mut third] {
        raw.send(&masked(1, b"hello")).await;
        assert_eq!(raw.bytes(7).await, b"\x81\x05hello");
    }
}

#[tokio::test]
async fn one_address_has_its_own_bound() {
    let server = EchoServer::start(Config::default().with_connections_max(9, 1)).await;
    let first = Raw::open(server.address).await;
    expect_503(Raw::connect(server.address).await).await;
    let mut other = Raw::connect_from(2, server.address).await;
    other.send(request("").as_bytes()).await;
    other.expect_switched().await;
    drop(first);
    settled(&server, 1).await;
    drop(Raw::open(server.address).await);
}

#[tokio::test]
async fn refused_clients_of_one_address_take_nobodys_place() {
    let server = EchoServer::start(Config::default().with_connections_max(3, 1)).await;
    let _first = Raw::open(server.address).await;
    // They are not admitted, and say nothing: the server waits to tell them so.
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(Raw::connect(server.address).await);
    }
    for address in [2, 3] {
        let mut other = Raw::connect_from(address, server.address).await;
        other.send(request("").as_bytes()).await;
        other.expect_switched().await;
        silent.push(other);
    }
    assert_eq!(server.admission.connections(), 3);
}

#[tokio::test]
async fn a_flood_beyond_the_bound_is_dropped_without_an_answer() {
    let server = EchoServer::start(Config::default().with_connections_max(0, 0)).await;
    let mut flood = Vec::new();
    for _ in 0..80 {
        flood.push(Raw::connect(server.address).await);
    }
    // The first of them are still to be answered; the last are not.
    let last = flood.pop().expect("eighty");
    assert_eq!({ last }.rest().await.unwrap_or_default(), b"");
    expect_503(flood.remove(0)).await;
}

#[tokio::test]
async fn listeners_can_share_one_count() {
    let any = "127.0.0.1:0".parse().expect("an address");
    let one = Listener::bind(any, Config::default())
        .await
        .expect("a free port");
    let other = Listener::bind(any, Config::default())
        .await
        .expect("a free port");
    let other = other.with_admission(Arc::clone(one.admission()));
    let mut held = Vec::new();
    for listener in [&one, &other] {
        let address = listener.local_addr().expect("it is bound");
        held.push((Raw::connect(address).await, within(listener.accept()).await));
    }
    assert_eq!(one.admission().connections(), 2);
    drop(held);
    assert_eq!(other.admission().connections(), 0);
}
