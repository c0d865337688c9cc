//! What the keys of `limits` and `observe` do to a server.

use std::time::Duration;

use framewire::client::{self, Config};
use framewire::engine::Message;
use framewire::engine::deflate::DeflateConfig;
use serde_json::json;

use crate::home::{Home, status};
use crate::person::{SECRET, token_with};

//= A76 type=test
#[tokio::test]
async fn whoever_lags_behind_more_than_is_set_is_closed_and_nobody_else() {
    for queue in ["bytes: 128KiB", "messages: 4"] {
        let home = Home::open(&format!("limits:\n  queue: {{{queue}}}\n")).await;
        let mut alice = home.native("alice", &["send"]).await;
        let mut slow = home.native("slow", &[]).await;
        let mut good = home.native("good", &[]).await;
        // The system holds some megabytes on the way, and the server no more than is set.
        let weight = "w".repeat(50_000);
        for at in 0..500_u64 {
            let payload = json!({"to": ["slow", "good"], "payload": {"at": at, "w": weight}});
            alice.say("relay", payload).await;
            assert_eq!(good.hear("relayed").await["payload"]["at"], at);
            alice.hear("relayed").await;
        }
        assert_eq!(slow.closed().await, (4508, "too slow".into()), "{queue}");
        drop((alice, slow, good));
        home.close().await;
    }
}

#[tokio::test]
async fn clients_that_come_faster_than_is_set_are_answered_503_and_counted() {
    let home = Home::open("limits:\n  accept_rate: 3/h\n").await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let (answer, tcp) = home.upgrade("Host: a\r\n").await;
        assert_eq!(status(&answer), 101, "{answer}");
        held.push(tcp);
    }
    let (answer, _) = home.upgrade("Host: a\r\n").await;
    assert_eq!(status(&answer), 503, "{answer}");
    assert!(answer.contains("Retry-After: "), "{answer}");
    assert_eq!(status(&home.get("/", "Host: a\r\n").await), 503);
    assert_eq!(home.failed("too_fast"), 2);
    drop(held);
    home.close().await;
    let home = Home::open("limits:\n  accept_rate: off\n").await;
    for _ in 0..9 {
        assert_eq!(home.upgraded("Host: a\r\n").await, 101);
    }
    home.close().await;
}

#[tokio::test]
async fn compression_is_for_whoever_signs_in_with_the_request() {
    let on = |ratio| {
        format!(
            "origins: [\"https://a.example\"]\nlimits:\n  message: 1MiB\n  \
             compression: {{enabled: true, max_ratio: {ratio}}}\n"
        )
    };
    let home = Home::open(&on(20)).await;
    let offer = || Config::default().with_deflate(DeflateConfig::default());
    let open = async |home: &Home, config: Config| {
        let opened = client::open(&home.url(), &config).await.unwrap();
        opened.socket
    };
    let token = || token_with(SECRET, "bob", &[]);
    assert_eq!(open(&home, offer()).await.extension(), None, "no token");
    let by_cookie = offer().with_cookie("ID_TOKEN", &token());
    assert!(open(&home, by_cookie).await.extension().is_some());
    let silent = Config::default().with_cookie("ID_TOKEN", &token());
    assert_eq!(open(&home, silent).await.extension(), None, "no offer");

    let mut bob = home.native_with(offer(), "bob", &[]).await;
    assert!(bob.socket.extension().is_some());
    let mut other = home.native_with(offer(), "other", &[]).await;
    // What a person says, and what a bomb does: it grows a thousand times.
    other.say("unread", json!({"limit": 1})).await;
    other.hear("unread").await;
    let bomb = Message::text(" ".repeat(300_000));
    bob.socket.send(bomb).await.unwrap();
    assert_eq!(bob.closed().await.0, 1009);
    other.say("unread", json!({"limit": 1})).await;
    other.hear("unread").await;
    drop((bob, other));
    home.close().await;

    // Within the ratio the same is only a message that nobody understands.
    let home = Home::open(&on(1000)).await;
    let mut bob = home.native_with(offer(), "bob", &[]).await;
    let text = Message::text(" ".repeat(300_000));
    bob.socket.send(text).await.unwrap();
    assert_eq!(bob.hear("error").await["code"], "too_large");
    drop(bob);
    home.close().await;
    let home = Home::open("").await;
    let bob = home.native_with(offer(), "bob", &[]).await;
    assert_eq!(bob.socket.extension(), None, "it is off");
    drop(bob);
    home.close().await;
}

