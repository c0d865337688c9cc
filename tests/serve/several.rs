//! Several servers of one store, each a process of its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use framewire::announce::secret::Secret;
use framewire::announce::token::Verifier;
use framewire::client::{self, Config};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::home::{Native, status};
use crate::person::{SECRET, token_with};
use crate::program::{PATIENCE, Running, framewire, refused, write};

/// What a revocation may take to reach every connection.
const REVOKED_WITHIN: Duration = Duration::from_secs(2);

const SHARED: &str = "server:\n  data: data\nstore:\n  shared: true\n";

fn program(folder: &Path, number: usize, more: &str) -> tokio::process::Command {
    let file = format!("server-{number}.yaml");
    write(folder, &file, &format!("{SHARED}{more}"));
    let mut command = framewire(folder);
    command.args(["serve", "--listen", "127.0.0.1:0", "--config", &file]);
    command.env("API_secret", SECRET);
    command
}

/// Three servers of the store in this folder, which come at the same time.
async fn three(folder: &Path, more: &str) -> [Running; 3] {
    let mut programs = [0, 1, 2].map(|number| program(folder, number, more));
    let [first, second, third] = &mut programs;
    let started = tokio::join!(
        Running::start(first),
        Running::start(second),
        Running::start(third)
    );
    started.into()
}

/// Somebody who speaks `announce.v1`, with the answer to the request to sign in.
async fn sign_in(server: &Running, token: &str, since: Value) -> Option<(Native, Value)> {
    let config = Config::default().with_subprotocol("announce.v1");
    let opened = client::open(&format!("{}/websockets", server.url), &config).await;
    let mut native = Native {
        socket: opened.unwrap().socket,
        hello: Value::Null,
    };
    native.hello = native.hear("hello").await;
    native
        .say("sign", json!({"token": token, "since": since}))
        .await;
    let signed = one_of(&mut native, &["signed", "error"]).await;
    (signed["type"] == "signed").then(|| (native, signed["payload"].clone()))
}

async fn come(server: &Running, user: &str, scopes: &[&str]) -> Native {
    let signed = sign_in(server, &token_with(SECRET, user, scopes), json!({})).await;
    signed.unwrap().0
}

/// The next message of one of these types, whatever is said before it.
async fn one_of(native: &mut Native, kinds: &[&str]) -> Value {
    loop {
        let heard = timeout(PATIENCE, native.socket.recv()).await.unwrap();
        let heard = heard.unwrap().expect("the connection is open");
        let heard: Value = serde_json::from_str(heard.as_text().unwrap()).unwrap();
        if kinds.iter().any(|kind| heard["type"] == *kind) {
            return heard;
        }
    }
}

/// Announces something, and waits until that is acknowledged.
async fn publish(native: &mut Native, body: &str) -> Value {
    let payload = json!({"feed": "Public", "title": "T", "body": body});
    native.say("publish", payload).await;
    native.hear("published").await
}

