//! Our two roles in an exchange of random messages.

use core::net::SocketAddr;
use std::fs;

use framewire::client::{self, connect_with};
use framewire::engine::deflate::{DeflateAnswer, DeflateConfig};
use framewire::engine::{Acceptance, Kind, Limits, Message, Statistics};
use framewire::net::WebSocket;
use framewire::server::{Config, Listener, TlsFiles};
use framewire::wire::close::CloseCode;
use framewire::wire::opcode::Opcode;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

use crate::certificate::Certificate;
use crate::messages::{Planned, fragments};

/// So many messages may be under way at once.
const IN_FLIGHT: usize = 16;
const MESSAGE_BYTES_MAX: u64 = 16 << 20;

/// What both ends are asked to agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deflate {
    /// Messages are sent as they are.
    Off,
    /// Windows of 15 bits that reach back into earlier messages.
    Default,
    /// Windows of 15 bits that begin empty with every message.
    NoTakeover,
    /// Windows of 10 bits from the client, of 9 bits from the server.
    SmallWindows,
}

impl Deflate {
    pub(crate) const ALL: [Self; 4] = [
        Self::Off,
        Self::Default,
        Self::NoTakeover,
        Self::SmallWindows,
    ];

    /// As the peers call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Default => "default",
            Self::NoTakeover => "no-takeover",
            Self::SmallWindows => "small-windows",
        }
    }

    /// As an end is configured that sends in windows of `send` bits where they are small.
    fn config(self, send: u8, receive: u8) -> Option<DeflateConfig> {
        let config = DeflateConfig::default();
        match self {
            Self::Off => None,
            Self::Default => Some(config),
            Self::NoTakeover => Some(config.with_context_kept(false, false)),
            Self::SmallWindows => Some(config.with_window_bits(send, receive)),
        }
    }
}

/// What our end of a connection can tell when it is over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) extension: String,
    /// Payload of data frames in both directions, as it was on the wire.
    pub(crate) wire_bytes: u64,
    /// Data frames in both directions.
    pub(crate) frames: u64,
}

impl Told {
    fn of<S: AsyncRead + AsyncWrite + Unpin>(socket: &WebSocket<S>) -> Self {
        let count = |statistics: &Statistics| {
            let mut told = Self::default();
            for opcode in [Opcode::Text, Opcode::Binary, Opcode::Continuation] {
                for traffic in [statistics.sent(opcode), statistics.received(opcode)] {
                    told.wire_bytes += traffic.bytes;
                    told.frames += traffic.frames;
                }
            }
            told
        };
        Self {
            extension: socket.extension().unwrap_or_default(),
            ..socket.statistics().map(count).unwrap_or_default()
        }
    }
}

/// A failure in words.
pub(crate) type Failure = Box<dyn core::error::Error + Send + Sync>;

/// A server of ours that listens.
pub(crate) struct EchoServer {
    listener: Listener,
    scheme: &'static str,
}

impl EchoServer {
    pub(crate) async fn listen(certificate: Option<&Certificate>) -> Result<Self, Failure> {
        let limits = Limits::default().with_message_bytes_max(MESSAGE_BYTES_MAX);
        let mut config = Config::default().with_limits(limits);
        let mut scheme = "ws";
        if let Some(certificate) = certificate {
            config = secured(config, certificate)?;
            scheme = "wss";
        }
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(address, config).await?;
        Ok(Self { listener, scheme })
    }

    pub(crate) fn url(&self) -> Result<String, Failure> {
        let port = self.listener.local_addr()?.port();
        Ok(format!("{}://127.0.0.1:{port}/", self.scheme))
    }

