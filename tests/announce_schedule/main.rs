//! Schedules: due times, words, the runner, and requests to other servers.
#![cfg(feature = "announce")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod audience;
mod dropping;
mod due;
mod fixtures;
mod hook;
mod outgoing;
#[path = "../polling/mod.rs"]
mod polling;
mod runner;
mod words;
