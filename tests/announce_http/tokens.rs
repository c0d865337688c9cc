//! Who is let in, and who is not.

use std::time::{Duration, SystemTime};

use framewire::client;
use framewire::engine::Message;
use serde_json::json;

use crate::house::{House, hear};

//= H1-10 type=test
//= AU-01 type=test
//= AU-37 type=test
#[tokio::test]
async fn every_route_but_health_and_the_document_needs_one_good_token() {
    let house = House::open().await;
    let good = house.token("alice", &["admin"]);
    let wrong = [
        String::new(),
        "Authorization: \r\n".to_owned(),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer \r\n".to_owned(),
        format!("Authorization: Basic {good}\r\n"),
        format!("Authorization: {good}\r\n"),
        format!("Authorization: Bearer {good}x\r\n"),
        format!("Authorization: Bearer {good}\r\nAuthorization: Bearer {good}\r\n"),
    ];
    for (method, path) in framewire::announce::http::routes() {
        if path.starts_with("/health") || path == "/openapi.json" {
            continue;
        }
        for headers in &wrong {
            let request = format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
            // Braces stand for themselves here: no token, no look at the path.
            let request = request.replace(['{', '}'], "");
            let answer = house.raw(&request).await;
            // An address that fails too often is told so instead.
            assert!(
                [401, 429].contains(&answer.status),
                "{request}: {}",
                answer.body
            );
            if answer.status == 401 {
                assert!(answer.head.contains("www-authenticate: bearer"));
                assert_eq!(answer.code(), "bad_token");
            }
            assert!(!answer.body.contains(&good));
        }
    }
    house.close().await;
}

#[tokio::test]
async fn a_token_that_has_ended_or_was_revoked_is_refused() {
    let house = House::open().await;
    let admin = house.token("root", &["admin"]);
    let bob = house.token("bob", &[]);
    let target = "/api/v1/users/bob/unread";
    assert_eq!(house.ask(&bob, "GET", target, None).await.status, 200);
    let body = json!({"user": "bob"});
    let revoked = house.ask(&admin, "POST", "/api/v1/revocations", Some(body));
    assert_eq!(revoked.await.status, 201);
    assert_eq!(house.ask(&bob, "GET", target, None).await.status, 401);
    let listed = house.ask(&admin, "GET", "/api/v1/revocations", None).await;
    assert_eq!(listed.json()["revocations"][0]["subject"], "bob");
    house.close().await;
}

/// Tokens that are wrong in their own ways.
fn wrong_ones(house: &House) -> Vec<String> {
    let good = house.token("bob", &["admin"]);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, claims) = message.split_once('.').unwrap();
    let flipped = |text: &str, at: usize| {
        let digit = if text.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        format!("{}{digit}{}", &text[..at], &text[at + 1..])
    };
    let stranger = house.token("nobody", &[]);
    let theirs = stranger.split('.').nth(1).unwrap();
    vec![
        format!("{message}.{}", flipped(signature, 0)),
        format!("{message}.{}", flipped(signature, signature.len() - 2)),
        format!("{head}.{theirs}.{signature}"),
        format!("{head}.{}.{signature}", flipped(claims, 40)),
        format!("{message}."),
        "a.b.c".to_owned(),
        house.issue_at("bob", SystemTime::now() - Duration::from_secs(6000)),
        house.issue_at("bob", SystemTime::now() + Duration::from_secs(600)),
    ]
}

//= AU-33 type=test
#[tokio::test]
async fn the_answer_does_not_say_what_is_wrong_with_a_token() {
    let house = House::open().await;
    let target = "/api/v1/users/bob/unread";
    let mut bodies = Vec::new();
    let mut spoken = Vec::new();
    for token in wrong_ones(&house) {
        let answer = house.ask(&token, "GET", target, None).await;
        bodies.push((answer.status, answer.body));
        let url = format!("ws://{}/websockets", house.address);
        let config = client::Config::default().with_subprotocol("announce.v1");
        let (mut socket, _) = client::connect_with(&url, &config).await.unwrap();
        let sign = json!({"type": "sign", "id": 1, "payload": {"token": token}});
        socket.send(Message::text(sign.to_string())).await.unwrap();
        spoken.push(hear(&mut socket, "error").await);
        drop(socket);
    }
    for answers in bodies.windows(2) {
        assert_eq!(answers[0], answers[1]);
    }
    for answers in spoken.windows(2) {
        assert_eq!(answers[0], answers[1]);
    }
    assert_eq!((bodies.len(), bodies[0].0), (8, 401));
    house.close().await;
}

