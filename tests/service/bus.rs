//! The gateway's dialect over real sockets: the event bus on one side, connections on the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use framewire::announce::bus::{Bus, Credential, Json, Topic};
use framewire::announce::desk::Desk;
use framewire::announce::dialect::Dialect;
use framewire::announce::gateway;
use framewire::announce::page;
use framewire::announce::secret::Secret;
use framewire::announce::service::{Endpoint, Service, Settings};
use framewire::announce::store::Store;
use framewire::announce::token::{Minter, Verifier};
use framewire::client;
use framewire::engine::Message;
use framewire::net::WebSocket;
use framewire::server::{Config, Listener, Stop};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// A server with a bus, as the configuration of the first gateway has it.
struct Gate {
    address: SocketAddr,
    bus: Bus,
    minter: Minter,
    store: Arc<Desk>,
    stop: Stop,
    running: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

fn payload(value: &Value) -> Json {
    Json::of(value).unwrap()
}

fn topic(name: &str) -> Option<Topic> {
    Some(Topic::parse(name).unwrap())
}

fn seed() -> gateway::Settings {
    let mut settings = gateway::Settings::default();
    settings.path = "/connect".into();
    settings.onconnect = topic("socket:connection");
    settings.onmessage = topic("socket:generalMessage");
    for (kind, name) in [
        ("message_type_one", "socket:type_one"),
        ("message_type_two", "socket:type_two"),
    ] {
        settings
            .types
            .insert(kind, Topic::parse(name).unwrap())
            .unwrap();
    }
    settings.onclose = topic("socket:close");
    settings.send = topic("socket:send");
    settings.broadcast = topic("socket:broadcast");
    settings
}

impl Gate {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = Secret::load(folder.path(), None).unwrap();
        let store = Store::open(&folder.path().join("announce.db")).unwrap();
        let desk = Arc::new(Desk::new(store, Verifier::new(&secret)));
        let mut settings = Settings::default();
        settings.endpoints.push(Endpoint {
            path: "/connect".into(),
            dialect: Dialect::Gateway,
        });
        let service = Service::with(Arc::clone(&desk), settings, page::router());
        let bus = Bus::new();
        service.with_gateway(bus.clone(), Arc::new(seed())).unwrap();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), Config::default())
            .await
            .unwrap();
        let stop = Stop::new();
        Self {
            address: listener.local_addr().unwrap(),
            bus,
            minter: Minter::new(&secret),
            store: desk,
            running: tokio::spawn(service.run(listener, stop.stopping())),
            stop,
            _folder: folder,
        }
    }

    fn token(&self, user: &str, namespaces: &[&str]) -> String {
        let ttl = Duration::from_secs(600);
        let now = SystemTime::now();
        self.minter.mint(user, namespaces, &[], ttl, now).unwrap()
    }

    /// Connects with the cookie that the first gateway's clients send.
    async fn connect(&self, user: &str, namespace: &str) -> Client {
        let token = self.token(user, &[namespace]);
        let config = client::Config::default()
            .with_cookie("ID_TOKEN", &token)
            .with_origin(format!("http://{}", self.address));
        let url = format!("ws://{}/connect?namespace={namespace}", self.address);
        Client(client::connect_with(&url, &config).await.unwrap().0)
    }

    /// Answers every connection and message, and tells what it saw.
    fn serve(&self, name: &str) -> mpsc::UnboundedReceiver<Value> {
        let (seen, sees) = mpsc::unbounded_channel();
        let handler = move |message: framewire::announce::bus::Message| {
            let seen = seen.clone();
            async move {
                let data: Value = serde_json::from_str(message.data().as_str()).unwrap();
                let context: Value =
                    serde_json::from_str(message.context().unwrap().as_str()).unwrap();
                let told =
                    json!({"topic": message.topic().as_str(), "data": data, "context": context});
                let _ = seen.send(told);
                match data["message"]["payload"].as_str() {
                    Some("fail") => message.fail(payload(&json!({"code": "no"}))),
                    Some("ignore") => message.ack(),
                    _ => message.reply(payload(&json!({"data": [1]}))),
                }
            }
        };
        self.bus.handle(name, handler).unwrap();
        sees
    }

    async fn close(self) {
        assert!(self.stop.stop(PATIENCE).await, "a connection did not close");
        self.running.await.unwrap();
    }
}

