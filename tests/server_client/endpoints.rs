//! Endpoints by path, and what is decided before a request is answered.

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;
use framewire::engine::{Acceptance, Refusal};
use framewire::server::endpoints::InvalidEndpoint;
use framewire::server::hook::{mutual_subprotocol, within as decided_within};
use framewire::server::{
    Config, Endpoints, HandshakeError, Incoming, Listener, Opening, Origins, Place, Upgrade,
};
use tokio::sync::mpsc;

use crate::raw::{Raw, header, masked, request};
use crate::within;

type Served = Endpoints<&'static str>;

/// Sees headers, peer and TLS; refuses, chooses a subprotocol, adds a header.
async fn look(
    upgrade: &Upgrade,
    served: &Served,
) -> Result<(Acceptance<'static>, Place<&'static str>), Refusal> {
    let request = upgrade.request();
    let place = served.enter(request)?;
    assert!(upgrade.stream().peer_addr().ip().is_loopback());
    assert!(!upgrade.stream().is_tls());
    match request.head().headers().get_str("x-test") {
        Some("dither") => core::future::pending().await,
        Some("refuse") => {
            let refusal = Refusal::new(401, "who are you?");
            return Err(refusal
                .with_header("WWW-Authenticate", "Bearer")
                .expect("valid"));
        }
        _ => {}
    }
    Origins::same().check(request, upgrade.stream().is_tls())?;
    let mut acceptance = Acceptance::new().with_header("X-Here", *place);
    if let Some(chosen) = mutual_subprotocol(request, &["v2", "v1"]) {
        acceptance = acceptance.with_subprotocol(chosen);
    }
    Ok((acceptance, place))
}

async fn serve(incoming: Incoming, served: Arc<Served>) -> Result<(), HandshakeError> {
    let upgrade = match incoming.handshake().await? {
        Opening::Upgrade(upgrade) => upgrade,
        other => return other.accept().await.map(drop),
    };
    let decision = decided_within(Duration::from_millis(200), look(&upgrade, &served)).await;
    let (mut socket, place) = upgrade.decide(decision).await?;
    while let Ok(Some(_)) = socket.recv().await {
        if socket.send(*place).await.is_err() {
            break;
        }
    }
    Ok(())
}

struct Server {
    address: SocketAddr,
    served: Arc<Served>,
    ended: mpsc::UnboundedReceiver<()>,
}

async fn start() -> Server {
    let served = Endpoints::new().with("/foo", "foo").expect("a path");
    let served = Arc::new(served.with("/bar/baz", "baz").expect("a path"));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, Config::default()).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (note, ended) = mpsc::unbounded_channel();
    let shared = Arc::clone(&served);
    tokio::spawn(async move {
        loop {
            let (incoming, served) = (listener.accept().await, Arc::clone(&shared));
            let note = note.clone();
            tokio::spawn(async move {
                let _ = serve(incoming, served).await;
                let _ = note.send(());
            });
        }
    });
    Server {
        address,
        served,
        ended,
    }
}

/// Asks for `target`, with further header lines.
async fn ask(address: SocketAddr, target: &str, headers: &str) -> Raw {
    let mut raw = Raw::connect(address).await;
    let asked = request(headers).replace("/chat?room=1", target);
    raw.send(asked.as_bytes()).await;
    raw
}

fn counts(served: &Served) -> Vec<(&str, usize)> {
    served.connections().collect()
}

//= E37 type=test
//= E58 type=test
//= E59 type=test
//= E61 type=test
#[tokio::test]
async fn two_endpoints_share_a_listener_and_are_counted_apart() {
    let mut server = start().await;
    let mut foo = ask(server.address, "/foo?x=1", "").await;
    foo.expect_switched().await;
    let mut baz = ask(server.address, "/bar/baz", "").await;
    baz.expect_switched().await;
    for (raw, name) in [(&mut foo, b"foo"), (&mut baz, b"baz")] {
        raw.send(&masked(1, b"where?")).await;
        assert_eq!(raw.bytes(5).await[2..], *name);
    }
    assert_eq!(counts(&server.served), [("/bar/baz", 1), ("/foo", 1)]);
    drop(foo);
    within(server.ended.recv()).await.expect("it runs");
    assert_eq!(counts(&server.served), [("/bar/baz", 1), ("/foo", 0)]);
}

//= E60 type=test
#[tokio::test]
async fn an_unknown_path_is_answered_404_and_closed() {
    let server = start().await;
    for target in ["/", "/foo/", "/Foo", "/foo%20", "/bar", "/fo%6F", "//foo"] {
        let answer = ask(server.address, target, "").await.answer().await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{target}: {answer}");
        assert_eq!(header(&answer, "connection"), Some("close"));
    }
    assert_eq!(counts(&server.served), [("/bar/baz", 0), ("/foo", 0)]);
}

#[test]
fn an_endpoint_is_one_path_and_has_it_alone() {
    for wrong in [
        "",
        "foo",
        "/foo?x=1",
        "/foo#x",
        "/f oo",
        "http://a/foo",
        "*",
    ] {
        let error = Endpoints::new().with(wrong, ()).err();
        assert_eq!(error, Some(InvalidEndpoint::Path), "{wrong}");
    }
    let twice = Endpoints::new()
        .with("/a", 1)
        .expect("a path")
        .with("/a", 2);
    assert_eq!(twice.err(), Some(InvalidEndpoint::Taken));
}

//= D19 type=test
//= E39 type=test
//= E40 type=test
//= A06 type=test
//= E46 type=test
#[tokio::test]
async fn a_hook_sees_the_request_and_decides() {
    let server = start().await;
    let mut raw = ask(server.address, "/foo", "").await;
    let head = raw.expect_switched().await;
    assert_eq!(header(&head, "x-here"), Some("foo"));
    let mut raw = ask(server.address, "/foo", "X-Test: refuse\r\n").await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert_eq!(header(&answer, "www-authenticate"), Some("Bearer"));
    assert!(answer.ends_with("who are you?\n"));
}

//= E46 type=test
#[tokio::test]
async fn a_hook_that_does_not_decide_in_time_is_answered_for() {
    let server = start().await;
    let mut raw = ask(server.address, "/foo", "X-Test: dither\r\n").await;
    assert!(raw.answer().await.starts_with("HTTP/1.1 503 "));
    assert_eq!(counts(&server.served), [("/bar/baz", 0), ("/foo", 0)]);
}

//= D09 type=test
//= E55 type=test
#[tokio::test]
async fn the_first_mutual_subprotocol_by_the_servers_preference_is_chosen() {
    let server = start().await;
    let offers = [
        ("v1, v2, v3", Some("v2")),
        ("v1", Some("v1")),
        ("token.abc, V2", None),
    ];
    for (offered, chosen) in offers {
        let offer = format!("Sec-WebSocket-Protocol: {offered}\r\n");
        let mut raw = ask(server.address, "/foo", &offer).await;
        let head = raw.expect_switched().await;
        assert_eq!(header(&head, "sec-websocket-protocol"), chosen);
    }
}

//= E15 type=test
#[tokio::test]
async fn a_page_of_another_origin_is_answered_403() {
    let server = start().await;
    let mut raw = ask(server.address, "/foo", "Origin: http://localhost\r\n").await;
    raw.expect_switched().await;
    let mut raw = ask(server.address, "/foo", "Origin: http://evil.example\r\n").await;
    assert!(raw.answer().await.starts_with("HTTP/1.1 403 "));
}
