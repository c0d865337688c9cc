//! One thread that accepts connections and runs a task for each.

use std::future::Future;
use std::io;
use std::io::Write;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::spawn_local;

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::hall::Hall;

/// How many connections wait in the system's queue to be accepted.
const BACKLOG: u32 = 4096;

/// When a client is accepted.
#[derive(Clone, Copy, PartialEq)]
pub enum Accept {
    /// When it has connected.
    AtOnce,
    /// When it has said something: it costs less, and whoever owns the socket decides it.
    Spoken,
}

/// After how many seconds a client is accepted although it has said nothing.
#[derive(Clone, Copy)]
struct TcpDeferAccept;

nix::setsockopt_impl!(
    TcpDeferAccept,
    libc::IPPROTO_TCP,
    libc::TCP_DEFER_ACCEPT,
    i32,
    nix::sys::socket::sockopt::SetStruct<'_, i32>
);

/// Serves each connection with `one`, which says when the handshake is over.
pub fn serve<F, R>(listen: SocketAddr, fan_out: bool, one: F) -> Result<(), Failure>
where
    F: Fn(Corked, Opening) -> R + Copy + 'static,
    R: Future<Output = Result<(), Failure>> + 'static,
{
    let hall = fan_out.then(|| Rc::new(Hall::default()));
    raw(listen, Accept::Spoken, move |tcp| {
        let (corked, opening) = Corked::new(tcp, hall.clone());
        one(corked, opening)
    })
}

/// Serves each connection with `one`, which has the socket to itself.
pub fn raw<F, R>(listen: SocketAddr, accept: Accept, one: F) -> Result<(), Failure>
where
    F: Fn(TcpStream) -> R + 'static,
    R: Future<Output = Result<(), Failure>> + 'static,
{
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async move {
        let listener = bind(listen, accept)?;
        say(listener.local_addr()?)?;
        loop {
            let tcp = match listener.accept().await {
                Ok((tcp, _)) => tcp,
                Err(error) => {
                    eprintln!("a connection was not accepted: {error}");
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            tcp.set_nodelay(true)?;
            // A client that leaves is no event: the load generator tells what was lost.
            let served = one(tcp);
            spawn_local(async move { drop(served.await) });
        }
    })
}

fn bind(listen: SocketAddr, accept: Accept) -> io::Result<TcpListener> {
    let socket = match listen {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    if accept == Accept::Spoken {
        nix::sys::socket::setsockopt(&socket, TcpDeferAccept, &1)?;
    }
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

/// Tells that the server is ready.
pub fn say(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "listening on ws://{address}")?;
    out.flush()
}
