//! A server of axum with a page at `/` and a WebSocket at `/echo`, which stops in good order.
//!
//! `cargo run --features adapters --example axum_upgrade -- 127.0.0.1:9000`

extern crate alloc;

use alloc::sync::Arc;
use core::error::Error;
use core::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use framewire::engine::{Acceptance, Limits};
use framewire::server::adapters::axum::{Socket, Upgrade};
use framewire::server::{Stop, Stopping};
use framewire::wire::close::CloseCode;
use tokio::net::TcpListener;

async fn open(State(stopping): State<Stopping>, upgrade: Upgrade) -> Response {
    let limits = Arc::new(Limits::default());
    upgrade.accept(Acceptance::new(), limits, |socket| echo(socket, stopping))
}

async fn echo(mut socket: Socket, mut stopping: Stopping) {
    loop {
        let exchange = tokio::select! {
            exchange = socket.recv_exchange() => exchange,
            () = stopping.wait() => {
                let _ = socket.close(CloseCode::GOING_AWAY, "the server stops").await;
                return;
            }
        };
        let Ok(Some(exchange)) = exchange else { return };
        if exchange.echo().is_err() {
            return;
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("an address to listen on")?;
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}/echo", listener.local_addr()?);
    let stop = Stop::new();
    let mut stopping = stop.stopping();
    let router = Router::new()
        .route("/", get(async || "A WebSocket is at /echo.\n"))
        .route("/echo", get(open))
        .with_state(stop.stopping());
    let told = async move { stopping.wait().await };
    let serving = tokio::spawn(async {
        axum::serve(listener, router)
            .with_graceful_shutdown(told)
            .await
    });
    tokio::signal::ctrl_c().await?;
    stop.stop(Duration::from_secs(10)).await;
    Ok(serving.await??)
}
