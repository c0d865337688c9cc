//! Clocks that disagree, and names that nobody can guess.

use std::time::{Duration, SystemTime};

use framewire::client::Config;
use serde_json::json;

use crate::house::House;
use crate::secrets::Log;

//= AU-38 type=test
#[tokio::test]
async fn tokens_of_a_time_to_come_are_refused_and_the_log_warns_once() {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    let house = House::open().await;
    let ttl = Duration::from_secs(3600);
    let now = SystemTime::now();
    let ahead = house.token_minted("bob", ttl, now + Duration::from_secs(600));
    let mut native = house.greet().await;
    for _ in 0..2 {
        let told = native.ask("sign", json!({"token": ahead})).await;
        assert_eq!(told["type"], "error", "{told}");
    }
    let among = Config::default().with_subprotocol(format!("token.{ahead}"));
    assert_eq!(house.try_connect("", &among).await.err(), Some(401));
    assert_eq!(house.service.counters().snapshot().clocks, 3);
    // Within what two clocks may differ it counts.
    let near = house.token_minted("bob", ttl, now + Duration::from_secs(20));
    let told = native.ask("sign", json!({"token": near})).await;
    assert_eq!(told["type"], "signed", "{told}");
    drop(native);
    house.close().await;
    drop(guard);
    let logged = log.0.lock().unwrap().clone();
    let warned = logged.matches("set the clock of this machine").count();
    assert_eq!(warned, 1, "{logged}");
}

//= A37 type=test
//= A39 type=test
#[tokio::test]
async fn the_names_of_stays_are_random_in_every_bit() {
    let house = House::open().await;
    let mut natives = Vec::new();
    for at in 0..48 {
        natives.push(house.native(&format!("user-{at}"), &[]).await);
    }
    let clients = house.service.clients().snapshot();
    let names = clients.iter().map(|it| it.identity().unwrap().session);
    let names: Vec<u128> = names
        .map(|name| {
            assert_eq!(name.len(), 32, "{name}");
            u128::from_str_radix(&name, 16).unwrap()
        })
        .collect();
    assert_eq!(names.len(), 48);
    // A bit that is the same in 48 random names is one in 2^47: no counter and no clock is in it.
    let ones = names.iter().fold(0, |ones, name| ones | name);
    let zeros = names.iter().fold(0, |zeros, name| zeros | !name);
    assert_eq!((ones, zeros), (u128::MAX, u128::MAX));
    drop((natives, clients));
    house.close().await;
}
