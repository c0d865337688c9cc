//! Rooms and relayed messages.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use crate::house::{House, Native, grant};

fn here() -> Value {
    json!({"room": "lobby"})
}

fn people(answer: &Value) -> Vec<&str> {
    let people = answer["payload"]["people"].as_array().unwrap();
    people.iter().map(|it| it.as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_said_in_a_room_reaches_the_others_in_it() {
    let house = House::open().await;
    let (mut alice, mut bob) = (
        house.native("alice", &[]).await,
        house.native("bob", &[]).await,
    );
    let mut outside = house.native("carol", &[]).await;
    assert_eq!(people(&alice.ask("join", here()).await), ["alice"]);
    assert_eq!(people(&bob.ask("join", here()).await), ["alice", "bob"]);
    let came = alice.hear("presence").await;
    assert_eq!(
        (&came["user"], &came["present"]),
        (&json!("bob"), &json!(true))
    );
    let said = json!({"room": "lobby", "event": "chat", "payload": {"a": [1, 2.50]}});
    assert_eq!(alice.ask("say", said.clone()).await["type"], "said");
    let heard = bob.hear("said").await;
    assert_eq!(
        (&heard["from"], &heard["event"]),
        (&json!("alice"), &json!("chat"))
    );
    assert_eq!(heard["payload"], json!({"a": [1, 2.50]}));
    alice
        .ask(
            "signal",
            json!({"room": "lobby", "event": "typing", "echo": true}),
        )
        .await;
    assert_eq!(bob.hear("said").await["event"], "typing");
    assert_eq!(alice.hear("said").await["from"], "alice");
    assert_eq!(outside.refused("say", said).await, "forbidden");
    assert_eq!(
        outside.refused("join", json!({"room": ""})).await,
        "wrong_type"
    );
    assert_eq!(
        people(&outside.ask("presence", here()).await),
        ["alice", "bob"]
    );
    let began = Instant::now();
    assert_eq!(bob.ask("leave", here()).await["type"], "left");
    assert_eq!(alice.hear("presence").await["present"], false);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "whoever says so is gone at once"
    );
    assert!(outside.all().await.is_empty());
    house.close().await;
}

//= A71 type=test
#[tokio::test]
async fn a_person_is_there_until_the_last_connection_has_gone_for_a_while() {
    let house = House::open().await;
    let mut alice = house.native("alice", &[]).await;
    alice.ask("join", here()).await;
    let (mut one, mut two) = (
        house.native("bob", &[]).await,
        house.native("bob", &[]).await,
    );
    one.ask("join", here()).await;
    two.ask("join", here()).await;
    assert_eq!(alice.hear("presence").await["present"], true);
    one.ask("leave", here()).await;
    assert_eq!(
        people(&alice.ask("presence", here()).await),
        ["alice", "bob"]
    );
    let began = Instant::now();
    drop(two.socket.terminate());
    // Whoever comes back in time has never left.
    let mut three = house.native("bob", &[]).await;
    three.ask("join", here()).await;
    drop(three.socket.terminate());
    let gone = alice.hear("presence").await;
    assert_eq!(
        (&gone["user"], &gone["present"]),
        (&json!("bob"), &json!(false))
    );
    assert!(began.elapsed() >= Duration::from_secs(5));
    assert_eq!(people(&alice.ask("presence", here()).await), ["alice"]);
    house.close().await;
}

#[tokio::test]
async fn a_connection_is_in_64_rooms_at_most_and_in_those_of_its_namespace() {
    let house = House::open().await;
    let mut alice = house.native("alice", &[]).await;
    for at in 0..64 {
        assert_eq!(
            alice.ask("join", json!({"room": at.to_string()})).await["type"],
            "present"
        );
    }
    assert_eq!(alice.refused("join", here()).await, "too_often");
    assert_eq!(
        alice.ask("join", json!({"room": "7"})).await["type"],
        "present"
    );
    alice.ask("leave", json!({"room": "7"})).await;
    assert_eq!(people(&alice.ask("join", here()).await), ["alice"]);
    let mut elsewhere = grant("alice", &[], &[], &[]);
    elsewhere.namespaces = &["acme"];
    let mut other = house.native_as(&elsewhere).await;
    assert!(people(&other.ask("presence", here()).await).is_empty());
    other.ask("join", here()).await;
    other.ask("say", here()).await;
    assert!(alice.all().await.is_empty());
    house.close().await;
}

/// A model of who is in the room, against random comings and goings.
#[tokio::test]
async fn nobody_is_left_behind_after_a_thousand_comings_and_goings() {
    let house = House::open().await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut open: Vec<(usize, Native, bool)> = Vec::new();
    let step = (0..8_usize, 0..4_usize, 0..64_usize);
    for _ in 0..1000 {
        let (what, user, which) = step.new_tree(&mut runner).unwrap().current();
        if open.is_empty() || (what == 0 && open.len() < 12) {
            let native = house.native(&format!("user-{user}"), &[]).await;
            open.push((user, native, false));
            continue;
        }
        let at = which % open.len();
        match what {
            1 => drop(open.swap_remove(at).1.socket.terminate()),
            2..=4 => {
                open[at].1.ask("leave", here()).await;
                open[at].2 = false;
            }
            _ => {
                open[at].1.ask("join", here()).await;
                open[at].2 = true;
            }
        }
    }
    // Those who broke off are there for a while.
    let mut watcher = house.native("watcher", &[]).await;
    let present: BTreeSet<_> = open
        .iter()
        .filter(|it| it.2)
        .map(|it| format!("user-{}", it.0))
        .collect();
    let end = Instant::now() + Duration::from_secs(15);
    loop {
        let answer = watcher.ask("presence", here()).await;
        let found: BTreeSet<_> = people(&answer).into_iter().map(str::to_owned).collect();
        assert!(present.is_subset(&found), "{present:?} {found:?}");
        if found == present {
            break;
        }
        assert!(Instant::now() < end, "ghosts: {found:?}, not {present:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(open);
    while !house.service.rooms().list("main").is_empty() {
        assert!(Instant::now() < end + Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.close().await;
}

//= C22 type=test
#[tokio::test]
async fn a_relayed_message_reaches_every_connection_of_those_it_is_for() {
    let house = House::open().await;
    let mut alice = house.native("alice", &["send"]).await;
    let (mut one, mut two) = (
        house.native("bob", &[]).await,
        house.native("bob", &[]).await,
    );
    let mut carol = house.native("carol", &[]).await;
    let mut other = house.native("other", &[]).await;
    let sent = json!({"to": ["bob", "carol"], "event": "ring", "payload": 7});
    assert_eq!(other.refused("relay", sent.clone()).await, "forbidden");
    assert_eq!(alice.ask("relay", sent).await["type"], "relayed");
    for native in [&mut one, &mut two, &mut carol] {
        let heard = native.hear("relayed").await;
        assert_eq!(
            heard,
            json!({"from": "alice", "event": "ring", "payload": 7})
        );
    }
    assert_eq!(
        alice.refused("relay", json!({"to": []})).await,
        "wrong_type"
    );
    assert!(other.all().await.is_empty());
    house.close().await;
}
