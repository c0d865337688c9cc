//! A server by hand, over any stream.

use alloc::sync::Arc;
use framewire::client::{Config, Tls};
use framewire::wire::key;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::sync::LazyLock;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::tls_server::{self_signed, server_config};
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

/// Bytes, both ways.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Bytes for S {}

/// What a connection goes through.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Plain,
    Tls,
}

impl Way {
    /// The URL of a listener, which is reached so.
    pub(crate) fn url(self, url: &str) -> String {
        match self {
            Self::Plain => url.to_owned(),
            Self::Tls => url.replace("ws://", "wss://"),
        }
    }

    /// Accepts a client that comes so, which believes any certificate.
    pub(crate) async fn accept(self, listener: &TcpListener) -> Box<dyn Bytes> {
        let stream = accept(listener).await;
        match self {
            Self::Plain => Box::new(stream),
            Self::Tls => {
                let config = server_config(&self_signed());
                let opened = TlsAcceptor::from(Arc::new(config)).accept(stream);
                Box::new(within(opened).await.expect("TLS"))
            }
        }
    }
}

/// The same configuration, which believes any certificate.
pub(crate) fn believing(config: &Config) -> Config {
    static ANY: LazyLock<Tls> = LazyLock::new(|| {
        let any = Tls::builder().danger_accept_any_certificate();
        any.build().expect("it can be used")
    });
    config.clone().with_tls(ANY.clone())
}

/// How a server sends its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Split {
    Whole,
    Bytes,
    At(usize),
    /// In pieces of random lengths, which this seed decides.
    Random(u64),
}

impl Split {
    /// Whole, byte by byte, in sevens, and in 32 random ways.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let random = (0..32).map(Self::Random);
        [Self::Whole, Self::Bytes, Self::At(7)]
            .into_iter()
            .chain(random)
    }

    /// Each of them in the clear and inside TLS.
    pub(crate) fn all_ways() -> impl Iterator<Item = (Way, Self)> {
        let ways = [Way::Plain, Way::Tls].into_iter();
        ways.flat_map(|way| Self::all().map(move |split| (way, split)))
    }

    /// The length of each piece, at most so long.
    fn lengths(self, most: usize) -> impl FnMut() -> usize {
        let mut random = match self {
            Self::Random(seed) => Some(StdRng::seed_from_u64(seed)),
            _ => None,
        };
        // Some cut it in two or three, others in many.
        let longest = random.as_mut().map_or(most, |it| it.random_range(1..=most));
        move || match self {
            Self::Whole => most,
            Self::Bytes => 1,
            Self::At(n) => n,
            Self::Random(_) => random.as_mut().map_or(1, |it| it.random_range(1..=longest)),
        }
    }

    /// Sends `bytes` so; a client that has left is not told.
    pub(crate) async fn send(self, stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
        let mut length = self.lengths(bytes.len().max(1));
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(length().min(rest.len()));
            rest = behind;
            if stream.write_all(piece).await.is_err() || stream.flush().await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}
