//! The order of a feed, and what a connection misses and does not miss.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use framewire::engine::Message;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::house::{House, Native, Person};

const PUBLISH: &[&str] = &["announce:public"];

/// Hears the offsets of a native connection up to `last`, edits and recalls among them.
async fn native_offsets(native: &mut Native, last: u64) -> Vec<u64> {
    let mut offsets = Vec::new();
    while offsets.last().is_none_or(|it| *it < last) {
        offsets.extend(native.next().await["payload"]["offset"].as_u64());
    }
    offsets
}

async fn intent_offsets(person: &mut Person, last: u64) -> Vec<u64> {
    let mut offsets = Vec::new();
    while offsets.last().is_none_or(|it| *it < last) {
        offsets.extend(person.hear().await["offset"].as_u64());
    }
    offsets
}

/// Announces without a pause until it is told to stop. Says how many there were.
async fn announce(mut alice: Native, top: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> u64 {
    while !stop.load(Ordering::Relaxed) {
        let draft = json!({"feed": "Public", "body": "B"});
        let published = alice.ask("publish", draft).await;
        let offset = published["payload"]["offset"].as_u64().unwrap();
        top.store(offset, Ordering::Relaxed);
    }
    top.load(Ordering::Relaxed)
}

/// Signs in with `since` while something is published all the time, in both dialects.
async fn enter_while_it_is_published(entries: Vec<(bool, u64, u8)>) {
    let house = House::open().await;
    let (top, stop) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let alice = house.native("alice", PUBLISH).await;
    let publishing = tokio::spawn(announce(alice, Arc::clone(&top), Arc::clone(&stop)));
    let (mut natives, mut persons) = (Vec::new(), Vec::new());
    for (at, (is_native, back, pause)) in entries.into_iter().enumerate() {
        for _ in 0..pause {
            tokio::task::yield_now().await;
        }
        let user = format!("reader-{at}");
        let since = top.load(Ordering::Relaxed).saturating_sub(back);
        if is_native {
            let mut native = house.greet().await;
            let token = house.token(&user, &[]);
            let payload = json!({"token": token, "since": {"Public": {"offset": since}}});
            let signed = native.ask("sign", payload).await;
            assert_eq!(signed["payload"]["feeds"][0]["recovered"], true);
            natives.push((native, since));
        } else {
            let mut person = house.connect().await;
            person.token = house.token(&user, &[]);
            person
                .say("Sign", json!({"Since": {"Public": since}}))
                .await;
            let signed = person.hear().await;
            assert_eq!(signed["feeds"]["Public"]["recovered"], true, "{signed}");
            persons.push((person, since));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let last = publishing.await.unwrap();
    for (native, since) in &mut natives {
        if *since < last {
            let expected: Vec<_> = (*since + 1..=last).collect();
            assert_eq!(native_offsets(native, last).await, expected);
        }
    }
    for (person, since) in &mut persons {
        if *since < last {
            let expected: Vec<_> = (*since + 1..=last).collect();
            assert_eq!(intent_offsets(person, last).await, expected);
        }
    }
    house.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    //= A65 type=test
    //= A79 type=test
    #[test]
    fn prop_whoever_signs_in_hears_every_offset_once(
        entries in prop::collection::vec((any::<bool>(), 0..60_u64, 0..8_u8), 4..14),
        is_parallel in any::<bool>(),
    ) {
        let mut builder = if is_parallel {
            tokio::runtime::Builder::new_multi_thread()
        } else {
            tokio::runtime::Builder::new_current_thread()
        };
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(enter_while_it_is_published(entries));
    }
}

//= A79 type=test
#[tokio::test]
async fn edits_and_recalls_come_in_the_order_of_the_feed_to_everybody() {
    let house = House::open().await;
    let mut readers = Vec::new();
    for at in 0..3 {
        readers.push(house.native(&format!("reader-{at}"), &[]).await);
    }
    let mut first = house.sign_in("first", &[]).await;
    let mut publishing = Vec::new();
    for at in 0..3 {
        let mut alice = house.native(&format!("publisher-{at}"), PUBLISH).await;
        publishing.push(tokio::spawn(async move {
            for _ in 0..10 {
                let draft = json!({"feed": "Public", "body": "B"});
                let id = alice.ask("publish", draft).await["payload"]["announcement"].take();
                alice
                    .ask("edit", json!({"announcement": id, "body": "C"}))
                    .await;
                alice.ask("recall", json!({"announcement": id})).await;
            }
        }));
    }
    for publisher in publishing {
        publisher.await.unwrap();
    }
    let mut told: Vec<Vec<Value>> = Vec::new();
    for reader in &mut readers {
        let mut heard = Vec::new();
        for offset in 1..=90_u64 {
            let next = reader.next().await;
            assert_eq!(next["payload"]["offset"], offset);
            heard.push(next);
        }
        told.push(heard);
    }
    assert!(told.iter().all(|it| *it == told[0]));
    let intents = [
        "Public announcement",
        "Announcement edited",
        "Announcement recalled",
    ];
    for offset in 1..=90_u64 {
        let heard = first.hear().await;
        assert_eq!(heard["offset"], offset, "{heard}");
        assert!(intents.iter().any(|it| heard["Intent"] == *it));
    }
    house.close().await;
}

#[tokio::test]
async fn a_position_of_another_life_begins_anew_and_says_so() {
    let house = House::open().await;
    let mut alice = house.native("alice", PUBLISH).await;
    for _ in 0..3 {
        alice
            .ask("publish", json!({"feed": "Public", "body": "B"}))
            .await;
    }
    for position in [
        json!({"offset": 2, "epoch": "other"}),
        json!({"offset": 3, "epoch": "other"}),
        json!({"offset": 900}),
    ] {
        let mut bob = house.greet().await;
        let payload = json!({"token": house.token("bob", &[]), "since": {"Public": position}});
        let signed = bob.ask("sign", payload).await;
        assert_eq!(signed["payload"]["feeds"][0]["recovered"], false);
        let gap = bob.hear("gap").await;
        assert_eq!(
            (&gap["feed"], &gap["from"]),
            (&json!("Public"), &position["offset"])
        );
        assert_eq!(native_offsets(&mut bob, 3).await, [1, 2, 3]);
    }
    house.close().await;
}

//= A65 type=test
#[tokio::test]
async fn more_is_missed_than_the_outbox_holds() {
    let house = House::open().await;
    let mut alice = house.native("alice", PUBLISH).await;
    let body = "b".repeat(40_000);
    for _ in 0..150 {
        let message = json!({"type": "publish", "payload": {"feed": "Public", "body": body}});
        alice.send(&message).await;
    }
    alice.all().await;
    let mut bob = house.connect().await;
    bob.token = house.token("bob", &[]);
    bob.say("Sign", json!({"Since": {"Public": 0}})).await;
    assert_eq!(bob.hear().await["auth"], true);
    alice
        .ask("publish", json!({"feed": "Public", "body": "last"}))
        .await;
    assert_eq!(
        intent_offsets(&mut bob, 151).await,
        (1..=151).collect::<Vec<_>>()
    );
    house.close().await;
}

//= A76 type=test
#[tokio::test]
async fn a_slow_reader_is_closed_and_nobody_else_notices() {
    let house = House::patient(Duration::from_secs(15)).await;
    let mut alice = house.native("alice", &["send"]).await;
    let mut slow = house.native("slow", &[]).await;
    let mut good = house.native("good", &[]).await;
    let number = 1600_u64;
    let reading = tokio::spawn(async move {
        for at in 0..number {
            assert_eq!(good.hear("relayed").await["payload"]["at"], at);
        }
    });
    let weight = "w".repeat(50_000);
    for at in 0..number {
        let payload = json!({"to": ["slow", "good"], "payload": {"at": at, "w": weight}});
        let message = json!({"type": "relay", "payload": payload});
        alice.send(&message).await;
        if at % 50 == 0 {
            alice.all().await;
        }
    }
    reading.await.unwrap();
    assert_eq!(slow.closed().await, (4508, "too slow".into()));
    alice.all().await;
    house.close().await;
}

//= A72 type=test
#[tokio::test]
async fn reading_is_told_to_the_own_devices_in_both_dialects_within_a_second() {
    let house = House::open().await;
    let mut alice = house.native("alice", PUBLISH).await;
    let (mut one, mut two) = (
        house.native("bob", &[]).await,
        house.sign_in("bob", &[]).await,
    );
    let mut elsewhere = house.native("carol", &[]).await;
    alice
        .ask("publish", json!({"feed": "Public", "body": "B"}))
        .await;
    two.hear().await;
    one.hear("announcement").await;
    elsewhere.hear("announcement").await;
    let began = std::time::Instant::now();
    one.ask("read", json!({"feed": "Public", "up_to": 1})).await;
    let told = two.hear().await;
    assert_eq!(
        (&told["Intent"], &told["UpTo"]),
        (&json!("Mark as read"), &json!(1))
    );
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(elsewhere.all().await.is_empty());
    one.socket.send(Message::text("{")).await.unwrap();
    assert_eq!(one.hear("error").await["code"], "malformed_json");
    house.close().await;
}
