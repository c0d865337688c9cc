//! The announcement floor: tokens, store, dialect, rules and page, without sockets.
#![cfg(feature = "announce")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod desk;
mod dropping;
mod forge;
mod intent;
mod page;
#[path = "../polling/mod.rs"]
mod polling;
mod secret;
mod store;
mod store_dropping;
mod store_model;
mod store_old;
mod store_people;
mod store_shared;
mod token;
#[cfg(feature = "cli")]
mod token_command;
mod token_forged;
mod token_jwks;
mod token_keys;
mod token_revocation;
mod token_timing;
