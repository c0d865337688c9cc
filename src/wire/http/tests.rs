use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const UPGRADE: &str = "GET /chat?room=1 HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: keep-alive\r\n\
    connection:\tUpgrade \r\n\
    X-Empty:\r\n\
    X-Latin: caf\u{e9}\r\n\
    \r\n";

fn request(head: impl AsRef<[u8]>) -> Result<RequestHead, HeadError> {
    RequestHead::parse(head.as_ref(), &HeadLimits::default())
}

fn response(head: impl AsRef<[u8]>) -> Result<ResponseHead, HeadError> {
    ResponseHead::parse(head.as_ref(), &HeadLimits::default())
}

fn malformed<T>(what: MalformedHead) -> Result<T, HeadError> {
    Err(HeadError::Malformed(what))
}

/// Scans a buffer that grows by `step` bytes, until there is a verdict.
fn scan(bytes: &[u8], step: usize, limits: &HeadLimits) -> Result<Option<usize>, HeadError> {
    let mut scanner = HeadScanner::default();
    let mut end = 0;
    while end < bytes.len() {
        end = (end + step).min(bytes.len());
        let found = scanner.scan(&bytes[..end], limits)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The verdict of a scan, which must be one and the same however the bytes arrive.
fn check_scan(bytes: &[u8], limits: &HeadLimits) -> Result<Option<usize>, HeadError> {
    let whole = scan(bytes, usize::MAX / 2, limits);
    for step in [1, 2, 3, 7] {
        assert_eq!(
            scan(bytes, step, limits),
            whole,
            "{} in steps of {step}",
            bytes.escape_ascii()
        );
    }
    whole
}

fn with_header(line: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\nX: y\r\n\r\n")
}

//= WS-044 type=test
#[test]
fn a_request_is_read_into_its_parts() {
    let head = request(format!("{UPGRADE}\0\n what follows")).unwrap();
    assert_eq!((head.method(), head.target()), ("GET", "/chat?room=1"));
    assert_eq!(head.version_minor(), 1);
    let headers = head.headers();
    assert_eq!((headers.len(), headers.is_empty()), (6, false));
    assert_eq!(headers.get("HOST"), Some(&b"server.example.com"[..]));
    assert_eq!(headers.get_str("upgrade"), Some("websocket"));
    assert_eq!(headers.count("Connection"), 2);
    let values: Vec<_> = headers.get_all("connection").collect();
    assert_eq!(values, [&b"keep-alive"[..], b"Upgrade"]);
    assert_eq!(headers.get("x-empty"), Some(&b""[..]));
    assert_eq!(headers.get("x-none"), None);
    assert_eq!(headers.iter().nth(3), Some(("connection", &b"Upgrade"[..])));
    assert_eq!(headers.get("x-latin"), Some("caf\u{e9}".as_bytes()));
}

#[test]
fn a_response_is_read_into_its_parts() {
    let head = response("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n").unwrap();
    assert_eq!((head.status(), head.reason()), (101, "Switching Protocols"));
    assert_eq!(head.version_minor(), 1);
    assert_eq!(head.headers().get_str("Upgrade"), Some("websocket"));
    let head = response("HTTP/1.0 404\r\n\r\n").unwrap();
    assert_eq!(
        (head.status(), head.reason(), head.version_minor()),
        (404, "", 0)
    );
    assert_eq!(
        response(b"HTTP/1.1 200 caf\xe9\r\n\r\n").unwrap().reason(),
        ""
    );
}

#[test]
fn debug_prints_no_value() {
    let secret = "GET /?token=hush HTTP/1.1\r\nCookie: hush\r\n\r\n";
    let printed = format!("{:?}", request(secret).unwrap());
    assert!(
        printed.contains("Cookie") && !printed.contains("hush"),
        "{printed}"
    );
    let printed = format!(
        "{:?}",
        response("HTTP/1.1 200 OK\r\nSet-Cookie: hush\r\n\r\n").unwrap()
    );
    assert!(
        printed.contains("Set-Cookie") && !printed.contains("hush"),
        "{printed}"
    );
}

//= WS-155 type=test
#[test]
fn a_value_that_is_not_utf8_is_no_text() {
    let head = request(b"GET / HTTP/1.1\r\nA: \xff\r\nB: \xc3\xa9\r\n\r\n").unwrap();
    assert_eq!(
        (head.headers().get("a"), head.headers().get_str("a")),
        (Some(&b"\xff"[..]), None)
    );
    assert_eq!(head.headers().get_str("b"), Some("é"));
}

//= WS-045 type=test
#[test]
fn a_request_line_that_breaks_the_grammar_is_refused() {
    for line in [
        "GET",
        "GET ",
        "GET /",
        "GET / ",
        "GET  HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1 x",
        "GET /a b HTTP/1.1",
        "GET / HTTP/2.0 x",
        "GET / http/1.1",
        "GET / HTTP/1",
        "GET / HTTP/x.y",
        "GET / HTTPS/1.1",
        "G(T / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET /caf\u{e9} HTTP/1.1",
    ] {
        let head = format!("{line}\r\nHost: a\r\n\r\n");
        assert_eq!(
            request(&head),
            malformed(MalformedHead::RequestLine),
            "{line}"
        );
    }
    assert_eq!(
        request(b"GET /\xff HTTP/1.1\r\n\r\n"),
        malformed(MalformedHead::RequestLine)
    );
    assert!(request("GET / HTTP/1.1\r\nHost: a\r\n\r\n").is_ok());
    assert!(request("get * HTTP/1.0\r\n\r\n").is_ok());
}

#[test]
fn a_status_line_that_breaks_the_grammar_is_refused() {
    for line in [
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 1",
        "HTTP/1.1 10 x",
        "HTTP/1.1 1010 x",
        "HTTP/1.1 099 x",
        "HTTP/1.1 abc x",
        "HTTP/1.1  101 x",
        "HTTP/1. 101 x",
        "HTTP/x.1 101 x",
        "SIP/2.0 101 x",
    ] {
        let head = format!("{line}\r\n\r\n");
        assert_eq!(
            response(&head),
            malformed(MalformedHead::StatusLine),
            "{line}"
        );
    }
}

#[test]
fn another_version_of_http_is_told_from_no_version() {
    for version in ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0"] {
        let head = format!("GET / {version}\r\n\r\n");
        assert_eq!(
            request(&head),
            Err(HeadError::VersionUnsupported),
            "{version}"
        );
        let head = format!("{version} 200 OK\r\n\r\n");
        assert_eq!(
            response(&head),
            Err(HeadError::VersionUnsupported),
            "{version}"
        );
    }
    assert_eq!(
        request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Err(HeadError::VersionUnsupported)
    );
}

//= H1-03 type=test
#[test]
fn white_space_between_a_name_and_its_colon_is_refused() {
    for line in ["A : b", "A\t: b", "A b: c"] {
        assert_eq!(
            request(with_header(line)),
            malformed(MalformedHead::HeaderName),
            "{line}"
        );
        let head = format!("HTTP/1.1 101 x\r\n{line}\r\n\r\n");
        assert_eq!(
            response(head),
            malformed(MalformedHead::HeaderName),
            "{line}"
        );
    }
    assert!(request(with_header("A: b")).is_ok());
    assert!(request(with_header("A:b")).is_ok());
}

//= H1-04 type=test
#[test]
fn a_folded_line_is_refused() {
    for line in [
        "A: b\r\n c",
        "A: b\r\n\tc",
        "A:\r\n b",
        "A: b\r\n ",
        " A: b",
    ] {
        assert_eq!(
            request(with_header(line)),
            malformed(MalformedHead::HeaderName),
            "{line:?}"
        );
        let head = format!("HTTP/1.1 101 x\r\n{line}\r\n\r\n");
        assert_eq!(
            response(head),
            malformed(MalformedHead::HeaderName),
            "{line:?}"
        );
    }
    let first = "GET / HTTP/1.1\r\n Host: a\r\n\r\n";
    assert_eq!(request(first), malformed(MalformedHead::HeaderName));
}

#[test]
fn a_line_without_a_name_or_a_colon_is_refused() {
    for line in ["A", ": b", "A(: b", "Ä: b", "\"A\": b"] {
        assert_eq!(
            request(with_header(line)),
            malformed(MalformedHead::HeaderName),
            "{line}"
        );
    }
}

//= H1-06 type=test
#[test]
fn a_control_character_is_refused_wherever_it_stands() {
    let head = UPGRADE.as_bytes();
    for control in (0..=0x1f)
        .chain([0x7f])
        .filter(|byte| !b"\t\r\n".contains(byte))
    {
        for at in 1..head.len() {
            let mut bytes = head.to_vec();
            bytes.insert(at, control);
            let parts_a_line_end = head[at - 1] == b'\r';
            let what = if parts_a_line_end {
                MalformedHead::BareCr
            } else {
                MalformedHead::ControlByte
            };
            let verdict = check_scan(&bytes, &HeadLimits::default());
            assert_eq!(verdict, malformed(what), "{control:#04x} at {at}");
        }
    }
    for value in ["a\0b", "a\x7fb", "a\x1bb", "\0"] {
        let line = format!("A: {value}");
        assert_eq!(
            request(with_header(&line)),
            malformed(MalformedHead::ControlByte)
        );
    }
    assert!(request(with_header("A: a\tb \u{80}")).is_ok());
}

//= H1-02 type=test
//= H1-06 type=test
#[test]
fn a_cr_or_a_lf_that_stands_alone_is_refused() {
    for line in ["A: b\rc", "A: b\r\r\nC: d", "A\r: b", "A: \r"] {
        assert_eq!(
            request(with_header(line)),
            malformed(MalformedHead::BareCr),
            "{line:?}"
        );
    }
    for line in ["A: b\nC: d", "A: \n", "A: b\n\nC"] {
        assert_eq!(
            request(with_header(line)),
            malformed(MalformedHead::BareLf),
            "{line:?}"
        );
    }
    for head in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
    ] {
        assert_eq!(request(head), malformed(MalformedHead::BareLf), "{head:?}");
    }
    assert_eq!(
        request("GET / HTTP/1.1\r\nA: b\r\n\rX"),
        malformed(MalformedHead::BareCr)
    );
}

