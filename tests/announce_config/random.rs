//! No bytes and no environment make it panic.

use std::collections::BTreeMap;

use framewire::announce::config::{Config, Flags, Source};
use proptest::prelude::*;

use crate::EXAMPLE;

fn load(bytes: Vec<u8>, environment: &BTreeMap<String, String>) {
    let source = Source {
        name: "c.yaml".to_owned(),
        bytes,
    };
    if let Err(faults) = Config::load(Some(&source), environment, &Flags::default()) {
        assert!(!faults.to_string().is_empty());
        assert!(
            faults
                .as_slice()
                .iter()
                .all(|fault| !fault.message.is_empty())
        );
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        load(bytes, &BTreeMap::new());
    }

    #[test]
    fn characters_that_mean_something_to_yaml(
        text in "[-:\\[\\]{}&*!|>'\"%@`#?,~ \n\ta-c0-9]{0,120}",
    ) {
        load(text.into_bytes(), &BTreeMap::new());
    }

    #[test]
    fn the_example_with_some_bytes_exchanged(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        load(bytes[..cut.index(bytes.len())].to_vec(), &BTreeMap::new());
        load(bytes, &BTreeMap::new());
    }

    #[test]
    fn any_environment(values in proptest::collection::vec(".{0,20}", 4)) {
        let names =
            ["PORT", "FRAMEWIRE_SERVER_LISTEN", "FRAMEWIRE_LIMITS_MESSAGE", "FRAMEWIRE_X"];
        let environment = names.iter().map(|name| (*name).to_owned()).zip(values).collect();
        load(Vec::new(), &environment);
    }
}
