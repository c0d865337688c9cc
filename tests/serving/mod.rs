//! A server that echoes, and what must hold again once a hostile peer has gone.

pub(crate) mod harm;

use core::net::SocketAddr;
use core::time::Duration;
extern crate alloc;

use alloc::sync::Arc;

use framewire::engine::Acceptance;
use framewire::engine::deflate::DeflateAnswer;
use framewire::net::{Error, WebSocket};
use framewire::server::admission::Admission;
use framewire::server::{Config, HandshakeError, Listener, Stream};
use tokio::sync::mpsc;

/// Longer than anything takes that is not stuck.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// The result of what must not take for ever.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future)
        .await
        .expect("it is stuck")
}

/// A server that echoes, for as long as the runtime of the test runs.
pub(crate) struct EchoServer {
    pub(crate) address: SocketAddr,
    pub(crate) admission: Arc<Admission>,
    /// How the handshakes went that opened nothing.
    pub(crate) refused: mpsc::UnboundedReceiver<HandshakeError>,
    /// How many certificates the client of each connection that opened has shown.
    pub(crate) opened: mpsc::UnboundedReceiver<usize>,
    /// How the connections ended that were open.
    pub(crate) ended: mpsc::UnboundedReceiver<Result<(), Error>>,
}

impl EchoServer {
    pub(crate) async fn start(config: Config) -> Self {
        Self::start_with(config, None).await
    }

    /// The same, which may agree to compression.
    pub(crate) async fn start_with(config: Config, deflate: Option<DeflateAnswer>) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any, config).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let admission = Arc::clone(listener.admission());
        let (note_refused, refused) = mpsc::unbounded_channel();
        let (note_opened, opened) = mpsc::unbounded_channel();
        let (note_ended, ended) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let incoming = listener.accept().await;
                let (refused, ended) = (note_refused.clone(), note_ended.clone());
                let (shown, deflate) = (note_opened.clone(), deflate.clone());
                tokio::spawn(async move {
                    let mut acceptance = Acceptance::new();
                    if let Some(deflate) = &deflate {
                        acceptance = acceptance.with_extension(deflate);
                    }
                    let opened =
                        async { incoming.handshake().await?.accept_with(acceptance).await };
                    match opened.await {
                        Ok(socket) => {
                            let _ = shown.send(socket.stream().peer_certificates().len());
                            let _ = ended.send(echo(socket).await);
                        }
                        Err(error) => drop(refused.send(error)),
                    }
                });
            }
        });
        Self {
            address,
            admission,
            refused,
            opened,
            ended,
        }
    }

    /// How the next handshake went that opened nothing.
    pub(crate) async fn next_refused(&mut self) -> HandshakeError {
        within(self.refused.recv()).await.expect("the server runs")
    }

    /// How many certificates the client of the next connection has shown.
    pub(crate) async fn next_shown(&mut self) -> usize {
        within(self.opened.recv()).await.expect("the server runs")
    }

    /// How the next connection ended.
    pub(crate) async fn next_ended(&mut self) -> Result<(), Error> {
        within(self.ended.recv()).await.expect("the server runs")
    }
}

/// Sends every message back; says how the connection ended.
async fn echo(mut socket: WebSocket<Stream>) -> Result<(), Error> {
    while let Some(exchange) = socket.recv_exchange().await? {
        if exchange.echo().is_err() {
            break;
        }
    }
    Ok(())
}