//= WS-045 type=test
#[test]
fn a_byte_that_begins_no_head_is_refused_at_once() {
    for first in 0..=u8::MAX {
        let verdict = HeadScanner::default().scan(&[first], &HeadLimits::default());
        if crate::wire::list::is_token(&[first]) {
            assert_eq!(verdict, Ok(None), "{first:#04x}");
        } else {
            assert_eq!(verdict, malformed(MalformedHead::FirstByte), "{first:#04x}");
        }
    }
    assert_eq!(
        request("\r\nGET / HTTP/1.1\r\n\r\n"),
        malformed(MalformedHead::FirstByte)
    );
    assert_eq!(
        request(b"\x16\x03\x01\x02\x00"),
        malformed(MalformedHead::FirstByte)
    );
}

#[test]
fn a_head_ends_with_its_empty_line_and_not_before() {
    let head = UPGRADE.as_bytes();
    let followed = [head, b"\x81\x85\0\n\r rest"].concat();
    assert_eq!(
        check_scan(&followed, &HeadLimits::default()),
        Ok(Some(head.len()))
    );
    for end in 0..head.len() {
        assert_eq!(check_scan(&head[..end], &HeadLimits::default()), Ok(None));
        let expected = malformed(MalformedHead::Incomplete);
        assert_eq!(request(&head[..end]), expected, "{end}");
    }
}

