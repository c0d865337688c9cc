//! `framewire serve`: from a configuration to a server, another configuration, and the end.
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod addressed;
mod bounds;
mod catching_up;
mod dropping;
mod home;
mod person;
#[path = "../polling/mod.rs"]
mod polling;
mod program;
mod reloading;
mod runs;
mod several;
mod starting;
mod stopping;
