//! The client's side of opening.

use core::time::Duration;
use framewire::client::{self, ConnectError, Phase, connect, connect_with};
use framewire::engine::{HandshakeFailure, Message};
use framewire::server::Config;
use framewire::wire::close::CloseCode;
use std::io::ErrorKind;
use tokio::time::timeout;

use crate::raw::{RawServer, header, switched};
use crate::reserved::Reserved;
use crate::{EchoServer, within};

/// How long nothing must happen for it to count as not happening.
const WHILE: Duration = Duration::from_millis(150);

//= E62 type=test
//= E10 type=test
//= WS-007 type=test
//= WS-014 type=test
//= WS-021 type=test
#[tokio::test]
async fn a_client_opens_a_connection_and_talks() {
    let server = EchoServer::start(Config::default()).await;
    let mut socket = within(connect(&format!("ws://{}/", server.address)))
        .await
        .expect("open");
    for message in [Message::text("hello"), Message::binary(vec![7; 300_000])] {
        within(socket.send(message.clone()))
            .await
            .expect("no failure");
        let echoed = within(socket.recv()).await.expect("no failure");
        assert_eq!(echoed, Some(message));
    }
    let closing = socket.close(CloseCode::NORMAL_CLOSURE, "done");
    assert!(within(closing).await.expect("a normal close").is_clean());
}

#[tokio::test]
async fn a_host_name_is_looked_up_and_the_request_says_what_was_asked() {
    let server = RawServer::listen(1).await;
    let port = server.0.local_addr().expect("it is bound").port();
    let config = client::Config::default()
        .with_subprotocol("one")
        .with_subprotocol("two")
        .with_header("Origin", "http://a.example");
    let url = format!("ws://localhost:{port}/path?query=1");
    let connecting = tokio::spawn(async move { connect_with(&url, &config).await });
    let (mut raw, asked) = server.asked().await;
    assert!(
        asked.starts_with("GET /path?query=1 HTTP/1.1\r\n"),
        "{asked}"
    );
    assert_eq!(
        header(&asked, "host"),
        Some(format!("localhost:{port}").as_str())
    );
    assert_eq!(header(&asked, "sec-websocket-protocol"), Some("one, two"));
    assert_eq!(header(&asked, "origin"), Some("http://a.example"));
    let answer = switched(&asked, "Sec-WebSocket-Protocol: two\r\nX-Told: 1\r\n");
    raw.send(answer.as_bytes()).await;
    let connected = within(connecting).await.expect("no panic");
    let (socket, head) = connected.expect("open");
    assert_eq!(socket.subprotocol(), Some("two"));
    assert_eq!(head.headers().get_str("x-told"), Some("1"));
}

//= WS-035 type=test
#[tokio::test]
async fn nothing_follows_the_request_before_its_answer() {
    let server = RawServer::listen(1).await;
    let url = server.url();
    let connecting = tokio::spawn(async move {
        let mut socket = connect(&url).await.expect("open");
        socket.send("after").await.expect("no failure");
        socket
    });
    let (mut raw, asked) = server.asked().await;
    assert!(
        timeout(WHILE, raw.bytes(1)).await.is_err(),
        "nothing before the answer"
    );
    raw.send(switched(&asked, "").as_bytes()).await;
    assert_eq!(raw.bytes(1).await, [0x81]);
    within(connecting).await.expect("no panic");
}

//= PX-09 type=test
#[tokio::test]
async fn frames_in_the_segment_of_the_answer_are_received() {
    let server = RawServer::listen(1).await;
    let frames = b"\x81\x05first\x82\x06second";
    for cut in 0..=frames.len() {
        let url = server.url();
        let connecting = tokio::spawn(async move { connect(&url).await });
        let (mut raw, asked) = server.asked().await;
        raw.send(&[switched(&asked, "").as_bytes(), &frames[..cut]].concat())
            .await;
        let mut socket = within(connecting).await.expect("no panic").expect("open");
        raw.send(&frames[cut..]).await;
        let messages = [Message::text("first"), Message::binary(&b"second"[..])];
        for message in messages {
            assert_eq!(
                within(socket.recv()).await.expect("no failure"),
                Some(message)
            );
        }
    }
}

