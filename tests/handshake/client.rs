//! A client that asks, and the answers that it does not take (RFC 6455 §4.1).

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use framewire::engine::{
    ClientHandshake, ClientRequest, Event, HandshakeFailure, InvalidRequest, Role, Violation,
};
use framewire::wire::http::{HeadError, MalformedHead};

use crate::http::Head;
use crate::raw::{Frame, frames};
use crate::{NOW, answer, answer_pieces, ask, asked, drain, texts};

fn request(request: ClientRequest) -> Head {
    let handshake = ClientHandshake::new(request, [1; 32]).expect("a request that can be sent");
    Head::read(handshake.request())
}

/// Whether the client takes the answer with one place changed.
fn changed(from: &str, to: &str) -> Result<(), HandshakeFailure> {
    let (handshake, good) = asked(ask());
    assert_eq!(good.matches(from).count(), 1, "{from:?} stands there once");
    answer(handshake, good.replace(from, to).as_bytes()).map(drop)
}

/// The client takes the answer as it is, and fails on the one that is changed.
fn check(from: &str, to: &str, expected: impl Fn(&HandshakeFailure) -> bool) {
    changed("Switching", "Switching").expect("the good answer");
    let failure = changed(from, to).expect_err(to);
    assert!(expected(&failure), "{to:?}: {failure:?}");
    assert!(!failure.to_string().is_empty());
}

//= WS-021 type=test
//= WS-022 type=test
//= WS-023 type=test
//= WS-024 type=test
//= WS-025 type=test
//= WS-026 type=test
//= WS-027 type=test
//= WS-028 type=test
//= WS-029 type=test
//= WS-032 type=test
//= WS-007 type=test
#[test]
fn a_request_says_what_the_rfc_asks_for() {
    let head = request(ClientRequest::new("server.example.com", "/chat?room=1&x"));
    assert_eq!(head.first_line, "GET /chat?room=1&x HTTP/1.1");
    assert_eq!(head.header("host").as_deref(), Some("server.example.com"));
    assert_eq!(head.header("upgrade").as_deref(), Some("websocket"));
    assert_eq!(head.header("connection").as_deref(), Some("Upgrade"));
    assert_eq!(head.header("sec-websocket-version").as_deref(), Some("13"));
    let key = head.header("sec-websocket-key").expect("a key");
    let mut nonce = [0; 18];
    assert_eq!(
        (key.len(), STANDARD.decode_slice(&key, &mut nonce).ok()),
        (24, Some(16))
    );
    for name in [
        "sec-websocket-protocol",
        "sec-websocket-extensions",
        "origin",
    ] {
        assert_eq!(head.header(name), None);
    }
    assert_eq!(head.body, b"");
}

//= WS-026 type=test
#[test]
fn the_host_is_what_the_caller_says_with_its_port() {
    for host in [
        "a",
        "a:8080",
        "[::1]",
        "[::1]:9001",
        "xn--bcher-kva.example",
        "10.0.0.1:80",
    ] {
        let head = request(ClientRequest::new(host, "/"));
        assert_eq!(head.header("host").as_deref(), Some(host));
    }
}

//= WS-022 type=test
#[test]
fn a_host_that_no_server_takes_is_refused_before_anything_is_sent() {
    for host in [
        "",
        "a b",
        "a/b",
        "user@a",
        "a#b",
        "a?b",
        "b\u{fc}cher",
        "a,b",
        "a\\b",
        "a\tb",
    ] {
        let outcome = ClientHandshake::new(ClientRequest::new(host, "/"), [1; 32]);
        assert_eq!(outcome.unwrap_err(), InvalidRequest::Host, "{host:?}");
    }
}

//= WS-029 type=test
//= WS-030 type=test
#[test]
fn ten_thousand_keys_are_all_different() {
    let mut keys = HashSet::new();
    for n in 0_u64..10_000 {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&n.to_le_bytes());
        let handshake = ClientHandshake::new(ask(), seed).expect("a request");
        let key = Head::read(handshake.request()).header("sec-websocket-key");
        let mut nonce = [0; 18];
        let read = STANDARD.decode_slice(key.expect("a key"), &mut nonce);
        assert_eq!(read.ok(), Some(16));
        assert!(keys.insert(nonce), "a key came twice");
    }
}

