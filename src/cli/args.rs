//! The arguments of every command.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use clap::{Parser, Subcommand};
use core::net::SocketAddr;
use core::num::{NonZeroU64, NonZeroUsize};
use core::time::Duration;
use std::path::PathBuf;

use crate::client::Proxy;

/// The longest that can be asked for: a month.
const SECONDS_MAX: Duration = Duration::from_secs(31 * 24 * 3600);

/// An RFC 6455 WebSocket engine and the announcement server that it powers.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Run the announcement server
    Serve(Serve),
    /// Mint a token for development with the server's secret
    Token(Token),
    /// Say in words what a configuration means, and what is unsafe in it
    CheckConfig(CheckConfig),
    /// Echo each message
    Echo(Echo),
    /// Talk to a server: lines in, messages out
    Connect(Connect),
    /// Load a server with connections and messages, and measure
    Bench(Bench),
    /// Run every case of an Autobahn fuzzing server and ask it for the report
    AutobahnClient(AutobahnClient),
}

/// The arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// The configuration, in YAML [default: conf/socket.yaml if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The address to listen on; port 0 picks a free one [default: 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// The folder that holds the announcements and the secret [default: data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// The arguments of `token`.
#[derive(Debug, clap::Args)]
pub struct Token {
    /// Whom the token is for
    #[arg(long, value_name = "U")]
    pub user: String,
    /// A namespace that the token opens; may be repeated [default: main]
    #[arg(long, value_name = "N")]
    pub namespace: Vec<String>,
    /// Something that the token allows, such as announce:public; may be repeated
    #[arg(long, value_name = "S")]
    pub scope: Vec<String>,
    /// A channel that the user is a member of; may be repeated
    #[arg(long, value_name = "C")]
    pub channel: Vec<String>,
    /// A role of the user; may be repeated
    #[arg(long, value_name = "R")]
    pub role: Vec<String>,
    /// How long the token is valid
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub ttl: humantime::Duration,
    /// The data folder of the server
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
}

