//! `wtx`, with the answers to what one read brought in one write.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wtx::collection::Vector;
use wtx::stream::{StreamReader, StreamWriter};
use wtx::web_socket::{OpCode, WebSocketAcceptor, WebSocketPayloadOrigin};

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::peers::MESSAGE_BYTES_MAX;

pub async fn echo(stream: Corked, opening: Opening) -> Result<(), Failure> {
    let accepting = WebSocketAcceptor::default().accept::<_>(stream);
    let accepted: wtx::Result<_> = Box::pin(accepting).await;
    let mut socket = accepted?;
    opening.is_over();
    socket.set_max_payload_len(MESSAGE_BYTES_MAX);
    let mut buffer = Vector::new();
    loop {
        buffer.clear();
        let (mut common, mut reader, mut writer) = socket.split_mut();
        let origin = WebSocketPayloadOrigin::Adaptive;
        let mut frame = reader.read_frame(&mut buffer, &mut common, origin).await?;
        match frame.op_code() {
            OpCode::Text | OpCode::Binary => writer.write_frame(&mut common, &mut frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

impl StreamReader for Corked {
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(<Self as AsyncReadExt>::read(self, bytes).await?)
    }
}

impl StreamWriter for Corked {
    async fn write_all(&mut self, bytes: &[u8]) -> wtx::Result<()> {
        Ok(<Self as AsyncWriteExt>::write_all(self, bytes).await?)
    }

    async fn write_all_vectored(&mut self, bytes: &[&[u8]]) -> wtx::Result<()> {
        // A part of a frame is kept back and leaves with the rest.
        for bytes in bytes {
            <Self as AsyncWriteExt>::write_all(self, bytes).await?;
        }
        Ok(())
    }
}
