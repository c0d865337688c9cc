//! Which hosts and which proxies a server heeds, and handshakes that break.

use std::io::Write as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::home::{Home, status};
use crate::person::{SECRET, token_with};
use crate::program::PATIENCE;

//= B24 type=test
#[tokio::test]
async fn what_is_addressed_to_another_host_is_refused() {
    let list = |hosts: &str| format!("server:\n  hosts: [{hosts}]\n");
    let home = Home::open(&list("announce.example, \"localhost:4000\"")).await;
    let expect = async |home: &Home, cases: &[(&str, bool)]| {
        for (host, is_welcome) in cases {
            let lines = format!("Host: {host}\r\n");
            let (socket, page) = if *is_welcome { (101, 200) } else { (421, 421) };
            assert_eq!(home.upgraded(&lines).await, socket, "{host}");
            for path in ["/", "/health/ready", "/openapi.json"] {
                let answer = home.get(path, &lines).await;
                assert_eq!(status(&answer), page, "{host} {path}");
            }
        }
    };
    let cases = [
        ("announce.example", true),
        ("Announce.Example:8443", true),
        ("localhost:4000", true),
        ("localhost:4001", false),
        ("127.0.0.1:4000", false),
        // A page whose name resolves to this machine is still a page of its own host.
        ("rebound.evil.example:4000", false),
    ];
    expect(&home, &cases).await;
    home.reload(&list("rebound.evil.example")).await;
    expect(
        &home,
        &[("localhost:4000", false), ("rebound.evil.example", true)],
    )
    .await;
    home.reload("").await;
    expect(
        &home,
        &[("localhost:4000", true), ("whatever.example", true)],
    )
    .await;
    home.close().await;
}

#[tokio::test]
async fn each_client_behind_a_proxy_is_bounded_by_its_own_address() {
    let home = Home::open(
        "server:\n  trusted_proxies: [127.0.0.1, 10.0.0.0/8]\nlimits:\n  connections_per_ip: 1\n",
    )
    .await;
    let mut held = Vec::new();
    for (lines, expected) in [
        ("X-Forwarded-For: 203.0.113.1", 101),
        ("X-Forwarded-For: 203.0.113.2:4711, 10.1.1.1", 101),
        ("X-Forwarded-For: [2001:db8::1]:4711", 101),
        // Who was there already, whatever stands before.
        ("X-Forwarded-For: 203.0.113.1", 503),
        ("X-Forwarded-For: 198.51.100.1, 203.0.113.1", 503),
        (
            "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.1, 10.1.1.1",
            503,
        ),
        (
            "Forwarded: for=198.51.100.1, for=\"203.0.113.2:1\";proto=https",
            503,
        ),
        ("X-Forwarded-For: 2001:db8::1", 503),
        // The proxy itself is nobody's one client.
        ("X-Forwarded-For: unknown", 101),
        ("X-Other: 1", 101),
        ("X-Forwarded-For: 203.0.113.1, 10.1.1", 101),
    ] {
        let (answer, tcp) = home.upgrade(&format!("Host: a\r\n{lines}\r\n")).await;
        assert_eq!(status(&answer), expected, "{lines}");
        held.push(tcp);
    }
    assert_eq!(home.failed("of_address"), 5);
    let peers = home.service.clients().snapshot();
    let mut peers: Vec<_> = peers.iter().map(|it| it.peer.to_string()).collect();
    peers.retain(|it| !it.starts_with("127.0.0.1:"));
    peers.sort();
    assert_eq!(
        peers,
        ["203.0.113.1:0", "203.0.113.2:4711", "[2001:db8::1]:4711"]
    );
    // A page is asked for by a client as well.
    let lines = "Host: a\r\nX-Forwarded-For: 203.0.113.1\r\n";
    assert_eq!(status(&home.get("/", lines).await), 503);
    drop(held);
    home.close().await;
}

#[tokio::test]
async fn the_headers_of_proxies_count_only_where_they_are_trusted() {
    let trusting = "server:\n  trusted_proxies: [127.0.0.1]\n";
    let home = Home::open(trusting).await;
    let token = token_with(SECRET, "bob", &[]);
    let page = format!(
        "Host: a.example\r\nOrigin: https://a.example\r\nX-Forwarded-For: 203.0.113.1\r\n\
         Sec-WebSocket-Protocol: token.{token}\r\n"
    );
    let by_https = format!("{page}X-Forwarded-Proto: https\r\n");
    assert_eq!(
        home.upgraded(&page).await,
        403,
        "a page of https asks over http"
    );
    let (answer, tcp) = home.upgrade(&by_https).await;
    assert_eq!(status(&answer), 101);
    let peer = home.service.clients().snapshot()[0].peer;
    assert_eq!(peer.ip().to_string(), "203.0.113.1");
    drop(tcp);
    home.reload("server:\n  trusted_proxies: [10.0.0.0/8]\n")
        .await;
    assert_eq!(home.upgraded(&by_https).await, 403);
    home.reload(trusting).await;
    assert_eq!(home.upgraded(&by_https).await, 101);
    home.close().await;
}