//= H1-13 type=test
#[test]
fn a_first_line_at_its_bound_passes_and_one_byte_more_is_414() {
    let limits = HeadLimits {
        line_bytes_max: 40,
        ..HeadLimits::default()
    };
    let line = |bytes: usize| {
        format!(
            "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
            "p".repeat(bytes - 14)
        )
    };
    assert_eq!(check_scan(line(40).as_bytes(), &limits), Ok(Some(53)));
    assert_eq!(
        check_scan(line(41).as_bytes(), &limits),
        Err(HeadError::LineTooLong)
    );
    assert_eq!(
        check_scan(line(400).as_bytes(), &limits),
        Err(HeadError::LineTooLong)
    );
    let endless = "p".repeat(41);
    assert_eq!(
        check_scan(endless.as_bytes(), &limits),
        Err(HeadError::LineTooLong)
    );
    assert_eq!(check_scan(&endless.as_bytes()[..40], &limits), Ok(None));
    assert_eq!(HeadError::LineTooLong.status(), 414);
}

//= H1-13 type=test
#[test]
fn a_head_at_its_bound_passes_and_one_byte_more_is_431() {
    let head = UPGRADE.as_bytes();
    let limits = HeadLimits {
        head_bytes_max: head.len(),
        ..HeadLimits::default()
    };
    assert_eq!(
        check_scan(&[head, b"rest"].concat(), &limits),
        Ok(Some(head.len()))
    );
    for short in [0, 1, 10, head.len() - 5, head.len() - 2, head.len() - 1] {
        let limits = HeadLimits {
            head_bytes_max: short,
            ..limits
        };
        assert_eq!(
            check_scan(head, &limits),
            Err(HeadError::HeadTooLarge),
            "{short}"
        );
    }
    let endless = ["GET / HTTP/1.1\r\n", &"A: b\r\n".repeat(10_000)].concat();
    assert_eq!(
        scan(endless.as_bytes(), 1, &HeadLimits::default()),
        Err(HeadError::HeadTooLarge)
    );
    assert_eq!(HeadError::HeadTooLarge.status(), 431);
}

