//! `framewire check-config`: what a configuration means.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::error::Error;
use std::io::{self, Write as _};

use crate::announce::assembly::check::report;
use crate::announce::config::{Config, Flags, Source};
use crate::cli::args::CheckConfig;

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
    let report = report(&config, &environment);
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
