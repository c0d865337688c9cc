//! Answers that are none, or too much.

use core::time::Duration;
use framewire::client::{Config, ConnectError, Connected, Phase, connect_with, open};
use framewire::engine::deflate::DeflateConfig;
use framewire::engine::{HandshakeFailure, Message};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use crate::harmless::Watched;
use crate::raw::{self, Bytes, Split, Way, accept_of, believing, listen, switched};
use crate::within;

/// What a client makes of an answer, and the connection that it came on.
async fn answered(
    config: &Config,
    (way, split): (Way, Split),
    answer: impl Fn(&str) -> Vec<u8>,
) -> (Result<Connected, ConnectError>, Box<dyn Bytes>) {
    let (connecting, mut stream, _) = asked(config, way).await;
    let request = raw::head(&mut stream).await;
    split.send(&mut stream, &answer(&request)).await;
    (within(connecting).await.expect("no panic"), stream)
}

type Connecting = JoinHandle<Result<Connected, ConnectError>>;

/// A client that connects in this way, the server's end of its connection, and the port of that.
async fn asked(config: &Config, way: Way) -> (Connecting, Box<dyn Bytes>, u16) {
    let (listener, url) = listen().await;
    let port = listener.local_addr().expect("it is bound").port();
    let (url, config) = (way.url(&url), believing(config));
    let connecting = tokio::spawn(async move { open(&url, &config).await });
    let stream = way.accept(&listener).await;
    (connecting, stream, port)
}

/// Writes for as long as somebody reads; says how many bytes were taken.
async fn flood(stream: &mut dyn Bytes, bytes: &[u8], most: usize) -> usize {
    let mut written = 0;
    while written < most {
        match within(stream.write(bytes)).await {
            Ok(n) => written += n,
            Err(_) => break,
        }
    }
    written
}

/// More than the buffers of both ends of a loopback connection hold.
const MOST: usize = 1 << 30;