async fn ask(server: &Running, request: &str, body: &Value) -> u16 {
    let address = server.url.strip_prefix("ws://").unwrap();
    let token = token_with(SECRET, "operator", &["admin"]);
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let head = format!(
        "{request} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = tcp.read_to_string(&mut answer);
    timeout(PATIENCE, read).await.unwrap().unwrap();
    status(&answer)
}

async fn stop(servers: impl IntoIterator<Item = Running>) {
    for server in servers {
        server.stop().await;
    }
}

const EACH: usize = 20;

/// What a connection hears until it has heard everything that was announced.
async fn hear_all(native: &mut Native) -> Vec<(u64, String)> {
    let mut heard = Vec::new();
    while heard.len() < 3 * EACH {
        let told = native.hear("announcement").await;
        let body = told["body"].as_str().unwrap().to_owned();
        heard.push((told["offset"].as_u64().unwrap(), body));
    }
    heard
}

//= A77 type=test
#[tokio::test]
async fn whatever_is_announced_on_one_is_heard_on_all_in_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let servers = three(folder.path(), "").await;
    let (mut publishers, mut readers) = (Vec::new(), Vec::new());
    for server in &servers {
        publishers.push(come(server, "alice", &["announce:public"]).await);
        readers.push(come(server, "bob", &[]).await);
    }
    let publishing = publishers.iter_mut().enumerate().map(|(at, publisher)| {
        Box::pin(async move {
            for number in 0..EACH {
                publish(publisher, &format!("{at}-{number}")).await;
            }
        })
    });
    futures_all(publishing.collect()).await;
    let mut heard = Vec::new();
    for reader in &mut readers {
        heard.push(hear_all(reader).await);
    }
    let offsets: Vec<u64> = heard[0].iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, (1..=3 * EACH as u64).collect::<Vec<_>>());
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0], heard[2]);
    let bodies: BTreeSet<&String> = heard[0].iter().map(|(_, body)| body).collect();
    assert_eq!(bodies.len(), 3 * EACH);

    // Whoever moves to another server goes on where it was, though that one may hear later.
    let (mut publisher, mut server) = (publishers.remove(0), servers.iter().cycle());
    let token = token_with(SECRET, "carol", &[]);
    for number in 0..30 {
        let known = 3 * EACH as u64 + number;
        publish(&mut publisher, &format!("more {number}")).await;
        let since = json!({"Public": {"offset": known}});
        let next = server.next().unwrap();
        let (mut carol, signed) = sign_in(next, &token, since).await.unwrap();
        assert_eq!(signed["feeds"][0]["recovered"], true, "{signed}");
        let told = carol.hear("announcement").await;
        assert_eq!(told["body"], format!("more {number}"));
        assert_eq!(told["offset"], known + 1);
    }
    drop((publishers, publisher, readers));
    stop(servers).await;
}

