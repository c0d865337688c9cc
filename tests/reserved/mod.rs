//! Addresses of loopback where nobody listens, or only who is told to.

use core::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port that the system gives to nobody else while this is held.
///
/// Whoever connects is refused, until a program listens there that is told the address and binds
/// it with `SO_REUSEADDR`, as servers do. A port that is only given up again may be anybody's a
/// moment later: another test's server answers then, or a socket that connects has it.
pub(crate) struct Reserved {
    pub(crate) address: SocketAddr,
    _socket: TcpSocket,
}

impl Reserved {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("there is IPv4");
        socket
            .set_reuseaddr(true)
            .expect("an option of every socket");
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(any).expect("a free port");
        Self {
            address: socket.local_addr().expect("it is bound"),
            _socket: socket,
        }
    }
}
