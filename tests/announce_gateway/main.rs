//! The event bus and the gateway dialect, without sockets.
#![cfg(feature = "announce")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod dropping;
mod handlers;
#[cfg(feature = "nats")]
mod nats;
#[path = "../polling/mod.rs"]
mod polling;
mod producers;
#[cfg(feature = "nats")]
#[path = "../programs/mod.rs"]
mod programs;
#[path = "../reserved/mod.rs"]
mod reserved;
mod settings;
mod shapes;
mod support;
mod tenancy;
mod webhook;