//= E03 type=test
//= WS-033 type=test
//= WS-034 type=test
#[test]
fn subprotocols_are_offered_in_order_and_once() {
    let offer = |names: &[&str]| {
        let all = names
            .iter()
            .fold(ask(), |request, name| request.with_subprotocol(name));
        ClientHandshake::new(all, [1; 32]).map(|it| Head::read(it.request()))
    };
    let head = offer(&["v2.chat", "chat", "CHAT"]).expect("three tokens");
    assert_eq!(
        head.header("sec-websocket-protocol").as_deref(),
        Some("v2.chat, chat, CHAT")
    );
    for bad in [
        &[""][..],
        &["a b"],
        &["a,b"],
        &["a\r\nB: c"],
        &["caf\u{e9}"],
        &["a/b"],
        &["a", "b", "a"],
    ] {
        assert_eq!(
            offer(bad).unwrap_err(),
            InvalidRequest::Subprotocol,
            "{bad:?}"
        );
    }
}

//= WS-002 type=test
//= WS-022 type=test
//= WS-025 type=test
#[test]
fn resources_that_no_request_line_can_hold_are_refused() {
    for bad in [
        "",
        "chat",
        "*",
        "/a b",
        "/a#b",
        "/\u{e9}",
        "/a\r\nHost: b",
        "/a\t",
        "http://a/",
    ] {
        let outcome = ClientHandshake::new(ClientRequest::new("a", bad), [1; 32]);
        assert_eq!(outcome.unwrap_err(), InvalidRequest::Resource, "{bad:?}");
    }
    assert_eq!(
        request(ClientRequest::new("a", "/%23?%20")).first_line,
        "GET /%23?%20 HTTP/1.1"
    );
}

//= E47 type=test
//= H1-06 type=test
#[test]
fn headers_of_the_caller_are_sent_and_never_take_over_the_request() {
    let with = |name: &str, value: &str| {
        ClientHandshake::new(ask().with_header(name, value), [1; 32]).map(|_| ())
    };
    let head = request(ask().with_header("Origin", "https://a.example"));
    assert_eq!(head.header("origin").as_deref(), Some("https://a.example"));
    for name in [
        "Host",
        "upgrade",
        "Connection",
        "content-length",
        "Transfer-Encoding",
        "Sec-WebSocket-Key",
        "sec-websocket-version",
        "SEC-WEBSOCKET-EXTENSIONS",
    ] {
        assert_eq!(
            with(name, "x"),
            Err(InvalidRequest::ReservedHeader),
            "{name}"
        );
    }
    for (name, value) in [
        ("A", "b\r\nC: d"),
        ("A", "b\nC: d"),
        ("A", "\r"),
        ("A", "b\0"),
        ("A\r\nB", "c"),
        ("A:", "b"),
        ("", "b"),
        ("A B", "c"),
    ] {
        assert_eq!(
            with(name, value),
            Err(InvalidRequest::Header),
            "{name:?}: {value:?}"
        );
    }
}

//= WS-035 type=test
//= WS-036 type=test
//= WS-040 type=test
#[test]
fn the_right_answer_opens_the_connection() {
    let (handshake, good) = asked(ask().with_subprotocol("chat"));
    let lines = "Sec-WebSocket-Protocol: chat\r\nServer: x\r\n\r\n";
    let good = format!("{}{lines}", good.strip_suffix("\r\n").expect("a head"));
    let mut opened = answer(handshake, good.as_bytes()).expect("an open connection");
    assert_eq!(opened.connection.role(), Role::Client);
    assert_eq!(opened.subprotocol.as_deref(), Some("chat"));
    assert_eq!(opened.head.headers().get_str("server"), Some("x"));
    assert_eq!(
        (opened.leftover.len(), opened.connection.buffered_bytes()),
        (0, 0)
    );
    opened
        .connection
        .send_text(NOW, "hello")
        .expect("an open connection");
    let sent = frames(&drain(&mut opened.connection));
    assert_eq!((sent[0].first, &sent[0].payload[..]), (0x81, &b"hello"[..]));
    assert!(sent[0].mask.is_some());
}

//= WS-037 type=test
//= WS-142 type=test
#[test]
fn a_status_other_than_101_is_handed_on_as_http() {
    for status in [
        "200", "204", "301", "302", "400", "401", "403", "407", "426", "500", "599",
    ] {
        let (handshake, good) = asked(ask());
        let text = good.replace("101 Switching Protocols", &format!("{status} Not that"));
        match answer(handshake, [text.as_bytes(), b"body"].concat().as_slice()) {
            Err(HandshakeFailure::Answered(answered)) => {
                assert_eq!(answered.head.status().to_string(), status);
                assert_eq!(answered.head.reason(), "Not that");
                assert_eq!(answered.leftover, b"body");
            }
            other => panic!("{status}: {other:?}"),
        }
    }
}

