//! The opening handshakes (RFC 6455 §4): values that are consumed into a connection.

pub mod client;
pub mod refusal;
pub mod server;