//= AU-34 type=test
#[tokio::test]
async fn whoever_guesses_behind_a_proxy_is_alone_in_it() {
    let home = Home::open("server:\n  trusted_proxies: [127.0.0.1]\n").await;
    let guess = |client: &str| {
        format!("Host: a\r\nX-Forwarded-For: {client}\r\nSec-WebSocket-Protocol: token.a.b.c\r\n")
    };
    let mut refused = 401;
    for _ in 0..300 {
        refused = home.upgraded(&guess("203.0.113.1")).await;
        if refused != 401 {
            break;
        }
    }
    assert_eq!(refused, 429);
    assert_eq!(home.upgraded(&guess("203.0.113.2")).await, 401);
    home.close().await;
}

/// A head that does not end.
const HALF: &str = "GET /websockets HTTP/1.1\r\nHost: a\r\nUpg";

/// Says this, over and over, byte by byte, which wins no time.
async fn drip(home: &Home, text: &str) {
    let mut tcp = TcpStream::connect(home.address).await.unwrap();
    let since = tokio::time::Instant::now();
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    for byte in text.bytes().cycle() {
        pause.tick().await;
        let mut one = [0];
        // The answer that it took too long ends it.
        if tcp.write_all(&[byte]).await.is_err() || tcp.try_read(&mut one).is_ok() {
            break;
        }
    }
    assert!(since.elapsed() < Duration::from_secs(5));
}

/// The head of a request with so many headers of so many bytes each.
fn head(headers: usize, bytes: usize) -> String {
    let mut head = String::from("GET /websockets HTTP/1.1\r\nHost: a\r\n");
    for at in 0..headers {
        head.push_str(&format!("X-{at}: {}\r\n", "x".repeat(bytes)));
    }
    head + "\r\n"
}

//= A34 type=test
#[tokio::test]
async fn broken_handshakes_are_bounded_counted_by_reason_and_harm_nobody() {
    let bounds = "limits:\n  handshake: {time: 300ms, bytes: 16KiB, headers: 16}\n";
    let home = Home::open(bounds).await;
    let mut bob = home.native("bob", &[]).await;
    for (said, expected, reason) in [
        (head(17, 3), 431, "too_many_headers"),
        (head(12, 2000), 431, "head_too_large"),
        (
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000)),
            414,
            "line_too_long",
        ),
        ("\u{16}\u{3}\u{1} what is no HTTP".into(), 400, "malformed"),
        (
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n".into(),
            505,
            "http_version",
        ),
        // It says nothing more.
        (HALF.into(), 408, "too_slow"),
    ] {
        let before = home.failed(reason);
        let mut tcp = TcpStream::connect(home.address).await.unwrap();
        tcp.write_all(said.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = tcp.read_to_string(&mut answer);
        timeout(PATIENCE, read).await.unwrap().unwrap();
        assert_eq!(status(&answer), expected, "{reason}");
        drop(tcp);
        until_counted(&home, reason, before + 1).await;
    }
    drip(&home, HALF).await;
    until_counted(&home, "too_slow", 2).await;
    // Half of a head, and then the end, orderly or not.
    for (is_reset, reason) in [(false, "gone"), (true, "reset")] {
        let mut tcp = std::net::TcpStream::connect(home.address).unwrap();
        tcp.write_all(HALF.as_bytes()).unwrap();
        if is_reset {
            let linger = Some(Duration::ZERO);
            socket2::SockRef::from(&tcp).set_linger(linger).unwrap();
        }
        drop(tcp);
        until_counted(&home, reason, 1).await;
    }
    let figures = home.figures().await;
    for (reason, count) in [
        ("too_many_headers", 1),
        ("head_too_large", 1),
        ("line_too_long", 1),
        ("malformed", 1),
        ("http_version", 1),
        ("too_slow", 2),
        ("gone", 1),
        ("reset", 1),
    ] {
        let line = format!("framewire_handshakes_failed_total{{reason=\"{reason}\"}} {count}\n");
        assert!(figures.contains(&line), "{line}{figures}");
    }
    bob.say("unread", serde_json::json!({"limit": 1})).await;
    bob.hear("unread").await;
    assert_eq!(home.upgraded("Host: a\r\n").await, 101);
    drop(bob);
    home.close().await;
}

/// Waits until so many clients have failed for this reason.
async fn until_counted(home: &Home, reason: &str, count: u64) {
    let counted = async {
        while home.failed(reason) != count {
            tokio::task::yield_now().await;
        }
    };
    let waited = timeout(PATIENCE, counted).await;
    let snapshot = home.service.counters().snapshot();
    assert!(waited.is_ok(), "{reason}: {:?}", snapshot.failed);
}
