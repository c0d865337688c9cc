//! `fastwebsockets`, with the answers to what one read brought in one write.

use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket};

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::handshake;
use crate::peers::MESSAGE_BYTES_MAX;

pub async fn echo(mut stream: Corked, opening: Opening) -> Result<(), Failure> {
    Box::pin(handshake::answer(&mut stream)).await?;
    opening.is_over();
    let mut socket = WebSocket::after_handshake(stream, Role::Server);
    socket.set_max_message_size(MESSAGE_BYTES_MAX);
    let mut socket = FragmentCollector::new(socket);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}
