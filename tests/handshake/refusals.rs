//! Requests that are refused, each beside the nearest one that is not (RFC 6455 §4.2.1).

use framewire::engine::Refusal;
use framewire::wire::http::HeadLimits;

use crate::http::Head;
use crate::{REQUEST, Served, request_and, request_with, serve, serve_pieces, upgrade};

/// The answer to a request that opens no WebSocket, with what every such answer must have.
fn refused(bytes: &[u8]) -> Head {
    let refusal = match serve(bytes) {
        Served::Refused(refusal) => refusal,
        Served::Plain(request) => request.refusal(),
        other => panic!("{other:?}: {}", bytes.escape_ascii()),
    };
    encoded(&refusal)
}

//= H1-14 type=test
//= PX-10 type=test
fn encoded(refusal: &Refusal) -> Head {
    let head = Head::read(&refusal.encode());
    assert_eq!(head.status(), refusal.status());
    let connection = head.header("connection").expect("what becomes of TCP");
    assert!(
        connection.split(", ").any(|it| it == "close"),
        "{connection}"
    );
    let length: Option<Result<usize, _>> = head.header("content-length").map(|it| it.parse());
    if head.status() == 405 && head.body.is_empty() {
        // The answer to HEAD says how long the body would be (RFC 9110 §9.3.2).
        assert!(matches!(length, Some(Ok(2..))), "{length:?}");
    } else {
        assert_eq!(length, Some(Ok(head.body.len())));
        assert!(head.body.ends_with(b"\n") && head.body.len() > 1);
    }
    assert!(head.header("content-type").is_some());
    assert_eq!(head.all("sec-websocket-accept"), [""; 0]);
    head
}

/// The bad request is refused with `status`, the good one is not.
fn check(bad: &[u8], status: u16, good: &[u8]) -> Head {
    upgrade(good);
    let head = refused(bad);
    assert_eq!(head.status(), status, "{}", bad.escape_ascii());
    head
}

//= WS-046 type=test
//= H1-11 type=test
#[test]
fn other_methods_than_get_are_refused_with_405_and_allow() {
    for method in ["POST", "HEAD", "CONNECT", "OPTIONS", "get", "GETS"] {
        let bad = request_with("GET", method);
        let head = check(&bad, 405, REQUEST.as_bytes());
        assert_eq!(head.header("allow").as_deref(), Some("GET"));
        assert_eq!(head.body.is_empty(), method == "HEAD", "{method}");
    }
    // Without an Upgrade header it is the same for a server that serves WebSockets only.
    let head = refused(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        (head.status(), head.header("allow").as_deref()),
        (405, Some("GET"))
    );
}

//= H1-07 type=test
//= H1-09 type=test
//= WS-046 type=test
#[test]
fn http_1_0_has_no_upgrade() {
    let bad = request_with("HTTP/1.1", "HTTP/1.0");
    assert!(matches!(serve(&bad), Served::Plain(_)));
    let head = check(&bad, 426, REQUEST.as_bytes());
    assert_eq!(head.header("upgrade").as_deref(), Some("websocket"));
}

//= E14 type=test
#[test]
fn other_versions_of_http_are_refused_with_505() {
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.0"] {
        check(&request_with("HTTP/1.1", version), 505, REQUEST.as_bytes());
    }
    for version in ["HTTP/1.10", "http/1.1", "HTTP/11", "HTTP", "TTP/1.1"] {
        check(&request_with("HTTP/1.1", version), 400, REQUEST.as_bytes());
    }
}

//= WS-047 type=test
//= H1-01 type=test
#[test]
fn a_request_has_one_host_that_can_be_one() {
    let host = "Host: server.example.com";
    for bad in [
        "X: y",
        "Host:",
        "Host: a\r\nHost: a",
        "Host: a\r\nhost: b",
        "Host: a, b",
        "Host: a b",
        "Host: a/b",
        "Host: user@a",
        "Host: a#b",
        "Host: a?b",
        "Host: \u{e9}",
        "Host: a\\b",
    ] {
        check(&request_with(host, bad), 400, REQUEST.as_bytes());
    }
    for good in [
        "Host: a:8080",
        "Host: [::1]:9001",
        "HOST:a",
        "Host: \t a_b.example \t",
    ] {
        upgrade(&request_with(host, good));
    }
}

