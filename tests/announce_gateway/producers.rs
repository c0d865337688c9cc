//! What producers may publish, and whom it reaches.

use std::sync::Arc;
use std::time::Duration;

use framewire::announce::bus::{Bus, Credential, Json, Message, Recorder, Refused, Topic};
use framewire::announce::gateway::{BroadcastScope, Delivery, ID_REMEMBERED, Members, Settings};

use crate::support::{Noted, Seat, json, value};

const SEND: &str = "socket:send";
const BROADCAST: &str = "socket:broadcast";

/// Alex has four connections, two in each of two namespaces.
fn four() -> Noted {
    Noted::new(vec![
        Seat::new("acme", "alex", "1"),
        Seat::new("acme", "alex", "2"),
        Seat::new("globex", "alex", "3"),
        Seat::new("globex", "alex", "4"),
        Seat::new("acme", "bob", "5"),
    ])
}

fn listening(noted: Noted, settings: Settings) -> (Bus, Arc<Noted>, Delivery) {
    let (bus, noted) = (Bus::new(), Arc::new(noted));
    let delivery = Delivery::listen(&bus, Arc::new(settings), Arc::clone(&noted) as _).unwrap();
    (bus, noted, delivery)
}

fn connections(noted: &Noted) -> Vec<String> {
    noted.take().into_iter().map(|(to, _)| to).collect()
}

async fn refused(bus: &Bus, credential: &Credential, topic: &str, data: &str) -> Refused {
    let producer = bus.producer(credential.clone());
    producer.send(topic, json(data)).await.unwrap_err()
}

#[tokio::test]
async fn a_send_reaches_the_person_in_the_namespace_and_says_how_many() {
    //= B12 type=test
    //= B25 type=test
    //= B28 type=test
    //= B41 type=test
    //= B42 type=test
    //= B43 type=test
    //= B45 type=test
    //= B46 type=test
    let (bus, noted, _) = listening(four(), Settings::default());
    let producer = bus.producer(Credential::new("app", "acme", &["send"]));
    let data = r#"{"username":"alex","namespace":"acme","type":"message_type",
        "payload":{"someData": 1.50,"a":"\u0041"},"id":"x1"}"#;
    let acceptance = producer.send(SEND, json(data)).await.unwrap();
    assert_eq!(
        acceptance.to_json(),
        r#"{"accepted":true,"id":"x1","matched":2,"stored":false}"#
    );
    let text = r#"{"type":"message_type","payload":{"someData": 1.50,"a":"\u0041"}}"#;
    let expected = [("1", text), ("2", text)];
    assert_eq!(
        noted.take(),
        expected.map(|(to, text)| (to.into(), text.into()))
    );
    let several = r#"{"username":["alex","bob","alex"],"namespace":"acme","type":"t",
        "payload":null,"exclude":["2"]}"#;
    assert_eq!(
        producer.send(SEND, json(several)).await.unwrap().matched(),
        Some(2)
    );
    assert_eq!(connections(&noted), ["1", "5"]);
}

#[tokio::test]
async fn without_a_namespace_only_the_server_and_a_scope_reach_all_of_them() {
    //= B27 type=test
    let (bus, noted, _) = listening(four(), Settings::default());
    let data = r#"{"username":"alex","type":"t","payload":1}"#;
    let tenant = Credential::new("app", "acme", &["send"]);
    let why = refused(&bus, &tenant, SEND, data).await;
    assert!(why.to_string().contains("`namespace`"));
    assert!(noted.take().is_empty());
    let any = Credential::new("app", "acme", &["send", "send:any-namespace"]);
    for credential in [any, Credential::server()] {
        let sent = bus.producer(credential).send(SEND, json(data)).await;
        assert_eq!(sent.unwrap().matched(), Some(4));
        assert_eq!(connections(&noted), ["1", "2", "3", "4"]);
    }
}

#[tokio::test]
async fn a_send_without_a_username_is_refused_and_names_the_broadcast() {
    //= B48 type=test
    let (bus, noted, _) = listening(four(), Settings::default());
    for data in [
        r#"{"type":"message_type","payload":{"someData":1}}"#,
        r#"{"username":null,"namespace":"acme","type":"t","payload":1}"#,
    ] {
        let why = refused(&bus, &Credential::server(), SEND, data).await;
        assert!(why.to_string().contains(BROADCAST), "{why}");
        assert_eq!(value(&why.to_json())["code"], "invalid");
    }
    assert!(noted.take().is_empty());
}

