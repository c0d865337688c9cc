//! Clients that the system keeps until they have said something.

use std::io;
use tokio::net::TcpListener;

/// After how many seconds a client is handed over although it has said nothing.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy)]
struct TcpDeferAccept;

#[cfg(target_os = "linux")]
nix::setsockopt_impl!(
    TcpDeferAccept,
    libc::IPPROTO_TCP,
    libc::TCP_DEFER_ACCEPT,
    i32,
    nix::sys::socket::sockopt::SetStruct<'_, i32>
);

/// Has the system keep each client of a socket until it has said something; about a second, if it
/// says nothing.
#[cfg(target_os = "linux")]
pub(super) fn defer(listening: &TcpListener) -> io::Result<()> {
    Ok(nix::sys::socket::setsockopt(listening, TcpDeferAccept, &1)?)
}

/// There is no such thing here.
#[cfg(not(target_os = "linux"))]
pub(super) fn defer(_: &TcpListener) -> io::Result<()> {
    Ok(())
}
