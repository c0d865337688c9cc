//! What the arguments ask for, checked.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::num::{NonZeroU64, NonZeroUsize};
use core::time::Duration;
use rustls::ClientConfig;
use rustls::client::Resumption;
use std::net::ToSocketAddrs as _;

use crate::cli::args::{Bench, Verify};
use crate::cli::bench::frames::STAMP_BYTES;
use crate::cli::bench::link::Secure;
use crate::cli::bench::pace::Limit;
use crate::cli::bench::pool::Target;
use crate::cli::trust;
use crate::client::{Config, Tls, Url};
use crate::wire::opcode::Opcode;

/// The largest message, the most frames of one, and the most connections.
const MESSAGE_BYTES_MAX: usize = 1 << 30;
const FRAGMENTS_MAX: usize = 65_536;
const CONNECTIONS_MAX: usize = 4_000_000;
const THREADS_MAX: usize = 256;
const DEPTH_MAX: usize = 1 << 20;
const PUBLISHERS_MAX: usize = 65_536;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Echo,
    FanOut,
    Idle,
    Handshakes,
}

impl Mode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::FanOut => "fan-out",
            Self::Idle => "idle",
            Self::Handshakes => "handshakes",
        }
    }
}

/// A load.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) mode: Mode,
    pub(crate) target: Arc<Target>,
    pub(crate) connections: usize,
    pub(crate) threads: usize,
    pub(crate) depth: usize,
    pub(crate) publishers: usize,
    pub(crate) rate: Option<NonZeroU64>,
    pub(crate) opcode: Opcode,
    pub(crate) bytes: usize,
    pub(crate) fragments: usize,
    pub(crate) verify: Verify,
    pub(crate) limit: Limit,
    /// Nanoseconds.
    pub(crate) warm_up: u64,
    pub(crate) stall: u64,
    pub(crate) server_pid: Option<u32>,
}

/// Checks the arguments, and looks up the server. The error says what to do.
pub(crate) fn plan(args: &Bench) -> Result<Plan, String> {
    let mode = match (args.fan_out, args.idle, args.handshakes) {
        (true, ..) => Mode::FanOut,
        (_, true, _) => Mode::Idle,
        (.., true) => Mode::Handshakes,
        _ => Mode::Echo,
    };
    check(args, mode)?;
    let limit = match (args.messages, args.seconds) {
        (Some(messages), _) => Limit::Messages(messages.get()),
        (None, seconds) => Limit::Time(nanoseconds(seconds.unwrap_or(Duration::from_secs(10)))),
    };
    let warm_up = match (args.warm_up, args.messages, mode) {
        (Some(warm_up), ..) => nanoseconds(warm_up),
        (None, None, Mode::Echo | Mode::FanOut | Mode::Handshakes) => 1_000_000_000,
        _ => 0,
    };
    Ok(Plan {
        mode,
        target: Arc::new(target(args)?),
        connections: args.connections.get(),
        threads: args.threads.get(),
        depth: args.depth.map_or(1, NonZeroUsize::get),
        publishers: args.publishers.get(),
        rate: args.rate,
        opcode: if args.text {
            Opcode::Text
        } else {
            Opcode::Binary
        },
        bytes: args.bytes,
        fragments: args.fragments.get(),
        verify: args.verify,
        limit,
        warm_up,
        stall: nanoseconds(args.stall),
        server_pid: args.server_pid,
    })
}

fn check(args: &Bench, mode: Mode) -> Result<(), String> {
    let most = |what: &str, value: usize, most: usize| match value > most {
        true => Err(format!(
            "{what} {value} is too many: ask for {most} at most"
        )),
        false => Ok(()),
    };
    most("--connections", args.connections.get(), CONNECTIONS_MAX)?;
    most("--threads", args.threads.get(), THREADS_MAX)?;
    most("--bytes", args.bytes, MESSAGE_BYTES_MAX)?;
    most("--fragments", args.fragments.get(), FRAGMENTS_MAX)?;
    most("--publishers", args.publishers.get(), PUBLISHERS_MAX)?;
    most(
        "--depth",
        args.depth.map_or(1, NonZeroUsize::get),
        DEPTH_MAX,
    )?;
    if args.threads > args.connections {
        return Err("there are more --threads than connections: raise --connections".into());
    }
    if args.stall.is_zero() {
        return Err("--stall 0 gives nobody the time to answer: give it some seconds".into());
    }
    if args.seconds.is_some_and(|it| it.is_zero()) {
        return Err("--seconds 0 measures nothing: give it some".into());
    }
    if mode != Mode::FanOut {
        return Ok(());
    }
    if args.threads.get() > 1 {
        return Err("--fan-out runs on one thread: leave out --threads".into());
    }
    if args.bytes < STAMP_BYTES {
        return Err(format!(
            "--fan-out numbers its messages: give --bytes {STAMP_BYTES} or more"
        ));
    }
    if args.publishers > args.connections {
        return Err("there are more --publishers than connections: raise --connections".into());
    }
    Ok(())
}

fn target(args: &Bench) -> Result<Target, String> {
    let url = Url::parse(&args.url)
        .map_err(|error| format!("{}: {error}; write it ws://HOST:PORT/ or wss://", args.url))?;
    let mut config =
        trust::apply(&args.trust, Config::default()).map_err(|error| error.to_string())?;
    for (name, value) in &args.header {
        config = config.with_header(name, value);
    }
    let address = (url.host(), url.port())
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next())
        .ok_or_else(|| format!("{} is not found: check the name", url.host()))?;
    Ok(Target {
        secure: secure(&url, &config)?,
        url,
        address,
        config,
    })
}

fn secure(url: &Url, config: &Config) -> Result<Secure, String> {
    if !url.is_secure() {
        return Ok(None);
    }
    let tls = match config.tls() {
        Some(tls) => tls.clone(),
        None => Tls::builder()
            .with_system_roots()
            .and_then(|builder| builder.build())
            .map_err(|error| error.to_string())?,
    };
    let name = url
        .host()
        .to_string()
        .try_into()
        .map_err(|_| format!("{} cannot be a name in a certificate", url.host()))?;
    // Each connection stands for a client of its own, which has no session to resume.
    let mut config = ClientConfig::clone(&tls.config());
    config.resumption = Resumption::disabled();
    Ok(Some((Arc::new(config), name)))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
