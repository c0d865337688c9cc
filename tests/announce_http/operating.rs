//! What operators ask for and do.

use serde_json::json;

use crate::house::{House, hear};

//= C22 type=test
//= C25 type=test
#[tokio::test]
async fn a_message_goes_to_all_connections_of_those_who_are_named() {
    let house = House::open().await;
    let sender = house.token("payroll", &["send"]);
    let mut bob = [
        house.connect(&house.token("bob", &[])).await,
        house.connect(&house.token("bob", &[])).await,
    ];
    let mut carol = house.connect(&house.token("carol", &[])).await;
    let body = json!({"event": "MEMBER_DEACTIVATED", "payload": {"memberId": 7}});
    let sent = house
        .ask(&sender, "POST", "/api/v1/users/bob/messages", Some(body))
        .await;
    assert_eq!(sent.json(), json!({"queued": 2}));
    for socket in &mut bob {
        let heard = hear(socket, "relayed").await;
        assert_eq!(
            (&heard["from"], &heard["event"]),
            (&json!("payroll"), &json!("MEMBER_DEACTIVATED"))
        );
        assert_eq!(heard["payload"], json!({"memberId": 7}));
    }
    let body = json!({"to": ["bob", "carol"], "event": "e", "payload": null});
    let sent = house
        .ask(&sender, "POST", "/api/v1/messages", Some(body))
        .await;
    assert_eq!(sent.json(), json!({"queued": 3}));
    assert_eq!(hear(&mut carol, "relayed").await["payload"], json!(null));
    drop((bob, carol));
    house.close().await;
}

