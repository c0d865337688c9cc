//! Shows the frames that pass through a stream.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::header::{Decoded, FrameHeader, HEADER_BYTES_MAX};

/// A stream of frames whose headers are told to standard error as they pass.
#[derive(Debug)]
pub(crate) struct Tap<S> {
    stream: S,
    received: Watch,
    sent: Watch,
}

impl<S> Tap<S> {
    /// Taps a stream of which `received` has already been read.
    pub(crate) fn new(stream: S, received: &[u8]) -> Self {
        let mut tap = Self {
            stream,
            received: Watch::new("<"),
            sent: Watch::new(">"),
        };
        tap.received.show(received);
        tap
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.received.show(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.sent.show(&buf[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// One direction: the header that is coming in, and how much payload is still to pass.
#[derive(Debug)]
struct Watch {
    direction: &'static str,
    header: Vec<u8>,
    payload: u64,
    /// What passes is no frames, so there is nothing more to tell.
    is_lost: bool,
}

impl Watch {
    const fn new(direction: &'static str) -> Self {
        Self {
            direction,
            header: Vec::new(),
            payload: 0,
            is_lost: false,
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        for line in self.pass(bytes) {
            std::eprintln!("{line}");
        }
    }

    /// The frames that begin in these bytes, a line each.
    fn pass(&mut self, mut bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while !bytes.is_empty() && !self.is_lost {
            let skipped =
                usize::try_from(self.payload).map_or(bytes.len(), |it| it.min(bytes.len()));
            self.payload -= skipped as u64;
            bytes = &bytes[skipped..];
            let Some((first, rest)) = bytes.split_first() else {
                break;
            };
            bytes = rest;
            self.header.push(*first);
            match FrameHeader::decode(&self.header) {
                Ok(Decoded::Header(header, _)) => {
                    lines.push(line(self.direction, &header));
                    self.payload = header.payload_len;
                    self.header.clear();
                }
                Ok(_) if self.header.len() < HEADER_BYTES_MAX => {}
                _ => {
                    lines.push(format!("{} no frame: {:02x?}", self.direction, self.header));
                    self.is_lost = true;
                }
            }
        }
        lines
    }
}

fn line(direction: &str, header: &FrameHeader) -> String {
    let fin = u8::from(header.fin);
    let rsv = header.reserved.bits() >> 4;
    let (opcode, len) = (header.opcode, header.payload_len);
    format!("{direction} {opcode:?} fin={fin} rsv={rsv:03b} len={len}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_however_they_are_cut() {
        let bytes = b"\x81\x02hi\x89\x80\x01\x02\x03\x04\xC2\x7E\x00\x80";
        let bytes = [&bytes[..], &[0; 128], b"\x88\x00"].concat();
        let told = [
            "< Text fin=1 rsv=000 len=2",
            "< Ping fin=1 rsv=000 len=0",
            "< Binary fin=1 rsv=100 len=128",
            "< Close fin=1 rsv=000 len=0",
        ];
        for size in 1..bytes.len() {
            let mut watch = Watch::new("<");
            let lines: Vec<String> = bytes.chunks(size).flat_map(|it| watch.pass(it)).collect();
            assert_eq!(lines, told, "in pieces of {size}");
        }
    }
}
