//! Requests that hyper has read.

use alloc::sync::Arc;
use core::convert::Infallible;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::Poll;
use framewire::engine::{Acceptance, Limits};
use framewire::server::adapters::hyper::{Upgrade, refused};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::echo;
use crate::raw::{Raw, expect_first_frames_back, expect_refusals, header, request};

/// Accepts, and gives up the connection before the answer is sent.
async fn give_up(mut request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let upgrade = Upgrade::new(&mut request).expect("it is valid");
    let accepted = upgrade.accept(Acceptance::new(), Arc::default());
    let (response, pending) = accepted.expect("it fits");
    let mut opening = Box::pin(pending.open());
    let polled = poll_fn(|cx| Poll::Ready(opening.as_mut().poll(cx).is_ready())).await;
    assert!(!polled, "the answer is not sent yet");
    Ok(response)
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let upgrade = match Upgrade::new(&mut request) {
        Ok(upgrade) => upgrade,
        Err(refusal) => return Ok(refused(&refusal)),
    };
    let mut acceptance = Acceptance::new().with_header("X-Server", "hyper");
    if let Some(first) = upgrade.request().subprotocols().first() {
        acceptance = acceptance.with_subprotocol(first);
    }
    let accepted = upgrade.accept(acceptance, Arc::new(Limits::default()));
    let (response, pending) = accepted.expect("it fits");
    tokio::spawn(async { echo(pending.open().await.expect("it is sent")).await });
    Ok(response)
}

async fn start() -> SocketAddr {
    start_with(answer).await
}

async fn start_with<F, R>(answer: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> R + Copy + Send + 'static,
    R: Future<Output = Result<Response<String>, Infallible>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let builder = hyper::server::conn::http1::Builder::new();
            let connection = builder.serve_connection(TokioIo::new(tcp), service_fn(answer));
            tokio::spawn(connection.with_upgrades());
        }
    });
    address
}

//= E29 type=test
//= A30 type=test
//= E45 type=test
//= E32 type=test
#[tokio::test]
async fn frames_in_the_segment_of_the_request_are_not_lost_by_hyper() {
    expect_first_frames_back(start().await, "/").await;
}

//= C04 type=test
//= D07 type=test
#[tokio::test]
async fn hyper_answers_what_opens_nothing() {
    expect_refusals(start().await, "/").await;
}

#[tokio::test]
async fn what_the_acceptance_says_is_in_the_answer_of_hyper() {
    let mut raw = Raw::connect(start().await).await;
    let asked = request("/chat?a=1", "Sec-WebSocket-Protocol: one\r\n");
    raw.send(asked.as_bytes()).await;
    let head = raw.head().await;
    assert_eq!(header(&head, "sec-websocket-protocol"), Some("one"));
    assert_eq!(header(&head, "x-server"), Some("hyper"));
}

// drops: server::adapters::hyper::open
#[tokio::test]
async fn a_connection_that_is_given_up_before_its_answer_is_closed() {
    let mut raw = Raw::connect(start_with(give_up).await).await;
    raw.send(request("/", "").as_bytes()).await;
    let all = raw.rest().await;
    assert!(all.starts_with("http/1.1 101 "), "{all}");
    assert!(all.ends_with("\r\n\r\n"), "nothing but the end follows");
}
