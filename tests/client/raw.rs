//! A server by hand, over any stream.

use framewire::wire::key;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::within;

/// Listens on a free port; its URL ends with `/`.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("it is bound"));
    (listener, url)
}

pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = within(listener.accept()).await.expect("a client");
    stream.set_nodelay(true).expect("TCP has it");
    stream
}

/// Reads the head of a request, and nothing behind it.
pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = within(stream.read_u8()).await.expect("a whole head");
        head.push(byte);
    }
    String::from_utf8(head).expect("a head is ASCII")
}

/// The value of a header in a head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The value of Sec-WebSocket-Accept that answers a request.
pub(crate) fn accept_of(request: &str) -> String {
    let asked = header(request, "Sec-WebSocket-Key").expect("a client sends a key");
    key::accept(asked).as_str().to_owned()
}

/// The answer that opens a WebSocket, with further header lines.
pub(crate) fn switched(request: &str, headers: &str) -> String {
    let accept = accept_of(request);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
    )
}

/// Opens a WebSocket and echoes: frames of at most 125 bytes, whole ones.
pub(crate) async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let request = head(&mut stream).await;
    let answer = switched(&request, "");
    if stream.write_all(answer.as_bytes()).await.is_err() {
        return;
    }
    let mut header = [0; 6];
    while stream.read_exact(&mut header).await.is_ok() {
        let [first, second, key @ ..] = header;
        let mut payload = vec![0; usize::from(second & 0x7F)];
        if stream.read_exact(&mut payload).await.is_err() {
            return;
        }
        for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        let frame = [&[first, second & 0x7F][..], &payload].concat();
        if stream.write_all(&frame).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        if first & 0x0F == 8 {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// How a server sends its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Split {
    Whole,
    Bytes,
    At(usize),
}

impl Split {
    pub(crate) const ALL: [Self; 3] = [Self::Whole, Self::Bytes, Self::At(7)];

    /// Sends `bytes` so; a client that has left is not told.
    pub(crate) async fn send(self, stream: &mut TcpStream, bytes: &[u8]) {
        let size = match self {
            Self::Whole => bytes.len().max(1),
            Self::Bytes => 1,
            Self::At(n) => n,
        };
        for piece in bytes.chunks(size) {
            if stream.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}