//= A75 type=test
//= B57 type=test
#[tokio::test]
async fn a_rate_by_the_minute_is_one_by_the_minute_also_after_a_reload() {
    let pace = |count| format!("limits:\n  publish: {{rate: {count}/m, burst: {count}}}\n");
    let home = Home::open(&pace(5)).await;
    let mut alice = home.native("alice", &["announce:public"]).await;
    let draft = || json!({"feed": "Public", "body": "B"});
    for (count, retry_ms) in [(5, 12_000), (3, 20_000)] {
        home.reload(&pace(count)).await;
        for _ in 0..count {
            alice.say("publish", draft()).await;
            alice.hear("published").await;
        }
        alice.say("publish", draft()).await;
        let refused = alice.hear("error").await;
        assert_eq!(refused["code"], "too_often", "{refused}");
        let retry = refused["retry_in_ms"].as_u64().unwrap();
        assert!((1001..=retry_ms).contains(&retry), "{retry}");
    }
    drop(alice);
    home.close().await;
}

//= B57 type=test
#[tokio::test]
async fn open_connections_go_by_another_rate_of_messages() {
    let pace = |burst| format!("limits:\n  messages: {{rate: 1/h, burst: {burst}}}\n");
    let home = Home::open(&pace(2)).await;
    let mut bob = home.native("bob", &[]).await;
    let here = || json!({"limit": 1});
    for burst in [2, 3] {
        home.reload(&pace(burst)).await;
        for _ in 0..burst {
            bob.say("unread", here()).await;
            bob.hear("unread").await;
        }
        bob.say("unread", here()).await;
        assert_eq!(bob.hear("error").await["code"], "too_often");
    }
    drop(bob);
    home.close().await;
}

#[tokio::test]
async fn clients_are_told_the_largest_message_that_is_taken() {
    // No message of this dialect is larger than 64 KiB, whatever else is taken.
    let home = Home::open("limits:\n  message: 128KiB\n").await;
    let bob = home.native("bob", &[]).await;
    assert_eq!(bob.hello["message_bytes_max"], 64 << 10);
    drop(bob);
    home.close().await;
    let home = Home::open("limits:\n  message: 16KiB\n").await;
    let mut bob = home.native("bob", &[]).await;
    assert_eq!(bob.hello["message_bytes_max"], 16 << 10);
    // It needs a restart, and until then nothing else is told.
    home.reload("limits:\n  message: 32KiB\nheartbeat:\n  interval: 60s\n")
        .await;
    let other = home.native("other", &[]).await;
    assert_eq!(other.hello["message_bytes_max"], 16 << 10);
    assert_eq!(other.hello["ping_ms"], 25_000);
    bob.socket
        .send(Message::text(" ".repeat(16 << 10)))
        .await
        .unwrap();
    assert_eq!(bob.hear("error").await["code"], "malformed_json");
    let long = Message::text(" ".repeat((16 << 10) + 1));
    bob.socket.send(long).await.unwrap();
    assert_eq!(bob.closed().await.0, 1009);
    drop((bob, other));
    home.close().await;
}

#[tokio::test]
async fn without_metrics_there_is_no_page_of_them() {
    let home = Home::open("observe:\n  metrics: false\n").await;
    assert_eq!(status(&home.figures().await), 404);
    assert_eq!(status(&home.get("/health/live", "Host: a\r\n").await), 200);
    home.close().await;
    let home = Home::open("").await;
    assert_eq!(status(&home.figures().await), 200);
    home.close().await;
}

//= A73 type=test
#[tokio::test]
async fn a_peer_that_stops_answering_is_found_in_time_and_is_gone_everywhere() {
    let heartbeat = "heartbeat: {interval: 1s, jitter: 500ms, timeout: 300ms}\n";
    let home = Home::open(heartbeat).await;
    let room = || json!({"room": "r"});
    let mut alice = home.native("alice", &[]).await;
    alice.say("join", room()).await;
    alice.hear("present").await;
    let mut bob = home.native("bob", &[]).await;
    bob.say("join", room()).await;
    assert_eq!(alice.hear("presence").await["present"], true);
    assert_eq!(home.service.clients().len(), 2);
    // Nobody reads at the other end of the connection of bob any more, so no Ping is answered.
    let since = tokio::time::Instant::now();
    let closed = async {
        while home.service.clients().len() > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        since.elapsed()
    };
    let (after, gone) = tokio::join!(closed, alice.hear("presence"));
    // A second of silence, what it is spread by, and the time for the Pong; and some for others.
    let bounds = Duration::from_millis(900)..Duration::from_millis(1800 + 2000);
    assert!(bounds.contains(&after), "{after:?}");
    assert_eq!(
        (&gone["user"], &gone["present"]),
        (&json!("bob"), &json!(false))
    );
    let here = home.service.clients().snapshot();
    let here: Vec<_> = here.iter().filter_map(|it| it.identity()).collect();
    assert_eq!(here.len(), 1);
    assert_eq!(here[0].user(), "alice");
    alice.say("presence", room()).await;
    let present = alice.hear("present").await;
    assert_eq!(present["people"], json!(["alice"]));
    drop((alice, bob));
    home.close().await;
}
