//! Who hears and sees what, beside a model that knows nothing but the rule.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::house::{House, Native, grant};

const NAMESPACES: [&str; 2] = ["acme", "acme2"];
const USERS: [&str; 3] = ["ada", "bob", "public"];
const CHANNELS: [&str; 3] = ["HR", "HRX", "hr"];

#[derive(Clone, Debug)]
struct Reader {
    namespace: usize,
    user: usize,
    channels: Vec<usize>,
    has_role: bool,
}

#[derive(Clone, Debug)]
enum To {
    Public,
    Channel(usize),
    Role,
    User(usize),
}

impl To {
    fn feed(&self) -> String {
        match self {
            Self::Public => "Public".into(),
            Self::Channel(at) => CHANNELS[*at].into(),
            Self::Role => "role:HR".into(),
            Self::User(at) => format!("user:{}", USERS[*at]),
        }
    }

    /// The rule.
    fn is_for(&self, reader: &Reader) -> bool {
        match self {
            Self::Public => true,
            Self::Channel(at) => reader.channels.contains(at),
            Self::Role => reader.has_role,
            Self::User(at) => reader.user == *at,
        }
    }
}

fn readers() -> impl Strategy<Value = Vec<Reader>> {
    let channels = prop::sample::subsequence((0..CHANNELS.len()).collect::<Vec<_>>(), 0..=3);
    let reader = (0..2_usize, 0..USERS.len(), channels, any::<bool>()).prop_map(
        |(namespace, user, channels, has_role)| Reader {
            namespace,
            user,
            channels,
            has_role,
        },
    );
    prop::collection::vec(reader, 2..7).prop_map(|readers| {
        // What a person is a member of is one thing for all connections of theirs.
        let mut people = BTreeMap::new();
        for reader in readers {
            people
                .entry((reader.namespace, reader.user))
                .or_insert(reader);
        }
        people.into_values().collect()
    })
}

fn to() -> impl Strategy<Value = To> {
    prop_oneof![
        Just(To::Public),
        (0..CHANNELS.len()).prop_map(To::Channel),
        Just(To::Role),
        (0..USERS.len()).prop_map(To::User),
    ]
}

async fn sign_in(house: &House, reader: &Reader) -> Native {
    let channels: Vec<_> = reader.channels.iter().map(|at| CHANNELS[*at]).collect();
    let roles: &[&str] = if reader.has_role { &["HR"] } else { &[] };
    let mut given = grant(USERS[reader.user], &[], &channels, roles);
    let namespaces = [NAMESPACES[reader.namespace]];
    given.namespaces = &namespaces;
    house.native_as(&given).await
}

/// Hears up to the end what is expected, and finds the same among the unread.
async fn hear_all(native: &mut Native, expected: &mut Vec<Value>, reader: &Reader) {
    let mut heard: Vec<Value> = Vec::new();
    loop {
        let mut payload = native.hear("announcement").await;
        heard.push(payload["announcement"].take());
        if payload["body"] == "the end" {
            break;
        }
    }
    expected.extend(heard.last().cloned());
    assert_eq!(heard, *expected, "{reader:?}");
    let page = native.ask("unread", json!({"limit": 100})).await["payload"].take();
    let unread: Vec<_> = page["announcements"].as_array().unwrap().iter().collect();
    assert_eq!(unread.len(), expected.len());
    assert!(
        unread
            .iter()
            .all(|it| expected.contains(&it["announcement"]))
    );
}

async fn announce_to_all(readers: Vec<Reader>, announcements: Vec<(usize, To)>) {
    let house = House::open().await;
    let mut natives = Vec::new();
    for reader in &readers {
        natives.push(sign_in(&house, reader).await);
    }
    let scopes = [
        "announce:public",
        "announce:channel",
        "announce:role:HR",
        "announce:user",
    ];
    let mut publishers = Vec::new();
    for namespace in NAMESPACES {
        let mut given = grant("publisher", &scopes, &[], &[]);
        let namespaces = [namespace];
        given.namespaces = &namespaces;
        publishers.push(house.native_as(&given).await);
    }
    let mut expected = vec![Vec::new(); readers.len()];
    for (namespace, to) in &announcements {
        let draft = json!({"feed": to.feed(), "body": "B"});
        let answer = publishers[*namespace].ask("publish", draft).await;
        // A channel that nobody is in does not exist.
        if answer["type"] == "error" {
            assert_eq!(answer["payload"]["code"], "unknown_group");
            continue;
        }
        for (at, reader) in readers.iter().enumerate() {
            if reader.namespace == *namespace && to.is_for(reader) {
                expected[at].push(answer["payload"]["announcement"].clone());
            }
        }
    }
    for publisher in &mut publishers {
        let last = json!({"feed": "Public", "body": "the end"});
        publisher.ask("publish", last).await;
    }
    for ((native, expected), reader) in natives.iter_mut().zip(&mut expected).zip(&readers) {
        hear_all(native, expected, reader).await;
    }
    // What was not for them cannot be marked or acknowledged either, whoever names it.
    for (at, native) in natives.iter_mut().enumerate() {
        for id in expected
            .iter()
            .flatten()
            .filter(|id| !expected[at].contains(id))
        {
            let code = native
                .refused("acknowledge", json!({"announcement": id}))
                .await;
            assert_eq!(code, "unknown_notification");
        }
    }
    house.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    //= AU-24 type=test
    //= AU-27 type=test
    //= AU-29 type=test
    //= AU-30 type=test
    #[test]
    fn prop_nothing_reaches_anybody_who_is_not_entitled(
        readers in readers(),
        announcements in prop::collection::vec((0..2_usize, to()), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(announce_to_all(readers, announcements));
    }
}
