//! A client by hand.

use core::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::within;

/// A valid request for `path`, with further header lines.
pub(crate) fn request(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

/// A masked frame of at most 125 bytes.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let key = [9, 8, 7, 6];
    let len = u8::try_from(payload.len()).expect("a short payload");
    assert!(len < 126, "a short payload");
    let mut frame = vec![0x80 | opcode, 0x80 | len];
    frame.extend_from_slice(&key);
    let keys = key.iter().cycle();
    frame.extend(payload.iter().zip(keys).map(|(byte, key)| byte ^ key));
    frame
}

pub(crate) struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = within(TcpStream::connect(address)).await;
        let stream = stream.expect("somebody listens");
        stream.set_nodelay(true).expect("TCP has it");
        let read = Vec::new();
        Self { stream, read }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        within(self.stream.write_all(bytes))
            .await
            .expect("the peer reads");
    }

    async fn read_some(&mut self) -> usize {
        within(self.stream.read_buf(&mut self.read))
            .await
            .expect("no reset")
    }

    /// Reads up to the empty line that ends a head, in small letters.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.read.windows(4).position(|it| it == b"\r\n\r\n") {
                let head = self.bytes(at + 4).await;
                return String::from_utf8_lossy(&head).to_lowercase();
            }
            assert!(self.read_some().await > 0, "the end, within a head");
        }
    }

    /// Reads so many bytes.
    pub(crate) async fn bytes(&mut self, len: usize) -> Vec<u8> {
        while self.read.len() < len {
            assert!(self.read_some().await > 0, "the end, after {:?}", self.read);
        }
        let rest = self.read.split_off(len);
        core::mem::replace(&mut self.read, rest)
    }

    /// Reads all up to the end of the stream, in small letters.
    pub(crate) async fn rest(&mut self) -> String {
        while self.read_some().await > 0 {}
        String::from_utf8_lossy(&self.read).to_lowercase()
    }
}

/// Sends a request with two messages in the same segment, and expects both back.
pub(crate) async fn expect_first_frames_back(address: SocketAddr, path: &str) {
    let frames = [masked(1, b"first"), masked(2, b"second")].concat();
    let all = [request(path, "").as_bytes(), &frames].concat();
    let head_bytes = all.len() - frames.len();
    // Whole, and cut within the first frame.
    for cut in [all.len(), head_bytes + 1, head_bytes + 8] {
        let mut raw = Raw::connect(address).await;
        raw.send(&all[..cut]).await;
        let head = raw.head().await;
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert_eq!(
            header(&head, "sec-websocket-accept"),
            Some("s3pplmbitxaq9kygzzhzrbk+xoo=")
        );
        assert_eq!(header(&head, "upgrade"), Some("websocket"));
        assert_eq!(header(&head, "connection"), Some("upgrade"));
        raw.send(&all[cut..]).await;
        assert_eq!(raw.bytes(15).await, b"\x81\x05first\x82\x06second");
    }
}

/// Expects the answers to requests that open nothing.
pub(crate) async fn expect_refusals(address: SocketAddr, path: &str) {
    let good = request(path, "");
    let asked = [
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhl"), "400"),
        (good.replace("Version: 13", "Version: 12"), "426"),
        (good.replace("Upgrade: websocket", "Upgrade: h2c"), "426"),
        (good.replace("Connection: Upgrade", "Connection: x"), "400"),
    ];
    for (request, status) in asked {
        let mut raw = Raw::connect(address).await;
        raw.send(request.as_bytes()).await;
        let answer = raw.rest().await;
        let line = format!("http/1.1 {status} ");
        assert!(answer.starts_with(&line), "{request}\n{answer}");
        if status == "426" {
            assert_eq!(header(&answer, "sec-websocket-version"), Some("13"));
        }
    }
}

/// The value of a header in a head in small letters.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found == name).then(|| value.trim())
    })
}
