//! A server of hyper that echoes over WebSocket at `/echo` and answers other requests itself.
//!
//! `cargo run --features adapters --example hyper_upgrade -- 127.0.0.1:9000`

extern crate alloc;

use alloc::sync::Arc;
use core::convert::Infallible;
use core::error::Error;

use framewire::engine::{Acceptance, Limits, Refusal};
use framewire::server::adapters::hyper::{Pending, Upgrade, refused};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

async fn answer(mut request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    if request.uri().path() != "/echo" {
        return Ok(Response::new("A WebSocket is at /echo.\n".to_owned()));
    }
    let accepted = Upgrade::new(&mut request).and_then(|upgrade| {
        let limits = Arc::new(Limits::default());
        let failed = |error| Refusal::new(500, format!("{error}"));
        upgrade.accept(Acceptance::new(), limits).map_err(failed)
    });
    Ok(match accepted {
        Ok((response, pending)) => {
            tokio::spawn(echo(pending));
            response
        }
        Err(refusal) => refused(&refusal),
    })
}

async fn echo(pending: Pending) {
    let Ok(mut socket) = pending.open().await else {
        return;
    };
    while let Ok(Some(exchange)) = socket.recv_exchange().await {
        if exchange.echo().is_err() {
            return;
        }
    }
}

async fn serve(tcp: TcpStream) {
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(tcp), service_fn(answer))
        .with_upgrades();
    if let Err(error) = connection.await {
        eprintln!("{error}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("an address to listen on")?;
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}/echo", listener.local_addr()?);
    loop {
        let (tcp, _) = listener.accept().await?;
        tokio::spawn(serve(tcp));
    }
}
