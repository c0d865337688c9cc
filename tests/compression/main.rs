//! The compression suite: cases as data, played to the engine in both roles.
//!
//! What the files of cases may say is written in `README.md`; `run` plays the same ones to other
//! implementations.
#![cfg(feature = "net")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod allocator;
mod cases;
mod costs;
mod endpoint;
mod harmless;
mod hostile;
mod inflate;
mod judge;
mod payload;
#[path = "../polling/mod.rs"]
mod polling;
mod random_streams;
mod sequences;
mod sharing;
mod sockets;
mod suite;
mod transactions;

#[expect(dead_code, reason = "some of it is for other programs")]
#[path = "../serving/mod.rs"]
mod serving;

#[path = "../raw/mod.rs"]
mod raw;
