//! `framewire check-config`: what a configuration means.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::announce::config::check::{Strength, World, check};
use crate::announce::config::{Config, Flags, SecretSource, Source};
use crate::announce::secret;
use crate::cli::args::CheckConfig;

/// The most that is read of a file with a secret.
const SECRET_BYTES_MAX: u64 = 4096;

/// Prints what the file means, together with the environment of this process, and every remark.
///
/// # Errors
///
/// When the file cannot be read, when anything in it is wrong, which is told line by line on
/// standard error, or when it is unsafe and its profile is production.
pub fn run(args: &CheckConfig) -> Result<(), Box<dyn Error>> {
    let name = args.file.display();
    let source =
        Source::read(&args.file).map_err(|error| format!("cannot read {name}: {error}"))?;
    let environment = environment();
    let config = match Config::load(Some(&source), &environment, &Flags::default()) {
        Ok(config) => config,
        Err(faults) => {
            writeln!(io::stderr(), "{faults}")?;
            return Err(format!("{name} cannot be used: correct what is told above").into());
        }
    };
    let data = config.server.data.clone();
    let world = World {
        now: Timestamp::now(),
        next_runs: None,
        secret: &|source| strength(source, &data),
    };
    let report = check(&config, &world);
    write!(io::stdout(), "{report}")?;
    match report.is_refused() {
        true => Err(format!("{name} is unsafe: change what the remarks say").into()),
        false => Ok(()),
    }
}

/// The variables of this process that are text.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Looks at a secret, and keeps nothing of it.
fn strength(source: &SecretSource, data: &Path) -> Option<Strength> {
    let of_variable = |name: &str| {
        std::env::var(name)
            .ok()
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