#[test]
fn header_lines_at_their_bound_pass_and_one_more_is_431() {
    let head = |lines: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(lines));
    let read = |lines: usize, headers_max: usize| {
        let limits = HeadLimits {
            headers_max,
            ..HeadLimits::default()
        };
        RequestHead::parse(head(lines).as_bytes(), &limits).map(|head| head.headers().len())
    };
    for (bound, given) in [(64, 64), (0, 0), (128, 128), (128, 1000)] {
        assert_eq!(read(bound, given), Ok(bound));
        assert_eq!(read(bound + 1, given), Err(HeadError::TooManyHeaders));
    }
    assert_eq!(HeadError::TooManyHeaders.status(), 431);
}

//= WS-046 type=test
#[test]
fn a_target_is_a_path_or_a_whole_uri() {
    for (target, expected) in [
        ("/", Some(("/", None))),
        ("/a/b?c=d?e", Some(("/a/b", Some("c=d?e")))),
        ("/a?", Some(("/a", Some("")))),
        ("//a", Some(("//a", None))),
        ("/http://a/", Some(("/http://a/", None))),
        ("http://h", Some(("/", None))),
        ("http://h?q", Some(("/", Some("q")))),
        ("HTTPS://h:8/p?q", Some(("/p", Some("q")))),
        ("http://[::1]:80/p", Some(("/p", None))),
        ("/%23%C3%A9", Some(("/%23%C3%A9", None))),
        ("", None),
        ("*", None),
        ("h:80", None),
        ("a/b", None),
        ("?q", None),
        ("ws://h/p", None),
        ("ftp://h/p", None),
        ("http:/h", None),
        ("http://", None),
        ("http:///p", None),
        ("http://:80/p", None),
        ("http://u@h/p", None),
        ("/p#f", None),
        ("http://h/#f", None),
        ("/a b", None),
        ("/a\tb", None),
        ("/\0", None),
        ("/\x7f", None),
        ("/é", None),
    ] {
        assert_eq!(split_target(target), expected, "{target:?}");
    }
}

