//! Announcements by HTTP, and what sockets hear of them.

use serde_json::json;

use crate::house::{House, hear};

const ALL: &str = "/api/v1/announcements";

//= A62 type=test
//= D03 type=test
#[tokio::test]
async fn an_announcement_by_http_reaches_sockets_and_is_listed() {
    let house = House::open().await;
    let alice = house.token("alice", &["announce:public"]);
    let mut bob = house.connect(&house.token("bob", &[])).await;
    let body = json!({"feed": "Public", "title": "T", "data": {"Colour": 1}, "priority": "high"});
    let dry = json!({"feed": "Public", "title": "T", "dry_run": true});
    let dry = house.ask(&alice, "POST", ALL, Some(dry)).await;
    assert_eq!(
        (dry.status, dry.json()),
        (200, json!({"audience": 1, "online": 1}))
    );
    let made = house.publish(&alice, body).await;
    assert_eq!(
        (&made["offset"], &made["state"]),
        (&json!(1), &json!("released"))
    );
    let heard = hear(&mut bob, "announcement").await;
    assert_eq!(heard["announcement"], made["announcement"]);
    assert_eq!(
        (&heard["title"], &heard["data"]),
        (&json!("T"), &json!({"Colour": 1}))
    );

    let listed = house.ask(&alice, "GET", ALL, None).await.json();
    assert_eq!(listed["announcements"].as_array().unwrap().len(), 1);
    let id = made["announcement"].as_str().unwrap();
    let one = house.ask(&alice, "GET", &format!("{ALL}/{id}"), None).await;
    assert_eq!(one.json(), listed["announcements"][0]);
    // Bob is in the audience; somebody who was never here is not.
    for (user, status) in [("bob", 200), ("stranger", 404)] {
        let token = house.token(user, &[]);
        let answer = house.ask(&token, "GET", &format!("{ALL}/{id}"), None).await;
        assert_eq!(answer.status, status, "{user}");
    }
    let counted = house.service.counters().snapshot();
    assert_eq!(counted.latency.iter().sum::<u64>(), 1);
    assert_eq!(counted.queued, 1);
    drop(bob);
    house.close().await;
}

#[tokio::test]
async fn a_repetition_is_recognised_by_its_key() {
    let house = House::open().await;
    let alice = house.token("alice", &["announce:public"]);
    let body = json!({"feed": "Public", "body": "B"});
    let key = "Idempotency-Key: one\r\n";
    let first = house
        .ask_with(&alice, "POST", ALL, Some(body.clone()), key)
        .await;
    assert_eq!(first.status, 201);
    for _ in 0..3 {
        let again = house
            .ask_with(&alice, "POST", ALL, Some(body.clone()), key)
            .await;
        assert_eq!(
            (again.status, &again.json()["duplicate"]),
            (200, &json!(true))
        );
        assert_eq!(again.json()["announcement"], first.json()["announcement"]);
    }
    let other = json!({"feed": "Public", "body": "B", "key": "two"});
    let both = house.ask_with(&alice, "POST", ALL, Some(other), key).await;
    assert_eq!(both.status, 400);
    house.close().await;
}

