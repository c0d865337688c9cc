//! The HTTP API over real sockets and a real store.
#![cfg(feature = "announce")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "tests stand on std and stop at the first surprise"
)]

mod announcements;
mod document;
mod events;
mod house;
mod operating;
mod schedules;
mod tokens;