    /// Echoes whatever one client sends, in fragments of its own, until the client closes. The
    /// last byte of message `spoilt` is another when it comes back.
    pub(crate) async fn serve(
        self,
        deflate: Deflate,
        seed: u64,
        spoilt: Option<usize>,
    ) -> Result<Told, Failure> {
        let answer = deflate.config(9, 10).map(DeflateAnswer::new);
        let mut acceptance = Acceptance::new();
        if let Some(answer) = &answer {
            acceptance = acceptance.with_extension(answer);
        }
        let opening = self.listener.accept().await.handshake().await?;
        let mut socket = opening.accept_with(acceptance).await?;
        socket.keep_statistics();
        let mut random = StdRng::seed_from_u64(seed);
        let mut index = 0;
        while let Some(message) = socket.recv().await? {
            let (kind, mut payload) = (message.kind(), message.into_bytes().to_vec());
            if spoilt == Some(index)
                && let Some(last) = payload.last_mut()
            {
                *last = if *last == b'-' { b'+' } else { b'-' };
            }
            index += 1;
            let fragments = fragments(&mut random, payload.len());
            let echo = Planned {
                kind,
                payload,
                fragments,
            };
            if echo.fragments.len() == 1 {
                socket.feed(whole(&echo)).await?;
                continue;
            }
            let last = echo.fragments.len() - 1;
            for (index, piece) in echo.pieces().enumerate() {
                socket.send_fragment(kind, piece, index == last).await?;
            }
        }
        let closure = socket.closure().ok_or("no closure")?;
        if !closure.is_clean() || closure.code() != CloseCode::NORMAL_CLOSURE {
            return Err(format!("the client closed with {closure}").into());
        }
        Ok(Told::of(&socket))
    }
}

/// Sends every message to the echo server at `url` and compares what comes back.
pub(crate) async fn exchange(
    url: &str,
    deflate: Deflate,
    certificate: Option<&Certificate>,
    messages: &[Planned],
) -> Result<Told, Failure> {
    let limits = Limits::default().with_message_bytes_max(MESSAGE_BYTES_MAX);
    let mut config = client::Config::default().with_limits(limits);
    if let Some(deflate) = deflate.config(10, 9) {
        config = config.with_deflate(deflate);
    }
    if let Some(certificate) = certificate {
        config = trusting(config, certificate)?;
    }
    let (socket, _) = connect_with(url, &config).await?;
    compare(socket, messages).await
}

async fn compare<S>(mut socket: WebSocket<S>, messages: &[Planned]) -> Result<Told, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    socket.keep_statistics();
    let (mut reader, mut writer) = socket.split();
    let room = Semaphore::new(IN_FLIGHT);
    let send = async {
        for message in messages.iter() {
            room.acquire().await?.forget();
            let last = message.fragments.len() - 1;
            if last == 0 {
                writer.send(whole(message)).await?;
                continue;
            }
            for (index, piece) in message.pieces().enumerate() {
                writer
                    .send_fragment(message.kind, piece, index == last)
                    .await?;
            }
        }
        Ok::<_, Failure>(())
    };
    let receive = async {
        for (index, message) in messages.iter().enumerate() {
            let got = reader.recv().await?;
            let got = got.ok_or_else(|| format!("message {index}: the end came instead"))?;
            if got.kind() != message.kind || got.as_bytes()[..] != message.payload {
                return Err(format!("message {index} came back as {}", short(&got)).into());
            }
            room.add_permits(1);
        }
        Ok::<_, Failure>(())
    };
    tokio::try_join!(send, receive)?;
    writer.close(CloseCode::NORMAL_CLOSURE, "").await?;
    if let Some(rest) = reader.recv().await? {
        return Err(format!("after the last message: {}", short(&rest)).into());
    }
    let closure = reader.closure().ok_or("no closure")?;
    if !closure.is_clean() {
        return Err(format!("the server closed with {closure}").into());
    }
    let socket = reader.reunite(writer).map_err(|_| "two connections")?;
    Ok(Told::of(&socket))
}

fn whole(message: &Planned) -> Message {
    match message.kind {
        Kind::Text => Message::text(String::from_utf8_lossy(&message.payload).into_owned()),
        _ => Message::binary(message.payload.clone()),
    }
}

fn short(message: &Message) -> String {
    let bytes = message.as_bytes();
    let begin: String = format!("{message:?}").chars().take(60).collect();
    format!("{:?} of {} bytes: {begin}", message.kind(), bytes.len())
}

fn secured(config: Config, files: &Certificate) -> Result<Config, Failure> {
    let tls = TlsFiles::new(&files.certificate, &files.key).load()?;
    Ok(config.with_tls(tls))
}

fn trusting(config: client::Config, files: &Certificate) -> Result<client::Config, Failure> {
    let tls = client::Tls::builder().with_roots_pem(&fs::read(&files.root)?)?;
    Ok(config.with_tls(tls.build()?))
}
