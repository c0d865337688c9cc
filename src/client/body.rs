//! The body of an answer that is no WebSocket: as much as helps to understand it.

use alloc::vec::Vec;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

use crate::wire::http::ResponseHead;
use crate::wire::list;

/// How many bytes of a body are read at most.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 10;

/// Reads the body behind `head`, of which `bytes` have arrived: to its end, to
/// [`BODY_BYTES_MAX`] bytes, or for as long as `until`. A stream that fails ends it as well.
pub(crate) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    head: &ResponseHead,
    mut bytes: Vec<u8>,
    until: Instant,
) -> Vec<u8> {
    let extent = Extent::of(head);
    let mut buffer = [0; 2048];
    while bytes.len() < BODY_BYTES_MAX && !extent.is_reached(&bytes) {
        let space = buffer.len().min(BODY_BYTES_MAX - bytes.len());
        match timeout_at(until, stream.read(&mut buffer[..space])).await {
            Ok(Ok(n)) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
            _ => break,
        }
    }
    match extent {
        Extent::Bytes(length) => bytes.truncate(length),
        Extent::Chunks => bytes = unchunked(&bytes).0,
        Extent::ToTheEnd => {}
    }
    bytes.truncate(BODY_BYTES_MAX);
    bytes
}

/// How far a body goes (RFC 9112 §6.3).
enum Extent {
    Bytes(usize),
    Chunks,
    ToTheEnd,
}

impl Extent {
    fn of(head: &ResponseHead) -> Self {
        let headers = head.headers();
        if matches!(head.status(), 204 | 304) {
            return Self::Bytes(0);
        }
        if list::contains_token(headers.get_all("transfer-encoding"), b"chunked") {
            return Self::Chunks;
        }
        let length = headers.get_str("content-length");
        length
            .and_then(|it| it.parse().ok())
            .map_or(Self::ToTheEnd, Self::Bytes)
    }

    fn is_reached(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Bytes(length) => bytes.len() >= *length,
            Self::Chunks => unchunked(bytes).1,
            Self::ToTheEnd => false,
        }
    }
}

/// What the chunks hold that are there, and whether the last one is.
fn unchunked(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((at, length))) = httparse::parse_chunk_size(bytes) else {
            // Cut within the line, or no chunk at all: either way there is no more to be had.
            let is_malformed = httparse::parse_chunk_size(bytes).is_err();
            return (body, is_malformed);
        };
        if length == 0 {
            return (body, true);
        }
        let rest = &bytes[at..];
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        body.extend_from_slice(&rest[..length.min(rest.len())]);
        match length.checked_add(2).and_then(|it| rest.get(it..)) {
            Some(next) => bytes = next,
            None => return (body, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_as_far_as_they_have_come() {
        for (bytes, body, is_done) in [
            (
                &b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"[..],
                &b"abcde"[..],
                true,
            ),
            (b"3\r\nabc\r\n2\r\nd", b"abcd", false),
            (b"3\r\nabc\r\n2", b"abc", false),
            (b"3\r\nabc\r\nzz\r\n", b"abc", true),
            (b"ffffffffffffffff\r\nabc", b"abc", false),
            (b"", b"", false),
        ] {
            assert_eq!(unchunked(bytes), (body.to_vec(), is_done), "{bytes:?}");
        }
    }
}