/// The arguments of `check-config`.
#[derive(Debug, clap::Args)]
pub struct CheckConfig {
    /// The configuration, in YAML
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// The arguments of `echo`.
#[derive(Debug, clap::Args)]
pub struct Echo {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    pub listen: SocketAddr,
    /// How many threads serve, each with a socket of its own
    #[arg(long, value_name = "N", default_value = "1")]
    pub workers: NonZeroUsize,
    /// Send each message to every open connection, the sender included
    #[arg(long)]
    pub fan_out: bool,
    /// Accept permessage-deflate
    #[arg(long)]
    pub deflate: bool,
    /// The windows in which to send and to receive, in bits from 8 to 15
    #[arg(long, value_name = "SEND,RECEIVE", requires = "deflate", value_parser = window_bits)]
    pub deflate_window_bits: Option<(u8, u8)>,
    /// Compress each message by itself, and have clients do so
    #[arg(long, requires = "deflate")]
    pub deflate_no_context_takeover: bool,
    /// A chain of certificates in PEM: serve wss instead of ws
    #[arg(long, value_name = "F", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the certificate in PEM; both are read again on SIGHUP
    #[arg(long, value_name = "F", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The largest message that is accepted, in bytes
    #[arg(long, value_name = "N", default_value = "16777216")]
    pub message_bytes_max: u64,
}

/// The arguments of `autobahn-client`.
#[derive(Debug, clap::Args)]
pub struct AutobahnClient {
    /// The fuzzing server, such as ws://127.0.0.1:9001
    pub url: String,
    /// The name under which the report is kept
    #[arg(long, value_name = "NAME", default_value = "framewire")]
    pub agent: String,
    /// How the server is believed.
    #[command(flatten)]
    pub trust: Trust,
}

/// Whom a client believes over `wss`.
#[derive(Debug, clap::Args)]
pub struct Trust {
    /// Trust the certificates in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// Believe any certificate: only for tests, for anybody could answer
    #[arg(long, conflicts_with = "tls_ca")]
    pub danger_accept_any_certificate: bool,
}

/// The arguments of `connect`.
#[derive(Debug, clap::Args)]
pub struct Connect {
    /// The server, such as wss://example.com/chat
    pub url: String,
    /// Show every frame on standard error
    #[arg(long)]
    pub frames: bool,
    /// Write binary messages as they are, instead of in hexadecimal
    #[arg(long)]
    pub binary: bool,
    /// A header for the request; may be repeated
    #[arg(long, value_name = "NAME:VALUE", value_parser = header)]
    pub header: Vec<(String, String)>,
    /// A subprotocol to offer; may be repeated, the most wanted first
    #[arg(long, value_name = "P")]
    pub subprotocol: Vec<String>,
    /// The Origin to send
    #[arg(long, value_name = "O")]
    pub origin: Option<String>,
    /// Offer permessage-deflate
    #[arg(long)]
    pub deflate: bool,
    /// The proxy to go through, instead of what the environment says
    #[arg(long, value_name = "URL", value_parser = Proxy::parse)]
    pub proxy: Option<Proxy>,
    /// How the server is believed.
    #[command(flatten)]
    pub trust: Trust,
}

/// The arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// The server, such as ws://127.0.0.1:9001
    pub url: String,
    /// One sends and every connection hears it, the sender too: `echo --fan-out`
    #[arg(long, group = "mode")]
    pub fan_out: bool,
    /// Hold connections open, and send nothing
    #[arg(long, group = "mode")]
    pub idle: bool,
    /// Connect, read the answer to the handshake, and end the connection, again and again
    #[arg(long, group = "mode")]
    pub handshakes: bool,
    /// How many connections are open, or with --handshakes being opened, at the same time
    #[arg(long, value_name = "N", default_value = "1")]
    pub connections: NonZeroUsize,
    /// How many threads send and receive
    #[arg(long, value_name = "N", default_value = "1")]
    pub threads: NonZeroUsize,
    /// How many messages a connection, or a publisher, has on the way [default: 1]
    #[arg(long, value_name = "N", conflicts_with_all = ["rate", "idle", "handshakes"])]
    pub depth: Option<NonZeroUsize>,
    /// How many of the connections publish, with --fan-out
    #[arg(long, value_name = "N", requires = "fan_out", default_value = "1")]
    pub publishers: NonZeroUsize,
    /// Send so many messages a second in all, or open so many connections, answered or not
    #[arg(long, value_name = "R")]
    pub rate: Option<NonZeroU64>,
    /// Send binary messages; this is the default
    #[arg(long, conflicts_with = "text")]
    pub binary: bool,
    /// Send text messages
    #[arg(long)]
    pub text: bool,
    /// The size of a message
    #[arg(long, value_name = "N", default_value = "16")]
    pub bytes: usize,
    /// How many frames a message is sent in
    #[arg(long, value_name = "N", default_value = "1")]
    pub fragments: NonZeroUsize,
    /// Which messages are compared whole; length, kind and first bytes of all, unless off
    #[arg(long, value_name = "WHICH", value_enum, default_value = "sample")]
    pub verify: Verify,
    /// How long to measure [default: 10]
    #[arg(long, value_name = "S", value_parser = seconds, conflicts_with = "messages")]
    pub seconds: Option<Duration>,
    /// How many messages, or handshakes, to measure
    #[arg(long, value_name = "N", conflicts_with = "idle")]
    pub messages: Option<NonZeroU64>,
    /// How long to run before measuring [default: 1, with --messages 0]
    #[arg(long, value_name = "S", value_parser = seconds, conflicts_with = "idle")]
    pub warm_up: Option<Duration>,
    /// How long nothing may come before what is awaited counts as lost
    #[arg(long, value_name = "S", value_parser = seconds, default_value = "10")]
    pub stall: Duration,
    /// The process of the server on this machine: its processor time and memory are told
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<u32>,
    /// Print the figures in JSON
    #[arg(long)]
    pub json: bool,
    /// Say each second how far it is, although standard error is no terminal
    #[arg(long)]
    pub progress: bool,
    /// A header for the request; may be repeated
    #[arg(long, value_name = "NAME:VALUE", value_parser = header)]
    pub header: Vec<(String, String)>,
    /// How the server is believed.
    #[command(flatten)]
    pub trust: Trust,
}

/// Which messages are compared whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Verify {
    /// One in 61.
    Sample,
    /// Each.
    All,
    /// None, and of no message more than its length and kind.
    Off,
}

/// Seconds, also parts of one.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    let what = "a number of seconds, such as 2 or 0.5";
    let seconds: f64 = text.parse().map_err(|_| what)?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time <= SECONDS_MAX => Ok(time),
        _ => Err(what),
    }
}

/// Two sizes of window, parted by a comma.
fn window_bits(text: &str) -> Result<(u8, u8), String> {
    let bits = |text: &str| text.parse().ok().filter(|bits| (8..=15).contains(bits));
    text.split_once(',')
        .and_then(|(send, receive)| Some((bits(send)?, bits(receive)?)))
        .ok_or_else(|| "two numbers from 8 to 15, parted by a comma".into())
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("write it NAME:VALUE")?;
    Ok((name.trim().into(), value.trim().into()))
}
