//! A socket that keeps small writes back until more is read from it: the answers to all messages
//! of one read leave in one write. In a fan-out, what a library writes goes to everybody.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use crate::hall::{Hall, Member};

/// Writes of fewer bytes than this are put together; a longer one goes out with what waits.
const CORK: usize = 16 << 10;

pub struct Corked {
    socket: Socket,
    /// Whole frames that have not been written.
    out: Vec<u8>,
    opening: Opening,
}

enum Socket {
    Own(TcpStream),
    Shared {
        read: OwnedReadHalf,
        member: Rc<Member>,
        hall: Rc<Hall>,
    },
}

/// Whether the handshake is over; until then nothing is kept back.
#[derive(Clone, Default)]
pub struct Opening {
    is_over: Rc<Cell<bool>>,
    hall: Option<(Rc<Hall>, Rc<Member>)>,
}

impl Opening {
    /// The handshake has been answered.
    pub fn is_over(&self) {
        self.is_over.set(true);
        if let Some((hall, member)) = &self.hall {
            hall.join(member);
        }
    }

    /// The same, for one that puts writes together itself.
    pub fn is_over_with_whole_writes(&self) {
        if self.hall.is_some() {
            self.is_over();
        }
    }
}

impl Corked {
    pub fn new(tcp: TcpStream, hall: Option<Rc<Hall>>) -> (Self, Opening) {
        let mut opening = Opening::default();
        let socket = match hall {
            None => Socket::Own(tcp),
            Some(hall) => {
                let (read, write) = tcp.into_split();
                let member = Rc::new(Member::new(write));
                opening.hall = Some((Rc::clone(&hall), Rc::clone(&member)));
                Socket::Shared { read, member, hall }
            }
        };
        let corked = Self {
            socket,
            out: Vec::new(),
            opening: opening.clone(),
        };
        (corked, opening)
    }

    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.socket {
            Socket::Own(tcp) => {
                while !self.out.is_empty() {
                    let count = ready!(Pin::new(&mut *tcp).poll_write(cx, &self.out))?;
                    take(&mut self.out, count);
                }
                Poll::Ready(Ok(()))
            }
            Socket::Shared { member, hall, .. } => {
                if !self.out.is_empty() {
                    hall.publish(&mut self.out, member);
                }
                member.poll_owed(cx)
            }
        }
    }

    /// Writes to the socket what waits and then this; how much of this was written.
    fn poll_through(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Socket::Own(tcp) = &mut self.socket else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        if self.out.is_empty() {
            return match bytes {
                [bytes] => Pin::new(tcp).poll_write(cx, bytes),
                _ => Pin::new(tcp).poll_write_vectored(cx, bytes),
            };
        }
        loop {
            let mut slices = [
                IoSlice::new(&self.out),
                IoSlice::new(&[]),
                IoSlice::new(&[]),
            ];
            for (slice, bytes) in slices[1..].iter_mut().zip(bytes) {
                *slice = *bytes;
            }
            let count = ready!(Pin::new(&mut *tcp).poll_write_vectored(cx, &slices))?;
            let beyond = count.saturating_sub(self.out.len());
            take(&mut self.out, count);
            if beyond > 0 || count == 0 {
                return Poll::Ready(Ok(beyond));
            }
        }
    }
}

/// Takes away what was written.
fn take(out: &mut Vec<u8>, count: usize) {
    match count >= out.len() {
        true => out.clear(),
        false => drop(out.drain(..count)),
    }
}

impl AsyncRead for Corked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.out.is_empty() {
            ready!(this.poll_out(cx))?;
        }
        match &mut this.socket {
            Socket::Own(tcp) => Pin::new(tcp).poll_read(cx, target),
            Socket::Shared { read, member, .. } => {
                member.wakes(cx.waker());
                if let Poll::Ready(owed) = member.poll_owed(cx) {
                    owed?;
                }
                Pin::new(read).poll_read(cx, target)
            }
        }
    }
}

impl AsyncWrite for Corked {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let all = bytes.iter().map(|slice| slice.len()).sum::<usize>();
        let is_open = this.opening.is_over.get();
        match &this.socket {
            Socket::Own(_) if !is_open || this.out.len() + all > CORK => {
                if all == 0 {
                    return Poll::Ready(Ok(0));
                }
                this.poll_through(cx, bytes)
            }
            Socket::Shared { member, .. } if !is_open => {
                bytes.iter().for_each(|slice| member.send(slice));
                Poll::Ready(Ok(all))
            }
            _ => {
                bytes
                    .iter()
                    .for_each(|slice| this.out.extend_from_slice(slice));
                Poll::Ready(Ok(all))
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_out(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        match &mut self.socket {
            Socket::Own(tcp) => Pin::new(tcp).poll_shutdown(cx),
            // The socket ends when the connection is dropped.
            Socket::Shared { .. } => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Corked {
    fn drop(&mut self) {
        match &mut self.socket {
            // An answer to Close that its library did not wait for.
            Socket::Own(tcp) if !self.out.is_empty() => drop(tcp.try_write(&self.out)),
            Socket::Own(_) => {}
            Socket::Shared { member, hall, .. } => {
                if !self.out.is_empty() {
                    hall.publish(&mut self.out, member);
                }
                hall.leave(member);
            }
        }
    }
}
