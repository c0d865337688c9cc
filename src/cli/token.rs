//! `framewire token`: tokens for development.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use std::io::Write;
use std::time::SystemTime;

use crate::announce::secret::Secret;
use crate::announce::token::Minter;
use crate::cli::args::Token;

/// Prints a token that is signed with the server's secret.
///
/// # Errors
///
/// When the secret cannot be used, or the token would be refused by the server.
pub fn run(args: &Token) -> Result<(), Box<dyn Error>> {
    crate::cli::data::create(&args.data)?;
    let secret = Secret::load(&args.data, crate::cli::data::secret_variable()?)?;
    let namespaces: Vec<_> = args.namespace.iter().map(String::as_str).collect();
    let scopes: Vec<_> = args.scope.iter().map(String::as_str).collect();
    let minter = Minter::new(&secret);
    let token = minter.mint(
        &args.user,
        &namespaces,
        &scopes,
        *args.ttl,
        SystemTime::now(),
    )?;
    writeln!(std::io::stdout(), "{token}")?;
    Ok(())
}
