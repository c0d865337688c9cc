//! Frames that a server must not send.

use framewire::client::{Config, open};
use framewire::engine::deflate::DeflateConfig;
use framewire::engine::{Limits, Message};
use framewire::net::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harmless::Watched;
use crate::raw::{self, Split, Way, believing, listen, switched};
use crate::within;

/// Sends `frames` in every split, and expects a valid message before them, none from them, and a
/// Close with `code` from the client.
async fn fails_with(config: &Config, headers: &str, frames: &[u8], code: u16) {
    let mut watched = Watched::new().await;
    for (way, split) in Split::all_ways() {
        let (listener, url) = listen().await;
        let port = listener.local_addr().expect("it is bound").port();
        let (url, config) = (way.url(&url), believing(config));
        let client = tokio::spawn(async move {
            let mut socket = open(&url, &config).await.expect("open").socket;
            let first = within(socket.recv()).await.expect("no failure");
            assert_eq!(first, Some(Message::text("ok")));
            let failed = within(socket.recv()).await.expect_err("a violation");
            assert!(matches!(failed, Error::Violation(_)), "{failed:?}");
        });
        let mut stream = way.accept(&listener).await;
        let answer = switched(&raw::head(&mut stream).await, headers);
        stream.write_all(answer.as_bytes()).await.expect("it reads");
        split
            .send(&mut stream, &[b"\x81\x02ok", frames].concat())
            .await;
        let mut close = [0; 8];
        within(stream.read_exact(&mut close))
            .await
            .expect("a Close");
        assert_eq!(close[0], 0x88, "{frames:02x?}");
        let told = [close[6] ^ close[2], close[7] ^ close[3]];
        assert_eq!(u16::from_be_bytes(told), code, "{frames:02x?}");
        drop((stream, listener));
        within(client).await.expect("no panic");
        let case = format!("{frames:02x?}, {way:?}, {split:?}");
        match split {
            Split::Whole => watched.unharmed(&case, port).await,
            _ => watched.undisturbed().await,
        }
    }
}

//= CS-09 type=test
//= CS-11 type=test
#[tokio::test]
async fn a_masked_frame_and_a_reserved_bit_end_it_with_1002() {
    let config = Config::default();
    fails_with(&config, "", b"\x81\x82\x01\x02\x03\x04ik", 1002).await;
    for first in [0xC1, 0xA1, 0x91] {
        fails_with(&config, "", &[first, 0x02, b'h', b'i'], 1002).await;
    }
}

//= CS-12 type=test
#[tokio::test]
async fn a_bomb_ends_it_with_1009() {
    let limits = Limits::default().with_message_bytes_max(100_000);
    let config = Config::default()
        .with_limits(limits)
        .with_deflate(DeflateConfig::default());
    let mut deflater = Vec::new();
    // One zero, and then copies of it, 258 at a time, with the fixed codes of RFC 1951 §3.2.6.
    let mut bits = Bits {
        bytes: &mut deflater,
        at: 0,
    };
    bits.push(0b010, 3);
    bits.push_code(0x30, 8);
    for _ in 0..1000 {
        bits.push_code(0b1100_0101, 8);
        bits.push_code(0, 5);
    }
    bits.push_code(0, 7);
    bits.push(0, 3);
    let length = u16::try_from(deflater.len()).expect("short").to_be_bytes();
    let frame = [&[0xC2, 126], &length[..], &deflater].concat();
    let headers = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    fails_with(&config, headers, &frame, 1009).await;
}

/// Writes bits as RFC 1951 §3.1.1 packs them.
struct Bits<'a> {
    bytes: &'a mut Vec<u8>,
    at: u8,
}

impl Bits<'_> {
    fn push(&mut self, value: u32, count: u8) {
        for bit in 0..count {
            if self.at == 0 {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().expect("a byte");
            *last |= u8::from(value >> bit & 1 == 1) << self.at;
            self.at = (self.at + 1) % 8;
        }
    }

    /// A code of Huffman's, which is packed from its highest bit.
    fn push_code(&mut self, code: u32, count: u8) {
        for bit in (0..count).rev() {
            self.push(code >> bit & 1, 1);
        }
    }
}

//= CS-13 type=test
#[tokio::test]
async fn lengths_beyond_the_limit_or_not_minimal_end_it() {
    let config = Config::default().with_limits(Limits::default().with_message_bytes_max(1000));
    for (frame, code) in [
        (&b"\x82\x7E\x03\xE9"[..], 1009),
        (b"\x82\x7F\0\0\0\x01\0\0\0\0", 1009),
        (b"\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 1009),
        (b"\x82\x7F\x80\0\0\0\0\0\0\0", 1002),
        (b"\x82\x7E\0\x7D", 1002),
        (b"\x82\x7F\0\0\0\0\0\0\xFF\xFF", 1002),
        (b"\x89\x7E\0\x7E", 1002),
        (b"\x88\x7E\0\x7E", 1002),
    ] {
        fails_with(&config, "", frame, code).await;
    }
}

//= CS-20 type=test
#[tokio::test]
async fn a_send_into_a_connection_that_ends_is_an_error() {
    for way in [Way::Plain, Way::Tls] {
        let (listener, url) = listen().await;
        let (url, config) = (way.url(&url), believing(&Config::default()));
        let client = tokio::spawn(async move {
            let mut socket = open(&url, &config).await.expect("open").socket;
            let large = vec![7; 16 << 20];
            within(socket.send(large)).await
        });
        let mut stream = way.accept(&listener).await;
        let answer = switched(&raw::head(&mut stream).await, "");
        stream.write_all(answer.as_bytes()).await.expect("it reads");
        stream.flush().await.expect("it reads");
        let mut some = [0; 1000];
        within(stream.read_exact(&mut some))
            .await
            .expect("the beginning");
        drop(stream);
        let sent = within(client).await.expect("no panic");
        assert!(matches!(sent, Err(Error::Io(_))), "{way:?}: {sent:?}");
    }
}

//= CS-22 type=test
#[tokio::test]
async fn what_is_sent_is_what_was_given_whatever_its_owner_does_later() {
    let (listener, url) = listen().await;
    tokio::spawn(async move { raw::echo(raw::accept(&listener).await).await });
    let mut socket = within(open(&url, &Config::default()))
        .await
        .expect("open")
        .socket;
    let mut buffer = b"before".to_vec();
    // A copy: a message owns its bytes, so the buffer cannot be lent and changed meanwhile.
    socket
        .try_feed(Message::binary(buffer.clone()))
        .expect("room");
    buffer.fill(b'x');
    within(socket.flush()).await.expect("no failure");
    let echoed = within(socket.recv()).await.expect("no failure");
    assert_eq!(echoed, Some(Message::binary(&b"before"[..])));
}
