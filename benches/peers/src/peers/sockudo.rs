//! `sockudo-ws`: its stream and sink, and its protocol alone on buffers of ours.

use bytes::BytesMut;
use sockudo_ws::protocol::Protocol;
use sockudo_ws::{Config, Error, Message, Role, WebSocketStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::handshake;
use crate::peers::MESSAGE_BYTES_MAX;
use crate::sinks::{self, Answer};

pub async fn stream(mut stream: Corked, opening: Opening) -> Result<(), Failure> {
    Box::pin(handshake::answer(&mut stream)).await?;
    opening.is_over_with_whole_writes();
    let config = Config {
        max_message_size: MESSAGE_BYTES_MAX,
        max_frame_size: MESSAGE_BYTES_MAX,
        auto_ping: false,
        idle_timeout: 0,
        ..Config::default()
    };
    sinks::echo(WebSocketStream::server(stream, config), 1).await
}

impl Answer<Message> for Result<Message, Error> {
    fn answer(self) -> Result<Option<Message>, Failure> {
        let message = self?;
        Ok((message.is_text() || message.is_binary()).then_some(message))
    }
}

/// Encodes the answers to all messages of a read into one buffer.
pub async fn protocol(mut stream: Corked, opening: Opening) -> Result<(), Failure> {
    const READ_BYTES: usize = 8 << 10;
    Box::pin(handshake::answer(&mut stream)).await?;
    opening.is_over_with_whole_writes();
    let mut protocol = Protocol::new(Role::Server, MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX);
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    let mut messages = Vec::new();
    loop {
        input.reserve(READ_BYTES);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        protocol.process_into(&mut input, &mut messages)?;
        for message in messages.drain(..) {
            match &message {
                Message::Text(_) | Message::Binary(_) => {
                    protocol.encode_message(&message, &mut output)?;
                }
                Message::Ping(payload) => protocol.encode_pong(payload, &mut output),
                Message::Pong(_) => {}
                Message::Close(_) => protocol.encode_close_response(&mut output),
            }
        }
        stream.write_all(&output).await?;
        output.clear();
        if protocol.is_closed() {
            return Ok(stream.shutdown().await?);
        }
    }
}