//= WS-016 type=test
#[tokio::test]
async fn a_port_on_which_nobody_listens_is_an_io_error() {
    let unheard = Reserved::new();
    let refused = within(connect(&format!("ws://{}/", unheard.address))).await;
    let Err(ConnectError::Io(Phase::Connect, error)) = refused else {
        panic!("nobody listens");
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

//= WS-037 type=test
//= WS-136 type=test
#[tokio::test]
async fn another_status_than_101_is_handed_to_the_caller() {
    let server = RawServer::listen(1).await;
    for status in ["404 Not Found", "200 OK", "301 Moved", "401 Unauthorized"] {
        let url = server.url();
        let connecting = tokio::spawn(async move { connect(&url).await });
        let (mut raw, _) = server.asked().await;
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno");
        raw.send(answer.as_bytes()).await;
        let failed = within(connecting).await.expect("no panic").err();
        let Some(ConnectError::Refused(refused)) = failed else {
            panic!("{failed:?}");
        };
        assert_eq!(refused.status().to_string(), status[..3]);
        assert_eq!(refused.body(), b"no");
        // The client has closed its end.
        let _ = raw.rest().await;
    }
}

//= WS-142 type=test
#[tokio::test]
async fn an_answer_that_does_not_fit_ends_the_connection() {
    let server = RawServer::listen(1).await;
    let wrong = |asked: &str| switched(asked, "").replace("Accept: ", "Accept: x");
    let url = server.url();
    let connecting = tokio::spawn(async move { connect(&url).await });
    let (mut raw, asked) = server.asked().await;
    raw.send(wrong(&asked).as_bytes()).await;
    let failed = within(connecting).await.expect("no panic").err();
    assert!(
        matches!(
            failed,
            Some(ConnectError::Handshake(HandshakeFailure::WrongAccept))
        ),
        "{failed:?}"
    );
    assert_eq!(raw.rest().await.expect("an orderly end"), b"");
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up_in_time() {
    let server = RawServer::listen(1).await;
    let short = client::Config::default().with_handshake_timeout(Duration::from_millis(200));
    let url = server.url();
    let failed = within(connect_with(&url, &short)).await.err();
    assert!(
        matches!(failed, Some(ConnectError::TimedOut(Some(Phase::Handshake)))),
        "{failed:?}"
    );
    let (mut raw, _) = server.asked().await;
    assert_eq!(raw.rest().await.expect("an orderly end"), b"");
}

#[tokio::test]
async fn a_server_that_hangs_up_within_the_handshake_is_an_io_error() {
    let server = RawServer::listen(1).await;
    let url = server.url();
    let connecting = tokio::spawn(async move { connect(&url).await });
    let (raw, _) = server.asked().await;
    drop(raw);
    let failed = within(connecting).await.expect("no panic").err();
    assert!(
        matches!(failed, Some(ConnectError::Io(Phase::Handshake, _))),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_url_that_cannot_be_used_is_refused_before_anything_is_opened() {
    let failed = connect("http://127.0.0.1:1/").await.err();
    assert!(matches!(failed, Some(ConnectError::Url(_))), "{failed:?}");
    let bad = client::Config::default().with_header("Upgrade", "h2c");
    let server = RawServer::listen(1).await;
    let failed = within(connect_with(&server.url(), &bad)).await.err();
    assert!(
        matches!(failed, Some(ConnectError::Request(_))),
        "{failed:?}"
    );
}

//= WS-009 type=test
//= WS-010 type=test
#[tokio::test]
async fn one_address_sees_one_handshake_at_a_time() {
    let server = RawServer::listen(1).await;
    let port = server.0.local_addr().expect("it is bound").port();
    // Under two names it is still one address.
    let urls = ["127.0.0.1", "localhost", "127.0.0.1"].map(|it| format!("ws://{it}:{port}/"));
    let mut connecting = tokio::task::JoinSet::new();
    for url in urls {
        connecting.spawn(async move { connect(&url).await });
    }
    for at in 0..3 {
        let (mut raw, asked) = server.asked().await;
        if at < 2 {
            let another = timeout(WHILE, server.0.accept()).await;
            assert!(
                another.is_err(),
                "a second one while the first is in its handshake"
            );
        }
        if at == 1 {
            // One that fails makes way as well.
            drop(raw);
        } else {
            raw.send(switched(&asked, "").as_bytes()).await;
        }
        let connected = within(connecting.join_next()).await.expect("one is done");
        assert_eq!(connected.expect("no panic").is_ok(), at != 1);
    }
}

#[tokio::test]
async fn a_client_that_gives_up_makes_way_for_the_next() {
    let server = RawServer::listen(1).await;
    let (url, other) = (server.url(), server.url());
    let first = tokio::spawn(async move { connect(&url).await.map(drop) });
    let (raw, _) = server.asked().await;
    let second = tokio::spawn(async move { connect(&other).await.map(drop) });
    first.abort();
    let (mut next, asked) = server.asked().await;
    next.send(switched(&asked, "").as_bytes()).await;
    within(second).await.expect("no panic").expect("open");
    drop(raw);
}

#[tokio::test]
async fn other_addresses_do_not_wait() {
    let stalling = RawServer::listen(1).await;
    let port = stalling.0.local_addr().expect("it is bound").port();
    let prompt = tokio::net::TcpListener::bind(("127.0.0.2", port)).await;
    let prompt = RawServer(prompt.expect("the port is free on another address"));
    let (url, other) = (stalling.url(), prompt.url());
    let waiting = tokio::spawn(async move { connect(&url).await.map(drop) });
    let (stalled, _) = stalling.asked().await;
    let connecting = tokio::spawn(async move { connect(&other).await.map(drop) });
    let (mut raw, asked) = prompt.asked().await;
    raw.send(switched(&asked, "").as_bytes()).await;
    within(connecting).await.expect("no panic").expect("open");
    assert!(!waiting.is_finished());
    drop(stalled);
    assert!(within(waiting).await.expect("no panic").is_err());
}

//= D38 type=test
#[tokio::test]
async fn small_messages_are_not_held_back() {
    let server = EchoServer::start(Config::default()).await;
    let url = format!("ws://{}/", server.address);
    let socket = within(connect(&url)).await.expect("it listens");
    let tcp = socket.stream().get_ref().get_ref();
    assert!(tcp.nodelay().expect("the system tells"));
}
