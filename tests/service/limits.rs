//! Bounds: before signing in, for a connection, a person and an address.

use std::time::Duration;

use framewire::announce::service::{MESSAGE_BYTES_MAX, Rate};
use framewire::client::Config;
use framewire::engine::Message;
use serde_json::json;

use crate::house::House;
use crate::secrets::Log;

//= WS-138 type=test
#[tokio::test]
async fn a_connection_that_is_failed_leaves_its_reason_in_the_log() {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    let house = House::open().await;
    let mut native = house.native("bob", &[]).await;
    let long = "y".repeat(usize::try_from(MESSAGE_BYTES_MAX).unwrap());
    native.send(&json!({"type": "x", "payload": long})).await;
    assert_eq!(native.closed().await.0, 1009);
    house.close().await;
    drop(guard);
    let logged = log.0.lock().unwrap().clone();
    let ended = logged.find("connection ended").expect(&logged);
    assert!(logged[ended..].contains("peer=127.0.0.1"), "{logged}");
    assert!(logged[ended..].contains("too big"), "{logged}");
}

//= A32 type=test
//= AU-35 type=test
#[tokio::test]
async fn a_connection_that_is_nobodys_is_bounded() {
    let house = House::set(|it| it.sign_in_timeout = Duration::from_millis(300)).await;
    let mut nobody = house.connect().await;
    assert_eq!(nobody.closed_with().await, 4408);
    house.close().await;
    let house = House::open().await;
    let mut nobody = house.greet().await;
    for _ in 0..10 {
        nobody
            .send(&json!({"type": "join", "payload": {"room": "r"}}))
            .await;
        assert_eq!(nobody.hear("error").await["code"], "not_signed_in");
    }
    nobody.send(&json!({"type": "unread"})).await;
    assert_eq!(nobody.closed().await.0, 4408);
    let mut nobody = house.greet().await;
    let long = Message::text(" ".repeat(16_385));
    nobody.socket.send(long).await.unwrap();
    assert_eq!(nobody.closed().await.0, 1009);
    house.close().await;
}

//= A75 type=test
#[tokio::test]
async fn too_many_messages_are_answered_and_in_the_end_closed() {
    let house = House::set(|it| it.messages = Rate::new(1, 5)).await;
    let mut bob = house.native("bob", &[]).await;
    let mut other = house.native("other", &[]).await;
    let mut refused = 0;
    for _ in 0..26 {
        bob.send(&json!({"type": "unread", "id": 7})).await;
    }
    let closed = loop {
        let heard = tokio::time::timeout(Duration::from_secs(20), bob.socket.recv()).await;
        match heard.unwrap().unwrap() {
            Some(message) => {
                let text = message.as_text().unwrap();
                // Whoever waits for an answer to just this message has one.
                assert!(text.contains(r#""replyTo":7"#), "{text}");
                refused += u32::from(text.contains("too_often"));
            }
            None => break bob.socket.closure().unwrap().code().get(),
        }
    };
    assert_eq!(closed, 4429);
    assert!((20..=21).contains(&refused), "{refused}");
    assert_eq!(other.ask("unread", json!({})).await["type"], "unread");
    house.close().await;
}

//= A75 type=test
#[tokio::test]
async fn a_person_publishes_so_often_on_all_connections_together() {
    let house = House::set(|it| it.publications = Rate::new(1, 3)).await;
    let mut alice = house.native("alice", &["announce:public"]).await;
    let mut phone = house.sign_in("alice", &["announce:public"]).await;
    let draft = json!({"feed": "Public", "body": "B"});
    for _ in 0..3 {
        assert_eq!(
            alice.ask("publish", draft.clone()).await["type"],
            "published"
        );
        phone.hear().await;
    }
    let refused = alice.ask("publish", draft.clone()).await;
    assert_eq!(refused["payload"]["code"], "too_often");
    let retry = refused["payload"]["retry_in_ms"].as_u64().unwrap();
    assert!((1..=1000).contains(&retry), "{retry}");
    phone
        .say(
            "Public announcement",
            json!({"Group": "Public", "Body": "B"}),
        )
        .await;
    let refused = phone.hear().await;
    assert_eq!(refused["payload"]["code"], "too_often");
    assert!(refused["payload"]["retry_in_ms"].as_u64().unwrap() <= 1000);
    let mut other = house.native("other", &["announce:public"]).await;
    assert_eq!(other.ask("publish", draft).await["type"], "published");
    house.close().await;
}

//= AU-34 type=test
#[tokio::test]
async fn an_address_that_guesses_is_stopped_and_its_good_people_are_not() {
    let house = House::set(|it| it.refusals = Rate::new(1, 3)).await;
    let mut bob = house.native("bob", &[]).await;
    let guess = Config::default().with_subprotocol("token.a.b.c");
    for _ in 0..3 {
        assert_eq!(house.try_connect("", &guess).await.err(), Some(401));
    }
    assert_eq!(house.try_connect("", &guess).await.err(), Some(429));
    let mut guesser = house.greet().await;
    guesser
        .send(&json!({"type": "sign", "payload": {"token": "a.b.c"}}))
        .await;
    assert_eq!(guesser.closed().await.0, 4429);
    assert_eq!(bob.ask("unread", json!({})).await["type"], "unread");
    house.native("carol", &[]).await;
    house.close().await;
}

#[tokio::test]
async fn the_oldest_connection_of_a_person_makes_room() {
    let house = House::set(|it| it.connections_per_user_max = 2).await;
    let mut first = house.native("bob", &[]).await;
    let mut second = house.native("bob", &[]).await;
    let mut other = house.native("other", &[]).await;
    let mut third = house.native("bob", &[]).await;
    assert_eq!(first.closed().await.0, 4409);
    for native in [&mut second, &mut other, &mut third] {
        assert_eq!(native.ask("unread", json!({})).await["type"], "unread");
    }
    house.close().await;
}