//= AU-38 type=test
#[tokio::test]
async fn a_clock_that_is_far_off_lets_nobody_in_and_is_told() {
    let house = House::open().await;
    let reader = house.token("prometheus", &["metrics"]);
    let ahead = house.issue_at("bob", SystemTime::now() + Duration::from_secs(600));
    let target = "/api/v1/users/bob/unread";
    for _ in 0..2 {
        assert_eq!(house.ask(&ahead, "GET", target, None).await.status, 401);
    }
    // One whose time is over, as all are to a clock that is ahead, says nothing of the clock.
    let behind = house.issue_at("bob", SystemTime::now() - Duration::from_secs(6000));
    assert_eq!(house.ask(&behind, "GET", target, None).await.status, 401);
    let metrics = house.ask(&reader, "GET", "/metrics", None).await.body;
    for line in [
        "framewire_clock_disagreements_total 2\n",
        "framewire_tokens_refused_total{reason=\"not_yet\"} 2\n",
        "framewire_tokens_refused_total{reason=\"expired\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    house.close().await;
}

//= AU-19 type=test
#[tokio::test]
async fn a_token_in_the_query_is_refused_and_repeated_nowhere() {
    let house = House::open().await;
    let token = house.token("bob", &[]);
    for name in ["token", "access_token", "APIToken", "acces%73_token"] {
        let target = format!("/api/v1/users/bob/unread?{name}={token}");
        let answer = house.ask(&token, "GET", &target, None).await;
        assert_eq!(answer.status, 400);
        assert!(!answer.body.contains(&token) && !answer.head.contains(&token.to_lowercase()));
    }
    house.close().await;
}

//= AU-27 type=test
//= AU-28 type=test
#[tokio::test]
async fn another_namespace_and_another_person_stay_closed() {
    let house = House::open().await;
    let root = house.issue("root", &["admin", "announce:public"], &[], &["acme"], HOUR);
    let bob = house.token("bob", &["admin", "announce:public"]);
    let made = house
        .publish(&root, json!({"feed": "Public", "body": "B"}))
        .await;
    let id = made["announcement"].as_str().unwrap();
    let target = format!("/api/v1/announcements/{id}");
    for space in [
        "acme",
        "ACME",
        "Main",
        "main.",
        "main%2F",
        "main%2Facme",
        "main%00",
        "",
    ] {
        let target = format!("{target}?namespace={space}");
        let answer = house.ask(&bob, "GET", &target, None).await;
        assert_eq!(answer.status, 403, "{space}");
    }
    // What stands elsewhere is what is nowhere.
    let nowhere = "/api/v1/announcements/01890000-0000-7000-8000-000000000000";
    for tail in ["", "/ledger", "/explain?user=root"] {
        let there = house
            .ask(&bob, "GET", &format!("{target}{tail}"), None)
            .await;
        let absent = house
            .ask(&bob, "GET", &format!("{nowhere}{tail}"), None)
            .await;
        assert_eq!((there.status, &there.body), (404, &absent.body));
    }
    for method in ["DELETE", "PATCH"] {
        let body = (method == "PATCH").then(|| json!({"body": "x"}));
        let there = house.ask(&bob, method, &target, body.clone()).await;
        let absent = house.ask(&bob, method, nowhere, body).await;
        assert_eq!((there.status, &there.body), (404, &absent.body));
    }
    let carol = house.token("carol", &[]);
    for (method, target, body) in [
        ("GET", "/api/v1/users/bob/unread", None),
        ("GET", "/api/v1/users/nobody/unread", None),
        ("GET", "/api/v1/users/bob/feeds", None),
        (
            "POST",
            "/api/v1/users/bob/read",
            Some(json!({"feed": "Public", "up_to": 1})),
        ),
    ] {
        let answer = house.ask(&carol, method, target, body).await;
        assert_eq!(answer.status, 403, "{target}");
    }
    house.close().await;
}

const HOUR: Duration = Duration::from_secs(3600);

//= AU-25 type=test
//= AU-26 type=test
#[tokio::test]
async fn without_the_scope_nothing_is_done() {
    let house = House::open().await;
    let bob = house.token("bob", &["admin:false", "true", "Admin", "announce"]);
    for (method, target, body) in [
        (
            "POST",
            "/api/v1/announcements",
            Some(json!({"feed": "Public", "body": "B"})),
        ),
        (
            "POST",
            "/api/v1/users/x/messages",
            Some(json!({"event": "e", "payload": 1})),
        ),
        ("POST", "/api/v1/bus/socket:send", Some(json!({}))),
        ("PUT", "/api/v1/feeds/HR/members/bob", None),
        ("DELETE", "/api/v1/feeds/HR/members/bob", None),
        ("GET", "/api/v1/feeds/HR/members", None),
        ("GET", "/api/v1/connections", None),
        ("DELETE", "/api/v1/connections?user=bob", None),
        ("GET", "/api/v1/revocations", None),
        (
            "POST",
            "/api/v1/revocations",
            Some(json!({"everyone": true})),
        ),
        ("GET", "/api/v1/rooms", None),
        ("GET", "/api/v1/rooms/kitchen", None),
        ("GET", "/api/v1/schedules", None),
        ("GET", "/api/v1/audit", None),
        ("GET", "/api/v1/statistics", None),
        ("POST", "/admin/reload", None),
        ("GET", "/metrics", None),
    ] {
        let answer = house.ask(&bob, method, target, body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "forbidden"),
            "{target}"
        );
    }
    house.close().await;
}

//= AU-34 type=test
#[tokio::test]
async fn guessing_at_speed_is_slowed_down_and_harms_nobody_else() {
    let house = House::open().await;
    let good = house.token("bob", &[]);
    let target = "/api/v1/users/bob/unread";
    let mut slowed = 0;
    for _ in 0..250 {
        let answer = house.ask("guess", "GET", target, None).await;
        if answer.status == 429 {
            assert!(answer.head.contains("retry-after: 1"));
            slowed += 1;
        } else {
            assert_eq!(answer.status, 401);
        }
    }
    assert!(slowed > 0);
    assert_eq!(house.ask(&good, "GET", target, None).await.status, 200);
    house.close().await;
}
