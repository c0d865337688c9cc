//! Random messages, over `tokio-tungstenite`. It has no permessage-deflate.

use futures::{SinkExt, StreamExt, future};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config, client_async_with_config};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::{Error, Message, Utf8Bytes};

use crate::Failure;
use crate::random::{self, Piece};
use crate::tls::{Stream, connect};

pub async fn echo(stream: Stream) -> Result<(), Failure> {
    let socket = accept_async_with_config(stream, Some(super::config())).await?;
    let (sink, stream) = socket.split();
    let sink = sink.with(|piece| future::ready(message(piece)));
    let stream = stream.filter_map(|it| future::ready(payload(it)));
    random::echo(sink, stream, |message| message).await
}

pub async fn exchange(
    url: &str,
    messages: Vec<random::Message>,
    root: Option<&str>,
) -> Result<(), Failure> {
    let stream = connect(url, root).await?;
    let (socket, _): (WebSocketStream<Stream>, _) =
        client_async_with_config(url, stream, Some(super::config())).await?;
    let (sink, stream) = socket.split();
    let sink = sink.with(|piece| future::ready(message(piece)));
    let stream = stream.filter_map(|it| future::ready(payload(it)));
    random::exchange(sink, stream, messages).await
}

fn message(piece: Piece) -> Result<Message, Error> {
    Ok(match piece {
        Piece::Close => Message::Close(Some(CloseFrame {
            code: CloseCode::Normal,
            reason: Utf8Bytes::default(),
        })),
        Piece::Data {
            text: true,
            first: true,
            last: true,
            payload,
        } => Message::Text(payload.try_into()?),
        Piece::Data {
            text,
            first,
            last,
            payload,
        } => {
            let data = match (first, text) {
                (false, _) => Data::Continue,
                (true, true) => Data::Text,
                (true, false) => Data::Binary,
            };
            Message::Frame(Frame::message(payload, OpCode::Data(data), last))
        }
    })
}

fn payload(message: Result<Message, Error>) -> Option<Result<(bool, bytes::Bytes), Failure>> {
    match message {
        Ok(Message::Text(text)) => Some(Ok((true, text.into()))),
        Ok(Message::Binary(payload)) => Some(Ok((false, payload))),
        Ok(_) => None,
        Err(error) => Some(Err(error.into())),
    }
}