/// Drives all of them at the same time.
async fn futures_all<F: Future<Output = ()> + Unpin>(mut all: Vec<F>) {
    std::future::poll_fn(|cx| {
        all.retain_mut(|one| std::pin::Pin::new(one).poll(cx).is_pending());
        match all.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
}

//= A77 type=test
#[tokio::test]
async fn edits_recalls_readings_and_memberships_reach_the_other_servers() {
    let folder = tempfile::tempdir().unwrap();
    let servers = three(folder.path(), "").await;
    let scopes = ["announce:public", "announce:channel:HR"];
    let mut alice = come(&servers[0], "alice", &scopes).await;
    let mut bobs = Vec::new();
    for server in &servers {
        bobs.push(come(server, "bob", &[]).await);
    }
    let mut others = come(&servers[1], "carol", &[]).await;
    let id = publish(&mut alice, "first").await["announcement"].clone();
    let second = publish(&mut alice, "second").await["announcement"].clone();
    assert!(id.is_string() && second.is_string());
    for bob in &mut bobs {
        assert_eq!(bob.hear("announcement").await["body"], "first");
        assert_eq!(bob.hear("announcement").await["body"], "second");
    }

    let asked = Instant::now();
    let read = json!({"feed": "Public", "announcements": [id]});
    bobs[0].say("read", read).await;
    let own = bobs[0].hear("read_state").await;
    for bob in &mut bobs[1..] {
        let told = bob.hear("read_state").await;
        assert_eq!(told["announcements"], json!([id]), "{told}");
        assert_eq!(told["unread"], own["unread"], "{told}");
    }
    assert!(asked.elapsed() < Duration::from_secs(1));

    let mut other = come(&servers[1], "alice", &scopes).await;
    let edit = json!({"announcement": second, "title": "T", "body": "better", "version": 1});
    other.say("edit", edit).await;
    for bob in &mut bobs {
        let edited = bob.hear("edited").await;
        assert_eq!(
            (&edited["body"], &edited["offset"]),
            (&json!("better"), &json!(3))
        );
    }
    let mut other = come(&servers[2], "alice", &scopes).await;
    other.say("recall", json!({"announcement": second})).await;
    for bob in &mut bobs {
        assert_eq!(bob.hear("recalled").await["announcement"], second);
    }

    let member = "/api/v1/feeds/HR/members/bob";
    let put = ask(&servers[0], &format!("PUT {member}"), &Value::Null).await;
    assert_eq!(put, 204);
    let in_hr = json!({"feed": "HR", "title": "T", "body": "for bob"});
    // Until the other servers have heard that he belongs to it.
    let since = Instant::now();
    for bob in &mut bobs {
        loop {
            assert!(since.elapsed() < PATIENCE, "he is not told");
            other.say("publish", in_hr.clone()).await;
            other.hear("published").await;
            let told = timeout(Duration::from_millis(200), bob.hear("announcement"));
            if let Ok(told) = told.await {
                assert_eq!(told["feed"], "HR");
                break;
            }
        }
    }
    publish(&mut other, "last").await;
    loop {
        // Who does not belong to it hears nothing of it.
        let told = others.hear("announcement").await;
        assert_eq!(told["feed"], "Public");
        if told["body"] == "last" {
            break;
        }
    }
    drop((alice, bobs, others, other));
    stop(servers).await;
}

//= A77 type=test
//= AU-22 type=test
//= A56 type=test
#[tokio::test]
async fn what_is_revoked_on_one_is_closed_on_all_and_stays_out() {
    let folder = tempfile::tempdir().unwrap();
    let servers = three(folder.path(), "").await;
    let secret = Secret::from_variable("S", SECRET.into()).unwrap();
    for kind in ["token_id", "user", "everyone"] {
        let token = token_with(SECRET, kind, &[]);
        let (mut victims, mut rest) = (Vec::new(), Vec::new());
        for server in &servers {
            let signed = sign_in(server, &token, json!({})).await;
            victims.push(signed.unwrap().0);
            rest.push(come(server, "dave", &[]).await);
        }
        let body = match kind {
            "token_id" => {
                let verified = Verifier::new(&secret).verify(&token, SystemTime::now());
                json!({"token_id": verified.unwrap().id().unwrap()})
            }
            "user" => json!({"user": kind}),
            _ => json!({"everyone": true}),
        };
        let since = Instant::now();
        let created = ask(&servers[0], "POST /api/v1/revocations", &body).await;
        assert_eq!(created, 201, "{kind}");
        for victim in &mut victims {
            assert_eq!(victim.closed().await.0, 4401, "{kind}");
        }
        assert!(since.elapsed() < REVOKED_WITHIN, "{kind}");
        for (server, other) in servers.iter().zip(&mut rest) {
            let resumed = sign_in(server, &token, json!({"Public": {"offset": 0}})).await;
            assert!(resumed.is_none(), "{kind}");
            if kind == "everyone" {
                assert_eq!(other.closed().await.0, 4401);
            } else {
                // Whom it does not concern is answered.
                other.say("unread", json!({})).await;
                other.hear("unread").await;
            }
        }
    }
    stop(servers).await;
}

//= A77 type=test
#[tokio::test]
async fn one_that_is_killed_loses_nothing_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] = three(folder.path(), "").await;
    let mut publisher = come(&first, "alice", &["announce:public"]).await;
    let mut readers = [
        come(&second, "bob", &[]).await,
        come(&third, "bob", &[]).await,
    ];
    for number in 0..10 {
        publish(&mut publisher, &format!("{number}")).await;
    }
    // The last word is acknowledged, and no other server has had the time to look for it.
    first.signal("KILL").await;
    assert_eq!(first.ended().await.code(), None);
    let mut publisher = come(&second, "alice", &["announce:public"]).await;
    publish(&mut publisher, "10").await;
    for reader in &mut readers {
        for number in 0..=10_u64 {
            let told = reader.hear("announcement").await;
            assert_eq!(told["body"], format!("{number}"));
            assert_eq!(told["offset"], number + 1);
        }
    }

    // One that would have the store for itself does not come in, with what it can do about it.
    write(folder.path(), "alone.yaml", "server:\n  data: data\n");
    let mut alone = framewire(folder.path());
    alone.args(["serve", "--listen", "127.0.0.1:0", "--config", "alone.yaml"]);
    let (code, said) = refused(alone.env("API_secret", SECRET)).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("another server holds"), "{said}");
    assert!(said.contains("store.shared"), "{said}");

    // One that comes again finds everything.
    let again = Running::start(&mut program(folder.path(), 0, "")).await;
    let since = json!({"Public": {"offset": 10}});
    let token = token_with(SECRET, "bob", &[]);
    let (mut bob, _) = sign_in(&again, &token, since).await.unwrap();
    assert_eq!(bob.hear("announcement").await["body"], "10");
    publish(&mut publisher, "11").await;
    assert_eq!(bob.hear("announcement").await["body"], "11");
    drop((bob, publisher, readers));
    stop([again, second, third]).await;

    // And when the last has gone, one may have it for itself.
    let mut alone = framewire(folder.path());
    alone.args(["serve", "--listen", "127.0.0.1:0", "--config", "alone.yaml"]);
    let alone = Running::start(alone.env("API_secret", SECRET)).await;
    let (code, said) = refused(&mut program(folder.path(), 0, "")).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("another server holds"), "{said}");
    alone.stop().await;
}

