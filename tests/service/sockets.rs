//! Announcements from one socket to others.

use std::time::Duration;

use framewire::client;
use framewire::engine::Message;
use framewire::wire::close::CloseCode;
use serde_json::json;
use tokio::time::timeout;

use crate::house::House;

const PUBLISH: &[&str] = &["announce:public"];

//= A42 type=test
//= A62 type=test
//= A65 type=test
#[tokio::test]
async fn an_announcement_reaches_everyone_who_is_signed_in_and_nobody_else() {
    let house = House::open().await;
    let mut anonymous = house.connect().await;
    let mut alice = house.sign_in("alice", PUBLISH).await;
    let mut bob = house.sign_in("bob", &[]).await;
    let said = json!({"Group": "Public", "Title": "T", "Body": "B", "Colour": {"h": 210}});
    alice.say("Public announcement", said).await;

    let published = alice.hear_intent("Published").await;
    assert_eq!(
        (&published["offset"], &published["online"]),
        (&json!(1), &json!(2))
    );
    let pushed = bob.hear().await;
    assert_eq!(pushed["Intent"], "Public announcement");
    assert_eq!(
        (&pushed["Title"], &pushed["Colour"]),
        (&json!("T"), &json!({"h": 210}))
    );
    assert_eq!(pushed["NotificationID"], published["NotificationID"]);

    // Had the anonymous socket been sent the announcement, it would hear that first.
    anonymous.say("Get unread messages", json!({})).await;
    assert_eq!(
        anonymous.hear_text().await,
        r#"{"auth":false,"message":"No token provided."}"#
    );
    house.close().await;
}

//= A81 type=test
#[tokio::test]
async fn credentials_never_leave_the_server() {
    let house = House::open().await;
    let mut alice = house.sign_in("alice", PUBLISH).await;
    let mut bob = house.sign_in("bob", &[]).await;
    let said = json!({"Group": "Public", "Body": "B", "Bearer": "a-second-credential-of-hers"});
    alice.say("Public announcement", said).await;
    let pushed = bob.hear_text().await;
    bob.say("Get unread messages", json!({})).await;
    let unread = bob.hear_text().await;
    for text in [&pushed, &unread] {
        assert!(text.contains("\"Body\":\"B\""), "{text}");
        assert!(
            !text.contains("second-credential") && !text.contains(&alice.token),
            "{text}"
        );
    }
    house.close().await;
}

//= A01 type=test
//= A57 type=test
//= A66 type=test
#[tokio::test]
async fn what_is_announced_stays_unread_through_a_restart_until_it_is_read() {
    let house = House::open().await;
    let mut alice = house.sign_in("alice", PUBLISH).await;
    alice
        .say(
            "Public announcement",
            json!({"Group": "Public", "Body": "B"}),
        )
        .await;
    let published = alice.hear_intent("Published").await;

    let house = House::open_in(house.close().await).await;
    let mut carol = house.sign_in("carol", &[]).await;
    carol.say("Get unread messages", json!({})).await;
    let unread = carol.hear().await;
    assert_eq!(unread["unread"], json!({"Public": 1}));
    assert_eq!(
        unread["messages"][0]["NotificationID"],
        published["NotificationID"]
    );

    let read = json!({"Group": "Public", "NotificationID": published["NotificationID"]});
    carol.say("Mark as read", read).await;
    assert_eq!(carol.hear().await["unread"], json!({"Public": 0}));
    let house = House::open_in(house.close().await).await;
    let mut carol = house.sign_in("carol", &[]).await;
    carol.say("Get unread messages", json!({})).await;
    assert_eq!(carol.hear().await["messages"], json!([]));
    house.close().await;
}

//= A72 type=test
#[tokio::test]
async fn reading_on_one_device_is_told_to_the_others() {
    let house = House::open().await;
    let mut alice = house.sign_in("alice", PUBLISH).await;
    let mut phone = house.sign_in("bob", &[]).await;
    let mut desk = house.sign_in("bob", &[]).await;
    alice
        .say(
            "Public announcement",
            json!({"Group": "Public", "Body": "B"}),
        )
        .await;
    let pushed = phone.hear().await;
    assert_eq!(desk.hear().await, pushed);
    let read = json!({"Group": "Public", "NotificationID": pushed["NotificationID"]});
    phone.say("Mark as read", read).await;
    for device in [&mut phone, &mut desk] {
        let told = device.hear().await;
        assert_eq!(told["Intent"], "Mark as read");
        assert_eq!(told["unread"], json!({"Public": 0}));
    }
    house.close().await;
}

