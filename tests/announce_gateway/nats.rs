//! The bus over a real NATS server.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use framewire::announce::bus::nats::subject::{parse, subject};
use framewire::announce::bus::nats::{Link, LinkError, Settings as Nats};
use framewire::announce::bus::{Bus, Credential, Topic};
use framewire::announce::gateway::{Delivery, Heard, Settings};
use futures_util::StreamExt as _;
use proptest::prelude::*;

use crate::programs::program;
use crate::reserved::Reserved;
use crate::support::{Noted, Seat, alex, json, now, text, value};

/// NATS on a free port of loopback; it ends with this value.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        Self::start_at("-1")
    }

    fn start_at(port: &str) -> Self {
        let program = program(&["nats-server"], &["nats-server"]);
        let mut command = Command::new(program);
        command.args(["-a", "127.0.0.1", "-p", port]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut port = None;
        for line in lines.map(Result::unwrap) {
            if line.contains("Listening for client connections") {
                port = line.rsplit(':').next().map(str::to_owned);
            }
            if line.contains("Server is ready") {
                break;
            }
        }
        let url = format!("nats://127.0.0.1:{}", port.unwrap());
        Self { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn node(server: &Server, seat: &str) -> (Bus, Arc<Noted>, Link, Delivery) {
    let (bus, noted) = (
        Bus::new(),
        Arc::new(Noted::new(vec![Seat::new("acme", "alex", seat)])),
    );
    let settings = Arc::new(Settings::default());
    let delivery = Delivery::listen(&bus, settings, Arc::clone(&noted) as _).unwrap();
    let link = Link::connect(&bus, Nats::new(&server.url, "ann").unwrap())
        .await
        .unwrap();
    (bus, noted, link, delivery)
}

#[tokio::test]
async fn a_handler_elsewhere_answers_over_nats() {
    //= B15 type=test
    //= B29 type=test
    let server = Server::start();
    let (bus, _, link, _) = node(&server, "1").await;
    let other = async_nats::connect(&server.url).await.unwrap();
    let mut asked = other
        .subscribe("ann.acme.t.socket.generalMessage")
        .await
        .unwrap();
    other.flush().await.unwrap();
    let mut session = alex(&bus, &Settings::default());
    let cases = [
        (
            r#"{"reply":{"n": 1.50}}"#,
            r#"{"type":"socket:generalMessage","payload":{"n": 1.50},"replyTo":1}"#,
        ),
        (
            r#"{"fail":"no"}"#,
            r#"{"type":"error","payload":"no","replyTo":1}"#,
        ),
    ];
    for (answer, expected) in cases {
        session.heard(Heard::Text(r#"{"type":"a","id":1}"#), now());
        let message = asked.next().await.unwrap();
        let body = value(std::str::from_utf8(&message.payload).unwrap());
        assert_eq!(body["message"]["type"], "a");
        assert_eq!(
            body["context"]["headers"]["jwt"]["preferred_username"],
            "alex"
        );
        other
            .publish(message.reply.unwrap(), answer.into())
            .await
            .unwrap();
        assert_eq!(text(&session.next().await), expected);
    }
    assert!(link.is_connected());
}

#[tokio::test]
async fn what_one_server_accepts_reaches_the_sockets_of_all_once() {
    //= B12 type=test
    //= B44 type=test
    let server = Server::start();
    let (first_bus, first, _link, _first) = node(&server, "1").await;
    let (_bus, second, _other, _second) = node(&server, "2").await;
    let data = r#"{"username":"alex","namespace":"acme","type":"t","payload":1}"#;
    let sent = first_bus
        .producer(Credential::server())
        .send("socket:send", json(data))
        .await;
    assert_eq!(sent.unwrap().matched(), Some(1));
    let offered = second.taken().await;
    assert_eq!(
        offered,
        [("2".into(), r#"{"type":"t","payload":1}"#.into())]
    );
    assert_eq!(first.take().len(), 1);
    // A producer in another language, which belongs to the namespace of its subject.
    let client = async_nats::connect(&server.url).await.unwrap();
    let asked = client
        .request("ann.acme.t.socket.send", data.into())
        .await
        .unwrap();
    let answer = value(std::str::from_utf8(&asked.payload).unwrap());
    assert_eq!(
        (&answer["accepted"], &answer["matched"]),
        (&true.into(), &1.into())
    );
    assert_eq!(first.taken().await.len(), 1);
    assert_eq!(second.taken().await.len(), 1);
    let asked = client
        .request("ann.globex.t.socket.send", data.into())
        .await
        .unwrap();
    let answer = value(std::str::from_utf8(&asked.payload).unwrap());
    assert_eq!(answer["code"], "forbidden");
    assert!(first.take().is_empty() && second.take().is_empty());
}

// drops: announce::bus::nats::link::connect
#[tokio::test]
async fn without_nats_the_server_goes_on_alone() {
    let bus = Bus::new();
    let nowhere = Nats::new("nats://user:hidden@127.0.0.1:1", "ann").unwrap();
    assert!(!format!("{nowhere:?}").contains("hidden"));
    assert_eq!(
        Link::connect(&bus, nowhere).await.unwrap_err(),
        LinkError::Unreachable
    );
    assert_eq!(Nats::new("nats://x", "a.b").unwrap_err(), LinkError::Prefix);
    let server = Server::start();
    for polls in 0..20 {
        let settings = Nats::new(&server.url, "ann").unwrap();
        let mut connecting = Box::pin(Link::connect(&bus, settings));
        for _ in 0..polls {
            let polled =
                std::future::poll_fn(|cx| std::task::Poll::Ready(connecting.as_mut().poll(cx)));
            if polled.await.is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let (bus, noted, link, _delivery) = node(&server, "1").await;
    drop(server);
    let data = r#"{"username":"alex","namespace":"acme","type":"t","payload":1}"#;
    let sent = bus
        .producer(Credential::server())
        .send("socket:send", json(data))
        .await;
    assert_eq!(sent.unwrap().matched(), Some(1));
    assert_eq!(noted.take().len(), 1);
    drop(link);
}

#[test]
fn subjects_tell_their_topics() {
    //= B15 type=test
    let topic = |name: &str| Topic::parse(name).unwrap();
    assert_eq!(
        subject("ann", Some("acme"), &topic("socket:send")),
        "ann.acme.t.socket.send"
    );
    assert_eq!(
        subject("ann", Some("a.b"), &topic("a.b: *>%")),
        "ann.a%2Eb.t.a%2Eb.%20%2A%3E%25"
    );
    assert_eq!(subject("ann", None, &topic(":é")), "ann.%.t.%.%C3%A9");
    for wrong in [
        "ann.acme.t.",
        "ann.acme.x.a",
        "other.acme.t.a",
        "ann.acme.t.%61",
        "ann.t.a",
    ] {
        assert_eq!(parse("ann", wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn every_topic_comes_back_from_its_subject(
        name in "[a-c:.%*> é]{1,60}",
        space in proptest::option::of("[A-Za-z0-9_.-]{1,64}"),
    ) {
        let topic = Topic::parse(&name).unwrap();
        let written = subject("ann", space.as_deref(), &topic);
        prop_assert!(!written.contains("..") && !written.contains(['*', '>', ' ']));
        prop_assert_eq!(parse("ann", &written), Some((space, topic)));
    }
}

#[tokio::test]
async fn nats_that_comes_back_is_used_again() {
    let place = Reserved::new();
    let port = place.address.port().to_string();
    let server = Server::start_at(&port);
    let (bus, noted, link, _delivery) = node(&server, "1").await;
    drop(server);
    let _server = Server::start_at(&port);
    let url = format!("nats://127.0.0.1:{port}");
    let client = async_nats::connect(&url).await.unwrap();
    let mut relayed = client.subscribe("ann.n.all").await.unwrap();
    client.flush().await.unwrap();
    let data = r#"{"username":"alex","namespace":"acme","type":"t","payload":1}"#;
    // What is relayed waits until NATS is back, behind all that this node listens to; only what
    // went out into the dying connection is lost, and said again.
    let producer = bus.producer(Credential::server());
    let back = async {
        loop {
            producer.send("socket:send", json(data)).await.unwrap();
            let heard = tokio::time::timeout(Duration::from_millis(100), relayed.next());
            if let Ok(Some(_)) = heard.await {
                break;
            }
        }
    };
    let back = tokio::time::timeout(Duration::from_secs(60), back);
    back.await.expect("NATS came back");
    assert!(!noted.take().is_empty());
    let answer = client.request("ann.acme.t.socket.send", data.into()).await;
    let answer = answer.unwrap();
    let answer = value(std::str::from_utf8(&answer.payload).unwrap());
    assert_eq!(answer["matched"], 1);
    assert_eq!(noted.take().len(), 1);
    assert!(link.is_connected());
}
