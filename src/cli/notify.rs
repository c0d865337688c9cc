//! Telling the service manager how far the server is.

use std::io;

/// The variable that names the socket of the service manager.
const SOCKET: &str = "NOTIFY_SOCKET";

/// The server is ready: clients that come are served.
pub(crate) const READY: &str = "READY=1";
/// The server is on its way out.
pub(crate) const STOPPING: &str = "STOPPING=1";

/// Tells the service manager, where there is one that wants to know. That it cannot be told is
/// logged, and stops nothing.
//= D18
pub(crate) fn tell(state: &str) {
    let Some(socket) = std::env::var_os(SOCKET) else {
        return;
    };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(%error, state, "the service manager was not told");
    }
}

#[cfg(unix)]
fn send(socket: &std::ffi::OsStr, state: &str) -> io::Result<()> {
    use std::os::unix::net::UnixDatagram;
    let datagram = UnixDatagram::unbound()?;
    datagram.set_nonblocking(true)?;
    datagram.send_to_addr(state.as_bytes(), &address(socket)?)?;
    Ok(())
}

/// A path, or behind an `@` a name without a file.
#[cfg(target_os = "linux")]
fn address(socket: &std::ffi::OsStr) -> io::Result<std::os::unix::net::SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::SocketAddr;
    match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(socket),
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn address(socket: &std::ffi::OsStr) -> io::Result<std::os::unix::net::SocketAddr> {
    std::os::unix::net::SocketAddr::from_pathname(socket)
}

#[cfg(not(unix))]
fn send(_: &std::ffi::OsStr, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