#[tokio::test]
async fn a_broadcast_stays_in_the_namespace_unless_two_parties_say_otherwise() {
    //= B13 type=test
    //= B44 type=test
    let data = r#"{"type":"t","payload":1}"#;
    let tenant = Credential::new("app", "acme", &["broadcast"]);
    let any = Credential::new("app", "acme", &["broadcast", "send:any-namespace"]);
    for scope in [BroadcastScope::Namespace, BroadcastScope::AllNamespaces] {
        let mut settings = Settings::default();
        settings.broadcast_scope = scope;
        let (bus, noted, _) = listening(four(), settings);
        bus.producer(tenant.clone())
            .send(BROADCAST, json(data))
            .await
            .unwrap();
        assert_eq!(connections(&noted), ["1", "2", "5"]);
        bus.producer(any.clone())
            .send(BROADCAST, json(data))
            .await
            .unwrap();
        let reached = if scope == BroadcastScope::Namespace {
            3
        } else {
            5
        };
        assert_eq!(noted.take().len(), reached);
        let server = bus.producer(Credential::server());
        let sent = server.send(BROADCAST, json(data)).await;
        assert_eq!(sent.is_ok(), scope == BroadcastScope::AllNamespaces);
        drop(noted.take());
        let other = r#"{"type":"t","payload":1,"namespace":"globex"}"#;
        let why = refused(&bus, &tenant, BROADCAST, other).await;
        assert_eq!(why.code(), "forbidden");
        assert!(noted.take().is_empty());
        server.send(BROADCAST, json(other)).await.unwrap();
        assert_eq!(connections(&noted), ["3", "4"]);
    }
}

#[tokio::test]
async fn a_producer_may_publish_nowhere_but_where_a_scope_says_so() {
    //= B50 type=test
    let (bus, noted, _) = listening(four(), Settings::default());
    let send = r#"{"username":"alex","namespace":"acme","type":"t","payload":1}"#;
    let all = r#"{"type":"t","payload":1}"#;
    let topics = [(SEND, send), (BROADCAST, all), ("orders:new", "1")];
    let cases: [(&[&str], [bool; 3]); 6] = [
        (&[], [false; 3]),
        (&["send"], [true, false, false]),
        (&["broadcast", "admin"], [false, true, false]),
        (&["bus:orders:new"], [false, false, true]),
        (&["bus:socket:send"], [true, false, false]),
        (&["send:any-namespace", "bus:", "bus:*", "sen"], [false; 3]),
    ];
    for (scopes, allowed) in cases {
        let producer = bus.producer(Credential::new("app", "acme", scopes));
        for ((topic, data), allowed) in topics.iter().zip(allowed) {
            let sent = producer.send(topic, json(data)).await;
            assert_eq!(sent.is_ok(), allowed, "{scopes:?} on {topic}");
            if let Err(why) = sent {
                assert!(matches!(why, Refused::Forbidden(_)) && why.to_string().contains(topic));
            }
        }
    }
    drop(noted.take());
    let other = r#"{"username":"alex","namespace":"globex","type":"t","payload":1}"#;
    let tenant = Credential::new("app", "acme", &["send"]);
    assert_eq!(
        refused(&bus, &tenant, SEND, other).await.code(),
        "forbidden"
    );
    assert!(noted.take().is_empty());
}

