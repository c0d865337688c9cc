//! Schedules that are run by hand, and how their runs are counted.

use framewire::announce::announcement::FeedKey;
use framewire::announce::outgoing::Target;
use framewire::announce::schedule::{CatchUp, Cron, Plan, Template, time_zone};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::house::House;

/// Due once in four years, so that only what is asked for runs.
fn plan(id: &str, hook: Option<Target>) -> Plan {
    Plan {
        id: id.into(),
        namespace: "main".into(),
        cron: Cron::new("0 3 29 2 *").unwrap(),
        timezone: time_zone("UTC").unwrap(),
        catch_up: CatchUp::Once,
        feed: FeedKey::public(),
        template: Template {
            title: "Log your hours".into(),
            body: "Until the 20th.".into(),
            data: None,
        },
        priority: 3,
        audience_hook: hook,
        paused: false,
    }
}

/// A server that gives these answers, one for each question, and then is gone.
async fn hook(answers: Vec<&'static str>) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/who", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for body in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = String::new();
            while !asked.ends_with('}') {
                let mut bytes = [0; 1024];
                let read = stream.read(&mut bytes).await.unwrap();
                asked.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
            }
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(head.as_bytes()).await.unwrap();
        }
    });
    Target::new(&url, false).unwrap()
}

async fn run(house: &House, token: &str, id: &str, headers: &str) -> (u16, Value) {
    let target = format!("/api/v1/schedules/{id}/run");
    let answer = house.ask_with(token, "POST", &target, None, headers).await;
    (answer.status, answer.json())
}

async fn unread(house: &House, user: &str) -> Value {
    let token = house.token(user, &[]);
    let target = format!("/api/v1/users/{user}/unread");
    let answer = house.ask(&token, "GET", &target, None).await.json();
    answer["unread"].clone()
}

#[tokio::test]
async fn the_same_key_is_the_same_run() {
    // Asked a second time it would name others.
    let answers = vec![r#"{"users":["bob"]}"#, r#"{"users":["carol"]}"#];
    let named = hook(answers).await;
    let plans = vec![plan("all", None), plan("named", Some(named))];
    let house = House::with_plans(Some(plans)).await;
    let admin = house.token("root", &["admin"]);
    let other = house.token("ruth", &["admin"]);
    for (id, audience) in [
        ("all", json!({"kind": "everyone"})),
        (
            "named",
            json!({"kind": "users", "count": 1, "users": ["bob"]}),
        ),
    ] {
        let key = "Idempotency-Key: k-1\r\n";
        let first = run(&house, &admin, id, key).await;
        assert_eq!((first.0, &first.1["audience"]), (200, &audience));
        assert_eq!(run(&house, &admin, id, key).await, first);
    }
    let target = "/api/v1/announcements";
    let listed = house.ask(&admin, "GET", target, None).await.json();
    let feeds = listed["announcements"].as_array().unwrap().iter();
    let mut feeds: Vec<_> = feeds.map(|it| it["feed"].as_str().unwrap()).collect();
    feeds.sort_unstable();
    assert_eq!(feeds, ["Public", "user:bob"]);
    // A key is its caller's own, and without one each run is another.
    let key = "Idempotency-Key: k-1\r\n";
    let first = run(&house, &other, "all", key).await.1;
    let second = run(&house, &other, "all", "").await.1;
    assert_ne!(first["key"], second["key"]);
    let listed = house.ask(&admin, "GET", target, None).await.json();
    assert_eq!(listed["announcements"].as_array().unwrap().len(), 4);
    let wrong = "Idempotency-Key: a\r\nIdempotency-Key: b\r\n";
    assert_eq!(run(&house, &admin, "all", wrong).await.0, 400);
    assert_ne!(unread(&house, "bob").await, json!(0));
    house.close().await;
}

#[tokio::test]
async fn runs_are_counted_by_schedule_and_outcome() {
    let gone = hook(Vec::new()).await;
    let plans = vec![plan("all", None), plan("named", Some(gone))];
    let house = House::with_plans(Some(plans)).await;
    let admin = house.token("root", &["admin"]);
    for headers in ["", "Idempotency-Key: 1\r\n", "Idempotency-Key: 1\r\n"] {
        assert_eq!(run(&house, &admin, "all", headers).await.0, 200);
    }
    assert_eq!(run(&house, &admin, "named", "").await.0, 503);
    let metrics = house.ask(&admin, "GET", "/metrics", None).await.body;
    for line in [
        r#"framewire_schedule_runs_total{schedule="all",outcome="announced"} 2"#,
        r#"framewire_schedule_runs_total{schedule="all",outcome="failed"} 0"#,
        r#"framewire_schedule_runs_total{schedule="named",outcome="failed"} 1"#,
        r#"framewire_schedule_runs_total{schedule="named",outcome="announced"} 0"#,
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    house.close().await;
}
