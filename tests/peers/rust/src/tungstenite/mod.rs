//! The crate `tungstenite`: by itself in the scenarios, on tokio with random messages.

mod drive;
mod random;
mod serve;

pub use drive::drive;
pub use random::{echo, exchange};
pub use serve::serve;

use tungstenite::protocol::WebSocketConfig;

/// The limits of all modes: 16 MiB a message.
fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(16 << 20))
        .max_frame_size(Some(16 << 20))
}
