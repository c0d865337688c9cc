//! Opening a connection: a URL, a TCP stream, the client's handshake.

pub mod config;
pub mod connect;
mod pending;
pub mod url;

pub use crate::client::config::Config;
pub use crate::client::connect::{ConnectError, Phase, connect, connect_with, handshake};
pub use crate::client::url::{InvalidUrl, Url};
