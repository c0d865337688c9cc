//! Who ends TCP, and in which order.

use core::time::Duration;
use framewire::client::connect;
use framewire::net::Error;
use framewire::server::Config;
use framewire::wire::close::CloseCode;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};

use crate::raw::{Raw, RawServer, masked, switched};
use crate::{EchoServer, within};

const WHILE: Duration = Duration::from_millis(150);

//= C13 type=test
//= WS-106 type=test
//= WS-107 type=test
//= WS-127 type=test
//= WS-128 type=test
#[tokio::test]
async fn a_server_ends_tcp_right_behind_its_close() {
    let server = EchoServer::start(Config::default()).await;
    for behind in [0, 100 << 10] {
        let mut raw = Raw::open(server.address).await;
        raw.send(&masked(8, b"\x03\xE8bye")).await;
        raw.send(&vec![0; behind]).await;
        let began = Instant::now();
        // The client has not ended its side, and has still said something.
        assert_eq!(raw.rest().await.expect("no reset"), b"\x88\x02\x03\xE8");
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "it did not wait for us"
        );
    }
}

//= WS-137 type=test
//= WS-140 type=test
#[tokio::test]
async fn a_server_tells_a_violation_before_it_ends_tcp() {
    let server = EchoServer::start(Config::default()).await;
    let mut raw = Raw::open(server.address).await;
    raw.send(b"\x81\x05naked").await;
    raw.send(&masked(1, b"not echoed")).await;
    raw.send(&vec![0; 100 << 10]).await;
    let answer = raw.rest().await.expect("no reset");
    assert_eq!(answer[..4], [0x88, answer[1], 0x03, 0xEA], "{answer:?}");
    assert_eq!(
        answer.len(),
        2 + usize::from(answer[1]),
        "and nothing behind it"
    );
}

//= WS-108 type=test
//= WS-130 type=test
#[tokio::test]
async fn a_client_waits_for_the_server_to_end_tcp() {
    let server = RawServer::listen(1).await;
    let url = server.url();
    let connecting = tokio::spawn(async move { connect(&url).await.expect("open") });
    let (mut raw, asked) = server.asked().await;
    raw.send(switched(&asked, "").as_bytes()).await;
    let mut socket = within(connecting).await.expect("no panic");
    let ended = tokio::spawn(async move { (socket.recv().await, socket) });
    raw.send(b"\x88\x02\x03\xE8").await;
    assert_eq!(raw.bytes(8).await[..2], [0x88, 0x82]);
    assert!(
        timeout(WHILE, raw.bytes(1)).await.is_err(),
        "no end before ours"
    );
    assert!(!ended.is_finished());
    raw.stream.shutdown().await.expect("it is open");
    let (ended, socket) = within(ended).await.expect("no panic");
    assert!(matches!(ended, Ok(None)));
    assert_eq!(raw.rest().await.expect("no reset"), b"");
    assert!(socket.closure().expect("it is closed").is_clean());
}

//= WS-143 type=test
#[tokio::test]
async fn a_reset_is_an_error_to_the_client() {
    let server = RawServer::listen(1).await;
    let url = server.url();
    let connecting = tokio::spawn(async move { connect(&url).await.expect("open") });
    let (mut raw, asked) = server.asked().await;
    raw.send(switched(&asked, "").as_bytes()).await;
    let mut socket = within(connecting).await.expect("no panic");
    raw.stream.set_zero_linger().expect("TCP has it");
    drop(raw);
    let ended = within(socket.recv()).await;
    assert!(matches!(ended, Err(Error::Io(_))), "{ended:?}");
    assert!(matches!(socket.recv().await, Ok(None)));
    let code = socket.closure().expect("it is closed").code();
    assert_eq!(code, CloseCode::ABNORMAL_CLOSURE);
}
