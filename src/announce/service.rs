//! Sockets, the rules and the hub joined: what `framewire serve` runs.

mod admission;
mod announcer;
mod bucket;
mod bus_talk;
mod connection;
mod gateway;
mod house;
mod presence;
mod replay;
mod settings;
mod topics;
mod welcome;

pub use house::Service;
pub use presence::Presence;
pub use settings::{ENDPOINT, Endpoint, MESSAGE_BYTES_MAX, Rate, Settings};
