//! The announcement server over real sockets and a real store.
#![cfg(feature = "announce")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "tests stand on std and stop at the first surprise"
)]

mod bus;
mod channels;
mod clocks;
mod delivery;
mod door;
mod house;
mod limits;
mod native;
mod pages;
mod rooms;
mod secrets;
mod sockets;
mod stays;
mod visibility;
