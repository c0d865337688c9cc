//! One worker a core: threads that each have a runtime and a listening socket of their own.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::net::SocketAddr;
use core::num::NonZeroUsize;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::thread;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use crate::server::admission::Admission;
use crate::server::config::Config;
use crate::server::listener::Listener;
use crate::server::shutdown::{Stop, Stopping};

/// How many connections wait in the system's queue to be accepted.
const BACKLOG: i32 = 4096;

/// Sockets that listen on one address, one for each worker, between which the operating system
/// divides the clients.
#[derive(Debug)]
pub struct Workers {
    sockets: Vec<std::net::TcpListener>,
    config: Config,
    local_addr: SocketAddr,
}

impl Workers {
    /// Listens on `address` with `count` sockets; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub fn bind(address: SocketAddr, count: NonZeroUsize, config: Config) -> io::Result<Self> {
        if count.get() > 1 {
            // Sockets that share a port would share it with another server as well.
            drop(listen(address, false)?);
        }
        let first = listen(address, count.get() > 1)?;
        let local_addr = first.local_addr()?;
        let mut sockets = Vec::with_capacity(count.get());
        sockets.push(first);
        for _ in 1..count.get() {
            sockets.push(listen(local_addr, true)?);
        }
        Ok(Self {
            sockets,
            config,
            local_addr,
        })
    }

    /// The address that is listened on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Starts a thread for each socket, which runs `serve` until it ends, and then what `serve`
    /// has spawned with [`spawn_local`](tokio::task::spawn_local) until that ends too, or
    /// [`Stop::stop`] has waited long enough.
    ///
    /// # Errors
    ///
    /// When a thread or its runtime cannot be made.
    pub fn start<F, R>(self, stop: &Stop, serve: F) -> io::Result<Vec<thread::JoinHandle<()>>>
    where
        F: Fn(Listener, Stopping) -> R + Clone + Send + 'static,
        R: Future<Output = ()> + 'static,
    {
        let config = self.config;
        let admission = Arc::new(Admission::of(&config));
        let mut threads = Vec::new();
        for (at, socket) in self.sockets.into_iter().enumerate() {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (serve, stopping, mut over) = (serve.clone(), stop.stopping(), stop.over());
            let (config, admission) = (config.clone(), Arc::clone(&admission));
            let body = move || {
                let local = LocalSet::new();
                local.block_on(&runtime, async move {
                    match TcpListener::from_std(socket) {
                        Ok(tcp) => {
                            let listener = Listener::new(tcp, config).with_admission(admission);
                            serve(listener, stopping).await;
                        }
                        Err(error) => tracing::error!(%error, "a worker cannot listen"),
                    }
                });
                // Its connections are still to be closed.
                runtime.block_on(async {
                    tokio::select! {
                        () = local => {}
                        () = over.wait() => {}
                    }
                });
            };
            threads.push(
                thread::Builder::new()
                    .name(format!("worker-{at}"))
                    .spawn(body)?,
            );
        }
        Ok(threads)
    }
}

fn listen(address: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restarted server takes its port again although old connections linger in TIME_WAIT.
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    if shared {
        socket.set_reuse_port(true)?;
    }
    #[cfg(not(unix))]
    if shared {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "one worker only on this system",
        ));
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
