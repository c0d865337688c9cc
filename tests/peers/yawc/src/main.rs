//! The crate `yawc` as the endpoint of the compression suite: `serve`, or `answer URL`.
//! What both modes do is written in `../README.md`.

use std::error::Error;
use std::process::ExitCode;

use futures::{SinkExt, StreamExt};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use yawc::{Frame, OpCode, Options, WebSocket};

/// The largest message; the limits of this crate are the first sizes that are too large.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

fn options() -> Options {
    Options::default()
        .with_utf8()
        .with_limits(MESSAGE_BYTES_MAX + 1, MESSAGE_BYTES_MAX + 1)
        .with_balanced_compression()
        .with_compression_threshold(64)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => serve().await,
        ["answer", url] => answer(url).await,
        _ => {
            eprintln!("usage: framewire-peer-yawc serve | answer URL");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Listens on a free port of the loopback address.
async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let service = service_fn(|mut request| async move {
                let (response, upgrade) = WebSocket::upgrade_with_options(&mut request, options())?;
                tokio::spawn(async move {
                    if let Ok(socket) = upgrade.await {
                        echo(socket).await;
                    }
                });
                Ok::<_, yawc::WebSocketError>(response)
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A connection that fails concerns nobody else.
            drop(connection.with_upgrades().await);
        });
    }
}

/// Takes part in every case of a tester.
async fn answer(url: &str) -> Result<(), Box<dyn Error>> {
    let mut asking = WebSocket::connect(format!("{url}/getCaseCount").parse()?).await?;
    let count: u32 = asking.next_frame().await?.as_str().parse()?;
    drop(asking);
    for case in 1..=count {
        let url = format!("{url}/runCase?case={case}").parse()?;
        // So that it can be told a window at all, the client names its own.
        let options = options().with_client_max_window_bits(15);
        if let Ok(socket) = WebSocket::connect(url).with_options(options).await {
            echo(socket).await;
        }
    }
    Ok(())
}

/// Sends back whatever comes, until the connection ends.
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) {
    while let Some(frame) = socket.next().await {
        let (opcode, _, payload) = frame.into_parts();
        let answer = match opcode {
            OpCode::Text => Frame::text(payload),
            OpCode::Binary => Frame::binary(payload),
            _ => continue,
        };
        if socket.send(answer).await.is_err() {
            return;
        }
    }
}
