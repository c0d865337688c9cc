//! Whatever is sent, nobody outside the namespace receives it.

use std::sync::Arc;

use framewire::announce::bus::{Bus, Credential};
use framewire::announce::gateway::{BroadcastScope, Delivery, Settings};
use proptest::prelude::*;

use crate::support::{Noted, Seat, json};

const NAMESPACES: [&str; 3] = ["acme", "globex", "initech"];
const USERS: [&str; 3] = ["alex", "bob", "eve"];

fn one_of(names: [&'static str; 3]) -> impl Strategy<Value = &'static str> {
    (0..3usize).prop_map(move |at| names[at])
}

/// The producer's namespace, that of the order, and the person; none is a broadcast.
type Order = (&'static str, Option<&'static str>, Option<&'static str>);

fn order() -> impl Strategy<Value = Order> {
    let space = proptest::option::of(one_of(NAMESPACES));
    (
        one_of(NAMESPACES),
        space,
        proptest::option::of(one_of(USERS)),
    )
}

proptest! {
    #[test]
    fn nobody_outside_the_namespace_receives(
        seats in proptest::collection::vec((one_of(NAMESPACES), one_of(USERS)), 0..20),
        orders in proptest::collection::vec(order(), 1..20),
        is_wide in any::<bool>(),
    ) {
        //= B26 type=test
        //= B28 type=test
        //= B44 type=test
        let seats = seats.iter().enumerate();
        let seats = seats.map(|(n, (space, user))| Seat::new(space, user, &n.to_string()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check(seats.collect(), orders, is_wide))?;
    }
}

async fn check(seats: Vec<Seat>, orders: Vec<Order>, is_wide: bool) -> Result<(), TestCaseError> {
    let mut settings = Settings::default();
    if is_wide {
        settings.broadcast_scope = BroadcastScope::AllNamespaces;
    }
    let (bus, noted) = (Bus::new(), Arc::new(Noted::new(seats)));
    let _delivery = Delivery::listen(&bus, Arc::new(settings), Arc::clone(&noted) as _).unwrap();
    for (own, space, user) in orders {
        let producer = bus.producer(Credential::new("app", own, &["send", "broadcast"]));
        let mut data = serde_json::json!({"type": "t", "payload": 1});
        if let Some(space) = space {
            data["namespace"] = space.into();
        }
        let topic = match user {
            Some(user) => {
                data["username"] = user.into();
                "socket:send"
            }
            None => "socket:broadcast",
        };
        let sent = producer.send(topic, json(&data.to_string())).await;
        let is_meant =
            |seat: &&Seat| seat.namespace == own && user.is_none_or(|it| it == seat.user);
        let meant: Vec<_> = noted.seats.iter().filter(is_meant).collect();
        let offered = noted.take();
        let is_allowed = space.map_or_else(|| user.is_none(), |space| space == own);
        prop_assert_eq!(sent.is_ok(), is_allowed);
        prop_assert_eq!(offered.len(), if is_allowed { meant.len() } else { 0 });
        for (connection, _) in offered {
            prop_assert!(meant.iter().any(|seat| seat.connection == connection));
        }
    }
    Ok(())
}
