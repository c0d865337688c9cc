//! `yawc`, without the HTTP server that it leaves the handshake to.

use yawc::{Frame, OpCode, Options, Role, WebSocket};

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::handshake;
use crate::peers::MESSAGE_BYTES_MAX;
use crate::sinks::{self, Answer};

pub async fn echo(mut stream: Corked, opening: Opening) -> Result<(), Failure> {
    Box::pin(handshake::answer(&mut stream)).await?;
    opening.is_over_with_whole_writes();
    let options = Options::default()
        .with_utf8()
        .without_compression()
        .with_limits(MESSAGE_BYTES_MAX, 2 * MESSAGE_BYTES_MAX);
    let socket = WebSocket::from_stream(stream, Role::Server, options)?;
    sinks::echo(socket, 1).await
}

impl Answer<Frame> for Frame {
    fn answer(self) -> Result<Option<Frame>, Failure> {
        // What was read stays masked in the eyes of a frame that is sent on as it is.
        Ok(match self.into_parts() {
            (OpCode::Text, _, payload) => Some(Frame::text(payload)),
            (OpCode::Binary, _, payload) => Some(Frame::binary(payload)),
            _ => None,
        })
    }
}
