//! The example of a notification service: compiled here, and spoken to.

use std::time::{Duration, SystemTime};

use framewire::client;
use framewire::engine::Message;
use framewire::server::{Config, Listener, Stop};
use serde_json::{Value, json};
use tokio::time::timeout;

#[path = "../../examples/notifications.rs"]
#[expect(dead_code, reason = "what is run is the service, without its program")]
mod example;

const PATIENCE: Duration = Duration::from_secs(30);

//= B55 type=test
#[tokio::test]
async fn an_order_is_accepted_and_its_person_notified() {
    let folder = tempfile::tempdir().unwrap();
    let (service, minter) = example::service(folder.path()).unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), Config::default());
    let listener = listener.await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Stop::new();
    let running = tokio::spawn(service.run(listener, stop.stopping()));
    let token = minter.mint("alex", &["main"], &[], PATIENCE, SystemTime::now());
    let config = client::Config::default()
        .with_cookie("ID_TOKEN", &token.unwrap())
        .with_origin(format!("http://{address}"));
    let url = format!("ws://{address}/connect?namespace=main");
    let (mut alex, _) = client::connect_with(&url, &config).await.unwrap();
    let order = json!({"type": "order", "id": 7, "payload": {"what": "tea"}});
    alex.send(Message::text(order.to_string())).await.unwrap();
    let mut heard = Vec::new();
    for _ in 0..3 {
        let message = timeout(PATIENCE, alex.recv()).await.unwrap().unwrap();
        let message = message.expect("it is open");
        let message: Value = serde_json::from_str(message.as_text().unwrap()).unwrap();
        heard.push(message);
    }
    assert_eq!(
        heard.remove(0),
        json!({"type": "onconnect", "payload": {"hello": "alex"}})
    );
    // The notification and the answer come on their own ways.
    let told = |message: Value| assert!(heard.contains(&message), "{heard:?}");
    told(json!({"type": "ready", "payload": {"what": "tea"}}));
    told(json!({"type": "orders:placed", "payload": {"accepted": true}, "replyTo": 7}));
    drop(alex);
    assert!(stop.stop(PATIENCE).await);
    running.await.unwrap();
}
