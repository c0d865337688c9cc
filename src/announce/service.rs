//! Sockets, the rules and the hub joined: what `framewire serve` runs.

mod accepting;
mod admission;
mod announcer;
mod bus_talk;
mod closing;
mod connection;
mod counters;
mod failing;
mod following;
mod gateway;
mod gathering;
mod house;
mod keeping;
mod neighbours;
mod pages;
mod presence;
mod replay;
mod settings;
mod topics;
mod turns;
mod welcome;

pub(crate) use closing::reason;
pub use counters::{Counters, LATENCY_BOUNDS, MINUTES, Snapshot};
pub use house::Service;
pub(crate) use pages::{Stay, Visit};
pub use presence::Presence;
pub(crate) use presence::ways;
pub(crate) use replay::Replay;
pub use settings::{ENDPOINT, Endpoint, MESSAGE_BYTES_MAX, Settings};

pub(crate) use topics::user as user_topic;

pub use crate::announce::rate::Rate;