//= E17 type=test
//= WS-048 type=test
//= H1-09 type=test
#[test]
fn a_request_that_does_not_upgrade_to_websocket_is_answered_with_426() {
    let line = "Upgrade: websocket";
    for bad in [
        "X: y",
        "Upgrade: h2c",
        "Upgrade:",
        "Upgrade: websockets",
        "Upgrade: web socket",
    ] {
        let bytes = request_with(line, bad);
        assert!(matches!(serve(&bytes), Served::Plain(_)), "{bad}");
        let head = check(&bytes, 426, REQUEST.as_bytes());
        assert_eq!(head.header("upgrade").as_deref(), Some("websocket"));
        assert_eq!(head.header("sec-websocket-version").as_deref(), Some("13"));
    }
    for good in [
        "Upgrade: WebSocket",
        "UPGRADE: WEBSOCKET",
        "Upgrade: h2c, websocket",
        "Upgrade: websocket,h2c",
        "Upgrade: h2c\r\nUpgrade: websocket",
    ] {
        upgrade(&request_with(line, good));
    }
}

/// Whoever names a protocol in Upgrade says so in Connection as well (RFC 9110 §7.8).
//= H1-07 type=test
//= H1-09 type=test
#[test]
fn an_answer_that_names_a_protocol_says_so_in_connection() {
    let head = encoded(&Refusal::upgrade_required("no"));
    assert_eq!(head.header("upgrade").as_deref(), Some("websocket"));
    let connection = head.header("connection").unwrap_or_default();
    assert!(
        connection.to_ascii_lowercase().contains("upgrade"),
        "{connection}"
    );
    let other = encoded(&Refusal::bad_request("no"));
    assert_eq!(other.header("connection").as_deref(), Some("close"));
    assert_eq!(other.header("upgrade"), None);
}

//= E16 type=test
//= WS-049 type=test
//= H1-07 type=test
#[test]
fn connection_must_have_the_token_upgrade() {
    let line = "Connection: Upgrade";
    for bad in [
        "X: y",
        "Connection:",
        "Connection: keep-alive",
        "Connection: Upgrades",
        "Connection: keep-alive Upgrade",
        "Connection: \"Upgrade\"",
    ] {
        check(&request_with(line, bad), 400, REQUEST.as_bytes());
    }
    for good in [
        "Connection: upgrade",
        "Connection: keep-alive, Upgrade",
        "Connection: keep-alive\r\nConnection: UPGRADE",
        "connection:,,Upgrade\t,",
    ] {
        upgrade(&request_with(line, good));
    }
}

//= WS-050 type=test
//= WS-067 type=test
//= WS-176 type=test
//= WS-181 type=test
#[test]
fn the_key_is_there_once_and_has_sixteen_bytes() {
    let line = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let twice = format!("{line}\r\n{line}");
    for bad in [
        "X: y",
        "Sec-WebSocket-Key:",
        "Sec-WebSocket-Key: SGVsbG8sIHdvcmxkIQ==",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2-jZQ==",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2 jZQ==",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==",
        &twice,
    ] {
        check(&request_with(line, bad), 400, REQUEST.as_bytes());
    }
    // Erratum 3150: the key in RFC 6455 §4.1 has pad bits that are not zero.
    upgrade(&request_with(
        line,
        "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==",
    ));
    upgrade(&request_with(
        line,
        "Sec-WebSocket-Key: +/+/+/+/+/+/+/+/+/+/+w==",
    ));
}

//= D07 type=test
//= WS-051 type=test
//= WS-057 type=test
//= WS-067 type=test
//= WS-068 type=test
//= WS-180 type=test
#[test]
fn a_version_other_than_13_is_refused_with_the_one_that_is_served() {
    let line = "Sec-WebSocket-Version: 13";
    for bad in [
        "8", "0", "14", "013", "13, 8", "1 3", "+13", "thirteen", "255",
    ] {
        let bytes = request_with(line, &format!("Sec-WebSocket-Version: {bad}"));
        let head = check(&bytes, 426, REQUEST.as_bytes());
        assert_eq!(head.header("sec-websocket-version").as_deref(), Some("13"));
        assert_eq!(head.header("upgrade").as_deref(), Some("websocket"));
    }
    let twice = format!("{line}\r\n{line}");
    for bad in ["X: y", &twice] {
        check(&request_with(line, bad), 400, REQUEST.as_bytes());
    }
    upgrade(&request_with(line, "Sec-WebSocket-Version:  13 \t"));
}

/// A client of an older protocol has no key; it learns which version is served all the same.
//= WS-057 type=test
#[test]
fn the_version_is_looked_at_before_the_key() {
    let text = REQUEST
        .replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "")
        .replace("Version: 13", "Version: 7");
    assert_eq!(refused(text.as_bytes()).status(), 426);
}

