//! One worker a core: threads that each have a runtime and a listening socket of their own.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::net::SocketAddr;
use core::num::NonZeroUsize;
use core::time::Duration;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::thread;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};

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
    admission: Arc<Admission>,
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
            admission: Arc::new(Admission::of(&config)),
            config,
            local_addr,
        })
    }

    /// The address that is listened on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Starts a thread for each socket, which runs `serve`, and what `serve` has spawned with
    /// [`spawn_local`](tokio::task::spawn_local), until [`Stop::stop`] has waited for them.
    ///
    /// # Errors
    ///
    /// When a thread cannot be made.
    pub fn start<F, R>(self, stop: &Stop, serve: F) -> io::Result<Vec<thread::JoinHandle<()>>>
    where
        F: Fn(Listener, Stopping) -> R + Clone + Send + 'static,
        R: Future<Output = ()> + 'static,
    {
        let mut threads = Vec::new();
        for (at, socket) in self.sockets.into_iter().enumerate() {
            let (serve, stopping, mut over) = (serve.clone(), stop.stopping(), stop.over());
            let (config, admission) = (self.config.clone(), Arc::clone(&self.admission));
            let body = move || {
                let listener = || listener(socket, config, admission);
                if let Err(error) = work(listener, serve, stopping, over.wait()) {
                    tracing::error!(%error, "a worker cannot serve");
                }
            };
            let thread = thread::Builder::new().name(format!("worker-{at}"));
            threads.push(thread.spawn(body)?);
        }
        Ok(threads)
    }

    /// Serves until `until` is done; then everybody is told to stop, and waited for until
    /// `deadline`, and what `until` said is returned.
    ///
    /// The first worker is the calling thread. With one worker the process has no other, and then
    /// a system call costs less: the table of open files and what else belongs to the process is
    /// shared with nobody.
    ///
    /// # Errors
    ///
    /// When a thread or a runtime cannot be made, or a worker panicked.
    pub fn run<F, R, U>(mut self, deadline: Duration, serve: F, until: U) -> io::Result<U::Output>
    where
        F: Fn(Listener, Stopping) -> R + Clone + Send + 'static,
        R: Future<Output = ()> + 'static,
        U: Future,
    {
        let stop = Stop::new();
        let (config, admission) = (self.config.clone(), Arc::clone(&self.admission));
        let socket = self.sockets.remove(0);
        let listener = || listener(socket, config, admission);
        let stopping = stop.stopping();
        let threads = self.start(&stop, serve.clone())?;
        let said = work(listener, serve, stopping, async {
            let said = until.await;
            stop.stop(deadline).await;
            said
        })?;
        for thread in threads {
            let panicked = |_| io::Error::other("a worker panicked");
            thread.join().map_err(panicked)?;
        }
        Ok(said)
    }
}

/// Serves on this thread until `until` is done.
fn work<F, R, U>(
    listener: impl FnOnce() -> io::Result<Listener>,
    serve: F,
    stopping: Stopping,
    until: U,
) -> io::Result<U::Output>
where
    F: Fn(Listener, Stopping) -> R,
    R: Future<Output = ()> + 'static,
    U: Future,
{
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        tokio::task::spawn_local(serve(listener()?, stopping));
        Ok(until.await)
    })
}

/// A socket that listens as the runtime has it; to be called inside one.
fn listener(
    socket: std::net::TcpListener,
    config: Config,
    admission: Arc<Admission>,
) -> io::Result<Listener> {
    let tcp = TcpListener::from_std(socket)?;
    Ok(Listener::new(tcp, config).with_admission(admission))
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
