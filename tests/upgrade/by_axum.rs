//! Requests that axum has read.

use alloc::sync::Arc;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use core::net::SocketAddr;
use core::num::NonZeroU32;
use framewire::engine::{Acceptance, Limits};
use framewire::server::adapters::axum::{Rejection, Socket, Upgrade};
use framewire::server::{Connected, Drain, Stop, Stopping};
use tokio::net::TcpListener;

use crate::raw::{Raw, expect_first_frames_back, expect_refusals, header, masked, request};
use crate::{LONG, echo, within};

async fn open(upgrade: Upgrade) -> Response {
    upgrade.accept(Acceptance::new(), Arc::new(Limits::default()), echo)
}

async fn does_not_fit(upgrade: Upgrade) -> Response {
    let acceptance = Acceptance::new().with_subprotocol("never offered");
    upgrade.accept(acceptance, Arc::new(Limits::default()), echo)
}

async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let router = Router::new()
        .route("/", get(async || "a page"))
        .route("/echo", get(open))
        .route("/wrong", get(does_not_fit));
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

//= A15 type=test
//= A30 type=test
#[tokio::test]
async fn frames_in_the_segment_of_the_request_are_not_lost_by_axum() {
    expect_first_frames_back(start().await, "/echo").await;
}

//= C04 type=test
#[tokio::test]
async fn axum_answers_what_opens_nothing() {
    expect_refusals(start().await, "/echo").await;
}

//= C17 type=test
#[tokio::test]
async fn pages_and_sockets_share_one_listener_of_axum() {
    let address = start().await;
    let mut raw = Raw::connect(address).await;
    let page = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    raw.send(page.as_bytes()).await;
    assert!(raw.rest().await.ends_with("\r\n\r\na page"));
    let mut raw = Raw::connect(address).await;
    raw.send(request("/wrong", "").as_bytes()).await;
    let head = raw.rest().await;
    assert!(head.starts_with("http/1.1 500 "), "{head}");
    assert_eq!(header(&head, "connection"), Some("close"));
}

async fn open_counted(State(stopping): State<Stopping>, upgrade: Upgrade) -> Response {
    match stopping.connection() {
        Ok(connected) => upgrade.accept(Acceptance::new(), Arc::default(), |socket| {
            echo_until_told(socket, connected)
        }),
        Err(refusal) => Rejection(refusal).into_response(),
    }
}

async fn echo_until_told(mut socket: Socket, mut connected: Connected) {
    loop {
        tokio::select! {
            biased;
            message = socket.recv() => match message {
                Ok(Some(message)) => socket.send(message).await.expect("it is open"),
                _ => return,
            },
            code = connected.turn() => {
                let _ = socket.close(code, "").await;
                return;
            }
        }
    }
}

/// The server of axum stops gracefully, and does not wait for connections that it has given up;
/// the drain does.
//= E38 type=test
#[tokio::test]
async fn connections_that_came_through_axum_close_in_turn_and_none_is_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let stop = Stop::new();
    let mut told = stop.stopping();
    let router = Router::new()
        .route("/echo", get(open_counted))
        .with_state(stop.stopping());
    let serving = axum::serve(listener, router);
    let serving = serving.with_graceful_shutdown(async move { told.wait().await });
    let serving = tokio::spawn(async { serving.await });
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut raw = Raw::connect(address).await;
        raw.send(request("/echo", "").as_bytes()).await;
        assert!(raw.head().await.starts_with("http/1.1 101 "));
        clients.push(raw);
    }
    for raw in &mut clients {
        raw.send(&masked(1, b"last")).await;
    }
    let drain = Drain::new(LONG).with_rate(NonZeroU32::new(20).expect("twenty"));
    let draining = tokio::spawn(stop.drain(drain));
    for mut raw in clients {
        assert_eq!(raw.bytes(10).await, b"\x81\x04last\x88\x02\x03\xE9");
        raw.send(&masked(8, b"\x03\xE9")).await;
        assert_eq!(raw.rest().await, "");
    }
    let drained = within(draining).await.expect("no panic");
    assert_eq!((drained.closed, drained.forced), (20, 0));
    within(serving)
        .await
        .expect("no panic")
        .expect("no failure");
}
