//! Requests that open nothing: each is told why before the end.

use core::time::Duration;
use framewire::engine::Refusal;
use framewire::server::{Config, HandshakeError, Listener, Opening};
use std::time::Instant;
use tokio::io::AsyncWriteExt;

use crate::raw::{Raw, header, masked, request};
use crate::{EchoServer, within};

const BEHIND: usize = 100 << 10;

/// The answer to `request` when much more follows it that nobody will read.
async fn answer_to(server: &mut EchoServer, request: &[u8], behind: usize) -> String {
    let mut raw = Raw::connect(server.address).await;
    raw.send(request).await;
    raw.send(&vec![b'x'; behind]).await;
    let answer = raw.answer().await;
    let (_, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    let announced = header(&answer, "content-length").and_then(|it| it.parse().ok());
    assert_eq!(announced, Some(body.len()), "the whole answer arrives");
    let says_close = |it: &str| it.split(',').any(|option| option.trim() == "close");
    assert!(
        header(&answer, "connection").is_some_and(says_close),
        "{answer}"
    );
    // Not every system lets what has arrived be read once a reset is there.
    let reset = raw.stream.take_error().expect("it can be asked");
    assert!(reset.is_none(), "{reset:?}");
    raw.stream.shutdown().await.expect("it is open");
    let refused = server.next_refused().await;
    assert!(matches!(refused, HandshakeError::Refused(_)), "{refused:?}");
    let reset = raw.stream.take_error().expect("it can be asked");
    assert!(reset.is_none(), "{behind} bytes behind: {reset:?}");
    answer
}

/// A request, the status of its answer, and headers that the answer has.
type Case<'a> = (&'a [u8], &'a str, &'a [(&'a str, &'a str)]);

//= PX-10 type=test
//= WS-045 type=test
//= WS-046 type=test
//= WS-057 type=test
//= WS-068 type=test
//= WS-144 type=test
//= H1-09 type=test
//= H1-11 type=test
//= H1-14 type=test
#[tokio::test]
async fn each_wrong_request_is_answered_before_the_end_whatever_follows_it() {
    let mut server = EchoServer::start(Config::default()).await;
    let version = request("").replace("Version: 13", "Version: 7");
    let no_key = request("").replace("Sec-WebSocket-Key", "X-Key");
    let long = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "y".repeat(40_000)
    );
    let cases: [Case<'_>; 7] = [
        (
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "426",
            &[("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
            "405",
            &[("Allow", "GET")],
        ),
        (b"\x16\x03\x01\x02\x00 no HTTP at all\r\n\r\n", "400", &[]),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", "400", &[]),
        (
            version.as_bytes(),
            "426",
            &[("Sec-WebSocket-Version", "13")],
        ),
        (no_key.as_bytes(), "400", &[]),
        (long.as_bytes(), "431", &[]),
    ];
    for (asked, status, headers) in cases {
        for behind in [0, 1, BEHIND] {
            let answer = answer_to(&mut server, asked, behind).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
            for (name, value) in headers {
                assert_eq!(header(&answer, name), Some(*value), "{answer}");
            }
        }
    }
    assert_eq!(server.admission.connections(), 0);
}

//= WS-056 type=test
//= WS-058 type=test
#[tokio::test]
async fn a_server_refuses_for_reasons_of_its_own() {
    let any = "127.0.0.1:0".parse().expect("an address");
    let listener = Listener::bind(any, Config::default())
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    for (refusal, status) in [
        (Refusal::forbidden("not from there"), "403"),
        (Refusal::not_found(), "404"),
    ] {
        let mut raw = Raw::connect(address).await;
        raw.send(&[request("").as_bytes(), &masked(1, b"hello")].concat())
            .await;
        let incoming = within(listener.accept()).await;
        let opening = within(incoming.handshake()).await.expect("a request");
        let Opening::Upgrade(upgrade) = opening else {
            panic!("a request to open a WebSocket");
        };
        let refusing = tokio::spawn(upgrade.refuse(refusal));
        let answer = raw.answer().await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        drop(raw);
        within(refusing)
            .await
            .expect("no panic")
            .expect("the answer was sent");
    }
}

#[tokio::test]
async fn silent_clients_are_answered_408_and_keep_nobody_waiting() {
    let timeout = Duration::from_millis(300);
    let mut server = EchoServer::start(Config::default().with_handshake_timeout(timeout)).await;
    let began = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..5 {
        silent.push(Raw::connect(server.address).await);
    }
    let mut halting = Raw::connect(server.address).await;
    halting.send(&request("").as_bytes()[..30]).await;
    silent.push(halting);
    let mut live = Raw::open(server.address).await;
    assert!(
        began.elapsed() < timeout,
        "nobody waits for the silent ones"
    );
    for mut raw in silent {
        let answer = raw.answer().await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(began.elapsed() >= timeout);
        drop(raw);
        assert!(matches!(
            server.next_refused().await,
            HandshakeError::Refused(_)
        ));
    }
    live.send(&masked(1, b"hello")).await;
    assert_eq!(live.bytes(7).await, b"\x81\x05hello");
    assert_eq!(server.admission.connections(), 1);
}

#[tokio::test]
async fn the_deadline_is_for_the_whole_request_however_steadily_it_drips() {
    let timeout = Duration::from_millis(300);
    let server = EchoServer::start(Config::default().with_handshake_timeout(timeout)).await;
    let began = Instant::now();
    let Raw { stream, .. } = Raw::connect(server.address).await;
    let (mut read, mut write) = stream.into_split();
    let dripping = tokio::spawn(async move {
        let endless = core::iter::repeat(&b"X"[..]);
        for piece in [&b"GET / HTTP/1.1\r\nHost: "[..]]
            .into_iter()
            .chain(endless)
        {
            if write.write_all(piece).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut answer = Vec::new();
    within(tokio::io::AsyncReadExt::read_to_end(&mut read, &mut answer))
        .await
        .expect("no reset");
    assert!(answer.starts_with(b"HTTP/1.1 408 "));
    assert!(began.elapsed() >= timeout);
    within(dripping).await.expect("no panic");
}

#[tokio::test]
async fn a_refused_client_that_stays_is_left_behind() {
    let mut server = EchoServer::start(Config::default()).await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let began = Instant::now();
    assert!(raw.answer().await.starts_with("HTTP/1.1 426 "));
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "the end follows the answer"
    );
    assert!(matches!(
        server.next_refused().await,
        HandshakeError::Refused(_)
    ));
    assert_eq!(server.admission.connections(), 0);
    drop(raw);
}
