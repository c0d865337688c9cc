//! A client that runs every scenario against an echo server.

use std::fmt::Debug;
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Error, Message, WebSocket, client::client_with_config};

type Failure = Box<dyn std::error::Error>;
type Scenario = Box<dyn Fn(&mut Peer) -> Result<(), Failure>>;

const READ_TIMEOUT: Duration = Duration::from_secs(10);
const SIZES: [usize; 8] = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20];
const LANGUAGES: &str = "Grüße, 世界 — naïve ∑ 👋🏽 ";

/// One connection to the server under test.
struct Peer {
    socket: WebSocket<TcpStream>,
    headers: Vec<String>,
    closed: bool,
}

impl Peer {
    fn open(url: &str) -> Result<Self, Failure> {
        let request = url.into_client_request()?;
        let address = request.uri().authority().ok_or("the URL has no address")?;
        let stream = TcpStream::connect(address.as_str())?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        let (socket, response) = client_with_config(request, stream, Some(super::config()))?;
        let headers = response.headers().keys().map(ToString::to_string).collect();
        Ok(Self {
            socket,
            headers,
            closed: false,
        })
    }

    fn send(&mut self, message: Message) -> Result<(), Failure> {
        Ok(self.socket.send(message)?)
    }

    fn fragment(&mut self, data: Data, payload: &[u8], last: bool) -> Result<(), Failure> {
        let frame = Frame::message(payload.to_vec(), OpCode::Data(data), last);
        self.send(Message::Frame(frame))
    }

    fn expect(&mut self, wanted: &Message) -> Result<(), Failure> {
        let got = self.socket.read()?;
        if got == *wanted {
            return Ok(());
        }
        Err(format!("expected {}, got {}", short(wanted), short(&got)).into())
    }

    fn echo(&mut self, message: Message) -> Result<(), Failure> {
        self.send(message.clone())?;
        self.expect(&message)
    }

    /// Closes, and takes a Close with the same code and then the end of TCP as the answer.
    fn close(&mut self, code: Option<u16>, reason: &str) -> Result<(), Failure> {
        let frame = code.map(|code| CloseFrame {
            code: code.into(),
            reason: reason.to_owned().into(),
        });
        self.closed = true;
        self.socket.close(frame)?;
        match self.socket.read()? {
            Message::Close(answer) => {
                let got = answer.map(|frame| u16::from(frame.code));
                if got != code {
                    return Err(format!("closed with {code:?}, answered {got:?}").into());
                }
            }
            other => return Err(format!("expected a Close, got {}", short(&other)).into()),
        }
        match self.socket.read() {
            Err(Error::ConnectionClosed) => Ok(()),
            other => Err(format!("expected the end, got {}", short(&other)).into()),
        }
    }
}

fn short(value: &impl Debug) -> String {
    format!("{value:?}").chars().take(80).collect()
}

fn octets(size: usize) -> Vec<u8> {
    (0..size)
        .map(|index| (index * 31 + 7).to_le_bytes()[0])
        .collect()
}

fn no_subprotocol(peer: &mut Peer) -> Result<(), Failure> {
    let unasked = |name: &&String| {
        ["sec-websocket-protocol", "sec-websocket-extensions"].contains(&name.as_str())
    };
    if let Some(name) = peer.headers.iter().find(unasked) {
        return Err(format!("{name} was not asked for").into());
    }
    peer.echo("plain".into())
}

fn fragmented_text(peer: &mut Peer) -> Result<(), Failure> {
    let text = "Grüße, 世界";
    // The second cut is inside a character.
    let (first, rest) = text.as_bytes().split_at(4);
    let (second, third) = rest.split_at(6);
    peer.fragment(Data::Text, first, false)?;
    peer.fragment(Data::Continue, second, false)?;
    peer.fragment(Data::Continue, b"", false)?;
    peer.fragment(Data::Continue, third, true)?;
    peer.expect(&text.into())
}

fn fragmented_binary(peer: &mut Peer) -> Result<(), Failure> {
    let whole = octets(200_000);
    peer.fragment(Data::Binary, &whole[..1], false)?;
    peer.fragment(Data::Continue, &whole[1..70_000], false)?;
    peer.fragment(Data::Continue, &whole[70_000..], true)?;
    peer.expect(&whole.into())
}

