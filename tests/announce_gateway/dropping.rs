//! Calls that are dropped after every number of polls, and what is left of them.

use std::sync::Arc;
use std::time::Duration;

use framewire::announce::bus::{Bus, Credential, Message, Topic};
use framewire::announce::gateway::{Delivery, Heard, Members, Settings};

use crate::polling::poll_times;
use crate::support::{Noted, Seat, alex, json, now, text};

const POLLS_MAX: usize = 6;

// drops: announce::bus::drain
// drops: announce::bus::subscription::next
// drops: announce::gateway::session::next
#[tokio::test]
async fn waiting_for_an_answer_that_is_dropped_loses_none() {
    let bus = Bus::new();
    let reply = |message: Message| async {
        tokio::task::yield_now().await;
        message.reply(json("1"));
    };
    bus.handle("socket:generalMessage", reply).unwrap();
    let mut general = bus.subscribe("socket:generalMessage").unwrap();
    let mut session = alex(&bus, &Settings::default());
    for polls in 0..POLLS_MAX {
        session.heard(Heard::Text(r#"{"id":1}"#), now());
        let told = poll_times(session.next(), polls).await;
        let _ = poll_times(bus.drain(Duration::from_secs(9)), polls).await;
        let told = match told {
            Some(told) => told,
            None => session.next().await,
        };
        assert!(text(&told).ends_with(r#""replyTo":1}"#));
        let heard = poll_times(general.next(), polls).await;
        assert!(heard.is_some() || general.next().await.is_some());
    }
    assert!(bus.drain(Duration::from_secs(9)).await);
}

// drops: announce::bus::producer::send
// drops: announce::gateway::members::relay_to_member
// drops: announce::gateway::members::relay_to_members
#[tokio::test]
async fn an_order_that_is_dropped_can_be_given_again() {
    let (bus, noted) = (
        Bus::new(),
        Arc::new(Noted::new(vec![Seat::new("acme", "alex", "1")])),
    );
    let settings = Arc::new(Settings::default());
    let _delivery = Delivery::listen(&bus, settings, Arc::clone(&noted) as _).unwrap();
    let producer = bus.producer(Credential::server());
    let topic = Topic::parse("socket:send").unwrap();
    let members = Members::new(Arc::new(producer.clone()), topic);
    for polls in 0..POLLS_MAX {
        let data = format!(
            r#"{{"username":"alex","namespace":"acme","type":"t","payload":1,"id":"{polls}"}}"#
        );
        drop(poll_times(producer.send("socket:send", json(&data)), polls).await);
        producer.send("socket:send", json(&data)).await.unwrap();
        assert_eq!(noted.take().len(), 1, "{polls} polls");
        drop(poll_times(members.relay_to_member("acme", "alex", "E", &1), polls).await);
        drop(poll_times(members.relay_to_members("acme", &["alex"], "E", &1), polls).await);
        assert!(noted.take().len() <= 2);
    }
}
