//! The configuration of the announcement server: what is read, refused and said about it.
#![cfg(feature = "cli")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod checking;
mod command;
mod every_key;
mod order;
mod random;
mod reading;
mod seed;
mod yaml;

use std::collections::BTreeMap;

use framewire::announce::config::{Config, Faults, Flags, Source};

const SEED: &str = include_str!("files/socket.yaml");
const EXAMPLE: &str = include_str!("../../examples/announce.yaml");

fn load(text: &str) -> Result<Config, Faults> {
    load_with(text, &[])
}

fn load_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, Faults> {
    let bytes = text.as_bytes().to_vec();
    let name = "c.yaml".to_owned();
    let environment: BTreeMap<String, String> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::load(
        Some(&Source { name, bytes }),
        &environment,
        &Flags::default(),
    )
}

/// The faults of a text, a line for each.
fn faults(text: &str) -> Vec<String> {
    let faults = load(text).expect_err(text);
    faults.as_slice().iter().map(ToString::to_string).collect()
}

/// The one fault of a text.
#[track_caller]
fn fault(text: &str) -> String {
    let faults = faults(text);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].clone()
}
