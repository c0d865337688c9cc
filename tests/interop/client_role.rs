//! Our client against the servers of others.

use core::future::Future;
use core::time::Duration;
use std::process::Command;

use framewire::client::connect;
use framewire::engine::{Closure, Incoming, Kind, Message};
use framewire::net::WebSocket;
use framewire::wire::close::CloseCode;
use tokio::time::timeout;

use crate::install;
use crate::packages;
use crate::process::Server;

type Socket = WebSocket<framewire::client::Stream>;

/// One scenario may take so long; nothing in it waits for time to pass.
const SCENARIO_MAX: Duration = Duration::from_secs(20);
const SIZES: [usize; 8] = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20];
const LANGUAGES: &str = "Grüße, 世界 — naïve ∑ 👋🏽 ";

#[tokio::test]
async fn our_client_meets_the_server_of_ws() {
    let script = install::npm_package("node").join("peer.mjs");
    meet(
        Command::new(install::node())
            .arg(script)
            .args(["ws", "serve"]),
    )
    .await;
}

#[tokio::test]
async fn our_client_meets_the_server_of_websockets() {
    let (python, script) = packages::python_peer();
    meet(Command::new(python).arg("-B").arg(script).arg("serve")).await;
}

#[tokio::test]
async fn our_client_meets_the_server_of_tungstenite() {
    meet(Command::new(packages::rust_peer()).args(["tungstenite", "serve"])).await;
}

/// Runs every scenario against the server that `command` starts.
async fn meet(command: &mut Command) {
    let server = Server::start(command);
    let url = server.url();
    within("messages", messages(url)).await;
    within("fragments sent", fragments_sent(url)).await;
    within("fragments received", fragments_received(url)).await;
    within("pings", pings(url)).await;
    within("many at once", many_at_once(url)).await;
    for code in [1000, 1001, 1011, 3000, 4999] {
        within("close by us", closed_by_us(url, code)).await;
        within("close by the peer", closed_by_the_peer(url, code)).await;
    }
    within(
        "close without a body by us",
        closed_by_us_without_a_body(url),
    )
    .await;
    let scenario = closed_by_the_peer_without_a_body(url);
    within("close without a body by the peer", scenario).await;
    within("close after messages", closed_after_messages(url)).await;
    within("drop", dropped(url)).await;
}

/// Awaits one scenario, for a limited time.
async fn within(name: &str, scenario: impl Future<Output = ()>) {
    let done = timeout(SCENARIO_MAX, scenario).await;
    assert!(done.is_ok(), "{name}: not done after {SCENARIO_MAX:?}");
}

async fn open(url: &str) -> Socket {
    connect(url).await.unwrap()
}

async fn text(socket: &mut Socket, text: &str) {
    socket.send(Message::from(text)).await.unwrap();
}

async fn expect(socket: &mut Socket, wanted: impl Into<Message>) {
    let wanted = wanted.into();
    let got = socket.recv().await.unwrap();
    // Not `assert_eq`, which would print a message of 1 MiB.
    assert!(
        got.as_ref() == Some(&wanted),
        "expected {}, got {}",
        short(&wanted),
        short(&got)
    );
}

async fn echo(socket: &mut Socket, message: Message) {
    socket.send(message.clone()).await.unwrap();
    expect(socket, message).await;
}

/// Waits for the end, after which the connection tells how it closed.
async fn ended(socket: &mut Socket) -> Closure {
    let rest = socket.recv().await.unwrap();
    assert!(rest.is_none(), "expected the end, got {}", short(&rest));
    socket.closure().unwrap().clone()
}

fn short(value: &impl core::fmt::Debug) -> String {
    format!("{value:?}").chars().take(80).collect()
}

fn octets(size: usize) -> Vec<u8> {
    (0..size)
        .map(|index| (index * 31 + 7).to_le_bytes()[0])
        .collect()
}

async fn messages(url: &str) {
    let mut socket = open(url).await;
    echo(&mut socket, Message::text("Hello")).await;
    echo(&mut socket, Message::text(LANGUAGES.repeat(3000))).await;
    for size in SIZES {
        echo(&mut socket, Message::text("a".repeat(size))).await;
        echo(&mut socket, Message::binary(octets(size))).await;
    }
}

