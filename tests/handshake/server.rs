//! A server that accepts (RFC 6455 §4.2.2).

use framewire::engine::{AcceptError, Acceptance, Role};

use crate::http::Head;
use crate::raw::{Frame, frames};
use crate::{
    NOW, REQUEST, Served, accept, accept_of, drain, request_and, request_with, serve, serve_pieces,
    texts, upgrade,
};

//= C05 type=test
//= D06 type=test
//= D08 type=test
//= E18 type=test
//= WS-054 type=test
//= WS-063 type=test
//= WS-064 type=test
//= WS-060 type=test
//= WS-062 type=test
//= H1-08 type=test
#[test]
fn rfc6455_1_3_request_is_accepted_with_its_accept_value() {
    let mut accepted = accept(upgrade(REQUEST.as_bytes()), Acceptance::new());
    assert_eq!(accepted.connection.role(), Role::Server);
    let head = Head::read(&drain(&mut accepted.connection));
    assert_eq!(head.first_line, "HTTP/1.1 101 Switching Protocols");
    assert_eq!(head.header("upgrade").as_deref(), Some("websocket"));
    assert_eq!(head.header("connection").as_deref(), Some("Upgrade"));
    let expected = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    assert_eq!(
        head.header("sec-websocket-accept").as_deref(),
        Some(expected)
    );
    assert_eq!(head.header("sec-websocket-protocol"), None);
    assert_eq!(head.header("sec-websocket-extensions"), None);
    assert_eq!(head.header("content-length"), None);
    assert_eq!(head.body, b"");
    assert_eq!((accepted.subprotocol, accepted.leftover), (None, vec![]));
}

/// The pad bits of this key are not zero: to decode and encode it again would change it.
//= WS-064 type=test
//= WS-181 type=test
#[test]
fn the_key_is_hashed_as_it_came() {
    let key = "AQIDBAUGBwgJCgsMDQ4PEC==";
    let request = upgrade(&request_with("dGhlIHNhbXBsZSBub25jZQ==", key));
    let mut accepted = accept(request, Acceptance::new());
    let head = Head::read(&drain(&mut accepted.connection));
    assert_eq!(head.header("sec-websocket-accept"), Some(accept_of(key)));
}

//= C03 type=test
//= WS-044 type=test
#[test]
fn header_names_count_in_any_letter_case() {
    let head_end = REQUEST.find("\r\n").unwrap();
    let (line, headers) = REQUEST.split_at(head_end);
    for change in [str::to_ascii_lowercase, str::to_ascii_uppercase] {
        let lines = headers
            .split("\r\n")
            .map(|header| match header.split_once(':') {
                Some((name, value)) => format!("{}:{value}", change(name)),
                None => header.to_owned(),
            });
        let text = format!("{line}{}", lines.collect::<Vec<_>>().join("\r\n"));
        assert_eq!(upgrade(text.as_bytes()).path(), "/chat");
    }
}

//= WS-052 type=test
//= WS-155 type=test
#[test]
fn the_request_is_there_to_be_judged() {
    let lines = "Origin: https://a.example\r\nCookie: c=d\r\nX-Bytes: \u{e9}";
    let request = upgrade(&request_and(lines));
    assert_eq!(request.origin(), Some("https://a.example"));
    assert_eq!(request.head().headers().get_str("cookie"), Some("c=d"));
    assert_eq!(request.head().headers().len(), 8);
    assert_eq!(upgrade(REQUEST.as_bytes()).origin(), None);
    let mut not_utf8 = request_and("Origin: x");
    let at = not_utf8.len() - "x\r\n\r\n".len();
    not_utf8[at] = 0xe9;
    assert_eq!(upgrade(&not_utf8).origin(), None);
}

//= WS-059 type=test
//= WS-060 type=test
#[test]
fn a_subprotocol_is_chosen_from_those_offered() {
    let bytes = request_and(
        "Sec-WebSocket-Protocol: chat,, superchat\r\nSec-WebSocket-Protocol:\tv2.chat , Chat",
    );
    let request = upgrade(&bytes);
    assert_eq!(
        request.subprotocols(),
        ["chat", "superchat", "v2.chat", "Chat"]
    );
    let mut accepted = accept(request, Acceptance::new().with_subprotocol("v2.chat"));
    let head = Head::read(&drain(&mut accepted.connection));
    assert_eq!(
        head.header("sec-websocket-protocol").as_deref(),
        Some("v2.chat")
    );
    assert_eq!(accepted.subprotocol.as_deref(), Some("v2.chat"));

    for other in ["CHAT", "", "chat, superchat", "soap"] {
        let acceptance = Acceptance::new().with_subprotocol(other);
        let outcome = upgrade(&bytes).accept(acceptance, Default::default(), NOW);
        assert_eq!(
            outcome.unwrap_err(),
            AcceptError::SubprotocolNotOffered,
            "{other:?}"
        );
    }
}

