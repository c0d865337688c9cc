//! `soketto`, with the answers to what one read brought in one write, and with the check of text
//! that it leaves to others.

use soketto::handshake::Server;
use soketto::handshake::server::Response;
use soketto::{Data, Incoming};
use tokio::io::BufReader;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::peers::MESSAGE_BYTES_MAX;

pub async fn echo(stream: Corked, opening: Opening) -> Result<(), Failure> {
    let mut server = Server::new(BufReader::new(stream).compat());
    let key = Box::pin(server.receive_request()).await?.key();
    let response = Response::Accept {
        key,
        protocol: None,
    };
    Box::pin(server.send_response(&response)).await?;
    opening.is_over();
    let mut builder = server.into_builder();
    builder.set_max_message_size(MESSAGE_BYTES_MAX);
    builder.set_max_frame_size(MESSAGE_BYTES_MAX);
    let (mut sender, mut receiver) = builder.finish();
    let mut message = Vec::new();
    loop {
        message.clear();
        match receiver.receive(&mut message).await? {
            Incoming::Data(Data::Binary(_)) => sender.send_binary_mut(&mut message).await?,
            Incoming::Data(Data::Text(_)) => {
                sender
                    .send_text(simdutf8::basic::from_utf8(&message)?)
                    .await?;
            }
            Incoming::Pong(_) => {}
            Incoming::Closed(_) => return Ok(()),
        }
    }
}