//= WS-038 type=test
//= WS-036 type=test
#[test]
fn an_answer_upgrades_to_websocket_and_nothing_else() {
    let line = "Upgrade: websocket";
    let twice = format!("{line}\r\n{line}");
    for bad in [
        "X: y",
        "Upgrade:",
        "Upgrade: h2c",
        "Upgrade: websocket, h2c",
        &twice,
    ] {
        check(line, bad, |it| matches!(it, HandshakeFailure::NoUpgrade));
    }
    changed(line, "UPGRADE: \t WebSocket \t").expect("the same in other letters");
}

//= WS-039 type=test
#[test]
fn an_answer_says_upgrade_in_connection() {
    let line = "Connection: Upgrade";
    for bad in [
        "X: y",
        "Connection:",
        "Connection: close",
        "Connection: Upgraded",
    ] {
        check(line, bad, |it| {
            matches!(it, HandshakeFailure::NoConnectionUpgrade)
        });
    }
    for good in [
        "Connection: keep-alive, upgrade",
        "connection: x\r\nConnection: UPGRADE",
    ] {
        changed(line, good).expect(good);
    }
}

//= WS-040 type=test
//= WS-178 type=test
#[test]
fn an_answer_has_the_accept_value_of_the_key_and_has_it_once() {
    let (_, good) = asked(ask());
    let at = good.find("Sec-WebSocket-Accept").expect("the header");
    let line = good[at..].split("\r\n").next().expect("a line").to_owned();
    let (name, value) = line.split_once(": ").expect("a value");
    let changed_case: String = value
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c
            }
        })
        .collect();
    let of_another_key = format!("{name}: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    for bad in [
        "X: y",
        &format!("{name}:"),
        &of_another_key,
        &format!("{name}: {changed_case}"),
        &format!("{name}: \"{value}\""),
        &format!("{name}: {value}="),
        &format!("{name}: {}", value.trim_end_matches('=')),
        &format!("{name}: {value}, {value}"),
        &format!("{line}\r\n{line}"),
        &format!("{of_another_key}\r\n{line}"),
        &format!("{line}\r\n{of_another_key}"),
        &format!("{name}: \u{e9}"),
    ] {
        check(&line, bad, |it| matches!(it, HandshakeFailure::WrongAccept));
    }
    changed(&line, &format!("{name}: \t {value} \t ")).expect("white space around it");
}

//= WS-042 type=test
//= WS-179 type=test
#[test]
fn an_answer_chooses_one_subprotocol_that_was_offered() {
    let choose = |lines: &str| {
        let (handshake, good) = asked(ask().with_subprotocol("a").with_subprotocol("b"));
        let end = format!("\r\n{lines}\r\n\r\n");
        answer(handshake, good.replace("\r\n\r\n", &end).as_bytes()).map(|it| it.subprotocol)
    };
    let name = "Sec-WebSocket-Protocol";
    assert_eq!(
        choose(&format!("{name}: b"))
            .expect("one of them")
            .as_deref(),
        Some("b")
    );
    assert_eq!(choose("X: y").expect("none of them"), None);
    for bad in [
        "",
        "c",
        "A",
        "a, b",
        "a\r\nSec-WebSocket-Protocol: b",
        "a\r\nSec-WebSocket-Protocol: a",
    ] {
        let failure = choose(&format!("{name}: {bad}")).expect_err(bad);
        assert!(
            matches!(failure, HandshakeFailure::WrongSubprotocol),
            "{bad}: {failure:?}"
        );
    }
    let unasked = changed("\r\n\r\n", "\r\nSec-WebSocket-Protocol: a\r\n\r\n");
    assert!(matches!(unasked, Err(HandshakeFailure::WrongSubprotocol)));
}

//= WS-043 type=test
#[test]
fn an_answer_with_a_body_behind_101_is_not_trusted() {
    for bad in [
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "content-length:",
    ] {
        let to = format!("\r\n{bad}\r\n\r\n");
        check("\r\n\r\n", &to, |it| matches!(it, HandshakeFailure::Body));
    }
    changed("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n").expect("no body");
}

//= WS-043 type=test
#[test]
fn an_answer_that_is_no_head_of_http_1_1_fails() {
    use MalformedHead as Bad;
    let malformed = |what| {
        move |it: &HandshakeFailure| match it {
            HandshakeFailure::Head(error) => *error == HeadError::Malformed(what),
            _ => false,
        }
    };
    check("HTTP/1.1 101", "HTTP/1.1 1O1", malformed(Bad::StatusLine));
    check("HTTP/1.1 101", "HTTP/1.1 42", malformed(Bad::StatusLine));
    check("HTTP/1.1", "\u{16}\u{3}", malformed(Bad::FirstByte));
    check(
        "Upgrade: websocket",
        "Upgrade : websocket",
        malformed(Bad::HeaderName),
    );
    check(
        "Upgrade: websocket",
        "A: b\r\n c",
        malformed(Bad::HeaderName),
    );
    check("Upgrade: websocket", "A: b\nc: d", malformed(Bad::BareLf));
    check("Upgrade: websocket", "A: b\0", malformed(Bad::ControlByte));
    for version in ["HTTP/1.0", "HTTP/2.0", "HTTP/1.2"] {
        check("HTTP/1.1", version, |it| {
            matches!(it, HandshakeFailure::Head(HeadError::VersionUnsupported))
        });
    }
}

