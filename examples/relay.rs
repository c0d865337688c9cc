//! A relay: what a client says is passed on to another server, and back, piece by piece.
//!
//! `cargo run --release --example relay -- 127.0.0.1:9000 ws://127.0.0.1:9001/`
//!
//! Nothing is put together, so a message may be larger than memory. Each side negotiates
//! compression for itself.

use core::error::Error;
use core::net::SocketAddr;

use framewire::client::{self, connect_with};
use framewire::engine::deflate::{DeflateAnswer, DeflateConfig};
use framewire::engine::{Acceptance, Limits};
use framewire::net::{Reader, Writer};
use framewire::server::{self, Incoming, Listener};
use framewire::wire::close::CloseCode;
use tokio::io::{AsyncRead, AsyncWrite};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Bounds for messages that are passed on and not held.
pub(crate) fn limits() -> Limits {
    Limits::default()
        .with_message_bytes_max(1 << 40)
        .with_fragments_max(u32::MAX)
}

/// How little compression has to cost where every byte is inflated and deflated again.
pub(crate) fn deflate() -> DeflateConfig {
    DeflateConfig::default().with_level(1)
}

/// Relays one connection until either side closes.
pub(crate) async fn relay(incoming: Incoming, target: &str) -> Outcome {
    let answer = DeflateAnswer::new(deflate());
    let acceptance = Acceptance::new().with_extension(&answer);
    let near = incoming.handshake().await?.accept_with(acceptance).await?;
    let config = client::Config::default()
        .with_limits(limits())
        .with_deflate(deflate());
    let (far, _) = connect_with(target, &config).await?;
    let (from_near, to_near) = near.split();
    let (from_far, to_far) = far.split();
    tokio::try_join!(pass(from_near, to_far), pass(from_far, to_near))?;
    Ok(())
}

/// Passes messages on in one direction, and then the close.
async fn pass<A, B>(mut from: Reader<A>, mut to: Writer<B>) -> Outcome
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(piece) = from.recv_piece().await? {
        to.send_fragment(piece.kind, &piece.bytes, piece.last)
            .await?;
    }
    let reason = from.closure().and_then(|it| it.received().cloned());
    let code = reason.as_ref().and_then(|it| it.code());
    let code = code.unwrap_or(CloseCode::NORMAL_CLOSURE);
    to.close(code, reason.as_ref().map_or("", |it| it.reason()))
        .await?;
    Ok(())
}

/// Listens on `address` and relays to `target` for ever.
pub(crate) async fn serve(address: SocketAddr, target: String) -> Outcome {
    let config = server::Config::default().with_limits(limits());
    let listener = Listener::bind(address, config).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (incoming, target) = (listener.accept().await, target.clone());
        tokio::spawn(async move {
            if let Err(error) = relay(incoming, &target).await {
                eprintln!("{error}");
            }
        });
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(target)) = (arguments.next(), arguments.next()) else {
        return Err("two arguments: the address to listen on, and a ws URL to relay to".into());
    };
    serve(address.parse()?, target).await
}
