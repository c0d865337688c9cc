//! TLS in front of the server: what a client may try, and what becomes of it.

#![expect(
    clippy::unwrap_used,
    reason = "the message of an error says enough in a test"
)]

extern crate alloc;

#[expect(dead_code, reason = "the peak is not asked for")]
#[path = "../compression/allocator.rs"]
mod allocator;
mod authority;
mod certificates;
mod clients;
mod echo;
mod flooding;
mod hello;
mod peer;
mod records;

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;

use framewire::server::admission::Admission;
use framewire::server::{Config, HandshakeError, Listener};
use tokio::sync::mpsc;

use crate::authority::Authority;

/// Longer than anything takes that is not stuck.
const LONG: Duration = Duration::from_secs(30);

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
    /// How the connections ended that were open.
    ended: mpsc::UnboundedReceiver<Result<(), framewire::net::Error>>,
    /// The names of the clients, or what else their certificates hold.
    shown: mpsc::UnboundedReceiver<usize>,
}

impl EchoServer {
    async fn start(config: Config) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any, config).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let admission = Arc::clone(listener.admission());
        let (note_refused, refused) = mpsc::unbounded_channel();
        let (note_ended, ended) = mpsc::unbounded_channel();
        let (note_shown, shown) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let incoming = listener.accept().await;
                let (refused, ended) = (note_refused.clone(), note_ended.clone());
                let shown = note_shown.clone();
                tokio::spawn(async move {
                    let opened = async { incoming.handshake().await?.accept().await };
                    let mut socket = match opened.await {
                        Ok(socket) => socket,
                        Err(error) => return drop(refused.send(error)),
                    };
                    let _ = shown.send(socket.stream().peer_certificates().len());
                    let how = loop {
                        match socket.recv_exchange().await {
                            Ok(Some(exchange)) => exchange.echo().expect("there is room"),
                            Ok(None) => break Ok(()),
                            Err(error) => break Err(error),
                        }
                    };
                    let _ = ended.send(how);
                });
            }
        });
        Self {
            address,
            admission,
            refused,
            ended,
            shown,
        }
    }

    /// A server that shows a certificate of `authority` for localhost.
    async fn secure(authority: &Authority, config: Config) -> Self {
        let files = authority.issue("localhost").files();
        let tls = files.load().expect("they are in order");
        Self::start(config.with_tls(tls)).await
    }

    async fn next_refused(&mut self) -> HandshakeError {
        within(self.refused.recv()).await.expect("the server runs")
    }

    async fn next_ended(&mut self) -> Result<(), framewire::net::Error> {
        within(self.ended.recv()).await.expect("the server runs")
    }

    async fn next_shown(&mut self) -> usize {
        within(self.shown.recv()).await.expect("the server runs")
    }
}
