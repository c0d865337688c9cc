//! The example handshake of RFC 6455 §1.2, read and written.

use framewire::wire::http::{
    HeadError, HeadLimits, HeadScanner, MalformedHead, RequestHead, ResponseHead, split_target,
    write_head_end, write_header, write_status_line,
};
use framewire::wire::key::{Key, accept, is_valid_key};
use framewire::wire::list::{contains_token, parse_extensions, parse_version, tokens};

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\
    \r\n";

fn read(bytes: &[u8]) -> Result<RequestHead, HeadError> {
    RequestHead::parse(bytes, &HeadLimits::default())
}

//= WS-064 type=test
#[test]
fn rfc6455_1_2_request_is_read_and_answered() {
    let buffer = [REQUEST, b"\x81\x85"].concat();
    let length = HeadScanner::default().scan(&buffer, &HeadLimits::default());
    assert_eq!(length, Ok(Some(REQUEST.len())));

    let head = read(&buffer).unwrap();
    let headers = head.headers();
    assert_eq!((head.method(), head.version_minor()), ("GET", 1));
    assert_eq!(split_target(head.target()), Some(("/chat", None)));
    assert!(contains_token(headers.get_all("upgrade"), b"WebSocket"));
    assert!(contains_token(headers.get_all("connection"), b"upgrade"));
    assert_eq!(
        headers.get("sec-websocket-version").and_then(parse_version),
        Some(13)
    );
    let protocols: Result<Vec<_>, _> = headers
        .get_all("sec-websocket-protocol")
        .flat_map(tokens)
        .collect();
    assert_eq!(protocols.unwrap(), ["chat", "superchat"]);
    let extensions = parse_extensions(headers.get_all("sec-websocket-extensions"));
    assert_eq!(extensions, Ok(vec![]));

    let key = headers.get_str("sec-websocket-key").unwrap();
    assert!(is_valid_key(key.as_bytes()));
    let mut answer = Vec::new();
    write_status_line(&mut answer, 101, "Switching Protocols").unwrap();
    write_header(&mut answer, "Upgrade", "websocket").unwrap();
    write_header(&mut answer, "Connection", "Upgrade").unwrap();
    write_header(&mut answer, "Sec-WebSocket-Accept", &*accept(key)).unwrap();
    write_header(&mut answer, "Sec-WebSocket-Protocol", "chat").unwrap();
    write_head_end(&mut answer);
    assert_eq!(
        answer.escape_ascii().to_string(),
        RESPONSE.escape_ascii().to_string()
    );
}

#[test]
fn rfc6455_1_2_response_is_read_and_matches_the_key() {
    let head = ResponseHead::parse(RESPONSE, &HeadLimits::default()).unwrap();
    let key = Key::from_nonce(*b"the sample nonce");
    assert_eq!((head.status(), head.reason()), (101, "Switching Protocols"));
    assert_eq!(
        head.headers().get_str("Sec-WebSocket-Accept"),
        Some(key.accept().as_str())
    );
}

//= WS-162 type=test
#[test]
fn a_header_that_is_there_twice_is_counted_twice() {
    let doubled = [
        &REQUEST[..REQUEST.len() - 2],
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nSEC-WEBSOCKET-PROTOCOL: x\r\n\r\n",
    ]
    .concat();
    let head = read(&doubled).unwrap();
    assert_eq!(head.headers().count("Sec-WebSocket-Key"), 2);
    let protocols: Vec<_> = head
        .headers()
        .get_all("sec-websocket-protocol")
        .flat_map(tokens)
        .flatten()
        .collect();
    assert_eq!(protocols, ["chat", "superchat", "x"]);
}

//= WS-045 type=test
//= H1-02 type=test
//= H1-03 type=test
//= H1-04 type=test
//= H1-06 type=test
#[test]
fn a_request_with_one_fault_is_refused_with_its_status() {
    let text = str::from_utf8(REQUEST).unwrap();
    let malformed = HeadError::Malformed;
    for (from, to, expected, status) in [
        (
            "GET /chat",
            "GET\t/chat",
            malformed(MalformedHead::RequestLine),
            400,
        ),
        ("GET", "\0ET", malformed(MalformedHead::FirstByte), 400),
        ("HTTP/1.1", "HTTP/2.0", HeadError::VersionUnsupported, 505),
        (
            "Upgrade: ",
            "Upgrade : ",
            malformed(MalformedHead::HeaderName),
            400,
        ),
        (
            "Connection:",
            " Connection:",
            malformed(MalformedHead::HeaderName),
            400,
        ),
        ("server", "ser\rver", malformed(MalformedHead::BareCr), 400),
        ("server", "ser\nver", malformed(MalformedHead::BareLf), 400),
        (
            "server",
            "ser\0ver",
            malformed(MalformedHead::ControlByte),
            400,
        ),
        ("\r\n\r\n", "\n\n", malformed(MalformedHead::BareLf), 400),
        (
            "\r\n\r\n",
            "\r\n",
            malformed(MalformedHead::Incomplete),
            400,
        ),
    ] {
        let faulty = text.replacen(from, to, 1);
        let verdict = read(faulty.as_bytes());
        assert_eq!(verdict, Err(expected), "{from:?} {to:?}");
        assert_eq!(expected.status(), status);
    }
}

//= E19 type=test
/// Beside the one of RFC 6455 §1.3.
#[test]
fn a_published_key_has_its_published_answer() {
    let accept = accept("Iv8io/9s+lYFgZWcXczP8Q==");
    assert_eq!(accept.as_str(), "hsBlbuDTkk24srzEOTBUlZAlC2g=");
}
