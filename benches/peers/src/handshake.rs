//! The answer to an opening handshake, for libraries that leave it to an HTTP server, and for the
//! floors. It looks for the key and for nothing else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const HEAD_BYTES_MAX: usize = 8192;
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Reads the request and answers it. A client sends nothing before it has the answer.
pub async fn answer<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    let mut head = Vec::with_capacity(1024);
    while !is_whole(&head) {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if head.len() > HEAD_BYTES_MAX {
            return Err(io::Error::other("a request that is too long"));
        }
    }
    let response = response(&head).ok_or_else(|| io::Error::other("a request without a key"))?;
    stream.write_all(response.as_bytes()).await?;
    stream.flush().await
}

pub fn is_whole(head: &[u8]) -> bool {
    head.ends_with(b"\r\n\r\n")
}

/// The answer to a request, if it has a key.
pub fn response(head: &[u8]) -> Option<String> {
    let name = "sec-websocket-key:";
    let key = str::from_utf8(head).ok()?.lines().find_map(|line| {
        let is_key = line.get(..name.len())?.eq_ignore_ascii_case(name);
        is_key.then(|| line[name.len()..].trim())
    })?;
    let hash = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let accept = BASE64_STANDARD.encode(hash);
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ))
}
