//! The command line.

pub mod args;
pub mod autobahn_client;
pub mod bench;
pub mod check_config;
pub mod connect;
mod data;
pub mod echo;
mod log;
mod notify;
pub mod serve;
mod signal;
mod tap;
pub mod token;
mod trust;

use alloc::boxed::Box;
use clap::Parser;
use core::error::Error;
use std::eprintln;
use std::process::ExitCode;

use crate::announce::config::Log;
use crate::cli::args::{Args, Command};

/// Runs the command that the process was started with.
///
/// The exit status is 0 when it was done, 1 when it failed, 2 when it was called wrongly. Errors
/// go to standard error, in one line that says what to do.
pub fn main() -> ExitCode {
    let args = Args::parse();
    if !matches!(args.command, Command::Serve(_)) {
        log::start(Log::Text);
    }
    let done = match args.command {
        Command::Serve(args) => serve::run(&args),
        Command::Token(args) => done(token::run(&args)),
        Command::CheckConfig(args) => done(check_config::run(&args)),
        Command::Echo(args) => done(echo::run(&args)),
        Command::Connect(args) => done(connect::run(&args)),
        Command::Bench(args) => bench::run(&args),
        Command::AutobahnClient(args) => done(autobahn_client::run(&args)),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("framewire: {error}");
            ExitCode::FAILURE
        }
    }
}

fn done(result: Result<(), Box<dyn Error>>) -> Result<ExitCode, Box<dyn Error>> {
    result.map(|()| ExitCode::SUCCESS)
}
