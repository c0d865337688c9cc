//! The arguments of every command.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use clap::{Parser, Subcommand};
use core::net::SocketAddr;
use core::num::NonZeroUsize;
use std::path::PathBuf;

use crate::client::Proxy;

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
