//! `framewire token`: tokens for development.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use std::io::Write;
use std::time::SystemTime;

use crate::announce::secret::Secret;
use crate::announce::token::{Grant, Minter};
use crate::cli::args::Token;

/// Prints a token that is signed with the server's secret.
///
/// # Errors
///
/// When the secret cannot be used, or the token would be refused by the server.
pub fn run(args: &Token) -> Result<(), Box<dyn Error>> {
    crate::cli::data::create(&args.data)?;
    let secret = Secret::load(&args.data, crate::cli::data::secret_variable()?)?;
    let (namespaces, scopes) = (words(&args.namespace), words(&args.scope));
    let (channels, roles) = (words(&args.channel), words(&args.role));
    let mut grant = Grant::new(&args.user);
    grant.namespaces = &namespaces;
    grant.scopes = &scopes;
    grant.channels = &channels;
    grant.roles = &roles;
    let token = Minter::new(&secret).issue(&grant, *args.ttl, SystemTime::now())?;
    writeln!(std::io::stdout(), "{token}")?;
    Ok(())
}

fn words(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}
