//! The crate `yawc`, with permessage-deflate.
//!
//! Where a window is kept it sends no fragments: after some of them its compressor never returns.

use bytes::Bytes;
use futures::{SinkExt, StreamExt, future};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use yawc::close::CloseCode;
use yawc::{CompressionLevel, Frame, OpCode, Options, WebSocket, WebSocketError};

use crate::Failure;
use crate::random::{self, Message, Piece};
use crate::tls::{Stream, connector};

const MESSAGE_BYTES_MAX: usize = 16 << 20;

fn options(deflate: &str) -> Options {
    let options = Options::default()
        .with_utf8()
        .with_limits(MESSAGE_BYTES_MAX, 2 * MESSAGE_BYTES_MAX);
    let compressed = || {
        let level = options
            .clone()
            .with_compression_level(CompressionLevel::default());
        level.with_compression_threshold(64)
    };
    match deflate {
        "default" => compressed().with_client_max_window_bits(15),
        "no-takeover" => compressed()
            .client_no_context_takeover()
            .server_no_context_takeover(),
        "small-windows" => compressed()
            .with_client_max_window_bits(10)
            .with_server_max_window_bits(9),
        _ => options.without_compression(),
    }
}

/// What becomes of a message before it is sent.
fn able(deflate: &str) -> fn(Message) -> Message {
    match deflate {
        "default" | "small-windows" => Message::whole,
        _ => |message| message,
    }
}

pub async fn echo(stream: Stream, deflate: String) -> Result<(), Failure> {
    let able = able(&deflate);
    let service = service_fn(|mut request| {
        let upgraded = WebSocket::upgrade_with_options(&mut request, options(&deflate));
        async move {
            let (response, upgrade) = upgraded?;
            tokio::spawn(crate::told(async move {
                let (sink, stream) = upgrade.await?.split();
                let sink = sink.with(|piece| future::ready(Ok::<_, WebSocketError>(frame(piece))));
                let stream = stream.filter_map(|it| future::ready(payload(it)));
                random::echo(sink, stream, able).await
            }));
            Ok::<_, WebSocketError>(response)
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    Ok(connection.with_upgrades().await?)
}

pub async fn exchange(
    url: &str,
    deflate: &str,
    messages: Vec<Message>,
    root: Option<&str>,
) -> Result<(), Failure> {
    let mut connecting = WebSocket::connect(url.parse()?).with_options(options(deflate));
    if let Some(root) = root {
        connecting = connecting.with_connector(connector(root)?);
    }
    let (sink, stream) = connecting.await?.split();
    let sink = sink.with(|piece| future::ready(Ok::<_, WebSocketError>(frame(piece))));
    let stream = stream.filter_map(|it| future::ready(payload(it)));
    let messages = messages.into_iter().map(able(deflate));
    random::exchange(sink, stream, messages.collect()).await
}

fn frame(piece: Piece) -> Frame {
    match piece {
        Piece::Close => Frame::close(CloseCode::Normal, ""),
        Piece::Data {
            text,
            first,
            last,
            payload,
        } => {
            let frame = match (first, text) {
                (false, _) => Frame::continuation(payload),
                (true, true) => Frame::text(payload),
                (true, false) => Frame::binary(payload),
            };
            frame.with_fin(last)
        }
    }
}

fn payload(frame: Frame) -> Option<Result<(bool, Bytes), Failure>> {
    match frame.into_parts() {
        (OpCode::Text, _, payload) => Some(Ok((true, payload))),
        (OpCode::Binary, _, payload) => Some(Ok((false, payload))),
        _ => None,
    }
}
