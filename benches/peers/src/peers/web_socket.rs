//! `web-socket`. It reads from its stream a few bytes at a time and checks no text, so a buffer
//! and a check are put around it.

use tokio::io::BufReader;
use web_socket::{DataType, Event, MessageType, WebSocket};

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::handshake;

const BUFFER_BYTES: usize = 16 << 10;

pub async fn echo(mut stream: Corked, opening: Opening) -> Result<(), Failure> {
    Box::pin(handshake::answer(&mut stream)).await?;
    opening.is_over();
    let mut socket = WebSocket::server(BufReader::with_capacity(BUFFER_BYTES, stream));
    loop {
        match socket.recv().await? {
            Event::Data {
                ty: DataType::Complete(MessageType::Text),
                data,
            } => {
                socket.send(simdutf8::basic::from_utf8(&data)?).await?;
            }
            Event::Data {
                ty: DataType::Complete(MessageType::Binary),
                data,
            } => {
                socket.send(&data[..]).await?;
            }
            Event::Data { .. } => return Err("fragments are not put together".into()),
            Event::Ping(data) => socket.send_pong(data).await?,
            Event::Pong(_) => {}
            Event::Error(error) => return Err(error.into()),
            Event::Close { code, reason } => return Ok(socket.close((code, &*reason)).await?),
        }
    }
}