struct Client(WebSocket<client::Stream>);

impl Client {
    async fn say(&mut self, value: Value) {
        self.0.send(Message::text(value.to_string())).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let heard = timeout(PATIENCE, self.0.recv()).await.unwrap();
        let heard = heard.unwrap().expect("the connection is open");
        serde_json::from_str(heard.as_text().unwrap()).unwrap()
    }

    async fn closed_with(&mut self) -> u16 {
        while timeout(PATIENCE, self.0.recv())
            .await
            .unwrap()
            .unwrap()
            .is_some()
        {}
        self.0.closure().unwrap().code().get()
    }
}

async fn next(sees: &mut mpsc::UnboundedReceiver<Value>) -> Value {
    timeout(PATIENCE, sees.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_connection_its_messages_and_its_end_reach_the_bus_in_order() {
    //= B18 type=test
    //= B19 type=test
    //= B22 type=test
    //= B51 type=test
    let gate = Gate::open().await;
    let mut connections = gate.serve("socket:connection");
    let mut general = gate.serve("socket:generalMessage");
    let mut typed = gate.serve("socket:type_one");
    let mut ends = gate.serve("socket:close");
    let mut alex = gate.connect("alex", "acme").await;
    let told = next(&mut connections).await;
    assert_eq!(
        told["context"]["headers"]["jwt"]["preferred_username"],
        "alex"
    );
    assert_eq!(told["context"]["params"]["namespace"], "acme");
    let answer = alex.hear().await;
    assert_eq!(
        answer,
        json!({"type": "onconnect", "payload": {"data": [1]}})
    );

    alex.say(json!({"type": "message_type_one", "payload": {"a": 1}, "id": "c1"}))
        .await;
    let (first, second) = (next(&mut general).await, next(&mut typed).await);
    assert_eq!(first["data"]["message"]["payload"], json!({"a": 1}));
    assert_eq!(first["data"]["message_id"], second["data"]["message_id"]);
    for topic in ["socket:generalMessage", "socket:type_one"] {
        let answer = alex.hear().await;
        assert_eq!(
            answer,
            json!({"type": topic, "payload": {"data": [1]}, "replyTo": "c1"})
        );
    }
    alex.say(json!({"type": "other", "payload": "fail"})).await;
    let answer = alex.hear().await;
    assert_eq!(answer, json!({"type": "error", "payload": {"code": "no"}}));

    alex.0
        .close(framewire::wire::close::CloseCode::NORMAL_CLOSURE, "bye")
        .await
        .unwrap();
    let told = next(&mut ends).await;
    assert_eq!(told["data"]["code"], 1000);
    assert_eq!(told["data"]["cause"], "closed");
    gate.close().await;
    assert!(ends.try_recv().is_err(), "told once");
}

#[tokio::test]
async fn a_connection_is_told_once_and_ahead_of_its_first_message() {
    //= A06 type=test
    //= A31 type=test
    let gate = Gate::open().await;
    let (seen, mut sees) = mpsc::unbounded_channel();
    for name in ["socket:connection", "socket:generalMessage", "socket:close"] {
        let seen = seen.clone();
        let handler = move |message: framewire::announce::bus::Message| {
            let context = message.context().unwrap().as_str().to_owned();
            let told = (message.topic().as_str().to_owned(), context);
            seen.send(told).unwrap();
            async move { message.ack() }
        };
        gate.bus.handle(name, handler).unwrap();
    }
    let mut contexts = Vec::new();
    for _ in 0..8 {
        let mut alex = gate.connect("alex", "acme").await;
        // Sent before anything is read: it may come in the same packet as the request's end.
        alex.say(json!({"type": "first"})).await;
        alex.say(json!({"type": "second"})).await;
        alex.0
            .close(framewire::wire::close::CloseCode::NORMAL_CLOSURE, "")
            .await
            .unwrap();
        let mut names = Vec::new();
        for _ in 0..4 {
            let (name, context) = timeout(PATIENCE, sees.recv()).await.unwrap().unwrap();
            names.push(name);
            contexts.push(context);
        }
        let general = "socket:generalMessage";
        let wanted = ["socket:connection", general, general, "socket:close"];
        assert_eq!(names, wanted);
        // The same connection throughout, with what its request has settled.
        let own = &contexts[contexts.len() - 4..];
        assert!(own.iter().all(|it| *it == own[0]), "{own:?}");
        let context: Value = serde_json::from_str(&own[0]).unwrap();
        let jwt = &context["headers"]["jwt"];
        assert_eq!(jwt["preferred_username"], "alex");
        assert_eq!(context["params"]["namespace"], "acme");
        assert_eq!(context["remote"], "127.0.0.1");
    }
    contexts.sort();
    contexts.dedup();
    assert_eq!(contexts.len(), 8, "each connection has a name of its own");
    gate.close().await;
    assert!(sees.try_recv().is_err(), "told once");
}

#[tokio::test]
async fn the_end_of_a_connection_says_who_closed_and_what_has_passed() {
    //= A08 type=test
    let gate = Gate::open().await;
    let mut ends = gate.serve("socket:close");
    let mut general = gate.serve("socket:generalMessage");
    let mut alex = gate.connect("alex", "acme").await;
    let said = json!({"type": "note", "payload": "ignore"});
    for _ in 0..3 {
        alex.say(said.clone()).await;
        next(&mut general).await;
    }
    alex.say(json!({"type": "note"})).await;
    let answer = alex.hear().await.to_string();
    alex.0
        .close(framewire::wire::close::CloseCode::new(4001), "bye")
        .await
        .unwrap();
    let told = next(&mut ends).await["data"].clone();
    let length = |value: &Value| value.to_string().len();
    let bytes = 3 * length(&said) + length(&json!({"type": "note"}));
    assert_eq!(told["received"], json!({"messages": 4, "bytes": bytes}));
    assert_eq!(told["sent"], json!({"messages": 1, "bytes": answer.len()}));
    for (name, value) in [
        ("code", json!(4001)),
        ("reason", json!("bye")),
        ("by", json!("client")),
        ("clean", json!(true)),
    ] {
        assert_eq!(told[name], value, "{name}");
    }

    // The server closes, and the client goes along.
    let mut bob = gate.connect("bob", "acme").await;
    for _ in 0..gateway::MALFORMED_MAX {
        bob.0.send(Message::text("[")).await.unwrap();
    }
    assert_eq!(bob.closed_with().await, 4400);
    let told = next(&mut ends).await["data"].clone();
    assert_eq!(
        (&told["by"], &told["clean"]),
        (&json!("server"), &json!(true))
    );

    // The network goes away: nobody has closed.
    let eva = gate.connect("eva", "acme").await;
    drop(eva);
    let told = next(&mut ends).await["data"].clone();
    assert_eq!((&told["by"], &told["clean"]), (&json!(null), &json!(false)));
    assert_eq!(
        (&told["code"], &told["cause"]),
        (&json!(1006), &json!("lost"))
    );
    gate.close().await;
}

#[tokio::test]
async fn whoever_is_refused_by_the_handler_is_closed_with_4403() {
    //= B34 type=test
    let gate = Gate::open().await;
    gate.bus
        .handle(
            "socket:connection",
            |message: framewire::announce::bus::Message| async move {
                message.fail(payload(&json!({"why": "not you"})));
            },
        )
        .unwrap();
    let mut alex = gate.connect("alex", "acme").await;
    let answer = alex.hear().await;
    assert_eq!(
        answer,
        json!({"type": "error", "payload": {"why": "not you"}})
    );
    assert_eq!(alex.closed_with().await, 4403);
    gate.close().await;
}

#[tokio::test]
async fn what_is_sent_reaches_a_user_of_one_namespace_on_every_connection() {
    //= B25 type=test
    //= B26 type=test
    //= B27 type=test
    //= B28 type=test
    //= C22 type=test
    let gate = Gate::open().await;
    let mut here = [
        gate.connect("alex", "acme").await,
        gate.connect("alex", "acme").await,
    ];
    let mut there = gate.connect("alex", "other").await;
    let mut bob = gate.connect("bob", "acme").await;
    // A message and its answer show that the connection is where it belongs by now.
    gate.serve("socket:generalMessage");
    for client in here.iter_mut().chain([&mut there, &mut bob]) {
        client.say(json!({"type": "x", "payload": 1})).await;
        assert_eq!(client.hear().await["type"], "socket:generalMessage");
    }
    let producer = gate.bus.producer(Credential::server());
    let order =
        json!({"username": "alex", "namespace": "acme", "type": "news", "payload": {"n": 1}});
    let accepted = producer.send("socket:send", payload(&order)).await.unwrap();
    assert_eq!(accepted.matched(), Some(2));
    let all = json!({"namespace": "acme", "type": "all", "payload": null});
    let accepted = producer
        .send("socket:broadcast", payload(&all))
        .await
        .unwrap();
    assert_eq!(accepted.matched(), Some(3));
    for client in &mut here {
        assert_eq!(
            client.hear().await,
            json!({"type": "news", "payload": {"n": 1}})
        );
        assert_eq!(client.hear().await["type"], "all");
    }
    assert_eq!(bob.hear().await["type"], "all");
    //= B44 type=test
    let other = json!({"namespace": "other", "type": "last", "payload": null});
    producer
        .send("socket:broadcast", payload(&other))
        .await
        .unwrap();
    assert_eq!(
        there.hear().await["type"],
        "last",
        "nothing of acme came before"
    );
    gate.close().await;
}

#[tokio::test]
async fn what_is_sent_to_somebody_absent_is_kept_where_that_is_asked_for() {
    //= B49 type=test
    let gate = Gate::open().await;
    let producer = gate.bus.producer(Credential::server());
    let mut order = json!({"username": "zoe", "namespace": "acme", "type": "news", "payload": 7});
    let lost = producer.send("socket:send", payload(&order)).await.unwrap();
    assert_eq!((lost.matched(), lost.is_stored()), (Some(0), false));
    order["store_if_offline"] = json!(true);
    order["id"] = json!("once");
    for _ in 0..2 {
        let kept = producer.send("socket:send", payload(&order)).await.unwrap();
        assert!(kept.is_stored());
    }
    let now = SystemTime::now();
    let page = gate
        .store
        .store()
        .unread("acme", "zoe", None, 10, now)
        .await
        .unwrap();
    assert_eq!(page.messages.len(), 1);
    assert_eq!(page.messages[0].body, r#"{"type":"news","payload":7}"#);
    gate.close().await;
}

#[tokio::test]
async fn a_token_can_come_in_the_first_message() {
    //= B18 type=test
    let gate = Gate::open().await;
    gate.serve("socket:connection");
    let url = format!("ws://{}/connect?namespace=acme", gate.address);
    let mut alex = Client(client::connect(&url).await.unwrap());
    alex.say(json!({"type": "message_type_one", "payload": 1}))
        .await;
    assert_eq!(alex.hear().await["payload"]["code"], "not_signed_in");
    let token = gate.token("alex", &["acme"]);
    alex.say(json!({"type": "sign", "id": 1, "payload": {"token": token}}))
        .await;
    let signed = alex.hear().await;
    assert_eq!(
        (&signed["type"], &signed["replyTo"]),
        (&json!("signed"), &json!(1))
    );
    assert_eq!(alex.hear().await["type"], "onconnect");

    let mut mallory = Client(client::connect(&url).await.unwrap());
    let token = gate.token("mallory", &["evil"]);
    mallory
        .say(json!({"type": "sign", "payload": {"token": token}}))
        .await;
    assert_eq!(mallory.hear().await["payload"]["code"], "forbidden");
    assert_eq!(mallory.closed_with().await, 4403);
    gate.close().await;
}

#[tokio::test]
async fn a_cookie_counts_only_where_the_page_is_ours_and_the_namespace_is_the_tokens() {
    //= B05 type=test
    //= B22 type=test
    //= B23 type=test
    let gate = Gate::open().await;
    let token = gate.token("alex", &["acme"]);
    let with = |origin: &str, namespace: &str| {
        let config = client::Config::default()
            .with_cookie("ID_TOKEN", &token)
            .with_origin(origin);
        (
            format!("ws://{}/connect?namespace={namespace}", gate.address),
            config,
        )
    };
    let own = format!("http://{}", gate.address);
    for (origin, namespace, status) in [
        ("https://evil.example", "acme", 403),
        (own.as_str(), "other", 403),
        (own.as_str(), "a%20b", 400),
    ] {
        let (url, config) = with(origin, namespace);
        let refused = client::connect_with(&url, &config).await.unwrap_err();
        let client::ConnectError::Refused(refused) = refused else {
            panic!("{refused}");
        };
        assert_eq!(refused.status(), status, "{origin} {namespace}");
    }
    gate.close().await;
}