//= H1-06 type=test
#[test]
fn headers_of_the_application_are_added_and_never_take_over_the_answer() {
    let acceptance = Acceptance::new()
        .with_header("Set-Cookie", "a=b")
        .with_header("set-cookie", "c=d\te");
    let mut accepted = accept(upgrade(REQUEST.as_bytes()), acceptance);
    let bytes = drain(&mut accepted.connection);
    assert!(bytes.ends_with(b"Set-Cookie: a=b\r\nset-cookie: c=d\te\r\n\r\n"));

    for (name, value, expected) in [
        ("Upgrade", "h2c", AcceptError::ReservedHeader),
        ("connection", "close", AcceptError::ReservedHeader),
        ("Content-Length", "5", AcceptError::ReservedHeader),
        ("TRANSFER-ENCODING", "chunked", AcceptError::ReservedHeader),
        ("Sec-WebSocket-Accept", "x", AcceptError::ReservedHeader),
        ("sec-websocket-Protocol", "x", AcceptError::ReservedHeader),
        ("Sec-WebSocket-Anything", "x", AcceptError::ReservedHeader),
        ("A", "b\r\nC: d", AcceptError::InvalidHeader),
        ("A", "b\nC: d", AcceptError::InvalidHeader),
        ("A", "b\0", AcceptError::InvalidHeader),
        ("A\r\nB", "c", AcceptError::InvalidHeader),
        ("", "c", AcceptError::InvalidHeader),
        ("A b", "c", AcceptError::InvalidHeader),
        (
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
            "c",
            AcceptError::InvalidHeader,
        ),
    ] {
        let acceptance = Acceptance::new().with_header(name, value);
        let outcome = upgrade(REQUEST.as_bytes()).accept(acceptance, Default::default(), NOW);
        assert_eq!(outcome.unwrap_err(), expected, "{name:?}: {value:?}");
    }
}

//= WS-065 type=test
#[test]
fn a_server_may_send_behind_its_answer_at_once() {
    let mut connection = accept(upgrade(REQUEST.as_bytes()), Acceptance::new()).connection;
    connection
        .send_text(NOW, "first")
        .expect("an open connection");
    let head = Head::read(&drain(&mut connection));
    assert_eq!(head.status(), 101);
    assert_eq!(frames(&head.body), [Frame::new(0x81, "first")]);
}

#[test]
fn a_ping_leaves_behind_the_answer_and_before_the_messages() {
    let open = || accept(upgrade(REQUEST.as_bytes()), Acceptance::new()).connection;
    let answer = drain(&mut open()).len();
    // The second of these does not share a buffer with the first.
    let (first, large) = ("first", "l".repeat(60_000));
    for messages in [
        &[][..],
        &[first],
        &[first, &large],
        &[&large, first, &large],
    ] {
        for cut in [0, 1, answer - 1, answer] {
            let mut connection = open();
            for message in messages {
                connection.send_text(NOW, message).expect("room");
            }
            let mut bytes: Vec<u8> = connection.transmit().flatten().copied().collect();
            bytes.truncate(cut);
            connection.transmitted(cut);
            connection.ping(b"are you there").expect("room");
            connection.send_text(NOW, "last").expect("room");
            bytes.extend(drain(&mut connection));
            let head = Head::read(&bytes);
            assert_eq!(head.status(), 101);
            let mut expected = vec![Frame::new(0x89, "are you there")];
            let texts = messages.iter().chain([&"last"]);
            expected.extend(texts.map(|text| Frame::new(0x81, *text)));
            assert!(frames(&head.body) == expected, "cut at {cut}");
        }
    }
}

//= E02 type=test
//= PX-09 type=test
#[test]
fn what_follows_the_request_in_the_same_segment_is_not_lost() {
    let frame = Frame::new(0x81, "early").masked().to_bytes();
    let bytes = [REQUEST.as_bytes(), &frame, &frame[..3]].concat();
    for cut in 0..=bytes.len() {
        let (outcome, taken) = serve_pieces([&bytes[..cut], &bytes[cut..]]);
        let Served::Upgrade(request) = outcome else {
            panic!("{outcome:?} when cut at {cut}");
        };
        let mut accepted = accept(*request, Acceptance::new());
        let rest = [&accepted.leftover[..], &bytes[taken..]].concat();
        assert_eq!(rest, [&frame[..], &frame[..3]].concat());
        assert_eq!(texts(&mut accepted.connection, rest), ["early"]);
    }
}

#[test]
fn a_request_that_arrives_byte_by_byte_is_the_same_request() {
    let bytes = request_and("Sec-WebSocket-Protocol: chat\r\nOrigin: null");
    let (outcome, taken) = serve_pieces(bytes.chunks(1));
    let Served::Upgrade(request) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((taken, request.path()), (bytes.len(), "/chat"));
    assert_eq!(
        (request.origin(), request.subprotocols().len()),
        (Some("null"), 1)
    );
}

//= PX-09 type=test
#[test]
fn a_plain_request_keeps_every_byte_that_arrived() {
    let bytes = b"GET /page?x HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\n";
    for cut in 0..=bytes.len() {
        let (outcome, taken) = serve_pieces([&bytes[..cut], &bytes[cut..]]);
        let Served::Plain(request) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(
            (request.head().method(), request.head().target()),
            ("GET", "/page?x")
        );
        assert_eq!([&request.into_bytes()[..], &bytes[taken..]].concat(), bytes);
    }
}

/// The answer comes before any body, so there is nothing to wait for on either side.
//= H1-16 type=test
#[test]
fn an_expectation_is_passed_over_and_never_waited_for() {
    for expectation in ["100-continue", "something-else"] {
        let request = request_and(&format!("Expect: {expectation}"));
        let mut accepted = accept(upgrade(&request), Acceptance::new());
        let head = Head::read(&drain(&mut accepted.connection));
        assert_eq!(
            head.first_line, "HTTP/1.1 101 Switching Protocols",
            "{expectation}"
        );
    }
}

#[test]
fn a_request_that_is_not_complete_waits() {
    for end in 0..REQUEST.len() {
        assert!(
            matches!(serve(&REQUEST.as_bytes()[..end]), Served::More),
            "{end}"
        );
    }
}
