//! Handlers over HTTP, against a server on loopback.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use framewire::announce::bus::{Bus, Topic};
use framewire::announce::gateway::webhook::{Client, SECRET_BYTES_MIN, Webhook};
use framewire::announce::gateway::{Heard, Settings};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::mpsc;

use crate::reserved::Reserved;
use crate::support::{alex, now, text, value};

/// A server that hands over what it was sent, and answers by the `type` of the message.
async fn serve() -> (String, mpsc::UnboundedReceiver<(HeaderMap, String)>) {
    let (sender, requests) = mpsc::unbounded_channel();
    let answer = move |headers: HeaderMap, body: String| async move {
        let kind = value(&body)["message"]["message"]["type"].clone();
        sender.send((headers, body)).unwrap();
        match kind.as_str() {
            Some("reply") => (StatusCode::OK, r#"{"reply":{"n": 1.50}}"#),
            Some("fail") => (StatusCode::OK, r#"{"fail":{"code":"no"}}"#),
            Some("odd") => (StatusCode::OK, "<html>"),
            Some("error") => (StatusCode::INTERNAL_SERVER_ERROR, r#"{"reply":1}"#),
            Some("moved") => (StatusCode::FOUND, ""),
            Some("hang") => std::future::pending().await,
            _ => (StatusCode::NO_CONTENT, ""),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let app = Router::new().route("/hook", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, requests)
}

fn client() -> Arc<Client> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider);
    let tls = tls.with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_root_certificates(RootCertStore::empty());
    Arc::new(Client::new(tls.with_no_client_auth()))
}

fn attach(bus: &Bus, url: &str) {
    let topic = Topic::parse("socket:generalMessage").unwrap();
    let wait = Duration::from_millis(300);
    let hook = Webhook::new(topic, url, b"0123456789abcdef", wait).unwrap();
    hook.attach(bus, client()).unwrap();
}

#[tokio::test]
async fn a_webhook_answers_messages_and_is_asked_once() {
    //= B29 type=test
    let (url, mut requests) = serve().await;
    let bus = Bus::new();
    attach(&bus, &url);
    let mut session = alex(&bus, &Settings::default());
    let general = r#"{"type":"socket:generalMessage","payload":{"n": 1.50},"replyTo":1}"#;
    let error = |code: &str| format!(r#"{{"code":"{code}""#);
    for (kind, expected) in [
        ("reply", general.to_owned()),
        (
            "fail",
            r#"{"type":"error","payload":{"code":"no"},"replyTo":1}"#.into(),
        ),
        ("odd", error("internal")),
        ("error", error("internal")),
        ("moved", error("internal")),
        ("hang", error("timeout")),
    ] {
        session.heard(Heard::Text(r#"{"type":"silent","id":1}"#), now());
        session.heard(
            Heard::Text(&format!(r#"{{"type":"{kind}","id":1}}"#)),
            now(),
        );
        let told = session.next().await;
        assert!(text(&told).contains(&expected), "{kind}: {}", text(&told));
        let (_, silent) = requests.recv().await.unwrap();
        let (headers, body) = requests.recv().await.unwrap();
        assert_eq!(value(&silent)["message"]["message"]["type"], "silent");
        let body = value(&body);
        assert_eq!(body["topic"], "socket:generalMessage");
        assert_eq!(body["id"], headers["webhook-id"].to_str().unwrap());
        assert_eq!(body["message"]["context"]["params"]["namespace"], "acme");
        assert!(
            headers["webhook-signature"]
                .to_str()
                .unwrap()
                .starts_with("v1,")
        );
        assert!(requests.try_recv().is_err(), "asked twice");
    }
}

#[tokio::test]
async fn a_webhook_that_is_not_there_fails_the_message() {
    let unheard = Reserved::new();
    let url = format!("http://{}/", unheard.address);
    let bus = Bus::new();
    attach(&bus, &url);
    let mut session = alex(&bus, &Settings::default());
    session.heard(Heard::Text(r#"{"id":1}"#), now());
    let told = session.next().await;
    assert_eq!(value(text(&told))["payload"]["code"], "unavailable");
}

#[test]
fn a_short_secret_does_not_sign() {
    let topic = Topic::parse("t").unwrap();
    let secret = [0; SECRET_BYTES_MIN - 1];
    assert!(Webhook::new(topic, "http://x/", &secret, Duration::from_secs(1)).is_err());
}
