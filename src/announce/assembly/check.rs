//! What is unsafe in a configuration, with the secrets looked at.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;

use crate::announce::config::check::{Report, Strength, World, check};
use crate::announce::config::{Config, SecretSource};
use crate::announce::secret;

/// The most that is read of a file with a secret.
const SECRET_BYTES_MAX: u64 = 4096;

/// Says what a configuration means now, in this environment, and what is unsafe in it. Of the
/// secrets no more is kept than their strength.
#[must_use]
pub fn report(config: &Config, environment: &BTreeMap<String, String>) -> Report {
    let data = config.server.data.clone();
    let world = World {
        now: Timestamp::now(),
        secret: &|source| strength(source, environment, &data),
    };
    check(config, &world)
}

fn strength(
    source: &SecretSource,
    environment: &BTreeMap<String, String>,
    data: &Path,
) -> Option<Strength> {
    let of_variable = |name: &str| {
        environment
            .get(name)
            .map(|text| Strength::of(text.as_bytes()))
    };
    match source {
        SecretSource::Variable(name) => of_variable(name),
        SecretSource::File(path) => of_file(path),
        SecretSource::VariableOrGenerated(name) => {
            of_variable(name).or_else(|| of_file(&data.join(secret::FILE)))
        }
    }
}

fn of_file(path: &Path) -> Option<Strength> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(SECRET_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let end = bytes.iter().rposition(|b| !matches!(b, b'\n' | b'\r'))?;
    Some(Strength::of(&bytes[..=end]))
}
