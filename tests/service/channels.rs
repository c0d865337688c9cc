//! Channels, roles and times, as the first clients speak of them.

use std::time::Duration;

use serde_json::json;

use crate::house::{House, grant};

//= A58 type=test
//= A60 type=test
//= A63 type=test
#[tokio::test]
async fn a_group_reaches_those_whose_token_makes_them_members() {
    let house = House::open().await;
    let scopes = [
        "announce:public",
        "announce:channel",
        "announce:role:lead",
        "announce:user",
    ];
    let mut alice = house.sign_in("alice", &scopes).await;
    let mut bob = house
        .sign_in_as(&grant("bob", &[], &["HR"], &["lead"]))
        .await;
    let mut other = house.sign_in("other", &[]).await;
    for (group, delivered) in [
        (json!("HR"), json!({"channel": "HR"})),
        (json!({"channel": "HR"}), json!({"channel": "HR"})),
        (json!({"role": "lead"}), json!({"role": "lead"})),
        (json!({"user": "bob"}), json!({"user": "bob"})),
        (json!("Public"), json!("Public")),
    ] {
        let said = json!({"Group": group, "Body": "B", "Priority": "HOT"});
        alice.say("Public announcement", said).await;
        let published = alice.hear_intent("Published").await;
        let heard = bob.hear().await;
        assert_eq!(
            heard["NotificationID"], published["NotificationID"],
            "{group}"
        );
        assert_eq!(
            (&heard["Group"], &heard["Priority"]),
            (&delivered, &json!("HOT"))
        );
    }
    assert_eq!(
        other.hear().await["Group"],
        "Public",
        "and nothing before it"
    );
    house.close().await;
}

//= A68 type=test
#[tokio::test]
async fn a_change_of_personnel_data_is_for_the_department_alone() {
    let house = House::open().await;
    let mut clerk = house.sign_in_as(&grant("clerk", &[], &["HR"], &[])).await;
    let mut other = house
        .sign_in("other", &["announce:public", "announce:channel"])
        .await;
    let change = json!({"UserID": "u7", "Change": {"Street": "new"}});
    other
        .say("Inform HR Master Data Change", change.clone())
        .await;
    assert_eq!(other.hear().await["payload"]["code"], "forbidden");
    let mut app = house.sign_in("app", &["hr:inform"]).await;
    app.say("Inform HR Master Data Change", change).await;
    let answer = app.hear().await;
    assert_eq!(answer["Intent"], "Published", "{answer}");
    let heard = clerk.hear().await;
    assert_eq!(heard["Intent"], "Inform HR Master Data Change");
    assert_eq!(
        (&heard["UserID"], &heard["Change"]),
        (&json!("u7"), &json!({"Street": "new"}))
    );
    clerk.say("Get unread messages", json!({})).await;
    assert_eq!(clerk.hear().await["unread"]["HR"], 1);
    for person in [&mut other, &mut app] {
        person.say("Get unread messages", json!({})).await;
        let unread = person.hear().await;
        assert_eq!(unread["unread"], json!({"Public": 0}), "{unread}");
    }
    house.close().await;
}

#[tokio::test]
async fn what_has_to_be_acknowledged_is_told_and_acknowledged() {
    let house = House::open().await;
    let mut alice = house.sign_in("alice", &["announce:public"]).await;
    let mut bob = house.sign_in("bob", &[]).await;
    let by = "2099-01-01T00:00:00Z";
    let said = json!({"Group": "Public", "Body": "B", "RequireAck": true, "AckBy": by});
    alice.say("Public announcement", said).await;
    let heard = bob.hear().await;
    assert_eq!(
        (&heard["RequireAck"], &heard["AckBy"]),
        (&json!(true), &json!("2099-01-01T00:00:00.000Z"))
    );
    let id = &heard["NotificationID"];
    bob.say("Acknowledge", json!({"NotificationID": id, "RequestID": 9}))
        .await;
    let done = bob.hear().await;
    assert_eq!(
        (&done["Intent"], &done["RequestID"]),
        (&json!("Acknowledge"), &json!(9))
    );
    assert_eq!(done["unread"], json!({"Public": 0}));
    bob.say("Acknowledge", json!({"NotificationID": "nothing"}))
        .await;
    assert_eq!(bob.hear().await["payload"]["code"], "unknown_notification");
    house.close().await;
}

#[tokio::test]
async fn what_is_to_be_seen_later_comes_at_its_time_and_expires_at_its_end() {
    let house = House::open().await;
    let mut alice = house.sign_in("alice", &["announce:public"]).await;
    let mut bob = house.sign_in("bob", &[]).await;
    let now = std::time::SystemTime::now();
    let at = |seconds| {
        let time = jiff::Timestamp::try_from(now + Duration::from_secs(seconds)).unwrap();
        time.to_string()
    };
    let later = json!({"Group": "Public", "Body": "later", "VisibleAt": at(2), "ExpiresAt": at(3)});
    alice.say("Public announcement", later).await;
    alice
        .say(
            "Public announcement",
            json!({"Group": "Public", "Body": "now"}),
        )
        .await;
    let first = bob.hear().await;
    assert_eq!(
        (&first["Body"], &first["offset"]),
        (&json!("now"), &json!(1))
    );
    let second = bob.hear().await;
    assert!(now.elapsed().unwrap() >= Duration::from_secs(2));
    assert_eq!(
        (&second["Body"], &second["offset"]),
        (&json!("later"), &json!(2))
    );
    tokio::time::sleep(Duration::from_millis(1500)).await;
    bob.say("Get unread messages", json!({})).await;
    assert_eq!(bob.hear().await["unread"], json!({"Public": 1}));
    for wrong in [
        json!({"ExpiresAt": at(0)}),
        json!({"VisibleAt": at(9), "ExpiresAt": at(8)}),
    ] {
        let mut said = wrong;
        (said["Group"], said["Body"]) = (json!("Public"), json!("B"));
        alice.say("Public announcement", said).await;
        let error = loop {
            let heard = alice.hear().await;
            if heard["type"] == "error" {
                break heard;
            }
        };
        assert_eq!(error["payload"]["code"], "wrong_type");
    }
    house.close().await;
}
