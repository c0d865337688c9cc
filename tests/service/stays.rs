//! How long a connection may stay: expiry, refresh, revocation and the end of the server.

use std::time::{Duration, Instant, SystemTime};

use framewire::announce::service::Rate;
use framewire::announce::token::Revocation;
use framewire::client::Config;
use serde_json::json;

use crate::house::{House, Native, grant};

const PUBLISH: &[&str] = &["announce:public"];

async fn native_with(house: &House, token: &str) -> Native {
    let mut native = house.greet().await;
    assert_eq!(
        native.ask("sign", json!({"token": token})).await["type"],
        "signed"
    );
    native
}

//= A56 type=test
//= AU-10 type=test
//= AU-20 type=test
#[tokio::test]
async fn a_connection_is_told_of_the_end_of_its_token_and_hears_nothing_after_it() {
    let house = House::set(|it| {
        it.expiry_notice = Duration::from_secs(1);
        // She publishes as fast as she is answered.
        it.messages = Rate::new(1_000_000, 1_000_000);
        it.publications = Rate::new(1_000_000, 1_000_000);
    })
    .await;
    let mut alice = house.native("alice", PUBLISH).await;
    let token = house.token_for("bob", Duration::from_millis(2500));
    let mut bob = native_with(&house, &token).await;
    let expires = house.service.clients().snapshot().iter().find_map(|it| {
        let identity = it.identity()?;
        (identity.user() == "bob").then(|| identity.claims.expires_at())
    });
    let expires = expires.unwrap();
    let publishing = tokio::spawn(async move {
        while SystemTime::now() < expires + Duration::from_millis(500) {
            alice
                .ask("publish", json!({"feed": "Public", "body": "B"}))
                .await;
        }
    });
    let (mut is_told, mut last) = (false, SystemTime::now());
    while let Some(message) = bob.socket.recv().await.unwrap() {
        last = SystemTime::now();
        is_told |= message.as_text().unwrap().contains("token_expiring");
    }
    assert!(is_told);
    assert_eq!(bob.closed().await, (4401, "the token has expired".into()));
    let late = SystemTime::now().duration_since(expires).unwrap();
    assert!(late < Duration::from_secs(1), "{late:?}");
    assert!(last <= expires + Duration::from_millis(200));
    publishing.await.unwrap();
    let again = Config::default().with_subprotocol(format!("token.{token}"));
    assert_eq!(house.try_connect("", &again).await.err(), Some(401));
    house.close().await;
}

//= A56 type=test
//= AU-21 type=test
//= AU-23 type=test
#[tokio::test]
async fn a_newer_token_keeps_the_connection_and_settles_what_it_hears() {
    let house = House::set(|it| it.expiry_notice = Duration::from_secs(1)).await;
    let mut alice = house
        .native("alice", &["announce:public", "announce:channel"])
        .await;
    let mut stays = house.native_as(&grant("stays", &[], &["HR"], &[])).await;
    let mut bob = house.greet().await;
    let first = house.token_lasting(
        &grant("bob", &[], &["HR", "Sales"], &[]),
        Duration::from_secs(2),
    );
    assert_eq!(
        bob.ask("sign", json!({"token": first})).await["type"],
        "signed"
    );
    bob.hear("token_expiring").await;
    let newer = house.token_lasting(&grant("bob", &[], &["Sales"], &[]), Duration::from_secs(4));
    assert_eq!(
        bob.ask("refresh", json!({"token": newer})).await["type"],
        "refreshed"
    );
    for feed in ["HR", "Sales"] {
        alice
            .ask("publish", json!({"feed": feed, "body": "B"}))
            .await;
    }
    assert_eq!(stays.hear("announcement").await["feed"], "HR");
    assert_eq!(
        bob.hear("announcement").await["feed"],
        "Sales",
        "and nothing of HR"
    );
    bob.hear("token_expiring").await;
    assert_eq!(bob.closed().await.0, 4401);
    house.close().await;
}

//= A56 type=test
//= AU-22 type=test
//= AU-31 type=test
#[tokio::test]
async fn what_is_revoked_is_closed_within_a_second_and_the_others_stay() {
    let house = House::open().await;
    let mut other = house.native("other", &[]).await;
    let mut acme = grant("else", &[], &[], &[]);
    acme.namespaces = &["acme"];
    let until = SystemTime::now() + Duration::from_secs(600);
    // A moment is a second of the token, so everything issued until now is meant.
    let before = SystemTime::now() + Duration::from_secs(2);
    for kind in ["token", "user", "namespace"] {
        let token = match kind {
            "namespace" => house.grant(&acme),
            _ => house.token(kind, &[]),
        };
        let mut native = native_with(&house, &token).await;
        // What counts is the newest token that was shown.
        let token = match kind {
            "namespace" => house.grant(&acme),
            _ => house.token(kind, &[]),
        };
        native.ask("refresh", json!({"token": token})).await;
        let revocation = match kind {
            "token" => {
                let id = house
                    .service
                    .desk()
                    .verify(&token, SystemTime::now())
                    .unwrap();
                Revocation::of_token(id.id().unwrap(), until)
            }
            "user" => Revocation::of_user("main", "user", before, until),
            _ => Revocation::of_namespace("acme", before, until),
        };
        let began = Instant::now();
        house
            .service
            .desk()
            .revoke(revocation, SystemTime::now())
            .await
            .unwrap();
        assert_eq!(native.closed().await.0, 4401, "{kind}");
        assert!(began.elapsed() < Duration::from_secs(1), "{kind}");
        let mut again = house.greet().await;
        let refused = again.ask("sign", json!({"token": token})).await;
        assert_eq!(refused["payload"]["code"], "bad_token", "{kind}");
        assert_eq!(other.ask("unread", json!({})).await["type"], "unread");
    }
    house.close().await;
}

//= A12 type=test
#[tokio::test]
async fn a_server_that_goes_tells_each_client_when_to_come_back() {
    let house = House::open().await;
    let mut people = Vec::new();
    for at in 0..5 {
        people.push(house.native(&format!("user-{at}"), &[]).await);
    }
    let going = async {
        let mut retries = Vec::new();
        for native in &mut people {
            let drain = native.hear("drain").await;
            let (code, reason) = native.closed().await;
            assert_eq!(code, 1012);
            let retry = drain["retry_in_ms"].as_u64().unwrap();
            assert_eq!(reason, format!("restart; retry_ms={retry}"));
            retries.push(retry);
        }
        retries.sort_unstable();
        assert_eq!(retries, [1000, 1020, 1040, 1060, 1080]);
    };
    tokio::join!(house.close(), going);
}