//= B41 type=test
//= B50 type=test
#[tokio::test]
async fn the_bus_takes_what_a_scope_allows() {
    let house = House::open().await;
    let mut heard = house.bus.subscribe("orders").unwrap();
    let producer = house.token("shop", &["bus:orders"]);
    let sent = house
        .ask(
            &producer,
            "POST",
            "/api/v1/bus/orders",
            Some(json!({"n": 1})),
        )
        .await;
    assert_eq!((sent.status, &sent.json()["accepted"]), (200, &json!(true)));
    let publication = heard.next().await.unwrap();
    assert_eq!(publication.data().as_str(), r#"{"n":1}"#);
    let other = house
        .ask(&producer, "POST", "/api/v1/bus/other", Some(json!({})))
        .await;
    assert_eq!(other.status, 403);
    house.close().await;
}

#[tokio::test]
async fn connections_are_listed_closed_and_recorded() {
    let house = House::open().await;
    let admin = house.token("root", &["admin"]);
    let elsewhere = house.issue("spy", &["admin"], &[], &["acme"], crate::house::PATIENCE);
    let mut bob = house.connect(&house.token("bob", &[])).await;
    let target = "/api/v1/connections";
    let listed = house.ask(&admin, "GET", target, None).await.json();
    assert_eq!(
        (&listed["total"], &listed["connections"][0]["user"]),
        (&json!(1), &json!("bob"))
    );
    let other = house.ask(&elsewhere, "GET", target, None).await.json();
    assert_eq!(other, json!({"connections": [], "total": 0}));
    let target = "/api/v1/connections?user=bob";
    let closed = house.ask(&elsewhere, "DELETE", target, None).await;
    assert_eq!(closed.json(), json!({"closed": 0}));
    let closed = house.ask(&admin, "DELETE", target, None).await;
    assert_eq!(closed.json(), json!({"closed": 1}));
    while bob.recv().await.unwrap().is_some() {}
    assert_eq!(bob.closure().unwrap().code().get(), 4401);
    let audit = house.ask(&admin, "GET", "/api/v1/audit", None).await.json();
    assert_eq!(audit["records"].as_array().unwrap().len(), 1);
    let record = &audit["records"][0];
    assert_eq!(
        (&record["action"], &record["subject"]),
        (&json!("connections.close"), &json!("bob"))
    );
    house.close().await;
}

#[tokio::test]
async fn rooms_figures_and_reload_are_for_operators() {
    let house = House::open().await;
    let admin = house.token("root", &["admin"]);
    let mut bob = house.connect(&house.token("bob", &[])).await;
    let join = json!({"type": "join", "payload": {"room": "kitchen"}});
    let join = framewire::engine::Message::text(join.to_string());
    bob.send(join).await.unwrap();
    hear(&mut bob, "present").await;
    let rooms = house.ask(&admin, "GET", "/api/v1/rooms", None).await.json();
    assert_eq!(rooms, json!({"rooms": [{"room": "kitchen", "people": 1}]}));
    let room = house
        .ask(&admin, "GET", "/api/v1/rooms/kitchen", None)
        .await
        .json();
    assert_eq!(room["people"], json!(["bob"]));
    let alice = house.token("alice", &["announce:public"]);
    house
        .publish(&alice, json!({"feed": "Public", "body": "B"}))
        .await;
    hear(&mut bob, "announcement").await;
    let figures = house
        .ask(&admin, "GET", "/api/v1/statistics", None)
        .await
        .json();
    assert_eq!(figures["connections"]["by_dialect"]["native"], 1);
    assert_eq!(figures["people_online"], 1);
    for name in ["announcements_per_minute", "deliveries_per_minute"] {
        let minutes = figures[name].as_array().unwrap();
        let sum: u64 = minutes.iter().map(|it| it.as_u64().unwrap()).sum();
        assert_eq!((minutes.len(), sum), (60, 1), "{name}");
    }
    let reloaded = house
        .ask(&admin, "POST", "/admin/reload", None)
        .await
        .json();
    assert_eq!(
        reloaded,
        json!({"applied": ["auth.keys"], "needs_restart": []})
    );
    let none = house.ask(&admin, "GET", "/api/v1/schedules", None).await;
    assert_eq!((none.status, none.code().as_str()), (501, "not_available"));
    drop(bob);
    house.close().await;
}

//= A78 type=test
//= AU-37 type=test
#[tokio::test]
async fn figures_hold_no_text_of_users() {
    let house = House::open().await;
    let reader = house.token("prometheus", &["metrics"]);
    let user = "bob-whose-name-is-private";
    let token = house.issue(
        user,
        &["announce:channel", "admin"],
        &["HR"],
        &["tenant"],
        crate::house::PATIENCE,
    );
    let mut socket = house.connect(&token).await;
    house
        .ask(&token, "PUT", "/api/v1/feeds/HR/members/x", None)
        .await;
    house
        .publish(&token, json!({"feed": "HR", "body": "words"}))
        .await;
    // It is counted when it becomes visible, which its publisher is not kept waiting for.
    hear(&mut socket, "announcement").await;
    house.ask(&token, "GET", "/api/v1/private-path", None).await;
    house.ask("guess", "GET", "/metrics", None).await;
    let answer = house.ask(&reader, "GET", "/metrics", None).await;
    assert_eq!(answer.status, 200);
    for line in [
        "framewire_connections{dialect=\"native\"} 1",
        "framewire_messages_total{dialect=\"native\"} 1",
        "framewire_announcements_total{feed=\"channel\"} 1",
        "framewire_deliveries_total{outcome=\"queued\"} 1",
        "framewire_tokens_refused_total{reason=\"malformed\"} 1",
        "framewire_publish_to_queue_seconds_count 1",
        "framewire_http_requests_total{route=\"/api/v1/announcements\",status=\"201\"} 1",
        "framewire_store_commits_total",
        "framewire_rooms 0",
    ] {
        assert!(answer.body.contains(line), "{line}: {}", answer.body);
    }
    for private in [user, "tenant", "HR", "words", "private-path"] {
        assert!(!answer.body.contains(private), "{private}");
    }
    drop(socket);
    house.close().await;
}
