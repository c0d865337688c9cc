//! The other end of TCP by hand, as a client or as a server.

use core::net::SocketAddr;
use framewire::wire::key;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::within;

/// A key, and the answer to it (RFC 6455 §1.3).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A valid request, with further header lines.
pub(crate) fn request(headers: &str) -> String {
    format!(
        "GET /chat?room=1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\
         {headers}\r\n"
    )
}

/// A masked frame of at most 125 bytes.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let key = [9, 8, 7, 6];
    let len = u8::try_from(payload.len())
        .ok()
        .filter(|it| *it < 126)
        .expect("a short payload");
    let mut frame = vec![0x80 | opcode, 0x80 | len];
    frame.extend_from_slice(&key);
    frame.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// One end of a TCP connection.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("TCP has it");
        Self {
            stream,
            read: Vec::new(),
        }
    }

    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::new(
            within(TcpStream::connect(address))
                .await
                .expect("somebody listens"),
        )
    }

    /// Connects from 127.0.0.`last`.
    pub(crate) async fn connect_from(last: u8, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("there is IPv4");
        socket
            .bind(SocketAddr::from(([127, 0, 0, last], 0)))
            .expect("a loopback address");
        Self::new(
            within(socket.connect(address))
                .await
                .expect("somebody listens"),
        )
    }

    /// Connects and opens a WebSocket.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let mut raw = Self::connect(address).await;
        raw.send(request("").as_bytes()).await;
        raw.expect_switched().await;
        raw
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        within(self.stream.write_all(bytes))
            .await
            .expect("the peer reads");
    }

    /// Reads up to the empty line that ends a head.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.read.windows(4).position(|it| it == b"\r\n\r\n") {
                let rest = self.read.split_off(at + 4);
                let head = core::mem::replace(&mut self.read, rest);
                return String::from_utf8(head).expect("a head is ASCII");
            }
            assert!(self.read_some().await > 0, "the end, within a head");
        }
    }

    async fn read_some(&mut self) -> usize {
        within(self.stream.read_buf(&mut self.read))
            .await
            .expect("no reset")
    }

    /// Expects the answer that opens a WebSocket.
    pub(crate) async fn expect_switched(&mut self) -> String {
        let head = self.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(
            head.contains(&format!("Sec-WebSocket-Accept: {ACCEPT}\r\n")),
            "{head}"
        );
        head
    }

    /// Reads so many bytes.
    pub(crate) async fn bytes(&mut self, len: usize) -> Vec<u8> {
        while self.read.len() < len {
            assert!(self.read_some().await > 0, "the end, after {:?}", self.read);
        }
        let rest = self.read.split_off(len);
        core::mem::replace(&mut self.read, rest)
    }

    /// Reads all up to the end of the stream. A reset is an error.
    pub(crate) async fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = core::mem::take(&mut self.read);
        within(self.stream.read_to_end(&mut rest)).await?;
        Ok(rest)
    }

    /// Reads the answer that ends the stream.
    pub(crate) async fn answer(&mut self) -> String {
        let answer = self.rest().await.expect("no reset before the end");
        String::from_utf8(answer).expect("the answers are ASCII")
    }
}

/// A server by hand.
pub(crate) struct RawServer(pub(crate) TcpListener);

impl RawServer {
    /// Listens on 127.0.0.`last`.
    pub(crate) async fn listen(last: u8) -> Self {
        let address = SocketAddr::from(([127, 0, 0, last], 0));
        Self(TcpListener::bind(address).await.expect("a free port"))
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.0.local_addr().expect("it is bound"))
    }

    pub(crate) async fn accept(&self) -> Raw {
        Raw::new(within(self.0.accept()).await.expect("a client").0)
    }

    /// Accepts, reads the request, and returns it with the connection.
    pub(crate) async fn asked(&self) -> (Raw, String) {
        let mut raw = self.accept().await;
        let head = raw.head().await;
        (raw, head)
    }
}

/// The answer that opens a WebSocket, with further header lines.
pub(crate) fn switched(request: &str, headers: &str) -> String {
    let asked = header(request, "Sec-WebSocket-Key").expect("a client sends a key");
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{headers}\r\n",
        key::accept(asked).as_str()
    )
}

/// The value of a header in a head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
