//! The libraries.

pub mod fastwebsockets;
pub mod sockudo;
pub mod soketto;
pub mod tokio_websockets;
pub mod tungstenite;
pub mod web_socket;
pub mod wtx;
pub mod yawc;

/// The longest message that is taken.
pub const MESSAGE_BYTES_MAX: usize = 16 << 20;