fn ping_between_fragments(peer: &mut Peer) -> Result<(), Failure> {
    peer.fragment(Data::Text, b"first ", false)?;
    peer.send(Message::Ping("between".into()))?;
    peer.expect(&Message::Pong("between".into()))?;
    peer.fragment(Data::Continue, b"last", true)?;
    peer.expect(&"first last".into())
}

fn ping(peer: &mut Peer) -> Result<(), Failure> {
    for payload in [Vec::new(), b"payload".to_vec(), octets(125)] {
        peer.send(Message::Ping(payload.clone().into()))?;
        peer.expect(&Message::Pong(payload.into()))?;
    }
    peer.echo("after the pings".into())
}

fn pong_unasked(peer: &mut Peer) -> Result<(), Failure> {
    peer.send(Message::Pong("nobody asked".into()))?;
    peer.echo("still here".into())
}

fn pipelined(peer: &mut Peer) -> Result<(), Failure> {
    for index in 0..50 {
        peer.socket.write(format!("message {index}").into())?;
    }
    peer.socket.flush()?;
    (0..50).try_for_each(|index| peer.expect(&format!("message {index}").into()))
}

fn close_after_messages(peer: &mut Peer) -> Result<(), Failure> {
    peer.send("one".into())?;
    peer.send("two".into())?;
    peer.expect(&"one".into())?;
    peer.expect(&"two".into())?;
    peer.close(Some(1001), "going away")
}

/// Every scenario with its name.
fn scenarios() -> Vec<(String, Scenario)> {
    let mut all: Vec<(String, Scenario)> = vec![
        ("no-subprotocol".into(), Box::new(no_subprotocol)),
        ("text".into(), Box::new(|peer| peer.echo("Hello".into()))),
        ("text-empty".into(), Box::new(|peer| peer.echo("".into()))),
        (
            "text-non-ascii".into(),
            Box::new(|peer| peer.echo(LANGUAGES.repeat(3000).into())),
        ),
        (
            "binary".into(),
            Box::new(|peer| peer.echo(octets(256).into())),
        ),
        ("fragmented-text".into(), Box::new(fragmented_text)),
        ("fragmented-binary".into(), Box::new(fragmented_binary)),
        (
            "ping-between-fragments".into(),
            Box::new(ping_between_fragments),
        ),
        ("ping".into(), Box::new(ping)),
        ("pong-unasked".into(), Box::new(pong_unasked)),
        ("pipelined".into(), Box::new(pipelined)),
        (
            "close-1000".into(),
            Box::new(|peer| peer.close(Some(1000), "bye")),
        ),
        (
            "close-3000".into(),
            Box::new(|peer| peer.close(Some(3000), "")),
        ),
        (
            "close-4999".into(),
            Box::new(|peer| peer.close(Some(4999), "Grüße")),
        ),
        (
            "close-longest-reason".into(),
            Box::new(|peer| peer.close(Some(1000), &"r".repeat(123))),
        ),
        ("close-empty".into(), Box::new(|peer| peer.close(None, ""))),
        (
            "close-after-messages".into(),
            Box::new(close_after_messages),
        ),
    ];
    for size in SIZES {
        let text: String = "abcdefgh".chars().cycle().take(size).collect();
        let name = format!("text-{size}");
        all.push((name, Box::new(move |peer| peer.echo(text.clone().into()))));
        let name = format!("binary-{size}");
        all.push((name, Box::new(move |peer| peer.echo(octets(size).into()))));
    }
    all
}

/// Runs one scenario on a connection of its own.
fn run(url: &str, scenario: &Scenario) -> Result<(), Failure> {
    let mut peer = Peer::open(url)?;
    scenario(&mut peer)?;
    // Nothing but the Close may be left.
    if peer.closed {
        Ok(())
    } else {
        peer.close(Some(1000), "")
    }
}

/// Runs every scenario, prints a line for each, and returns the exit status.
pub fn drive(url: &str) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for (name, scenario) in scenarios() {
        match run(url, &scenario) {
            Ok(()) => println!("ok {name}"),
            Err(error) => {
                println!("FAIL {name}: {error}");
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
