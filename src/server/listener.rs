//! The accept loop.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::net::SocketAddr;
use core::time::Duration;
use socket2::SockRef;
use std::io;
use std::sync::OnceLock;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::engine::Acceptance;
use crate::net::WebSocket;
use crate::server::admission::{Admission, Admitted};
use crate::server::arrival::Arrival;
use crate::server::config::Config;
use crate::server::deferral;
use crate::server::opening::Opening;
use crate::server::pace::Pace;
use crate::server::refusing::HandshakeError;
use crate::server::stream::Stream;

/// How long to wait after the operating system had no socket to give; doubled up to the maximum.
const BACK_OFF_MIN: Duration = Duration::from_millis(5);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// A listening socket and who is let in through it.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    config: Arc<Config>,
    admission: Arc<Admission>,
    pace: Arc<Pace>,
    /// Whether what is accepted has TCP_NODELAY from the listening socket, as on Linux; known
    /// from the first one.
    inherits: OnceLock<bool>,
}

/// A client that has opened TCP and not yet asked for anything.
///
/// The handshake is a step of its own so that it can run in a task of its own: a silent client
/// keeps nobody else waiting.
#[derive(Debug)]
pub struct Incoming(Arrival);

impl Listener {
    /// Listens on `address`; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, nothing listens.
    pub async fn bind(address: SocketAddr, config: Config) -> io::Result<Self> {
        Ok(Self::new(TcpListener::bind(address).await?, config))
    }

    /// Accepts from a socket that already listens.
    pub fn new(tcp: TcpListener, config: Config) -> Self {
        let admission = Arc::new(Admission::of(&config));
        let pace = Arc::new(Pace::per_second(config.tls_handshakes_per_second_max()));
        if let Err(error) = SockRef::from(&tcp).set_tcp_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY where it is inherited");
        }
        if config.is_accept_deferred()
            && let Err(error) = deferral::defer(&tcp)
        {
            tracing::debug!(%error, "clients are accepted before they have said anything");
        }
        Self {
            tcp,
            config: Arc::new(config),
            admission,
            pace,
            inherits: OnceLock::new(),
        }
    }

    /// Shares one count of connections with other listeners.
    #[must_use]
    pub fn with_admission(mut self, admission: Arc<Admission>) -> Self {
        self.admission = admission;
        self
    }

    /// The address that is listened on.
    ///
    /// # Errors
    ///
    /// When the operating system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The count of connections.
    pub const fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// Waits for the next client.
    ///
    /// That the operating system has no socket to give is waited out, with growing pauses.
    ///
    /// # Cancel safety
    ///
    /// No client is lost: one that has not been returned is still in the system's queue.
    pub async fn accept(&self) -> Incoming {
        let mut pause = BACK_OFF_MIN;
        loop {
            match self.tcp.accept().await {
                Ok((tcp, peer)) => {
                    if let Some(incoming) = self.admit(tcp, peer) {
                        return incoming;
                    }
                }
                // A client that is gone already is nobody's trouble.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, ?pause, "cannot accept");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BACK_OFF_MAX);
                }
            }
        }
    }

    fn admit(&self, tcp: TcpStream, peer: SocketAddr) -> Option<Incoming> {
        // Who is behind a proxy is known when the request has been read.
        let is_proxy = self.config.proxies().contains(peer.ip());
        let address = (!is_proxy).then(|| peer.ip());
        let (permit, admitted) = match self.admission.admit(address) {
            Admitted::Yes(permit) => (permit, true),
            Admitted::Refuse(permit) => (permit, false),
            Admitted::TooFast(permit) if self.config.tls().is_none() => (permit, false),
            Admitted::TooFast(_) => {
                tracing::debug!(%peer, "dropped: clients come too fast");
                return None;
            }
            Admitted::Drop => {
                tracing::debug!(%peer, "dropped: too many connections even to refuse");
                return None;
            }
        };
        self.set_nodelay(&tcp, peer);
        let stream = Stream::new(tcp, peer, permit);
        Some(Incoming(Arrival {
            stream,
            admitted,
            since: Instant::now(),
            config: Arc::clone(&self.config),
            pace: Arc::clone(&self.pace),
        }))
    }

    /// Without it small frames wait for the acknowledgement of those before them.
    fn set_nodelay(&self, tcp: &TcpStream, peer: SocketAddr) {
        let is_inherited = || tcp.nodelay().unwrap_or(false);
        if !*self.inherits.get_or_init(is_inherited)
            && let Err(error) = tcp.set_nodelay(true)
        {
            tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
    }
}

impl Incoming {
    /// The address that TCP comes from: the client's, or that of a proxy in front of it.
    pub fn peer_addr(&self) -> SocketAddr {
        self.0.stream.peer_addr()
    }

    /// Speaks TLS, where the [`Config`] says so, and reads the request.
    ///
    /// What is no acceptable request is answered here, and TCP is closed behind the answer.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] says how it went, for the log. There is nothing left to do.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it closes the stream.
    pub async fn handshake(self) -> Result<Opening, HandshakeError> {
        // In a box of its own, the request takes no room in the task that goes on for long.
        Box::pin(self.0.read()).await
    }

    /// Reads the request and accepts it, with what `acceptance` says: what
    /// [`handshake`](Self::handshake) and [`Opening::accept_with`] do, without an allocation of
    /// their own. The future is large: in a task that goes on for long, put it into a box.
    ///
    /// # Errors
    ///
    /// As [`handshake`](Self::handshake), and as [`Opening::accept_with`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it closes the stream.
    pub fn accept_with(
        self,
        acceptance: Acceptance<'_>,
    ) -> impl Future<Output = Result<WebSocket<Stream>, HandshakeError>> {
        self.0.accept_with(acceptance)
    }
}
