//! Requests that axum has read.

use alloc::sync::Arc;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use core::net::SocketAddr;
use framewire::engine::{Acceptance, Limits};
use framewire::server::adapters::axum::Upgrade;
use tokio::net::TcpListener;

use crate::echo;
use crate::raw::{Raw, expect_first_frames_back, expect_refusals, header, request};

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