//= WS-046 type=test
#[test]
fn targets_that_are_no_resource_name_are_refused() {
    for bad in [
        "*",
        "chat",
        "server.example.com:80",
        "/chat#part",
        "ftp://server.example.com/chat",
        "http:///chat",
        "http://user@server.example.com/chat",
        "/ch\u{e9}t",
        "/ch\u{1}t",
        "/ch\u{7f}t",
        "/chat ",
        "/ch at",
    ] {
        check(&request_with("/chat", bad), 400, REQUEST.as_bytes());
    }
    for (good, path, query) in [
        ("/", "/", None),
        ("/chat?", "/chat", Some("")),
        ("/chat?a=b?c", "/chat", Some("a=b?c")),
        ("/%C3%A9", "/%C3%A9", None),
        ("http://server.example.com/chat?x", "/chat", Some("x")),
        ("HTTPS://server.example.com", "/", None),
    ] {
        let request = upgrade(&request_with("/chat", good));
        assert_eq!((request.path(), request.query()), (path, query), "{good}");
    }
}

//= WS-045 type=test
//= H1-02 type=test
//= H1-03 type=test
//= H1-04 type=test
//= H1-06 type=test
#[test]
fn heads_that_others_read_otherwise_are_refused() {
    for lines in [
        "A: b\r\n c",
        "A: b\r\n\tc",
        " A: b",
        "A: b\nB: c",
        "A: b\rB: c",
        "A : b",
        "A\t: b",
        ": b",
        "A",
        "A\u{e9}: b",
        "A: b\0c",
        "A: b\u{1b}c",
        "A: b\u{7f}c",
        "(A): b",
    ] {
        check(&request_and(lines), 400, &request_and("A: b"));
    }
    upgrade(&request_and("A:"));
    upgrade(&request_and("A: caf\u{e9}\t \"quoted, and : more\""));
    let line_feeds = REQUEST.replace("\r\n", "\n");
    check(line_feeds.as_bytes(), 400, REQUEST.as_bytes());
}

//= E20 type=test
//= H1-05 type=test
//= H1-15 type=test
#[test]
fn an_upgrade_with_a_body_is_refused() {
    for lines in [
        "Content-Length: 1",
        "Content-Length: 00",
        "Content-Length: -0",
        "Content-Length: x",
        "Content-Length: 0\r\nContent-Length: 5",
        "Content-Length: 0, 5",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
    ] {
        check(&request_and(lines), 400, &request_and("Content-Length: 0"));
    }
}

//= WS-067 type=test
//= WS-045 type=test
#[test]
fn subprotocol_lists_that_break_the_grammar_are_refused() {
    let line = |value: &str| request_and(&format!("Sec-WebSocket-Protocol: {value}"));
    let empty_second = request_and("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol:");
    for bad in [
        "",
        ",",
        " , ,",
        "a b",
        "a;b",
        "a, a",
        "\"a\"",
        "a/b",
        "caf\u{e9}",
        "{}",
    ] {
        check(&line(bad), 400, &line("a, b"));
    }
    check(&empty_second, 400, &line("a"));
    let split = request_and("Sec-WebSocket-Protocol: a\r\nSEC-WEBSOCKET-PROTOCOL: b, a");
    check(&split, 400, &line("A, a"));
}

//= WS-158 type=test
#[test]
fn extension_lists_that_break_the_grammar_are_refused() {
    let line = |value: &str| request_and(&format!("Sec-WebSocket-Extensions: {value}"));
    for bad in [
        ";",
        ", ;",
        "a b",
        "a;",
        "a; b=",
        "a; =b",
        "a; b=\"",
        "a; b=\"c d\"",
        "a; b=\"\"",
        "a; b=c d",
        "a=b",
        "\"a\"",
        "a/b",
        "a; b=\"c\\\"",
        "caf\u{e9}",
    ] {
        check(&line(bad), 400, &line("a; b; c=d; e=\"f\", g"));
    }
    let offers = |n: usize| line(&vec!["a"; n].join(","));
    check(&offers(17), 400, &offers(16));
    let params = |n: usize| line(&format!("a{}", "; b".repeat(n)));
    check(&params(17), 400, &params(16));
}

//= WS-158 type=test
//= WS-162 type=test
#[test]
fn extension_lists_without_an_element_offer_nothing() {
    let header = "Sec-WebSocket-Extensions:";
    for empty in ["", " ", ",", " \t, ,\t", ",,,,"] {
        let one = format!("{header}{empty}");
        let two = format!("{one}\r\n{header}");
        for lines in [one, two] {
            let request = upgrade(&request_and(&lines));
            assert!(request.extensions().is_empty(), "{lines:?}");
        }
        let some = upgrade(&request_and(&format!("{header}{empty}\r\n{header} a")));
        assert_eq!(some.extensions().len(), 1, "{empty:?}");
        // What is malformed remains so beside it.
        let refusal = refused(&request_and(&format!("{header}{empty}\r\n{header} a b")));
        assert_eq!(refusal.status(), 400, "{empty:?}");
    }
}

