//! Two endpoints on one listener: `/echo` for anybody, `/count` for pages of one's own only.
//!
//! `cargo run --example endpoints -- 127.0.0.1:9000`

extern crate alloc;

use alloc::sync::Arc;
use core::error::Error;
use core::time::Duration;

use framewire::engine::{Acceptance, Refusal};
use framewire::net::{self, WebSocket};
use framewire::server::hook::{mutual_subprotocol, within};
use framewire::server::{
    Config, Endpoints, Incoming, Listener, Opening, Origins, Place, Stream, Upgrade,
};

/// What is served.
#[derive(Clone, Copy, Debug)]
enum Service {
    Echo,
    Count,
}

/// The hook: looks at a request and says what becomes of it.
async fn look(
    upgrade: &Upgrade,
    endpoints: &Endpoints<Service>,
) -> Result<(Acceptance<'static>, Place<Service>), Refusal> {
    let request = upgrade.request();
    let place = endpoints.enter(request)?;
    if matches!(*place, Service::Count) {
        Origins::same().check(request, upgrade.stream().is_tls())?;
    }
    let mut acceptance = Acceptance::new().with_header("X-Served", &format!("{:?}", *place));
    if let Some(chosen) = mutual_subprotocol(request, &["v2", "v1"]) {
        acceptance = acceptance.with_subprotocol(chosen);
    }
    Ok((acceptance, place))
}

async fn serve(
    incoming: Incoming,
    endpoints: Arc<Endpoints<Service>>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let upgrade = match incoming.handshake().await? {
        Opening::Upgrade(upgrade) => upgrade,
        other => {
            other.accept().await?;
            return Ok(());
        }
    };
    let decision = within(Duration::from_secs(2), look(&upgrade, &endpoints)).await;
    let (socket, place) = upgrade.decide(decision).await?;
    match *place {
        Service::Echo => echo(socket).await?,
        Service::Count => count(socket).await?,
    }
    Ok(())
}

async fn echo(mut socket: WebSocket<Stream>) -> Result<(), net::Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

async fn count(mut socket: WebSocket<Stream>) -> Result<(), net::Error> {
    let mut messages = 0;
    while socket.recv().await?.is_some() {
        messages += 1;
        socket.send(format!("{messages}")).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("an address to listen on")?;
    let endpoints = Endpoints::new()
        .with("/echo", Service::Echo)?
        .with("/count", Service::Count)?;
    let endpoints = Arc::new(endpoints);
    let listener = Listener::bind(address.parse()?, Config::default()).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (incoming, endpoints) = (listener.accept().await, Arc::clone(&endpoints));
        tokio::spawn(async move {
            let peer = incoming.peer_addr();
            if let Err(error) = serve(incoming, Arc::clone(&endpoints)).await {
                eprintln!("{peer}: {error}");
            }
            for (path, connections) in endpoints.connections() {
                eprintln!("{path}: {connections}");
            }
        });
    }
}
