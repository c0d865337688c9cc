//! The announcement floor: tokens, store, dialect, rules and page, without sockets; and the
//! whole program, killed.
#![cfg(feature = "announce")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod desk;
mod forge;
mod intent;
#[cfg(feature = "cli")]
mod kill;
mod page;
mod secret;
mod store;
mod token;
