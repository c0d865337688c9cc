//! A feed without a socket.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::house::{House, PATIENCE};

struct Reader {
    stream: TcpStream,
    text: String,
}

impl Reader {
    async fn open(house: &House, token: &str, feed: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        let request = format!(
            "GET /feeds/{feed}/events HTTP/1.1\r\nHost: h\r\n\
             Authorization: Bearer {token}\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let text = String::new();
        let mut reader = Self { stream, text };
        while !reader.text.contains("retry: 1000\n\n") {
            assert!(reader.more().await, "{}", reader.text);
        }
        assert!(reader.text.contains("content-type: text/event-stream"));
        reader
    }

    async fn more(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await;
        let read = read.unwrap().unwrap();
        self.text
            .push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        read > 0
    }

    /// The next event: identifier, name, data. What only keeps the stream alive is no event.
    async fn event(&mut self) -> (String, String, Value) {
        let found = timeout(PATIENCE, self.found()).await;
        found.expect("an event")
    }

    async fn found(&mut self) -> (String, String, Value) {
        loop {
            if let Some(at) = self.text.find("event: ")
                && let Some(end) = self.text[at..].find("\n\n")
            {
                let line = |name: &str| {
                    let lines = self.text[..at + end].lines();
                    lines
                        .filter_map(|it| it.strip_prefix(name))
                        .next_back()
                        .unwrap_or("")
                        .to_owned()
                };
                let (id, kind, data) = (line("id: "), line("event: "), line("data: "));
                self.text.drain(..at + end);
                return (id, kind, serde_json::from_str(&data).unwrap());
            }
            assert!(self.more().await, "{}", self.text);
        }
    }
}

//= C02 type=test
#[tokio::test]
async fn events_come_in_order_and_go_on_where_they_were() {
    let house = House::open().await;
    let alice = house.token("alice", &["announce:public", "announce:channel"]);
    let token = house.token("bob", &[]);
    let mut reader = Reader::open(&house, &token, "Public", "").await;
    for number in 1..=5 {
        house
            .publish(&alice, json!({"feed": "Public", "data": {"n": number}}))
            .await;
    }
    let mut last = String::new();
    for number in 1..=5 {
        let (id, kind, data) = reader.event().await;
        assert_eq!(
            (kind.as_str(), &data["data"]["n"]),
            ("announcement", &json!(number))
        );
        if number == 2 {
            last = id;
        }
    }
    drop(reader);
    let headers = format!("Last-Event-ID: {last}\r\n");
    let mut reader = Reader::open(&house, &token, "Public", &headers).await;
    house
        .publish(&alice, json!({"feed": "Public", "data": {"n": 6}}))
        .await;
    for number in 3..=6 {
        let (_, _, data) = reader.event().await;
        assert_eq!(data["data"]["n"], number);
    }
    let headers = "Last-Event-ID: another:2\r\n";
    let mut other = Reader::open(&house, &token, "Public", headers).await;
    assert_eq!(other.event().await.1, "gap");
    drop((reader, other));
    house.close().await;
}

//= A63 type=test
#[tokio::test]
async fn a_feed_is_for_those_who_are_in_it() {
    let house = House::open().await;
    let admin = house.token("root", &["admin", "announce:channel", "announce:public"]);
    let bob = house.token("bob", &[]);
    let target = "/feeds/HR/events";
    let refused = house.ask(&bob, "GET", target, None).await;
    assert_eq!(refused.status, 404);
    let member = "/api/v1/feeds/HR/members/bob";
    let mut socket = house.connect(&bob).await;
    assert_eq!(house.ask(&admin, "PUT", member, None).await.status, 204);
    let mut reader = Reader::open(&house, &bob, "HR", "").await;
    house
        .publish(&admin, json!({"feed": "HR", "body": "B"}))
        .await;
    assert_eq!(reader.event().await.2["body"], "B");
    // A socket that was open before hears of it as well.
    assert_eq!(
        crate::house::hear(&mut socket, "announcement").await["body"],
        "B"
    );
    let members = house
        .ask(&admin, "GET", "/api/v1/feeds/HR/members", None)
        .await;
    assert_eq!(members.json()["members"], json!(["bob"]));
    let feeds = house
        .ask(&bob, "GET", "/api/v1/users/bob/feeds", None)
        .await
        .json();
    assert!(
        feeds["feeds"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["feed"] == "HR")
    );
    let mut public = Reader::open(&house, &bob, "Public", "").await;
    assert_eq!(house.ask(&admin, "DELETE", member, None).await.status, 204);
    let (_, kind, data) = reader.event().await;
    assert_eq!(
        (kind.as_str(), &data["reason"]),
        ("end", &json!("no longer a member of this feed"))
    );
    while reader.more().await {}
    // What the person reads besides goes on.
    house
        .publish(&admin, json!({"feed": "Public", "body": "C"}))
        .await;
    assert_eq!(public.event().await.2["body"], "C");
    assert_eq!(house.ask(&bob, "GET", target, None).await.status, 404);
    drop((reader, public, socket));
    house.close().await;
}

#[tokio::test]
async fn a_stream_is_counted_as_one() {
    let house = House::open().await;
    let admin = house.token("root", &["admin"]);
    let bob = house.token("bob", &[]);
    let socket = house.connect(&bob).await;
    let reader = Reader::open(&house, &bob, "Public", "").await;
    let metrics = house.ask(&admin, "GET", "/metrics", None).await.body;
    for line in [
        "framewire_connections{dialect=\"sse\"} 1\n",
        "framewire_connections{dialect=\"native\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let target = "/api/v1/statistics";
    let figures = house.ask(&admin, "GET", target, None).await.json();
    let told = json!({"intent": 0, "native": 1, "gateway": 0, "sse": 1});
    assert_eq!(
        figures["connections"],
        json!({"total": 2, "by_dialect": told})
    );
    let target = "/api/v1/connections";
    let listed = house.ask(&admin, "GET", target, None).await.json();
    let ways = listed["connections"].as_array().unwrap().iter();
    let ways: Vec<_> = ways.map(|it| it["dialect"].as_str().unwrap()).collect();
    assert_eq!(ways, ["native", "sse"]);
    drop((reader, socket));
    house.close().await;
}

//= AU-20 type=test
#[tokio::test]
async fn a_stream_ends_with_its_token_a_revocation_and_the_server() {
    let house = House::open().await;
    let admin = house.token("root", &["admin"]);
    let short = house.issue("carol", &[], &[], &["main"], Duration::from_secs(2));
    let mut expiring = Reader::open(&house, &short, "Public", "").await;
    let (_, kind, data) = expiring.event().await;
    assert_eq!(
        (kind.as_str(), &data["reason"]),
        ("end", &json!("the token has expired"))
    );
    while expiring.more().await {}

    let mut revoked = Reader::open(&house, &house.token("bob", &[]), "Public", "").await;
    let body = json!({"user": "bob"});
    house
        .ask(&admin, "POST", "/api/v1/revocations", Some(body))
        .await;
    let told = timeout(Duration::from_secs(1), revoked.event())
        .await
        .unwrap();
    assert_eq!(told.1, "end");
    while revoked.more().await {}

    let mut open = Reader::open(&house, &house.token("dora", &[]), "Public", "").await;
    house.close().await;
    assert_eq!(open.event().await.2["reason"], "the server stops");
}
