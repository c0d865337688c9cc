//! Servers and clients over TCP on the loopback interface, on ports that the system picks.

extern crate alloc;

mod admission;
mod connecting;
mod draining;
mod dropping;
mod ending;
mod endpoints;
mod leaving;
mod opening;
mod origins;
mod raw;
mod refusing;
mod stopping;

use core::net::SocketAddr;
use core::time::Duration;

use alloc::sync::Arc;
use framewire::net::WebSocket;
use framewire::server::admission::Admission;
use framewire::server::{Config, HandshakeError, Listener, Stream};
use tokio::sync::mpsc;

/// Longer than anything takes that is not stuck.
const LONG: Duration = Duration::from_secs(20);

/// The result of what must not take for ever.
async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future)
        .await
        .expect("it is stuck")
}

/// A server that echoes, for as long as the runtime of the test runs.
struct EchoServer {
    address: SocketAddr,
    admission: Arc<Admission>,
    /// How the handshakes went that opened nothing.
    refused: mpsc::UnboundedReceiver<HandshakeError>,
}

impl EchoServer {
    async fn start(config: Config) -> Self {
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        let listener = Listener::bind(any, config).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let admission = Arc::clone(listener.admission());
        let (noted, refused) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let incoming = listener.accept().await;
                let noted = noted.clone();
                tokio::spawn(async move {
                    let opened = async { incoming.handshake().await?.accept().await };
                    match opened.await {
                        Ok(socket) => echo(socket).await,
                        Err(error) => drop(noted.send(error)),
                    }
                });
            }
        });
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            admission,
            refused,
        }
    }

    /// How the next handshake went that opened nothing.
    async fn next_refused(&mut self) -> HandshakeError {
        within(self.refused.recv()).await.expect("the server runs")
    }
}

async fn echo(mut socket: WebSocket<Stream>) {
    while let Ok(Some(exchange)) = socket.recv_exchange().await {
        if exchange.echo().is_err() {
            return;
        }
    }
}
