//! `announce.v1`, message by message.

use framewire::client;
use framewire::engine::Message;
use serde_json::{Value, json};

use crate::house::{House, Native, grant};

const PUBLISH: &[&str] = &["announce:public"];

#[tokio::test]
async fn a_connection_is_greeted_in_the_dialect_that_it_asks_for() {
    let house = House::open().await;
    let offered = client::Config::default()
        .with_subprotocol("announce.v9")
        .with_subprotocol("announce.v1");
    let socket = house.try_connect("", &offered).await.unwrap();
    assert_eq!(socket.subprotocol(), Some("announce.v1"));
    let mut native = Native::new(socket);
    let hello = native.hear("hello").await;
    let expected = json!({
        "node": "framewire", "ping_ms": 25_000, "message_bytes_max": 65_536, "sign_in_ms": 10_000
    });
    assert_eq!(hello, expected);
    // On the same path, whoever asks for nothing speaks as the first clients did.
    let mut bob = house.sign_in("bob", PUBLISH).await;
    let mut carol = house.native("carol", &[]).await;
    bob.say(
        "Public announcement",
        json!({"Group": "Public", "Title": "T", "Colour": 7}),
    )
    .await;
    let heard = carol.hear("announcement").await;
    assert_eq!(
        (&heard["title"], &heard["data"]),
        (&json!("T"), &json!({"Colour": 7}))
    );
    house.close().await;
}