#[test]
fn what_is_written_is_read_back() {
    let mut bytes = Vec::new();
    write_request_line(&mut bytes, "GET", "/a?b").unwrap();
    write_header(&mut bytes, "Host", "h:8").unwrap();
    write_header(&mut bytes, "X", b"caf\xe9\t!").unwrap();
    write_head_end(&mut bytes);
    assert_eq!(
        bytes,
        b"GET /a?b HTTP/1.1\r\nHost: h:8\r\nX: caf\xe9\t!\r\n\r\n"
    );
    let head = request(&bytes).unwrap();
    assert_eq!((head.method(), head.target()), ("GET", "/a?b"));
    assert_eq!(head.headers().get("x"), Some(&b"caf\xe9\t!"[..]));

    let mut bytes = Vec::new();
    write_status_line(&mut bytes, 426, "Upgrade Required").unwrap();
    write_head_end(&mut bytes);
    assert_eq!(bytes, b"HTTP/1.1 426 Upgrade Required\r\n\r\n");
    assert_eq!(response(&bytes).unwrap().status(), 426);
}

//= H1-06 type=test
#[test]
fn a_line_that_would_carry_another_is_not_written() {
    let mut bytes = vec![b'|'];
    for value in ["a\r\nB: c", "a\n", "\r", "a\0", "\x7f", "\x1b[0m"] {
        assert_eq!(
            write_header(&mut bytes, "A", value),
            Err(InvalidHeader::Value)
        );
        assert_eq!(
            write_status_line(&mut bytes, 200, value),
            Err(InvalidHeader::FirstLine)
        );
        assert_eq!(
            write_request_line(&mut bytes, "GET", value),
            Err(InvalidHeader::FirstLine)
        );
        assert_eq!(
            write_header(&mut bytes, value, "a"),
            Err(InvalidHeader::Name)
        );
    }
    for name in ["", "A:", "A b", "A\r\n", "Ä"] {
        assert_eq!(
            write_header(&mut bytes, name, "a"),
            Err(InvalidHeader::Name)
        );
        assert_eq!(
            write_request_line(&mut bytes, name, "/"),
            Err(InvalidHeader::FirstLine)
        );
    }
    for status in [0, 99, 1000] {
        assert_eq!(
            write_status_line(&mut bytes, status, ""),
            Err(InvalidHeader::FirstLine)
        );
    }
    for target in ["", "/a b", "/é"] {
        assert_eq!(
            write_request_line(&mut bytes, "GET", target),
            Err(InvalidHeader::FirstLine)
        );
    }
    assert_eq!(bytes, b"|");
}

/// Bytes that are often nearly a head.
fn nearly_a_head() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        8 => Just(&b"GET / HTTP/1.1\r\n"[..]),
        8 => Just(&b"Name: value\r\n"[..]),
        4 => Just(&b"\r\n"[..]),
        1 => Just(&b"\r"[..]),
        1 => Just(&b"\n"[..]),
        1 => Just(&b"\t"[..]),
        1 => Just(&b"\x00"[..]),
        1 => Just(&b"\xff"[..]),
        1 => Just(&b"a longer run of text"[..]),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn prop_the_verdict_does_not_depend_on_how_the_head_arrives(
        bytes in nearly_a_head(),
        line_bytes_max in 0_usize..80,
        head_bytes_max in 0_usize..160,
    ) {
        let limits = HeadLimits { line_bytes_max, head_bytes_max, headers_max: 64 };
        let verdict = check_scan(&bytes, &limits);
        if let Ok(Some(length)) = verdict {
            prop_assert!(length <= head_bytes_max && bytes[..length].ends_with(b"\r\n\r\n"));
            let first_line = bytes.iter().position(|&byte| byte == b'\r');
            prop_assert!(first_line.unwrap() <= line_bytes_max);
        }
    }

    #[test]
    fn prop_any_bytes_are_read_or_refused(
        bytes in prop_oneof![nearly_a_head(), proptest::collection::vec(any::<u8>(), 0..60)],
    ) {
        if let Ok(head) = request(&bytes) {
            prop_assert!(crate::wire::list::is_token(head.method().as_bytes()));
            prop_assert!(!head.target().is_empty());
            for (name, value) in head.headers().iter() {
                prop_assert!(crate::wire::list::is_token(name.as_bytes()));
                prop_assert_eq!(value.trim_ascii(), value);
            }
        }
        let _ = response(&bytes);
    }
}
