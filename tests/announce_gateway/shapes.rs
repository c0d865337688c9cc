//! The texts on the socket and on the bus, to the letter.

use std::sync::{Arc, Mutex};

use framewire::announce::bus::{Bus, Message, Topic};
use framewire::announce::gateway::{Context, Ending, Heard, MALFORMED_MAX, Settings};

use crate::support::{alex, claims, code, json, now, text, value};

fn topic(name: &str) -> Topic {
    Topic::parse(name).unwrap()
}

/// The settings of the first gateway's manual.
fn settings() -> Settings {
    let mut settings = Settings::default();
    for (kind, name) in [
        ("message_type_one", "socket:type_one"),
        ("message_type_two", "socket:type_two"),
    ] {
        settings.types.insert(kind, topic(name)).unwrap();
    }
    settings
}

#[tokio::test]
async fn a_reply_to_the_connection_has_the_literal_type_onconnect() {
    //= B29 type=test
    //= B30 type=test
    //= B33 type=test
    let bus = Bus::new();
    let reply = |message: Message| async { message.reply(json(r#"{"data":[ 1.50 ]}"#)) };
    bus.handle("socket:connection", reply).unwrap();
    let told = alex(&bus, &settings()).next().await;
    assert_eq!(
        text(&told),
        r#"{"type":"onconnect","payload":{"data":[ 1.50 ]}}"#
    );
    assert_eq!(told.close, None);
}

#[tokio::test]
async fn a_refused_connection_is_told_and_closed() {
    //= B34 type=test
    let bus = Bus::new();
    let fail = |message: Message| async { message.fail(json(r#"{"why":"full"}"#)) };
    bus.handle("socket:connection", fail).unwrap();
    let told = alex(&bus, &settings()).next().await;
    assert_eq!(text(&told), r#"{"type":"error","payload":{"why":"full"}}"#);
    assert_eq!(code(&told), Some(4403));
}

#[tokio::test]
async fn the_context_holds_the_verified_claims_under_the_known_paths() {
    //= B01 type=test
    //= B06 type=test
    //= B31 type=test
    //= B32 type=test
    let bus = Bus::new();
    let mut connections = bus.subscribe("socket:connection").unwrap();
    let _session = alex(&bus, &settings());
    let published = connections.next().await.unwrap();
    let body = value(&published.body());
    let context = &body["context"];
    assert_eq!(body.as_object().unwrap().len(), 1);
    assert_eq!(context["headers"]["jwt"]["preferred_username"], "alex");
    assert_eq!(context["params"]["namespace"], "acme");
    assert_eq!(context["connection"], "0191");
    assert_eq!(context["remote"], "203.0.113.9");
    assert_eq!(value(published.context().unwrap().as_str()), *context);
}

#[test]
fn a_namespace_that_the_token_does_not_name_has_no_context() {
    //= B05 type=test
    let claims = claims("alex", &["acme"]);
    let remote = [127, 0, 0, 1].into();
    assert!(Context::new(&claims, "globex", "1", remote).is_err());
}

#[tokio::test]
async fn a_message_goes_to_the_general_topic_and_then_to_that_of_its_type() {
    //= B07 type=test
    //= B09 type=test
    //= B10 type=test
    //= B35 type=test
    //= B36 type=test
    //= B38 type=test
    let bus = Bus::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    for name in ["socket:generalMessage", "socket:type_one"] {
        let seen = Arc::clone(&seen);
        bus.handle(name, move |message: Message| {
            seen.lock()
                .unwrap()
                .push(value(&message.publication().body()));
            async { message.reply(json("{}")) }
        })
        .unwrap();
    }
    let mut session = alex(&bus, &settings());
    let sent = r#"{"type":"message_type_one","payload":{"a":1.50},"id":"c1"}"#;
    assert_eq!(session.heard(Heard::Text(sent), now()).text, None);
    let (general, typed) = (session.next().await, session.next().await);
    assert_eq!(
        text(&general),
        r#"{"type":"socket:generalMessage","payload":{},"replyTo":"c1"}"#
    );
    assert_eq!(
        text(&typed),
        r#"{"type":"socket:type_one","payload":{},"replyTo":"c1"}"#
    );
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0]["message"], value(sent));
    assert_eq!(seen[0]["received_at"], "2027-01-15T08:00:00.000Z");
    assert!(!seen[0]["message_id"].as_str().unwrap().is_empty());
    assert_eq!(seen[0]["context"]["params"]["namespace"], "acme");
}

#[tokio::test]
async fn types_are_compared_to_the_letter_and_no_id_means_no_reply_to() {
    //= B09 type=test
    let bus = Bus::new();
    let general = |message: Message| async { message.reply(json("1")) };
    bus.handle("socket:generalMessage", general).unwrap();
    let mut typed = bus.subscribe("socket:type_one").unwrap();
    let mut session = alex(&bus, &settings());
    let others = [
        r#"{"type":"Message_type_one"}"#,
        r#"{"type":["message_type_one"]}"#,
        r#"{"payload":{"type":"message_type_one"}}"#,
    ];
    for other in others {
        session.heard(Heard::Text(other), now());
        let told = session.next().await;
        assert_eq!(
            text(&told),
            r#"{"type":"socket:generalMessage","payload":1}"#
        );
    }
    session.heard(Heard::Text(r#"{"type":"message_type_one","id":7}"#), now());
    let told = session.next().await;
    assert_eq!(
        text(&told),
        r#"{"type":"socket:generalMessage","payload":1,"replyTo":7}"#
    );
    let only = typed.next().await.unwrap();
    assert_eq!(value(only.data().as_str())["message"]["id"], 7);
}

#[tokio::test]
async fn a_refused_message_is_told_and_the_connection_stays() {
    //= B37 type=test
    //= B40 type=test
    let bus = Bus::new();
    let fail = |message: Message| async { message.fail(json(r#"{"code":"no"}"#)) };
    bus.handle("socket:generalMessage", fail).unwrap();
    let mut session = alex(&bus, &settings());
    for _ in 0..2 * MALFORMED_MAX {
        session.heard(Heard::Text("{}"), now());
        let told = session.next().await;
        assert_eq!(text(&told), r#"{"type":"error","payload":{"code":"no"}}"#);
        assert_eq!(told.close, None);
    }
}

#[tokio::test]
async fn what_is_no_json_object_is_an_error_and_the_fifth_in_a_row_the_last() {
    //= B54 type=test
    let bus = Bus::new();
    let mut general = bus.subscribe("socket:generalMessage").unwrap();
    let mut session = alex(&bus, &settings());
    let wrong = [
        (Heard::Text("{"), "malformed_json"),
        (Heard::Text("[1]"), "not_an_object"),
        (Heard::Binary(b"{}"), "unsupported_data"),
        (Heard::Text(r#"{"id":{}}"#), "wrong_type"),
    ];
    for (heard, kind) in wrong {
        let told = session.heard(heard, now());
        assert_eq!(value(text(&told))["payload"]["code"], kind);
        assert_eq!(told.close, None);
    }
    session.heard(Heard::Text("{}"), now());
    let codes: Vec<_> = (0..MALFORMED_MAX)
        .map(|_| code(&session.heard(Heard::Text("x"), now())))
        .collect();
    assert_eq!(codes, [None, None, None, None, Some(4400)]);
    // Nothing but the one good message was published.
    session.closed(&Ending {
        code: 4400,
        reason: "",
        cause: "server",
        ..Ending::default()
    });
    assert!(bus.drain(std::time::Duration::from_secs(9)).await);
    assert_eq!(
        value(general.next().await.unwrap().data().as_str())["message"],
        value("{}")
    );
    drop(bus);
    assert!(general.next().await.is_none());
}

#[tokio::test]
async fn raw_messages_are_published_where_they_are_allowed() {
    //= B54 type=test
    let bus = Bus::new();
    let mut general = bus.subscribe("socket:generalMessage").unwrap();
    let mut settings = settings();
    settings.allow_raw = true;
    let mut session = alex(&bus, &settings);
    let raw = [
        (Heard::Text("a \"b\""), "text", "a \"b\""),
        (Heard::Binary(&[0, 255]), "base64", "AP8="),
    ];
    for (heard, encoding, message) in raw {
        assert_eq!(session.heard(heard, now()).text, None);
        let data = value(general.next().await.unwrap().data().as_str());
        assert_eq!(
            (&data["encoding"], &data["message"]),
            (&encoding.into(), &message.into())
        );
    }
}

#[tokio::test]
async fn the_end_is_published_once_however_it_comes() {
    //= B11 type=test
    //= B52 type=test
    let bus = Bus::new();
    let mut ends = bus.subscribe("socket:close").unwrap();
    let ending = Ending {
        code: 1006,
        reason: "",
        cause: "no_pong",
        ..Ending::default()
    };
    alex(&bus, &settings()).closed(&ending);
    let data = value(ends.next().await.unwrap().data().as_str());
    assert_eq!(
        (&data["code"], &data["cause"]),
        (&1006.into(), &"no_pong".into())
    );
    assert_eq!(
        (&data["clean"], &data["reason"]),
        (&false.into(), &"".into())
    );
    assert!(data["duration_ms"].is_u64());
    // Its connection was dropped, as when its task is.
    drop(alex(&bus, &settings()));
    let body = value(&ends.next().await.unwrap().body());
    assert_eq!(
        (&body["cause"], &body["context"]["connection"]),
        (&"lost".into(), &"0191".into())
    );
    assert!(bus.drain(std::time::Duration::from_secs(9)).await);
    drop(bus);
    assert!(ends.next().await.is_none(), "no third end");
}
