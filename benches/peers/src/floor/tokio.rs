//! The floor on tokio.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::corked::{Corked, Opening};
use crate::failure::Failure;
use crate::floor::decoder;
use crate::floor::gauge::{Gauge, Taken};
use crate::handshake;

/// How much is read at once.
pub const READ_BYTES: usize = 64 << 10;

/// The answer to a Close, with the code 1000.
pub const CLOSE: [u8; 4] = [0x88, 2, 0x03, 0xe8];

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// Reads, counts, and writes as many answers as messages came.
pub async fn echo(mut tcp: TcpStream) -> Result<(), Failure> {
    // The handshake is not to weigh on a connection that is open.
    Box::pin(handshake::answer(&mut tcp)).await?;
    let mut gauge = Gauge::default();
    loop {
        let taken = poll_fn(|cx| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut target = ReadBuf::new(scratch);
                ready!(Pin::new(&mut tcp).poll_read(cx, &mut target))?;
                let bytes = target.filled();
                Poll::Ready(std::io::Result::Ok(
                    (!bytes.is_empty()).then(|| gauge.take(bytes)),
                ))
            })
        });
        let messages = match taken.await? {
            Some(Taken::Messages(messages)) => messages,
            Some(Taken::Close) => return Ok(tcp.write_all(&CLOSE).await?),
            None => return Ok(()),
        };
        let Some(pattern) = &gauge.pattern else {
            continue;
        };
        let mut due = messages * pattern.frame;
        while due > 0 {
            // What was written is a number of whole answers, so the next begins at the start.
            let now = due.min(pattern.bytes.len());
            tcp.write_all(&pattern.bytes[..now]).await?;
            due -= now;
        }
    }
}

/// Decodes a message once, as it has to say which it is, and writes its frame to everybody.
pub async fn fan_out(mut socket: Corked, opening: Opening) -> Result<(), Failure> {
    Box::pin(handshake::answer(&mut socket)).await?;
    opening.is_over();
    let (mut bytes, mut frames) = (Vec::new(), Vec::new());
    loop {
        bytes.reserve(READ_BYTES);
        if socket.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        let is_closed = decoder::reencode(&mut bytes, &mut frames);
        socket.write_all(&frames).await?;
        frames.clear();
        if is_closed {
            return Ok(());
        }
        if bytes.is_empty() {
            bytes = Vec::new();
        }
    }
}