#[tokio::test]
async fn what_is_not_known_missing_or_of_another_type_is_refused_with_the_known_names() {
    //= C24 type=test
    let (bus, noted, _) = listening(four(), Settings::default());
    let server = Credential::server();
    let cases = [
        ("1", "JSON object"),
        (r#"{"a":1,"a":2}"#, "twice"),
        (
            r#"{"username":"a","type":"t","payload":1,"params":2}"#,
            "store_if_offline",
        ),
        (r#"{"username":[],"type":"t","payload":1}"#, "`username`"),
        (r#"{"username":[7],"type":"t","payload":1}"#, "`username`"),
        (r#"{"username":"a","type":"t"}"#, "`payload`"),
        (r#"{"username":"a","payload":1}"#, "`type`"),
        (r#"{"username":"a","type":7,"payload":1}"#, "`type`"),
        (
            r#"{"username":"a","type":"t","payload":1,"ttl":0}"#,
            "`ttl`",
        ),
        (
            r#"{"username":"a","type":"t","payload":1,"ttl":"5s"}"#,
            "`ttl`",
        ),
        (
            r#"{"username":"a","type":"t","payload":1,"priority":"max"}"#,
            "urgent",
        ),
        (
            r#"{"username":"a","type":"t","payload":1,"exclude":7}"#,
            "`exclude`",
        ),
        (r#"{"username":"a","type":"t","payload":1,"id":""}"#, "`id`"),
        (
            r#"{"username":"a","type":"t","payload":1,"store_if_offline":1}"#,
            "true or false",
        ),
        (
            r#"{"username":"a","type":"t","payload":1,"store_if_offline":true}"#,
            "`namespace`",
        ),
        (
            r#"{"username":"a","namespace":7,"type":"t","payload":1}"#,
            "`namespace`",
        ),
    ];
    for (data, word) in cases {
        let why = refused(&bus, &server, SEND, data).await;
        assert!(
            matches!(&why, Refused::Invalid(text) if text.contains(word)),
            "{data}: {why}"
        );
    }
    let named = r#"{"username":"a","namespace":"acme","type":"t","payload":1}"#;
    let why = refused(&bus, &server, BROADCAST, named).await;
    assert!(why.to_string().contains("unknown field \"username\""));
    assert!(noted.take().is_empty());
}

#[tokio::test]
async fn a_send_to_nobody_says_so_and_can_be_kept() {
    //= B49 type=test
    let (bus, noted, _) = listening(four(), Settings::default());
    let producer = bus.producer(Credential::new("app", "acme", &["send"]));
    let nobody = r#"{"username":"eve","namespace":"acme","type":"t","payload":1}"#;
    let acceptance = producer.send(SEND, json(nobody)).await.unwrap();
    assert_eq!(
        (acceptance.matched(), acceptance.is_stored()),
        (Some(0), false)
    );
    let kept = r#"{"username":["eve","bob"],"namespace":"acme","type":"t","payload":[ 1],
        "store_if_offline":true,"ttl":60,"priority":"high","id":"k"}"#;
    let acceptance = producer.send(SEND, json(kept)).await.unwrap();
    assert_eq!(
        (acceptance.matched(), acceptance.is_stored()),
        (Some(1), true)
    );
    let keep = noted.kept.lock().unwrap().pop().unwrap();
    assert_eq!(
        (keep.users, keep.namespace),
        (vec!["eve".into()], "acme".into())
    );
    assert_eq!(
        (keep.payload.as_str(), keep.publisher.as_str()),
        ("[ 1]", "app")
    );
    assert_eq!((keep.id.as_str(), keep.kind.as_str()), ("k", "t"));
    assert_eq!(
        (keep.ttl, keep.priority),
        (Some(Duration::from_secs(60)), Some("high".into()))
    );
    assert!(noted.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_could_not_be_kept_is_not_accepted_and_may_come_again() {
    //= B49 type=test
    let mut broken = four();
    broken.refuses_to_keep = true;
    let (bus, _, _) = listening(broken, Settings::default());
    let data = r#"{"username":"eve","namespace":"acme","type":"t","payload":1,
        "store_if_offline":true,"id":"k"}"#;
    for _ in 0..2 {
        let why = refused(&bus, &Credential::server(), SEND, data).await;
        assert_eq!(why, Refused::Unavailable);
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_comes_again_is_answered_the_same_and_delivered_once() {
    let (bus, noted, _) = listening(four(), Settings::default());
    let data = r#"{"username":"alex","namespace":"acme","type":"t","payload":1,"id":"x"}"#;
    let app = bus.producer(Credential::new("app", "acme", &["send"]));
    let first = app.send(SEND, json(data)).await.unwrap();
    assert_eq!(app.send(SEND, json(data)).await.unwrap(), first);
    assert_eq!(noted.take().len(), 2);
    // The ids of another producer are its own.
    let other = bus.producer(Credential::new("other", "acme", &["send"]));
    other.send(SEND, json(data)).await.unwrap();
    assert_eq!(noted.take().len(), 2);
    tokio::time::advance(ID_REMEMBERED).await;
    app.send(SEND, json(data)).await.unwrap();
    assert_eq!(noted.take().len(), 2);
}

#[tokio::test]
async fn a_topic_with_a_handler_is_accepted_before_it_is_handled() {
    //= B41 type=test
    let bus = Bus::new();
    let (sender, handled) = tokio::sync::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    bus.handle("orders:new", move |message: Message| {
        let sender = sender.lock().unwrap().take().unwrap();
        async move { sender.send(message.publication().body()).unwrap() }
    })
    .unwrap();
    let producer = bus.producer(Credential::new("app", "acme", &["bus:orders:new"]));
    let acceptance = producer.send("orders:new", json("[1, 2]")).await.unwrap();
    let expected = format!(r#"{{"accepted":true,"id":"{}"}}"#, acceptance.id());
    assert_eq!(acceptance.to_json(), expected);
    assert_eq!(handled.await.unwrap(), "[1, 2]");
}

#[tokio::test]
async fn other_settings_move_the_topics_or_change_nothing() {
    //= B57 type=test
    let (bus, noted, delivery) = listening(four(), Settings::default());
    let mut moved = Settings::default();
    moved.send = Some(Topic::parse("push").unwrap());
    bus.handle("push", |message: Message| async { message.ack() })
        .unwrap();
    let data = r#"{"username":"bob","namespace":"acme","type":"t","payload":1}"#;
    let server = bus.producer(Credential::server());
    assert!(delivery.apply(Arc::new(moved.clone())).is_err());
    assert_eq!(
        server.send(SEND, json(data)).await.unwrap().matched(),
        Some(1)
    );
    bus.release("push");
    delivery.apply(Arc::new(moved)).unwrap();
    assert_eq!(
        server.send("push", json(data)).await.unwrap().matched(),
        Some(1)
    );
    assert_eq!(server.send(SEND, json(data)).await.unwrap().matched(), None);
    assert_eq!(noted.take().len(), 2);
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Deactivated {
    member_id: u64,
    date_time_occurred: String,
}

#[tokio::test]
async fn members_are_told_of_an_event_by_one_typed_call() {
    //= C22 type=test
    //= C23 type=test
    //= C25 type=test
    let recorder = Arc::new(Recorder::new());
    let topic = Topic::parse(SEND).unwrap();
    let members = Members::new(Arc::clone(&recorder) as _, topic.clone());
    let payload = Deactivated {
        member_id: 7,
        date_time_occurred: jiff::Timestamp::from_second(1_795_687_260)
            .unwrap()
            .to_string(),
    };
    members
        .relay_to_member("acme", "alex", "MEMBER_DEACTIVATED", &payload)
        .await
        .unwrap();
    let users = ["alex", "bob"];
    members
        .relay_to_members("acme", &users, "MEMBER_DEACTIVATED", &payload)
        .await
        .unwrap();
    let given = recorder.take();
    let end = r#","namespace":"acme","type":"MEMBER_DEACTIVATED","payload":{"memberId":7,"#
        .to_owned()
        + r#""dateTimeOccurred":"2026-11-26T10:01:00Z"}}"#;
    let expected = [r#"{"username":"alex""#, r#"{"username":["alex","bob"]"#];
    let expected = expected.map(|start| (SEND.to_owned(), json(&format!("{start}{end}"))));
    assert_eq!(given, expected);
    // The same calls reach sockets over a producer.
    let (bus, noted, _) = listening(four(), Settings::default());
    let members = Members::new(Arc::new(bus.producer(Credential::server())), topic);
    let sent = members
        .relay_to_members("acme", &users, "MEMBER_DEACTIVATED", &payload)
        .await;
    assert_eq!(sent.unwrap().matched(), Some(3));
    assert_eq!(connections(&noted), ["1", "2", "5"]);
    assert!(Json::of(&payload).unwrap().as_str().starts_with('{'));
}