//= C24 type=test
#[tokio::test]
async fn bodies_are_read_strictly() {
    let house = House::open().await;
    let alice = house.token("alice", &["announce:public", "send"]);
    for (target, body, code) in [
        (ALL, r#"{"feed":"Public","titel":"T"}"#, "unknown_field"),
        (ALL, r#"{"feed":"Public"}"#, "missing_field"),
        (ALL, r#"{"title":"T"}"#, "missing_field"),
        (ALL, r#"{"feed":"Public","title":1}"#, "wrong_type"),
        (
            ALL,
            r#"{"feed":"Public","title":"T","title":"U"}"#,
            "malformed_json",
        ),
        (ALL, "[]", "not_an_object"),
        (ALL, "", "malformed_json"),
        (
            "/api/v1/users/bob/messages",
            r#"{"event":"e"}"#,
            "missing_field",
        ),
        (
            "/api/v1/users/bob/messages",
            r#"{"payload":1}"#,
            "missing_field",
        ),
        (
            "/api/v1/users/bob/messages",
            r#"{"event":"e","payload":1,"params":2}"#,
            "unknown_field",
        ),
    ] {
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {alice}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = house.raw(&request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, code),
            "{body}"
        );
    }
    let long = json!({"feed": "Public", "body": "x".repeat(65_536)});
    assert_eq!(house.ask(&alice, "POST", ALL, Some(long)).await.status, 413);
    let unknown = house
        .ask(&alice, "GET", &format!("{ALL}?lmit=1"), None)
        .await;
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (400, "unknown_field")
    );
    house.close().await;
}

#[tokio::test]
async fn edits_and_recalls_are_heard_and_recorded() {
    let house = House::open().await;
    let alice = house.token("alice", &["announce:public", "admin"]);
    let mut bob = house.connect(&house.token("bob", &[])).await;
    let made = house
        .publish(&alice, json!({"feed": "Public", "body": "B"}))
        .await;
    let one = format!("{ALL}/{}", made["announcement"].as_str().unwrap());
    let edit = json!({"body": "C", "version": 1});
    let edited = house.ask(&alice, "PATCH", &one, Some(edit.clone())).await;
    assert_eq!(edited.json()["version"], 2);
    assert_eq!(
        house.ask(&alice, "PATCH", &one, Some(edit)).await.status,
        409
    );
    assert_eq!(hear(&mut bob, "edited").await["body"], "C");
    let recalled = house.ask(&alice, "DELETE", &one, None).await;
    assert_eq!(recalled.json()["version"], 3);
    assert_eq!(
        hear(&mut bob, "recalled").await["announcement"],
        made["announcement"]
    );
    let audit = house.ask(&alice, "GET", "/api/v1/audit", None).await.json();
    let actions: Vec<_> = audit["records"].as_array().unwrap().iter().collect();
    assert_eq!(actions.len(), 2, "{audit}");
    drop(bob);
    house.close().await;
}

//= A57 type=test
#[tokio::test]
async fn reading_by_http_is_told_to_sockets_and_stands_in_the_ledger() {
    let house = House::open().await;
    let alice = house.token("alice", &["announce:public", "admin"]);
    let token = house.token("bob", &[]);
    let mut bob = house.connect(&token).await;
    let made = house
        .publish(&alice, json!({"feed": "Public", "body": "B"}))
        .await;
    let id = made["announcement"].as_str().unwrap();
    let unread = house
        .ask(&token, "GET", "/api/v1/users/bob/unread", None)
        .await
        .json();
    assert_eq!(unread["unread"], json!({"Public": 1}));
    assert_eq!(unread["announcements"][0]["announcement"], id);
    let read = json!({"feed": "Public", "announcements": [id]});
    for _ in 0..2 {
        let target = "/api/v1/users/bob/read";
        let done = house.ask(&token, "POST", target, Some(read.clone())).await;
        assert_eq!(done.json()["unread"], json!({"Public": 0}), "{}", done.body);
    }
    assert_eq!(
        hear(&mut bob, "read_state").await["unread"],
        json!({"Public": 0})
    );
    let target = format!("{ALL}/{id}/ledger");
    let ledger = house.ask(&alice, "GET", &target, None).await.json();
    assert_eq!(
        (&ledger["audience"], &ledger["read"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(ledger["people"][0]["user"], "bob");
    assert_eq!(ledger["people"][0]["is_read"], true);
    let rest = house
        .ask(&alice, "GET", &format!("{target}?who=not_read"), None)
        .await;
    assert_eq!(rest.json()["people"], json!([]));
    let target = format!("{ALL}/{id}/explain?user=bob");
    let steps = house.ask(&alice, "GET", &target, None).await.json();
    let steps = steps["steps"].as_array().unwrap();
    for what in ["stored", "in_audience", "visible", "read"] {
        assert!(
            steps.iter().any(|step| step["what"] == what),
            "{what}: {steps:?}"
        );
    }
    drop(bob);
    house.close().await;
}
