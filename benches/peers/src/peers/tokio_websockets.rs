//! `tokio-websockets`, flushing only when the answers to all messages that are there are fed.

use tokio_websockets::{Config, Error, Limits, Message, ServerBuilder};

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::peers::MESSAGE_BYTES_MAX;
use crate::sinks::{self, Answer};

/// It flushes what is fed whenever it is asked for a message, so all are taken first.
const AT_ONCE: usize = 128;

pub async fn echo(stream: Corked, opening: Opening) -> Result<(), Failure> {
    let builder = ServerBuilder::new()
        .config(Config::default().flush_threshold(64 << 10))
        .limits(Limits::default().max_payload_len(Some(MESSAGE_BYTES_MAX)));
    let (_, socket) = Box::pin(builder.accept(stream)).await?;
    opening.is_over_with_whole_writes();
    sinks::echo(socket, AT_ONCE).await
}

impl Answer<Message> for Result<Message, Error> {
    fn answer(self) -> Result<Option<Message>, Failure> {
        let message = self?;
        Ok((message.is_text() || message.is_binary()).then_some(message))
    }
}