//= A55 type=test
//= AU-21 type=test
#[tokio::test]
async fn signing_in_tells_where_the_person_stands() {
    let house = House::open().await;
    let mut bob = house.greet().await;
    assert_eq!(bob.refused("unread", json!({})).await, "not_signed_in");
    assert_eq!(
        bob.refused("refresh", json!({"token": house.token("bob", &[])}))
            .await,
        "not_signed_in"
    );
    let token = house.grant(&grant("bob", &[], &["HR"], &["lead"]));
    let signed = bob
        .ask("sign", json!({"token": token, "namespace": "main"}))
        .await;
    let payload = &signed["payload"];
    assert_eq!(
        (&payload["user"], &payload["namespace"]),
        (&json!("bob"), &json!("main"))
    );
    let feeds: Vec<_> = payload["feeds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["feed"])
        .collect();
    assert_eq!(feeds, ["Public", "HR", "role:lead"]);
    assert_eq!(
        payload["unread"],
        json!({"Public": 0, "HR": 0, "role:lead": 0})
    );
    assert_eq!(
        bob.refused("sign", json!({"token": token})).await,
        "conflict"
    );
    let refreshed = bob.ask("refresh", json!({"token": token})).await;
    assert_eq!(refreshed["payload"]["expires_at"], payload["expires_at"]);
    let other = house.token("mallory", &[]);
    assert_eq!(
        bob.refused("refresh", json!({"token": other})).await,
        "forbidden"
    );
    assert_eq!(bob.closed().await.0, 4403);
    let mut carol = house.greet().await;
    let elsewhere = json!({"token": house.token("carol", &[]), "namespace": "acme"});
    assert_eq!(carol.refused("sign", elsewhere).await, "forbidden");
    assert_eq!(carol.closed().await.0, 4403);
    house.close().await;
}

//= A63 type=test
//= A64 type=test
//= AU-25 type=test
#[tokio::test]
async fn each_feed_needs_its_scope_and_reaches_its_readers() {
    let house = House::open().await;
    let mut bob = house
        .native_as(&grant("bob", &[], &["HR"], &["lead"]))
        .await;
    let mut other = house
        .native_as(&grant("other", &[], &["Sales"], &["clerk"]))
        .await;
    for (feed, scope, of_others) in [
        ("Public", "announce:public", 1),
        ("HR", "announce:channel:HR", 0),
        ("role:lead", "announce:role:lead", 0),
        ("user:bob", "announce:user", 0),
    ] {
        let draft = json!({"feed": feed, "title": "T", "body": "B", "data": {"n": 1}});
        let mut mallory = house
            .native("mallory", &["announce:channel:Sales", "send"])
            .await;
        assert_eq!(
            mallory.refused("publish", draft.clone()).await,
            "forbidden",
            "{feed}"
        );
        let mut alice = house.native("alice", &[scope]).await;
        let mut dry = draft.clone();
        dry["dry_run"] = json!(true);
        let told = alice.ask("publish", dry).await;
        assert_eq!(told["type"], "dry_run");
        let published = alice.ask("publish", draft).await;
        assert_eq!(published["type"], "published", "{published}");
        let published = &published["payload"];
        assert_eq!(
            (&published["offset"], &published["state"]),
            (&json!(1), &json!("released"))
        );
        let heard = bob.hear("announcement").await;
        assert_eq!(heard["announcement"], published["announcement"]);
        assert_eq!(
            (&heard["feed"], &heard["body"]),
            (&json!(feed), &json!("B"))
        );
        assert_eq!(heard["data"], json!({"n": 1}));
        assert_eq!(other.all().await.len(), of_others, "{feed}");
    }
    let mut alice = house.native("alice", &["announce:channel"]).await;
    let nowhere = json!({"feed": "Nobody", "body": "B"});
    assert_eq!(alice.refused("publish", nowhere).await, "unknown_group");
    house.close().await;
}

//= A62 type=test
//= A72 type=test
#[tokio::test]
async fn an_announcement_lives_from_publication_to_recall() {
    let house = House::open().await;
    let mut alice = house.native("alice", PUBLISH).await;
    let mut bob = house.native("bob", &[]).await;
    let mut phone = house.native("bob", &[]).await;
    let draft = json!({
        "feed": "Public", "title": "T", "body": "B", "key": "k1", "priority": "urgent",
        "require_ack": true, "ack_by": "2099-01-01T00:00:00Z"
    });
    let published = alice.ask("publish", draft.clone()).await["payload"].take();
    assert_eq!(published["duplicate"], false);
    let again = alice.ask("publish", draft).await["payload"].take();
    assert_eq!(
        (&again["duplicate"], &again["announcement"]),
        (&json!(true), &published["announcement"])
    );
    let id = &published["announcement"];
    let heard = bob.hear("announcement").await;
    assert_eq!(
        (&heard["priority"], &heard["require_ack"]),
        (&json!("urgent"), &json!(true))
    );
    assert_eq!(heard["ack_by"], "2099-01-01T00:00:00.000Z");
    let delivered = bob
        .ask("delivered", json!({"feed": "Public", "up_to": 1}))
        .await;
    assert_eq!(delivered["type"], "delivered");

    let change = json!({"announcement": id, "body": "C", "version": 1, "unread_again": true});
    assert_eq!(
        bob.refused("edit", change.clone()).await,
        "unknown_notification"
    );
    assert_eq!(
        alice.ask("edit", change.clone()).await["payload"]["version"],
        2
    );
    assert_eq!(alice.refused("edit", change).await, "conflict");
    let edited = bob.hear("edited").await;
    assert_eq!(
        (&edited["version"], &edited["body"]),
        (&json!(2), &json!("C"))
    );
    assert_eq!(
        (&edited["offset"], &edited["prev_offset"]),
        (&json!(2), &json!(1))
    );

    let stale = json!({"announcement": id, "version": 1});
    let refused = bob.refused("acknowledge", stale).await;
    assert_eq!(refused, "conflict");
    let done = bob
        .ask("acknowledge", json!({"announcement": id, "version": 2}))
        .await;
    assert_eq!(done["payload"]["unread"], json!({"Public": 0}));

    assert_eq!(
        alice.ask("recall", json!({"announcement": id})).await["type"],
        "recalled"
    );
    let recalled = bob.hear("recalled").await;
    assert_eq!(
        (&recalled["announcement"], &recalled["offset"]),
        (id, &json!(3))
    );
    assert!(recalled.get("body").is_none());
    let told: Vec<_> = phone
        .all()
        .await
        .iter()
        .map(|it| it["type"].clone())
        .collect();
    assert!(told.contains(&json!("recalled")), "{told:?}");
    house.close().await;
}

//= A57 type=test
//= A61 type=test
//= A66 type=test
//= AU-28 type=test
#[tokio::test]
async fn what_is_unread_comes_page_by_page_and_is_read_once_for_all_devices() {
    let house = House::open().await;
    let mut alice = house.native("alice", PUBLISH).await;
    let mut bob = house.native("bob", &[]).await;
    let mut phone = house.native("bob", &[]).await;
    let mut carol = house.native("carol", &[]).await;
    let mut ids = Vec::new();
    for at in 0..5 {
        let draft = json!({"feed": "Public", "body": at.to_string()});
        ids.push(alice.ask("publish", draft).await["payload"]["announcement"].take());
    }
    let (mut read, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = bob
            .ask("unread", json!({"limit": 2, "cursor": cursor}))
            .await["payload"]
            .take();
        read.extend(
            page["announcements"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["announcement"].clone()),
        );
        assert_eq!(page["unread"], json!({"Public": 5}));
        cursor = page["cursor"].clone();
        assert_eq!(page["complete"], cursor.is_null());
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(read, ids);
    for _ in 0..5 {
        phone.hear("announcement").await;
        carol.hear("announcement").await;
    }
    let state = bob
        .ask(
            "read",
            json!({"feed": "Public", "announcements": [ids[4], ids[1]]}),
        )
        .await;
    assert_eq!(state["payload"]["unread"], json!({"Public": 3}));
    assert_eq!(
        phone.hear("read_state").await["unread"],
        json!({"Public": 3})
    );
    bob.ask("read", json!({"feed": "Public", "up_to": 3})).await;
    let told = phone.hear("read_state").await;
    assert_eq!(
        (&told["up_to"], &told["unread"]),
        (&json!(3), &json!({"Public": 1}))
    );
    assert_eq!(told["announcements"], json!([ids[0], ids[2]]));
    for wrong in [
        json!({"feed": "Public", "announcements": "nothing"}),
        json!({"feed": "HR", "up_to": 0}),
        json!({"feed": "user:alice", "up_to": 0}),
    ] {
        assert_eq!(bob.refused("read", wrong).await, "unknown_notification");
    }
    assert!(
        carol.all().await.is_empty(),
        "read states are the person's own"
    );
    house.close().await;
}

//= A43 type=test
//= A69 type=test
#[tokio::test]
async fn what_is_wrong_is_answered_with_its_id_and_the_fifth_in_a_row_closes() {
    let house = House::open().await;
    let mut bob = house.native("bob", &[]).await;
    let unknown = bob.ask("dance", json!({})).await;
    let message = unknown["payload"]["message"].as_str().unwrap();
    assert!(
        message.contains("publish") && message.contains("relay"),
        "{message}"
    );
    for (payload, code) in [
        (json!({"feed": "Public"}), "missing_field"),
        (json!({"feed": 7, "body": "B"}), "wrong_type"),
        (
            json!({"feed": "Public", "body": "B", "visible_at": "tomorrow"}),
            "wrong_type",
        ),
    ] {
        assert_eq!(bob.refused("publish", payload).await, code);
    }
    let golden = bob
        .ask("unread", json!({"limit": 1, "unknown": null}))
        .await;
    let expected =
        json!({"announcements": [], "unread": {"Public": 0}, "cursor": null, "complete": true});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(golden["payload"][name], *value);
    }
    for text in ["{", "[]", r#"{"type":7}"#, r#"{"type":"sign","id":{}}"#] {
        bob.socket.send(Message::text(text)).await.unwrap();
        assert!(bob.next().await.get("replyTo").is_none());
    }
    bob.socket.send(Message::binary(vec![0xff])).await.unwrap();
    let last = bob.next().await;
    assert_eq!(last["payload"]["code"], "malformed_json");
    assert_eq!(bob.closed().await.0, 4400);
    house.close().await;
}
