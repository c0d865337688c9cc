//! One stream of bytes that never blocks: TCP, or TLS over it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use mio::net::TcpStream;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, IoSlice, Read, Write};

/// A stream.
#[derive(Debug)]
pub(crate) enum Link {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// How TLS is begun: nothing for `ws`.
pub(crate) type Secure = Option<(Arc<ClientConfig>, ServerName<'static>)>;

impl Link {
    /// Begins to connect, from this address if one is given. It is open, or has failed, when it
    /// can be written.
    pub(crate) fn begin(
        address: SocketAddr,
        from: Option<Ipv4Addr>,
        secure: &Secure,
    ) -> io::Result<Self> {
        let stream = match from {
            Some(from) => connect_from(address, from)?,
            None => TcpStream::connect(address)?,
        };
        Ok(match secure {
            None => Self::Plain(stream),
            Some((config, name)) => {
                let tls = ClientConnection::new(Arc::clone(config), name.clone())
                    .map_err(io::Error::other)?;
                Self::Tls(Box::new(StreamOwned::new(tls, stream)))
            }
        })
    }

    /// The stream beneath.
    pub(crate) fn tcp(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &mut stream.sock,
        }
    }

    /// Whether a read that does not fill its buffer has emptied the socket.
    pub(crate) const fn short_is_all(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    #[inline]
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    /// Writes what stands in two slices, or a part.
    #[inline]
    pub(crate) fn write(&mut self, first: &[u8], second: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) if second.is_empty() => stream.write(first),
            Self::Plain(stream) => {
                stream.write_vectored(&[IoSlice::new(first), IoSlice::new(second)])
            }
            Self::Tls(stream) => stream.write(first),
        }
    }

    /// Passes on what TLS still holds.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

fn connect_from(address: SocketAddr, from: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if is_under_way(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(TcpStream::from_std(socket.into()))
}

fn is_under_way(error: &io::Error) -> bool {
    /// `EINPROGRESS`, which has no kind of its own in `std`.
    const IN_PROGRESS: i32 = 115;
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(IN_PROGRESS)
}

/// The address of this machine to connect from, where there is a choice: each has only so many
/// ports. Nothing else than Linux has more than one without being told.
pub(crate) fn source(to: SocketAddr, which: u64) -> Option<Ipv4Addr> {
    const ADDRESSES: u64 = 250;
    match to.ip() {
        IpAddr::V4(to) if to.is_loopback() && cfg!(target_os = "linux") => {
            let last = u8::try_from(which % ADDRESSES).unwrap_or_default() + 1;
            Some(Ipv4Addr::new(127, 0, 0, last))
        }
        _ => None,
    }
}