//= WS-036 type=test
#[test]
fn an_answer_without_end_is_given_up_at_the_bound() {
    let (handshake, good) = asked(ask());
    let endless = good.replace("\r\n\r\n", &format!("\r\nA: {}", "b".repeat(1 << 20)));
    let (outcome, taken) = answer_pieces(handshake, endless.as_bytes().chunks(100));
    assert!(matches!(
        outcome,
        Some(Err(HandshakeFailure::Head(HeadError::HeadTooLarge)))
    ));
    assert!(taken <= 16 * 1024 + 100, "{taken}");

    let many = "A: b\r\n".repeat(60);
    let too_many =
        |it: &HandshakeFailure| matches!(it, HandshakeFailure::Head(HeadError::TooManyHeaders));
    check(
        "\r\n\r\n",
        &format!("\r\n{many}A: b\r\nA: b\r\n\r\n"),
        too_many,
    );
    changed("\r\n\r\n", &format!("\r\n{many}A: b\r\n\r\n")).expect("as many as may be");
}

//= H1-12 type=test
#[test]
fn interim_answers_are_passed_over_up_to_a_bound() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    for (pairs, opens) in [(1, true), (4, true), (5, false), (1_000, false)] {
        let (handshake, good) = asked(ask());
        let text = interim.repeat(pairs) + &good;
        let (outcome, _) = answer_pieces(handshake, text.as_bytes().chunks(7));
        match outcome.expect("an outcome") {
            Ok(_) => assert!(opens),
            Err(HandshakeFailure::TooManyInterimAnswers) => assert!(!opens),
            Err(other) => panic!("{other:?}"),
        }
    }
    let (handshake, _) = asked(ask());
    let then_refused = format!("{interim}HTTP/1.1 403 Forbidden\r\n\r\n");
    let outcome = answer(handshake, then_refused.as_bytes());
    assert!(matches!(outcome, Err(HandshakeFailure::Answered(it)) if it.head.status() == 403));
}

//= PX-09 type=test
#[test]
fn frames_in_the_same_segment_as_the_answer_are_not_lost() {
    let stream = [
        Frame::new(0x81, "one").to_bytes(),
        Frame::new(0x81, "two").to_bytes(),
    ]
    .concat();
    let (_, good) = asked(ask());
    let bytes = [good.as_bytes(), &stream].concat();
    for cut in 0..=bytes.len() {
        let (handshake, _) = asked(ask());
        let (outcome, taken) = answer_pieces(handshake, [&bytes[..cut], &bytes[cut..]]);
        let mut opened = outcome.expect("an outcome").expect("an open connection");
        opened.leftover.extend_from_slice(&bytes[taken..]);
        assert_eq!(
            texts(&mut opened.connection, opened.leftover),
            ["one", "two"],
            "{cut}"
        );
    }
}

//= WS-072 type=test
#[test]
fn the_first_frames_are_held_to_the_rules_as_all_others() {
    for (frame, violation) in [
        (Frame::new(0x81, "a").masked(), Violation::Masked),
        (Frame::new(0xc1, "a"), Violation::ReservedBits),
    ] {
        let (handshake, good) = asked(ask());
        let bytes = [good.as_bytes(), &frame.to_bytes()].concat();
        let mut opened = answer(handshake, &bytes).expect("an open connection");
        let received = opened.connection.receive(NOW, &mut opened.leftover);
        assert_eq!(received.event, Some(Event::Failed(violation)));
        let sent = frames(&drain(&mut opened.connection));
        assert_eq!(
            (sent[0].first, &sent[0].payload[..2]),
            (0x88, &b"\x03\xea"[..])
        );
    }
}

#[test]
fn what_is_printed_for_debugging_holds_no_secret() {
    let request = ClientRequest::new("example.com", "/?token=secret")
        .with_header("Authorization", "Bearer secret");
    let printed = format!("{request:?}");
    assert!(
        printed.contains("Authorization") && !printed.contains("secret"),
        "{printed}"
    );
    let handshake = ClientHandshake::new(request, [7; 32]).expect("a good request");
    assert!(!format!("{handshake:?}").contains("secret"));
}
