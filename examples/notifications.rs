//! A notification service in one file: clients connect, and the rest of a company tells them what
//! concerns them. Handlers are functions on topics of a bus, and see no socket.
//!
//! `cargo run --example notifications -- 127.0.0.1:4000 ./data`, then, with the token that it
//! prints, `framewire connect 'ws://127.0.0.1:4000/connect?namespace=main'`, and type
//! `{"type":"sign","payload":{"token":"..."}}` and `{"type":"order","payload":{"what":"tea"}}`.

extern crate alloc;

use alloc::sync::Arc;
use core::error::Error;
use core::time::Duration;
use std::path::Path;
use std::time::SystemTime;

use framewire::announce::bus::{Bus, Credential, Json, Message, Topic};
use framewire::announce::desk::Desk;
use framewire::announce::dialect::Dialect;
use framewire::announce::secret::Secret;
use framewire::announce::service::{Endpoint, Service, Settings};
use framewire::announce::store::Store;
use framewire::announce::token::{Minter, Verifier};
use framewire::announce::{gateway, page};
use framewire::server::{Config, Listener};
use serde_json::{Value, json};

type Failure = Box<dyn Error + Send + Sync>;

/// Where what clients say is heard, by the `type` of their messages.
fn topics() -> Result<gateway::Settings, Failure> {
    let topic = |name: &str| Topic::parse(name);
    let mut settings = gateway::Settings::default();
    settings.path = "/connect".into();
    settings.onconnect = Some(topic("clients:came")?);
    settings.onclose = Some(topic("clients:left")?);
    settings.send = Some(topic("notify:user")?);
    settings.types.insert("order", topic("orders:placed")?)?;
    Ok(settings)
}

/// What the company does about what it hears.
fn handle(bus: &Bus) -> Result<(), Failure> {
    bus.handle("clients:came", |message: Message| async move {
        match Json::of(&json!({"hello": who(&message)})) {
            Ok(greeting) => message.reply(greeting),
            Err(_) => message.ack(),
        }
    })?;
    bus.handle("clients:left", |message: Message| async move {
        println!("{} has left: {}", who(&message), message.data().as_str());
        message.ack();
    })?;
    let kitchen = bus.producer(Credential::server());
    bus.handle("orders:placed", move |message: Message| {
        let kitchen = kitchen.clone();
        async move {
            // A part of the company that knows users, and neither connections nor sockets.
            let order: Value = serde_json::from_str(message.data().as_str()).unwrap_or_default();
            let ready = json!({
                "username": who(&message), "namespace": "main", "type": "ready",
                "payload": order["message"]["payload"], "store_if_offline": true,
            });
            let sent = match Json::of(&ready) {
                Ok(ready) => kitchen.send("notify:user", ready).await.is_ok(),
                Err(_) => false,
            };
            match Json::of(&json!({"accepted": sent})) {
                Ok(answer) => message.reply(answer),
                Err(_) => message.ack(),
            }
        }
    })?;
    Ok(())
}

/// The person whom a message is from, as their token has it.
fn who(message: &Message) -> String {
    let context = message.context().map_or("null", Json::as_str);
    let context: Value = serde_json::from_str(context).unwrap_or_default();
    let user = &context["headers"]["jwt"]["preferred_username"];
    user.as_str().unwrap_or("somebody").to_owned()
}

/// Puts the service together: the sockets, what may be said on them, and who hears it. What it
/// mints tokens with comes back beside it.
pub(crate) fn service(data: &Path) -> Result<(Service, Minter), Failure> {
    let secret = Secret::load(data, None)?;
    let store = Store::open(&data.join("announce.db"))?;
    let desk = Arc::new(Desk::new(store, Verifier::new(&secret)));
    let mut settings = Settings::default();
    settings.endpoints.push(Endpoint {
        path: "/connect".into(),
        dialect: Dialect::Gateway,
    });
    let service = Service::with(desk, settings, page::router());
    let bus = Bus::new();
    handle(&bus)?;
    service.with_gateway(bus, Arc::new(topics()?))?;
    Ok((service, Minter::new(&secret)))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:4000".into());
    let data = arguments.next().unwrap_or_else(|| "data".into());
    std::fs::create_dir_all(&data)?;
    let (service, minter) = service(Path::new(&data))?;
    let listener = Listener::bind(listen.parse()?, Config::default()).await?;
    let hour = Duration::from_secs(3600);
    let token = minter.mint("alex", &["main"], &[], hour, SystemTime::now())?;
    println!("listening on ws://{}/connect", listener.local_addr()?);
    println!("token of alex: {token}");
    // It ends with the process.
    let stop = framewire::server::Stop::new();
    service.run(listener, stop.stopping()).await;
    Ok(())
}
