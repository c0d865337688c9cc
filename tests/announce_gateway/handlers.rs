//! Handlers that panic, hang and never answer, and the order of what they are given.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use framewire::announce::bus::{
    Bus, Credential, HANDLING_MAX, HandleError, LANE_MAX, Message, SUBSCRIPTION_MAX,
};
use framewire::announce::gateway::{Ending, Heard, Settings};
use tokio::sync::Semaphore;

use crate::support::{alex, code, json, now, text, value};

const GENERAL: &str = "socket:generalMessage";

/// Answers by the `type` of the message: in good order, with a panic, too late, or not at all.
async fn moody(message: Message) {
    let data = value(message.data().as_str());
    match data["message"]["type"].as_str() {
        Some("panic") => panic!("as the test wants it"),
        Some("hang") => pending().await,
        Some("keep") => {
            tokio::spawn(async move {
                pending::<()>().await;
                drop(message);
            });
        }
        Some("drop") => drop(message),
        Some("late") => {
            message.reply(json("1"));
            pending().await
        }
        _ => message.reply(json("0")),
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_or_hangs_fails_that_one_message_only() {
    //= B39 type=test
    let bus = Bus::new();
    bus.handle(GENERAL, moody).unwrap();
    let mut session = alex(&bus, &Settings::default());
    let good = r#"{"type":"socket:generalMessage","payload":0,"replyTo":1}"#;
    for (kind, expected) in [
        ("panic", "internal"),
        ("hang", "timeout"),
        ("keep", "timeout"),
    ] {
        let sent = format!(r#"{{"type":"{kind}","id":1}}"#);
        session.heard(Heard::Text(&sent), now());
        session.heard(Heard::Text(r#"{"id":1}"#), now());
        let told = value(text(&session.next().await));
        assert_eq!(
            (&told["type"], &told["replyTo"]),
            (&"error".into(), &1.into())
        );
        assert_eq!(told["payload"]["code"], expected, "{kind}");
        assert_eq!(text(&session.next().await), good);
    }
    // Without an id nobody waits for a reply, so nobody is told that there is none.
    for silent in [
        r#"{"type":"hang"}"#,
        r#"{"type":"drop","id":2}"#,
        r#"{"type":"drop"}"#,
    ] {
        session.heard(Heard::Text(silent), now());
        session.heard(Heard::Text(r#"{"id":1}"#), now());
        assert_eq!(text(&session.next().await), good, "{silent}");
    }
    // The reply does not wait for the handler to come to its end.
    session.heard(Heard::Text(r#"{"type":"late"}"#), now());
    let before = tokio::time::Instant::now();
    let told = session.next().await;
    assert_eq!(
        text(&told),
        r#"{"type":"socket:generalMessage","payload":1}"#
    );
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_could_judge_is_not_let_in() {
    for panics in [true, false] {
        let bus = Bus::new();
        bus.handle("socket:connection", move |message: Message| async move {
            assert!(!panics, "as the test wants it");
            pending::<()>().await;
            drop(message);
        })
        .unwrap();
        let told = alex(&bus, &Settings::default()).next().await;
        assert_eq!(code(&told), Some(1013));
        let expected = if panics { "internal" } else { "timeout" };
        assert_eq!(value(text(&told))["payload"]["code"], expected);
    }
}

#[tokio::test]
async fn one_connection_is_handled_in_order() {
    //= B53 type=test
    let bus = Bus::new();
    let (seen, running) = (
        Arc::new(Mutex::new(Vec::new())),
        Arc::new(AtomicUsize::new(0)),
    );
    for name in ["socket:connection", GENERAL, "socket:close"] {
        let (seen, running) = (Arc::clone(&seen), Arc::clone(&running));
        bus.handle(name, move |message: Message| {
            let (seen, running) = (Arc::clone(&seen), Arc::clone(&running));
            async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                let data = value(message.data().as_str());
                seen.lock()
                    .unwrap()
                    .push(format!("{} {}", message.topic(), data["message"]["n"]));
                running.fetch_sub(1, Ordering::SeqCst);
            }
        })
        .unwrap();
    }
    let mut session = alex(&bus, &Settings::default());
    for n in 0..10 {
        session.heard(Heard::Text(&format!(r#"{{"n":{n}}}"#)), now());
    }
    session.closed(&Ending {
        code: 1000,
        reason: "",
        cause: "client",
        ..Ending::default()
    });
    assert!(bus.drain(Duration::from_secs(9)).await);
    let mut expected = vec!["socket:connection null".to_owned()];
    expected.extend((0..10).map(|n| format!("{GENERAL} {n}")));
    expected.push("socket:close null".to_owned());
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn connections_share_the_places_and_a_full_one_is_told() {
    let bus = Bus::new();
    let (gate, started) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (wait, count) = (Arc::clone(&gate), Arc::clone(&started));
    bus.handle(GENERAL, move |_message: Message| {
        let (wait, count) = (Arc::clone(&wait), Arc::clone(&count));
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            wait.acquire().await.unwrap().forget();
        }
    })
    .unwrap();
    let mut settings = Settings::default();
    settings.onconnect = None;
    let mut sessions: Vec<_> = (0..HANDLING_MAX + 9)
        .map(|_| alex(&bus, &settings))
        .collect();
    for session in &mut sessions {
        session.heard(Heard::Text("{}"), now());
    }
    while started.load(Ordering::SeqCst) < HANDLING_MAX {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(started.load(Ordering::SeqCst), HANDLING_MAX);
    let first = &mut sessions[0];
    let mut heard = 1;
    while !first.is_full() {
        first.heard(Heard::Text("{}"), now());
        heard += 1;
    }
    assert!(heard <= LANE_MAX);
    let told = first.heard(Heard::Text(r#"{"id":"x"}"#), now());
    assert_eq!(value(text(&told))["payload"]["code"], "busy");
    gate.add_permits(HANDLING_MAX + 9 + heard);
    assert!(bus.drain(Duration::from_secs(9)).await);
    assert_eq!(started.load(Ordering::SeqCst), HANDLING_MAX + 8 + heard);
}

#[tokio::test]
async fn a_slow_subscriber_misses_and_knows_how_much() {
    let bus = Bus::new();
    let mut slow = bus.subscribe("news").unwrap();
    let producer = bus.producer(Credential::server());
    for n in 0..SUBSCRIPTION_MAX + 3 {
        while producer.send("news", json(&n.to_string())).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
    assert!(bus.drain(Duration::from_secs(9)).await);
    assert_eq!(slow.dropped(), 3);
    assert_eq!(slow.next().await.unwrap().data().as_str(), "0");
}

#[test]
fn a_topic_has_one_handler() {
    let bus = Bus::new();
    let ack = |message: Message| async { message.ack() };
    bus.handle("t", ack).unwrap();
    assert_eq!(bus.handle("t", ack), Err(HandleError::Taken));
    assert!(bus.release("t") && !bus.release("t"));
    bus.handle("t", ack).unwrap();
    assert!(matches!(
        bus.handle("a\nb", ack),
        Err(HandleError::Topic(_))
    ));
}