//= A79 type=test
#[tokio::test]
async fn everybody_hears_announcements_in_the_order_of_their_offsets() {
    let house = House::open().await;
    let mut readers = Vec::new();
    for at in 0..4 {
        readers.push(house.sign_in(&format!("reader-{at}"), &[]).await);
    }
    let mut publishers = Vec::new();
    for at in 0..8 {
        let mut person = house.sign_in(&format!("publisher-{at}"), PUBLISH).await;
        publishers.push(tokio::spawn(async move {
            for _ in 0..25 {
                person
                    .say(
                        "Public announcement",
                        json!({"Group": "Public", "Body": "B"}),
                    )
                    .await;
            }
            for _ in 0..25 {
                person.hear_intent("Published").await;
            }
        }));
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    for reader in &mut readers {
        for offset in 1..=200 {
            assert_eq!(reader.hear().await["offset"], offset);
        }
    }
    house.close().await;
}

//= A43 type=test
//= A44 type=test
//= A59 type=test
#[tokio::test]
async fn malformed_messages_are_answered_and_harm_nobody() {
    let house = House::open().await;
    let mut bob = house.sign_in("bob", &[]).await;
    let mut other = house.sign_in("other", &[]).await;
    for text in ["{", "null", "[1]", "\u{0}"] {
        bob.socket.send(Message::text(text)).await.unwrap();
        assert_eq!(bob.hear().await["type"], "error", "{text:?}");
    }
    bob.socket
        .send(Message::binary(vec![0xff, 0xfe]))
        .await
        .unwrap();
    assert_eq!(bob.hear().await["type"], "error");
    assert_eq!(bob.closed_with().await, 4400);
    other.say("Mark as read", json!({})).await;
    assert_eq!(other.hear().await["payload"]["code"], "missing_field");
    other.say("Get unread messages", json!({})).await;
    assert_eq!(other.hear().await["Intent"], "Get unread messages");
    house.close().await;
}

//= A74 type=test
#[tokio::test]
async fn a_message_over_64_kib_closes_its_connection_with_1009() {
    let house = House::open().await;
    let mut bob = house.sign_in("bob", &[]).await;
    bob.socket
        .send(Message::text("x".repeat(65_537)))
        .await
        .unwrap();
    assert_eq!(bob.closed_with().await, CloseCode::MESSAGE_TOO_BIG.get());
    house.close().await;
}

//= A52 type=test
#[tokio::test]
async fn nobody_signs_in_as_somebody_else() {
    let house = House::open().await;
    let mut mallory = house.connect().await;
    mallory.token = house.token("mallory", &[]);
    mallory.say("Sign", json!({"UserID": "alice"})).await;
    let answer = r#"{"auth":false,"message":"UserID does not match token."}"#;
    assert_eq!(mallory.hear_text().await, answer);
    assert_eq!(mallory.closed_with().await, 4403);
    house.close().await;
}

//= A64 type=test
#[tokio::test]
async fn publishing_without_the_scope_is_forbidden() {
    let house = House::open().await;
    let mut bob = house.sign_in("bob", &["announce:user"]).await;
    bob.say(
        "Public announcement",
        json!({"Group": "Public", "Body": "B"}),
    )
    .await;
    assert_eq!(bob.hear().await["payload"]["code"], "forbidden");
    house.close().await;
}

//= A28 type=test
#[tokio::test]
async fn another_path_is_answered_404() {
    let house = House::open().await;
    let refused = client::connect(&format!("ws://{}/websocket", house.address)).await;
    let Err(client::ConnectError::Refused(answer)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(answer.status(), 404);
    let with_query = format!("ws://{}/websockets?namespace=main", house.address);
    let mut socket = client::connect(&with_query).await.unwrap();
    socket.close(CloseCode::NORMAL_CLOSURE, "").await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn the_dialect_is_chosen_where_it_is_offered() {
    let house = House::open().await;
    let url = format!("ws://{}/websockets", house.address);
    let config = client::Config::default()
        .with_subprotocol("announce.v9")
        .with_subprotocol("announce.intent.v0");
    let (socket, _) = client::connect_with(&url, &config).await.unwrap();
    assert_eq!(socket.subprotocol(), Some("announce.intent.v0"));
    let config = client::Config::default().with_subprotocol("announce.v9");
    let (socket, _) = client::connect_with(&url, &config).await.unwrap();
    assert_eq!(socket.subprotocol(), None);
    drop(socket);
    house.close().await;
}

#[tokio::test]
async fn a_server_that_restarts_says_1012() {
    let house = House::open().await;
    let mut bob = house.sign_in("bob", &[]).await;
    let (_, code) = tokio::join!(house.close(), bob.closed_with());
    assert_eq!(code, 1012);
}

//= A56 type=test
#[tokio::test]
async fn a_socket_whose_token_expires_is_closed_with_4401() {
    let house = House::open().await;
    let mut bob = house.connect().await;
    bob.token = house.token_for("bob", Duration::from_millis(1500));
    bob.say("Sign", json!({})).await;
    assert_eq!(bob.hear().await["auth"], true);
    assert_eq!(bob.closed_with().await, 4401);
    house.close().await;
}

/// The skew of 30 s is for the clocks of others; it prolongs no stay.
//= AU-10 type=test
#[tokio::test]
async fn a_token_that_has_just_ended_begins_no_stay() {
    let house = House::open().await;
    let mut bob = house.connect().await;
    let minted = std::time::SystemTime::now() - Duration::from_secs(40);
    bob.token = house.token_minted("bob", Duration::from_secs(38), minted);
    bob.say("Sign", json!({})).await;
    assert_eq!(bob.hear().await["auth"], false);
    house.close().await;
}

/// A commit holds many announcements, which then arrive at once. Nobody is slow for that.
//= A76 type=test
#[tokio::test]
async fn a_burst_of_large_announcements_reaches_a_client_that_reads() {
    let house = House::open().await;
    let mut bob = house.sign_in("bob", &[]).await;
    let mut publishers = Vec::new();
    for at in 0..20 {
        let mut person = house.sign_in(&format!("publisher-{at}"), PUBLISH).await;
        publishers.push(tokio::spawn(async move {
            let note = "n".repeat(25_000);
            for _ in 0..4 {
                let said = json!({"Group": "Public", "Body": "B", "Note": note});
                person.say("Public announcement", said).await;
            }
            for _ in 0..4 {
                person.hear_intent("Published").await;
            }
        }));
    }
    for offset in 1..=80 {
        assert_eq!(bob.hear().await["offset"], offset);
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    house.close().await;
}

//= A56 type=test
#[tokio::test]
async fn a_client_that_does_not_read_is_still_heard_and_still_told_to_go() {
    let house = House::open().await;
    let mut alice = house.sign_in("alice", PUBLISH).await;
    let mut carol = house.sign_in("carol", &[]).await;
    let mut stuck = house.sign_in("stuck", PUBLISH).await;
    let note = "n".repeat(30_000);
    // Far more than the system keeps for a socket, and less than the mailbox holds.
    for _ in 0..300 {
        let said = json!({"Group": "Public", "Body": "B", "Note": note});
        alice.say("Public announcement", said).await;
        alice.hear_intent("Published").await;
    }
    stuck
        .say(
            "Public announcement",
            json!({"Group": "Public", "Body": "heard"}),
        )
        .await;
    for _ in 0..300 {
        assert_eq!(carol.hear().await["Body"], "B");
    }
    assert_eq!(carol.hear().await["Body"], "heard");
    // The server stops without waiting for the one who does not read.
    house.close().await;
    drop(stuck);
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_refused_and_not_altered() {
    let house = House::open().await;
    let mut alice = house.sign_in("alice", PUBLISH).await;
    let said = json!({
        "APIToken": alice.token, "Intent": "Public announcement", "Group": "Public", "Body": "caf#",
    });
    let mut bytes = said.to_string().into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'#').unwrap();
    bytes[at] = 0xe9;
    alice.socket.send(Message::binary(bytes)).await.unwrap();
    assert_eq!(alice.hear().await["payload"]["code"], "malformed_json");
    house.close().await;
}

//= A81 type=test
#[tokio::test]
async fn a_credential_is_known_however_it_is_escaped() {
    let house = House::open().await;
    let mut alice = house.sign_in("alice", PUBLISH).await;
    let token = &alice.token;
    let escaped = format!("\\u{:04x}{}", u32::from(token.as_bytes()[0]), &token[1..]);
    for field in [
        r#""Bearer":"0123\/456789abcdef","Body":"see 0123\/456789abcdef""#.to_owned(),
        r#""Bearer":"0123/456789abcdef","Body":["see 0123\/456789abcdef"]"#.to_owned(),
        format!(r#""Body":"{escaped}""#),
    ] {
        let text = format!(
            r#"{{"APIToken":"{token}","Intent":"Public announcement","Group":"Public",{field}}}"#
        );
        alice.socket.send(Message::text(text)).await.unwrap();
        let heard = timeout(Duration::from_secs(20), alice.socket.recv())
            .await
            .unwrap();
        let heard = heard.unwrap().unwrap();
        assert!(
            heard.as_text().unwrap().contains("\"forbidden\""),
            "{field}: {heard:?}"
        );
    }
    house.close().await;
}

// drops: announce::service::accepting::run
// drops: announce::service::accepting::run_with
#[tokio::test]
async fn a_run_that_is_dropped_accepts_no_more_and_leaves_the_open_ones() {
    let mut house = House::open().await;
    let mut alice = house.sign_in("alice", &["announce:public"]).await;
    house.stop_accepting().await;
    assert!(tokio::net::TcpStream::connect(house.address).await.is_err());
    alice.say("Get unread messages", json!({})).await;
    let reply = alice.hear().await;
    assert!(reply.is_object(), "{reply}");
}
