//! The event bus and the gateway dialect, without sockets.
#![cfg(feature = "announce")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod handlers;
#[cfg(feature = "nats")]
mod producers;
mod settings;
mod shapes;
mod support;