//= WS-053 type=test
#[test]
fn unknown_headers_are_passed_over_up_to_the_bound() {
    let lines = |n: usize| {
        (0..n)
            .map(|i| format!("X-{i}: {i}"))
            .collect::<Vec<_>>()
            .join("\r\n")
    };
    upgrade(&request_and(&lines(40)));
    check(&request_and(&lines(60)), 431, &request_and(&lines(59)));
}

//= H1-13 type=test
#[test]
fn a_request_line_beyond_its_bound_is_refused_with_414() {
    let target = |bytes: usize| format!("/{}", "a".repeat(bytes - "GET / HTTP/1.1".len()));
    let bad = request_with("/chat", &target(8 * 1024 + 1));
    check(&bad, 414, &request_with("/chat", &target(8 * 1024)));
    // The bound is passed before the line is whole.
    let (outcome, _) = serve_pieces([&bad[..8 * 1024], &bad[8 * 1024..8 * 1024 + 1]]);
    assert!(matches!(outcome, Served::Refused(refusal) if refusal.status() == 414));
}

//= H1-13 type=test
#[test]
fn a_head_beyond_its_bound_is_refused_with_431() {
    let sized = |bytes: usize| {
        let rest = bytes - REQUEST.len() - "A: \r\n".len();
        request_and(&format!("A: {}", "b".repeat(rest)))
    };
    let (bad, good) = (sized(16 * 1024 + 1), sized(16 * 1024));
    assert_eq!(good.len(), HeadLimits::default().head_bytes_max);
    check(&bad, 431, &good);
    // Without an end it is refused at the bound, and not held any longer.
    let endless = [&bad[..bad.len() - 4], &vec![b'b'; 4][..]].concat();
    let (outcome, taken) = serve_pieces(endless.chunks(1));
    assert!(matches!(outcome, Served::Refused(refusal) if refusal.status() == 431));
    assert_eq!(taken, 16 * 1024);
}

#[test]
fn a_first_byte_that_begins_no_head_is_refused_at_once() {
    for garbage in [b"\x16", b"\0", b"\x80", b"\r", b"\n", b" ", b"{", b"\xff"] {
        assert!(matches!(serve(garbage), Served::Refused(refusal) if refusal.status() == 400));
    }
    assert!(matches!(serve(b"G"), Served::More));
}

//= C04 type=test
//= WS-056 type=test
//= WS-058 type=test
//= WS-166 type=test
//= WS-175 type=test
//= WS-144 type=test
#[test]
fn each_refusal_has_its_status_and_headers() {
    let unavailable = encoded(&Refusal::unavailable(30));
    assert_eq!(unavailable.status(), 503);
    assert_eq!(unavailable.header("retry-after").as_deref(), Some("30"));
    assert_eq!(encoded(&Refusal::forbidden("not from there")).status(), 403);
    assert_eq!(encoded(&Refusal::not_found()).status(), 404);
    assert_eq!(encoded(&Refusal::bad_request("no")).status(), 400);
    for status in [101, 200, 299, 600, 65_535, 0] {
        assert_eq!(encoded(&Refusal::new(status, "no")).status(), 500);
    }
    let redirect = Refusal::new(302, "elsewhere")
        .with_header("Location", "/b")
        .unwrap();
    assert_eq!(encoded(&redirect).header("location").as_deref(), Some("/b"));
    assert_eq!(redirect.header("LOCATION"), Some("/b"));
}

/// A body with line breaks stays a body, and a header with them is no header.
//= H1-06 type=test
#[test]
fn a_refusal_cannot_be_made_into_two_answers() {
    let refusal = Refusal::bad_request("a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    encoded(&refusal);
    for (name, value) in [
        ("A", "b\r\nC: d"),
        ("A", "b\0"),
        ("A\r\nB", "c"),
        ("", "a"),
        ("A:", "b"),
    ] {
        assert!(
            Refusal::not_found().with_header(name, value).is_err(),
            "{name:?} {value:?}"
        );
    }
}

/// What the answer itself depends on is not the application's to say a second time.
#[test]
fn a_refusal_frames_its_own_body() {
    for name in ["Content-Length", "connection", "Transfer-Encoding"] {
        assert!(
            Refusal::not_found().with_header(name, "7").is_err(),
            "{name}"
        );
    }
    assert!(Refusal::not_found().with_header("X-Length", "7").is_ok());
}
