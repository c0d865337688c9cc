//! The command line.

pub mod args;
pub mod autobahn_client;
pub mod check_config;
pub mod connect;
mod data;
pub mod echo;
pub mod serve;
mod signal;
mod tap;
pub mod token;
mod trust;

use clap::Parser;
use std::eprintln;
use std::process::ExitCode;

use crate::cli::args::{Args, Command};

/// Runs the command that the process was started with.
///
/// The exit status is 0 when it was done, 1 when it failed, 2 when it was called wrongly. Errors
/// go to standard error, in one line that says what to do.
pub fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let done = match args.command {
        Command::Serve(args) => serve::run(&args),
        Command::Token(args) => token::run(&args),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::Echo(args) => echo::run(&args),
        Command::Connect(args) => connect::run(&args),
        Command::AutobahnClient(args) => autobahn_client::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("framewire: {error}");
            ExitCode::FAILURE
        }
    }
}
