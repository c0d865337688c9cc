//! Tokens go in and never come out.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use framewire::client::Config;
use framewire::engine::Message;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::house::{House, Native};

/// Everything that is logged, as text.
#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is kept of those who have signed in, as whoever looks into the server sees it.
//= A54 type=test
fn shows_none(house: &House, tokens: &[&str]) {
    let clients = house.service.clients().snapshot();
    let kept = clients.iter().filter(|it| it.identity().is_some()).count();
    assert_eq!(kept, tokens.len());
    let (service, desk) = (&house.service, house.service.desk());
    let shown = format!("{clients:?} {service:?} {desk:?}");
    assert!(shown.contains("alice"), "{shown}");
    for part in tokens.iter().flat_map(|token| token.split('.').skip(1)) {
        assert!(!shown.contains(part), "{shown}");
    }
}

//= A07 type=test
//= A54 type=test
//= A81 type=test
//= AU-19 type=test
#[tokio::test]
async fn no_token_is_sent_logged_or_stored() {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    let house = House::open().await;
    let alice = house.token("alice", &["announce:public", "send"]);
    let bearer = "a-second-credential-of-hers";
    let mut out = String::new();
    for query in [format!("?token={alice}"), format!("?x={alice}")] {
        let refused = house.try_connect(&query, &Config::default()).await;
        writeln!(out, "{:?}", refused.err()).unwrap();
    }
    let forged = format!("token.{alice}x");
    let forged = Config::default().with_subprotocol(forged);
    assert_eq!(house.try_connect("", &forged).await.err(), Some(401));
    let config = Config::default()
        .with_subprotocol("announce.v1")
        .with_cookie("ID_TOKEN", &alice);
    let mut native = Native::new(house.try_connect("", &config).await.unwrap());
    native
        .ask("sign", json!({"token": format!("{alice}x")}))
        .await;
    let mut bob = house.sign_in("bob", &[]).await;
    let mut person = house.sign_in("alice", &["announce:public"]).await;
    let said = json!({"Group": "Public", "Body": "kept", "Bearer": bearer, "RequestID": 1});
    person.say("Public announcement", said).await;
    person
        .say(
            "Public announcement",
            json!({"Group": "Public", "Body": person.token}),
        )
        .await;
    person.say("Dance", json!({"Bearer": bearer})).await;
    let cut = format!(r#"{{"APIToken":"{alice}","Bearer":"{bearer}""#);
    person.socket.send(Message::text(cut)).await.unwrap();
    for _ in 0..5 {
        out.push_str(&person.hear_text().await);
    }
    out.push_str(&bob.hear_text().await);
    bob.say("Get unread messages", json!({})).await;
    out.push_str(&bob.hear_text().await);
    out.push_str(&format!("{:?}", native.all().await));
    let own = person.token.rsplit('.').next().unwrap().to_owned();
    shows_none(&house, &[&alice, &person.token, &bob.token]);
    let folder = house.close().await;
    drop(guard);
    let logged = log.0.lock().unwrap().clone();
    assert!(logged.contains("token refused"), "{logged}");
    assert!(
        !logged.contains("kept"),
        "what people write stands in no log"
    );
    let mut stored = String::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        stored.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert!(stored.contains("kept") && out.contains("kept"));
    let signature = alice.rsplit('.').next().unwrap();
    for (name, text) in [("sent", &out), ("logged", &logged), ("stored", &stored)] {
        assert!(!text.contains(&own) && !text.contains(bearer), "{name}");
        if name != "sent" {
            assert!(!text.contains(signature), "{name}");
        }
    }
}
