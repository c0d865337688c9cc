//! `tokio-tungstenite`, with buffers of 8 KiB.

use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::peers::MESSAGE_BYTES_MAX;
use crate::sinks::{self, Answer};

const BUFFER_BYTES: usize = 8 << 10;

pub async fn echo(stream: Corked, opening: Opening) -> Result<(), Failure> {
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let socket = Box::pin(accept_async_with_config(stream, Some(config))).await?;
    opening.is_over_with_whole_writes();
    sinks::echo(socket, 1).await
}

impl Answer<Message> for Result<Message, Error> {
    fn answer(self) -> Result<Option<Message>, Failure> {
        let message = self?;
        Ok((message.is_text() || message.is_binary()).then_some(message))
    }
}
