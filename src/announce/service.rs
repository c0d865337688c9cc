//! Sockets, the rules and the hub joined: what `framewire serve` runs.

mod accepting;
mod admission;
mod announcer;
mod bus_talk;
mod closing;
mod connection;
mod gateway;
mod gathering;
mod house;
mod keeping;
mod presence;
mod replay;
mod settings;
mod topics;
mod turns;
mod welcome;

pub use house::Service;
pub use presence::Presence;
pub use settings::{ENDPOINT, Endpoint, MESSAGE_BYTES_MAX, Settings};

pub use crate::announce::rate::Rate;