//= CS-01 type=test
#[tokio::test]
async fn of_an_endless_body_64_kib_are_read() {
    let mut watched = Watched::new().await;
    const STATUSES: [u16; 8] = [200, 204, 301, 400, 401, 403, 407, 500];
    let ways = [Way::Plain, Way::Tls].into_iter();
    for (way, status) in ways.flat_map(|way| STATUSES.map(|status| (way, status))) {
        let (connecting, mut stream, port) = asked(&Config::default(), way).await;
        raw::head(&mut stream).await;
        let head = format!("HTTP/1.1 {status} No\r\nContent-Length: {MOST}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let written = flood(&mut *stream, &[b'x'; 65_536], MOST).await;
        assert!(written < MOST, "the client has left");
        let failed = within(connecting)
            .await
            .expect("no panic")
            .expect_err("no WebSocket");
        let refused = failed.refused().expect("an answer");
        assert_eq!(refused.status(), status);
        drop(stream);
        watched.unharmed(&format!("{way:?}, {status}"), port).await;
        let expected = if status == 204 { 0 } else { 65_536 };
        assert_eq!(refused.body().len(), expected);
        assert!(failed.to_string().contains(&status.to_string()), "{failed}");
    }
}

//= CS-01 type=test
#[tokio::test]
async fn the_body_of_a_refusal_is_whole_however_it_is_sent() {
    let no = "HTTP/1.1 503 No\r\nRetry-After: 7\r\n";
    for body in [
        "Content-Length: 5\r\n\r\nsorry, and more",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nsor\r\n2\r\nry\r\n0\r\n\r\n",
    ] {
        for how in Split::all_ways() {
            let answer = format!("{no}{body}");
            let (failed, _stream) =
                answered(&Config::default(), how, |_| answer.clone().into_bytes()).await;
            let failed = failed.expect_err("no WebSocket");
            let refused = failed.refused().expect("an answer");
            assert_eq!(refused.body(), b"sorry");
            assert_eq!(refused.head().headers().get_str("retry-after"), Some("7"));
        }
    }
}

/// What a server answers to a request.
type Answer<'a> = &'a dyn Fn(&str) -> String;

/// Runs each answer in every split, and expects it to fail in the handshake.
async fn all_fail(config: &Config, answers: &[(&str, Answer<'_>)]) {
    let mut watched = Watched::new().await;
    for (what, answer) in answers {
        for (way, split) in Split::all_ways() {
            let case = format!("{what}, {way:?}, {split:?}");
            let (connecting, mut stream, port) = asked(config, way).await;
            let request = raw::head(&mut stream).await;
            split.send(&mut stream, answer(&request).as_bytes()).await;
            match within(connecting).await.expect("no panic") {
                Err(ConnectError::Handshake(_)) => {}
                other => panic!("{case}: {other:?}"),
            }
            // The client has closed its end.
            let mut rest = Vec::new();
            if let Ok(n) = within(stream.read_to_end(&mut rest)).await {
                assert_eq!(n, 0, "{case}");
            }
            drop(stream);
            match split {
                Split::Whole => watched.unharmed(&case, port).await,
                _ => watched.undisturbed().await,
            }
        }
    }
}

fn without(request: &str, line: &str) -> String {
    let answer = switched(request, "");
    let kept = answer
        .split_inclusive("\r\n")
        .filter(|it| !it.starts_with(line));
    kept.collect()
}

//= CS-02 type=test
//= CS-03 type=test
#[tokio::test]
async fn an_answer_must_take_up_the_request() {
    let accept = "Sec-WebSocket-Accept";
    let again = |it: &str| format!("{accept}: {}\r\n", accept_of(it));
    let changed = |from: &str, to: &str, it: &str| switched(it, "").replace(from, to);
    all_fail(
        &Config::default(),
        &[
            ("no accept", &|it| without(it, accept)),
            ("a wrong one", &|it| changed("Accept: ", "Accept: x", it)),
            ("two", &|it| switched(it, &again(it))),
            ("in another case", &|it| {
                let right = accept_of(it);
                changed(&right, &right.to_ascii_lowercase(), it)
            }),
            ("cut in two by a space", &|it| {
                let right = accept_of(it);
                changed(&right, &format!("{} {}", &right[..9], &right[9..]), it)
            }),
            ("no Upgrade", &|it| without(it, "Upgrade")),
            ("another Upgrade", &|it| changed("websocket", "h2c", it)),
            ("no Connection", &|it| without(it, "Connection")),
            ("another Connection", &|it| {
                changed("Connection: Upgrade", "Connection: close", it)
            }),
            ("HTTP/1.0", &|it| changed("HTTP/1.1", "HTTP/1.0", it)),
            ("no HTTP", &|_| "\0\x01\x02 no answer\r\n\r\n".to_owned()),
        ],
    )
    .await;
    for how in Split::all_ways() {
        let spaced = |it: &str| {
            let right = accept_of(it);
            changed(&right, &format!(" \t {right} \t"), it).into_bytes()
        };
        let (opened, _stream) = answered(&Config::default(), how, spaced).await;
        opened.expect("space around a value means nothing");
    }
}

//= CS-04 type=test
//= PD-011 type=test
//= CS-05 type=test
//= D09 type=test
#[tokio::test]
async fn what_was_not_offered_cannot_be_chosen() {
    let deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let protocol = "Sec-WebSocket-Protocol";
    all_fail(
        &Config::default(),
        &[
            ("an extension", &|it| switched(it, deflate)),
            ("a subprotocol", &|it| {
                switched(it, &format!("{protocol}: chat\r\n"))
            }),
            ("an empty subprotocol", &|it| {
                switched(it, &format!("{protocol}: \r\n"))
            }),
        ],
    )
    .await;
    let offering = Config::default()
        .with_deflate(DeflateConfig::default())
        .with_subprotocol("a")
        .with_subprotocol("b");
    all_fail(
        &offering,
        &[
            ("deflate twice", &|it| switched(it, &deflate.repeat(2))),
            ("one that needs its frames beneath it", &|it| {
                switched(it, &format!("{deflate}Sec-WebSocket-Extensions: x\r\n"))
            }),
            ("one that needs its frames above it", &|it| {
                switched(it, "Sec-WebSocket-Extensions: x, permessage-deflate\r\n")
            }),
            ("another extension", &|it| {
                switched(it, "Sec-WebSocket-Extensions: x\r\n")
            }),
            ("another subprotocol", &|it| {
                switched(it, &format!("{protocol}: c\r\n"))
            }),
            ("both", &|it| switched(it, &format!("{protocol}: a, b\r\n"))),
            ("two lines", &|it| {
                switched(it, &format!("{protocol}: a\r\n{protocol}: b\r\n"))
            }),
        ],
    )
    .await;
}

//= CS-04b type=test
//= CS-10b type=test
#[tokio::test]
async fn extension_lines_are_one_list_and_no_takeover_may_come_unasked() {
    let config = Config::default().with_deflate(DeflateConfig::default());
    let lines = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\
                 Sec-WebSocket-Extensions: \r\n";
    for how in Split::all_ways() {
        let (opened, _stream) = answered(&config, how, |it| switched(it, lines).into_bytes()).await;
        opened.expect("open");
    }
}

//= CS-10 type=test
#[tokio::test]
async fn parameters_of_deflate_that_are_wrong_fail_the_handshake() {
    let config = Config::default().with_deflate(DeflateConfig::default());
    for parameters in [
        "server_max_window_bits=1000",
        "server_max_window_bits=7",
        "server_max_window_bits=08",
        "server_max_window_bits=",
        "server_max_window_bits",
        "server_no_context_takeover; server_no_context_takeover",
        "unknown",
    ] {
        let line = format!("Sec-WebSocket-Extensions: permessage-deflate; {parameters}\r\n");
        all_fail(&config, &[(parameters, &|it| switched(it, &line))]).await;
    }
}

//= CS-06 type=test
#[tokio::test]
async fn endless_heads_and_interim_answers_are_cut_off() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let line = [&b"X: "[..], &[b'x'; 8000], b"\r\n"].concat();
    let floods: [(&str, &[u8], &[u8]); 4] = [
        ("interim answers", b"", interim),
        (
            "a line without end",
            b"HTTP/1.1 101 Yes\r\nX: ",
            &[b'x'; 65_536],
        ),
        ("large headers", b"HTTP/1.1 101 Yes\r\n", &line),
        ("many headers", b"HTTP/1.1 101 Yes\r\n", b"A: b\r\n"),
    ];
    let mut watched = Watched::new().await;
    let ways = [Way::Plain, Way::Tls].into_iter();
    for (way, (what, begin, again)) in ways.flat_map(|way| floods.map(|it| (way, it))) {
        let (connecting, mut stream, port) = asked(&Config::default(), way).await;
        raw::head(&mut stream).await;
        stream.write_all(begin).await.expect("it reads");
        let again = again.repeat(65_536_usize.div_ceil(again.len()));
        let written = flood(&mut *stream, &again, MOST).await;
        assert!(written < MOST, "{what}");
        let failed = within(connecting).await.expect("no panic").err();
        let is_bounded = matches!(
            failed,
            Some(ConnectError::Handshake(
                HandshakeFailure::TooManyInterimAnswers | HandshakeFailure::Head(_)
            ))
        );
        assert!(is_bounded, "{what}: {failed:?}");
        drop(stream);
        watched.unharmed(what, port).await;
    }
}

//= CS-07 type=test
#[tokio::test]
async fn a_101_with_a_body_is_not_trusted() {
    all_fail(
        &Config::default(),
        &[
            ("a length", &|it| switched(it, "Content-Length: 5\r\n")),
            ("chunks", &|it| {
                switched(it, "Transfer-Encoding: chunked\r\n")
            }),
        ],
    )
    .await;
}

//= CS-08 type=test
#[tokio::test]
async fn frames_behind_the_answer_are_received_wherever_it_is_cut() {
    let frames = b"\x81\x05first\x02\x03sec\x80\x03ond";
    let whole = |it: &str| [switched(it, "").as_bytes(), frames].concat();
    let length = whole("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n").len();
    let ways = [Way::Plain, Way::Tls].into_iter();
    for (way, cut) in ways.flat_map(|way| (1..=length).map(move |cut| (way, cut))) {
        let (connecting, mut stream, _) = asked(&Config::default(), way).await;
        let answer = whole(&raw::head(&mut stream).await);
        for piece in [&answer[..cut], &answer[cut..]] {
            stream.write_all(piece).await.expect("it reads");
            stream.flush().await.expect("it reads");
            tokio::task::yield_now().await;
        }
        let mut socket = within(connecting)
            .await
            .expect("no panic")
            .expect("open")
            .socket;
        for message in [Message::text("first"), Message::binary(&b"second"[..])] {
            let received = within(socket.recv()).await.expect("no failure");
            assert_eq!(received, Some(message), "{way:?}, cut at {cut}");
        }
    }
}

//= CS-15 type=test
#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_by_phase_and_in_all() {
    let (_listener, url) = listen().await;
    let short = Duration::from_millis(100);
    let by_phase = Config::default().with_handshake_timeout(short);
    let failed = within(connect_with(&url, &by_phase)).await.err();
    let phase = Some(Phase::Handshake);
    assert!(
        matches!(failed, Some(ConnectError::TimedOut(it)) if it == phase),
        "{failed:?}"
    );
    let in_all = Config::default().with_total_timeout(short);
    let failed = within(connect_with(&url, &in_all)).await.err();
    assert!(
        matches!(failed, Some(ConnectError::TimedOut(None))),
        "{failed:?}"
    );
}

//= CS-19 type=test
//= WS-016 type=test
#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_before_a_socket_is_opened() {
    let (listener, url) = listen().await;
    let port = listener.local_addr().expect("it is bound").port();
    for url in [
        format!("ws://user:password@127.0.0.1:{port}/"),
        format!("ws://127.0.0.1:{port}/#fragment"),
        format!("ws://127.0.0.1:{port}/a\r\nX: y"),
        format!("ws://127.0.0.1:{port}/a b"),
        "ws://127.0.0.1:70000/".to_owned(),
    ] {
        let failed = open(&url, &Config::default()).await.err();
        assert!(
            matches!(failed, Some(ConnectError::Url(_))),
            "{url}: {failed:?}"
        );
    }
    for config in [
        Config::default().with_header("X", "a\r\nY: b"),
        Config::default().with_cookie("a", "b\r\n"),
        Config::default().with_bearer("a\nb"),
        Config::default().with_header("Sec-WebSocket-Key", "x"),
        Config::default().with_subprotocol("a b"),
    ] {
        let failed = open(&url, &config).await.err();
        assert!(
            matches!(failed, Some(ConnectError::Request(_))),
            "{failed:?}"
        );
    }
    let listener = listener.into_std().expect("a socket");
    let nobody = listener.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(nobody, Err(io::ErrorKind::WouldBlock));
}