//= A77 type=test
#[tokio::test]
async fn one_that_was_stopped_for_long_has_its_clients_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let servers = three(folder.path(), "").await;
    let scopes = ["announce:public", "announce:channel:HR"];
    let mut publisher = come(&servers[0], "alice", &scopes).await;
    let member = "PUT /api/v1/feeds/HR/members/bob";
    assert_eq!(ask(&servers[2], member, &Value::Null).await, 204);
    let mut bob = come(&servers[2], "bob", &[]).await;
    publish(&mut publisher, "0").await;
    assert_eq!(bob.hear("announcement").await["body"], "0");
    let file = rusqlite::Connection::open(folder.path().join("data/announce.db")).unwrap();
    file.busy_timeout(PATIENCE).unwrap();
    // It writes nothing of its own accord after this, so that it does not stop in a write.
    let is_noted = "SELECT 1 FROM cursor WHERE username = 'bob' AND sent_upto > 0";
    while !file.prepare(is_noted).unwrap().exists(()).unwrap() {
        tokio::task::yield_now().await;
    }
    servers[2].signal("STOP").await;
    let in_hr = json!({"feed": "HR", "title": "T", "body": "for bob"});
    publisher.say("publish", in_hr).await;
    publisher.hear("published").await;
    for number in 1..=3 {
        publish(&mut publisher, &format!("{number}")).await;
    }
    // The two others have heard of it all, and of each other.
    let mut carols = [
        come(&servers[0], "carol", &[]).await,
        come(&servers[1], "carol", &[]).await,
    ];
    for (reader, up_to) in [(1, 1), (0, 2)] {
        carols[reader]
            .say("read", json!({"feed": "Public", "up_to": up_to}))
            .await;
        for carol in &mut carols {
            carol.hear("read_state").await;
        }
    }
    // As minutes do.
    let latest = "DELETE FROM news WHERE seq < (SELECT max(seq) FROM news)";
    assert!(file.execute(latest, ()).unwrap() > 0);
    drop(file);
    servers[2].signal("CONT").await;
    assert_eq!(bob.closed().await.0, 1012);
    let since = json!({"HR": {"offset": 0}, "Public": {"offset": 1}});
    let token = token_with(SECRET, "bob", &[]);
    let (mut bob, signed) = sign_in(&servers[2], &token, since).await.unwrap();
    for feed in signed["feeds"].as_array().unwrap() {
        let known = if feed["feed"] == "HR" { 1 } else { 4 };
        let is_due = feed["feed"] != "user:bob";
        assert!(!is_due || feed["offset"] == known, "{signed}");
    }
    let mut in_public = async || loop {
        let told = bob.hear("announcement").await;
        if told["feed"] == "Public" {
            break told["body"].clone();
        }
    };
    for number in 1..=3 {
        assert_eq!(in_public().await, format!("{number}"));
    }
    publish(&mut publisher, "4").await;
    assert_eq!(in_public().await, "4");
    drop((bob, carols, publisher));
    stop(servers).await;
}
