//! Hostile messages over sockets: what they leave behind, and what others notice.

use framewire::client::{Config as Client, connect_with};
use framewire::engine::Limits;
use framewire::engine::deflate::{DeflateAnswer, DeflateConfig};
use framewire::net::Error;
use framewire::server::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::hostile::deep;
use crate::payload;
use crate::raw::{Frame, frames};
use crate::serving::harm::Watched;
use crate::serving::{EchoServer, within};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=";

/// Sends one compressed message and a Close, and reads to the end; the code of the Close that
/// came back.
async fn play(port: u16, bits: usize, payload: &[u8]) -> u16 {
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let message = Frame::new(0xc2, payload).masked().to_bytes();
    let close = Frame::new(0x88, 1000_u16.to_be_bytes()).masked().to_bytes();
    let request = format!("{REQUEST}{bits}\r\n\r\n").into_bytes();
    let (mut from, mut to) = tcp.split();
    let mut answer = Vec::new();
    let bytes = [request, message, close].concat();
    let (sent, read) = tokio::join!(
        within(to.write_all(&bytes)),
        within(from.read_to_end(&mut answer))
    );
    sent.expect("it reads on until it has been understood");
    read.expect("no reset");
    let head = answer.windows(4).position(|it| it == b"\r\n\r\n");
    let last = frames(&answer[head.expect("a head") + 4..]).pop();
    let last = last.expect("a Close");
    assert_eq!(last.first, 0x88);
    u16::from_be_bytes(last.payload[..2].try_into().unwrap())
}

/// Messages that are refused, with the code that says so, and ones that are not.
fn cases() -> Vec<(String, Vec<u8>, Option<u16>)> {
    let refused = [
        ("", 1007),
        ("ff", 1007),
        ("fixed [ copy 3 1 ] end", 1007),
        ("fixed [ 41 copy 3 32_768 ] end", 1007),
        ("fixed [ 41", 1007),
        ("dynamic [ run 00 20_000_000 ] end", 1009),
        ("repeat 60_000 [ fixed-last [ ] ] end", 1009),
    ];
    let refused = refused.map(|(text, code)| {
        let payload = match text {
            // A block without its end.
            "fixed [ 41" => vec![0x72],
            _ => payload::bytes(text, 0),
        };
        (text.to_owned(), payload, Some(code))
    });
    let deep = deep().into_iter().enumerate();
    let deep = deep.map(|(at, payload)| (format!("deep, number {at}"), payload, None));
    refused.into_iter().chain(deep).collect()
}

#[tokio::test]
async fn hostile_messages_leave_nothing_and_harm_nobody() {
    let limits = Limits::default().with_message_bytes_max(4 << 20);
    let answer = DeflateAnswer::new(DeflateConfig::default());
    let settings = Config::default().with_limits(limits);
    let server = EchoServer::start_with(settings, Some(answer)).await;
    let port = server.address.port();
    let url = format!("ws://{}/", server.address);
    let client = Client::default().with_deflate(DeflateConfig::default());
    let (other, _) = connect_with(&url, &client).await.unwrap();
    let mut watched = Watched::new(server, other).await;
    for (text, payload, expected) in cases() {
        // In a small window distances are read apart.
        let windows: &[usize] = if expected.is_some() { &[9, 15] } else { &[9] };
        for &bits in windows {
            let case = format!("{text}, {bits} bits");
            let code = play(port, bits, &payload).await;
            let ended = watched.unharmed(&case, 0, 1).await.ended;
            match expected {
                Some(expected) => assert_eq!(code, expected, "{case}"),
                None => assert!([1000, 1007, 1009].contains(&code), "{case}: {code}"),
            }
            let is_violation = matches!(ended[..], [Err(Error::Violation(_))]);
            assert_eq!(is_violation, code != 1000, "{case}: {ended:?}");
        }
    }
}
