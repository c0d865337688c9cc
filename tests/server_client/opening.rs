//! The server's side of opening: requests as they arrive on TCP.

use framewire::engine::{Acceptance, Kind};
use framewire::server::{Config, HandshakeError, Incoming, Listener, Opening};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::raw::{Raw, header, masked, request};
use crate::{EchoServer, within};

/// A client by hand and what the server has of it.
async fn pair(config: Config) -> (Raw, Incoming) {
    let any = "127.0.0.1:0".parse().expect("an address");
    let listener = Listener::bind(any, config).await.expect("a free port");
    let raw = Raw::connect(listener.local_addr().expect("it is bound")).await;
    (raw, within(listener.accept()).await)
}

//= C11 type=test
//= D20 type=test
//= E32 type=test
//= E36 type=test
//= WS-054 type=test
//= WS-063 type=test
//= WS-064 type=test
#[tokio::test]
async fn a_request_is_answered_with_101_and_messages_pass() {
    let server = EchoServer::start(Config::default()).await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(request("").as_bytes()).await;
    let head = raw.expect_switched().await;
    assert_eq!(header(&head, "upgrade"), Some("websocket"));
    assert_eq!(header(&head, "connection"), Some("Upgrade"));
    assert_eq!(header(&head, "sec-websocket-protocol"), None);
    raw.send(&masked(1, b"hello")).await;
    assert_eq!(raw.bytes(7).await, b"\x81\x05hello");
}

#[tokio::test]
async fn a_request_in_segments_of_one_byte_is_understood() {
    let server = EchoServer::start(Config::default()).await;
    let mut raw = Raw::connect(server.address).await;
    for byte in [request("X-Filler: 1\r\n").as_bytes(), &masked(1, b"hello")].concat() {
        raw.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    raw.expect_switched().await;
    assert_eq!(raw.bytes(7).await, b"\x81\x05hello");
}

//= PX-09 type=test
//= WS-065 type=test
#[tokio::test]
async fn frames_in_the_segment_of_the_request_are_received() {
    let server = EchoServer::start(Config::default()).await;
    let frames = [
        masked(1, b"first"),
        masked(9, b"ping"),
        masked(2, b"second"),
    ]
    .concat();
    let all = [request("").as_bytes(), &frames].concat();
    let head_bytes = all.len() - frames.len();
    for cut in (head_bytes - 2..all.len()).chain([all.len()]) {
        let mut raw = Raw::connect(server.address).await;
        raw.send(&all[..cut]).await;
        tokio::task::yield_now().await;
        raw.send(&all[cut..]).await;
        raw.expect_switched().await;
        // The Pong may overtake the first answer: they are of the same length in all.
        let answers = raw.bytes(7 + 6 + 8).await;
        let find = |wanted: &[u8]| answers.windows(wanted.len()).position(|it| it == wanted);
        let first = find(b"\x81\x05first").expect("the first message comes back");
        let second = find(b"\x82\x06second").expect("the second message comes back");
        assert!(
            first < second && find(b"\x8A\x04ping").is_some(),
            "{answers:?}"
        );
    }
}

//= WS-053 type=test
//= E10 type=test
//= WS-059 type=test
#[tokio::test]
async fn what_the_client_asks_for_is_seen_and_a_subprotocol_chosen() {
    let (mut raw, incoming) = pair(Config::default()).await;
    let headers = "Sec-WebSocket-Protocol: one, two\r\nOrigin: http://a.example\r\nX-Odd: 1\r\n";
    raw.send(request(headers).as_bytes()).await;
    assert_eq!(
        incoming.peer_addr(),
        raw.stream.local_addr().expect("it is connected")
    );
    let Opening::Upgrade(upgrade) = within(incoming.handshake()).await.expect("a request") else {
        panic!("a request to open a WebSocket");
    };
    assert_eq!(upgrade.request().path(), "/chat");
    assert_eq!(upgrade.request().query(), Some("room=1"));
    assert_eq!(upgrade.request().origin(), Some("http://a.example"));
    assert_eq!(upgrade.request().subprotocols(), ["one", "two"]);
    let acceptance = Acceptance::new()
        .with_subprotocol("two")
        .with_header("X-Server", "1");
    let mut socket = within(upgrade.accept(acceptance))
        .await
        .expect("it is offered");
    assert_eq!(socket.subprotocol(), Some("two"));
    let head = raw.expect_switched().await;
    assert_eq!(header(&head, "sec-websocket-protocol"), Some("two"));
    assert_eq!(header(&head, "x-server"), Some("1"));
    raw.send(&masked(1, b"hello")).await;
    let lent = within(socket.recv_lent())
        .await
        .expect("no failure")
        .expect("a message");
    assert_eq!((lent.kind(), lent.text()), (Kind::Text, Some("hello")));
}

#[tokio::test]
async fn an_acceptance_that_does_not_fit_is_answered_500() {
    let (mut raw, incoming) = pair(Config::default()).await;
    raw.send(request("Sec-WebSocket-Protocol: one\r\n").as_bytes())
        .await;
    let Opening::Upgrade(upgrade) = within(incoming.handshake()).await.expect("a request") else {
        panic!("a request to open a WebSocket");
    };
    let accepting = tokio::spawn(async move {
        upgrade
            .accept(Acceptance::new().with_subprotocol("three"))
            .await
    });
    assert!(raw.answer().await.starts_with("HTTP/1.1 500 "));
    drop(raw);
    let accepted = within(accepting).await.expect("no panic");
    assert!(matches!(accepted, Err(HandshakeError::Accept(_))));
}

#[tokio::test]
async fn a_plain_request_is_read_again_from_its_first_byte() {
    let (mut raw, incoming) = pair(Config::default()).await;
    let asked = "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfour";
    raw.send(asked.as_bytes()).await;
    let Opening::Plain(plain) = within(incoming.handshake()).await.expect("a request") else {
        panic!("a plain request");
    };
    assert_eq!(plain.head().method(), "POST");
    let mut stream = plain.into_stream();
    raw.send(b" five").await;
    raw.stream.shutdown().await.expect("it is open");
    // Through a small buffer, and then to the end.
    let mut again = vec![0; 3];
    within(stream.read_exact(&mut again))
        .await
        .expect("no failure");
    within(stream.read_to_end(&mut again))
        .await
        .expect("no failure");
    assert_eq!(String::from_utf8_lossy(&again), format!("{asked} five"));
    within(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"))
        .await
        .expect("no failure");
    drop(stream);
    assert_eq!(raw.answer().await, "HTTP/1.1 200 OK\r\n\r\n");
}

//= C08 type=test
#[tokio::test]
async fn a_client_that_leaves_within_its_request_gives_its_place_back() {
    let mut server = EchoServer::start(Config::default()).await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(&request("").as_bytes()[..40]).await;
    drop(raw);
    assert!(matches!(server.next_refused().await, HandshakeError::Io(_)));
    assert_eq!(server.admission.connections(), 0);
}

//= D16 type=test
//= D18 type=test
//= E42 type=test
//= E44 type=test
//= E35 type=test
#[tokio::test]
async fn a_listener_that_is_handed_in_serves_too() {
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let listener = Listener::new(tcp, Config::default());
    let address = listener.local_addr().expect("it is bound");
    let client = tokio::spawn(TcpStream::connect(address));
    let incoming = within(listener.accept()).await;
    let client = within(client).await.expect("no panic").expect("it listens");
    assert_eq!(
        incoming.peer_addr(),
        client.local_addr().expect("it is connected")
    );
    assert_eq!(listener.admission().connections(), 1);
    drop(incoming);
    assert_eq!(listener.admission().connections(), 0);
}