async fn fragments_sent(url: &str) {
    let mut socket = open(url).await;
    // The second cut is inside a character.
    let (first, rest) = "Grüße, 世界".as_bytes().split_at(4);
    let (second, third) = rest.split_at(6);
    socket
        .send_fragment(Kind::Text, first, false)
        .await
        .unwrap();
    socket.ping(b"between").await.unwrap();
    socket
        .send_fragment(Kind::Text, second, false)
        .await
        .unwrap();
    socket.send_fragment(Kind::Text, b"", false).await.unwrap();
    socket.send_fragment(Kind::Text, third, true).await.unwrap();
    expect(&mut socket, "Grüße, 世界").await;

    let whole = octets(200_000);
    socket
        .send_fragment(Kind::Binary, &whole[..1], false)
        .await
        .unwrap();
    socket
        .send_fragment(Kind::Binary, &whole[1..70_000], false)
        .await
        .unwrap();
    socket
        .send_fragment(Kind::Binary, &whole[70_000..], true)
        .await
        .unwrap();
    expect(&mut socket, whole).await;
}

async fn fragments_received(url: &str) {
    let mut socket = open(url).await;
    text(&mut socket, "fragments:5").await;
    expect(&mut socket, "part-1;part-2;part-3;part-4;part-5;").await;
    // The ping that came after the first fragment was answered.
    expect(&mut socket, "pong:between").await;
}

async fn pings(url: &str) {
    let mut socket = open(url).await;
    for payload in ["", "payload", &"p".repeat(120)] {
        text(&mut socket, &format!("ping:{payload}")).await;
        expect(&mut socket, format!("pong:{payload}")).await;
        socket.ping(payload.as_bytes()).await.unwrap();
        let got = socket.recv_event().await.unwrap();
        let same = matches!(got, Some(Incoming::Pong(bytes)) if bytes == payload.as_bytes());
        assert!(same, "expected the pong, got {}", short(&got));
        echo(&mut socket, Message::text("after the ping")).await;
    }
}

async fn many_at_once(url: &str) {
    let mut socket = open(url).await;
    for index in 0..50 {
        text(&mut socket, &format!("message {index}")).await;
    }
    for index in 0..50 {
        expect(&mut socket, format!("message {index}")).await;
    }
    text(&mut socket, "burst:1000").await;
    for index in 1..=1000 {
        expect(&mut socket, format!("burst-{index}")).await;
    }
}

async fn closed_by_us(url: &str, code: u16) {
    let mut socket = open(url).await;
    echo(&mut socket, Message::text("before the end")).await;
    let closure = socket.close(CloseCode::new(code), "bye").await.unwrap();
    assert_eq!(closure.code().get(), code);
    assert!(closure.is_clean(), "{closure}");
}

async fn closed_by_us_without_a_body(url: &str) {
    let mut socket = open(url).await;
    socket.begin_close_without_code();
    let closure = ended(&mut socket).await;
    assert_eq!(closure.code(), CloseCode::NO_STATUS_RECEIVED);
    assert!(closure.is_clean(), "{closure}");
}

async fn closed_by_the_peer(url: &str, code: u16) {
    let mut socket = open(url).await;
    text(&mut socket, &format!("close:{code}:Grüße")).await;
    let closure = ended(&mut socket).await;
    assert_eq!((closure.code().get(), closure.reason()), (code, "Grüße"));
    assert!(closure.is_clean(), "{closure}");
}

async fn closed_by_the_peer_without_a_body(url: &str) {
    let mut socket = open(url).await;
    text(&mut socket, "close::").await;
    let closure = ended(&mut socket).await;
    assert_eq!(closure.code(), CloseCode::NO_STATUS_RECEIVED);
    assert!(closure.is_clean(), "{closure}");
}

async fn closed_after_messages(url: &str) {
    let mut socket = open(url).await;
    text(&mut socket, "burst:20").await;
    text(&mut socket, "close:1000:done").await;
    for index in 1..=20 {
        expect(&mut socket, format!("burst-{index}")).await;
    }
    let closure = ended(&mut socket).await;
    assert_eq!((closure.code().get(), closure.reason()), (1000, "done"));
    assert!(closure.is_clean(), "{closure}");
}

async fn dropped(url: &str) {
    let mut socket = open(url).await;
    text(&mut socket, "drop").await;
    // An end of the stream and a reset are both possible; neither is a clean close.
    let rest = socket.recv().await;
    assert!(
        !matches!(rest, Ok(Some(_))),
        "expected the end, got {}",
        short(&rest)
    );
    let closure = socket.closure().unwrap();
    assert_eq!(closure.code(), CloseCode::ABNORMAL_CLOSURE);
    assert!(!closure.is_clean(), "{closure}");
}
