//! `framewire connect`: a client for the terminal.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::error::Error;
use core::fmt::Write as _;
use core::time::Duration;
use std::io::{BufRead, Write};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::cli::args::Connect;
use crate::cli::tap::Tap;
use crate::cli::trust;
use crate::client::connect::{establish, socket};
use crate::client::{Config, Proxies};
use crate::engine::deflate::DeflateConfig;
use crate::engine::{Kind, Message};
use crate::net::WebSocket;
use crate::wire::close::CloseCode;

/// How long the server may be silent after the end of the input before the connection is closed.
const GRACE: Duration = Duration::from_millis(500);

/// Sends the lines of standard input as text messages, and prints the messages that come.
///
/// # Errors
///
/// When the connection cannot be opened, or ends otherwise than by a normal close.
//= E57
pub fn run(args: &Connect) -> Result<(), Box<dyn Error>> {
    let config = config(args)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let (stream, opened, _) = establish(&args.url, &config).await?;
        if args.frames {
            let tap = Tap::new(stream, &opened.leftover);
            talk(socket(tap, opened).0, args.binary).await
        } else {
            talk(socket(stream, opened).0, args.binary).await
        }
    });
    // The thread that reads the input may still wait for a line.
    runtime.shutdown_background();
    done
}

fn config(args: &Connect) -> Result<Config, Box<dyn Error>> {
    let proxies = match &args.proxy {
        Some(proxy) => Proxies::all(proxy.clone()),
        None => Proxies::from_environment()?,
    };
    let mut config = trust::apply(&args.trust, Config::default())?.with_proxies(proxies);
    for (name, value) in &args.header {
        config = config.with_header(name, value);
    }
    for subprotocol in &args.subprotocol {
        config = config.with_subprotocol(subprotocol);
    }
    if let Some(origin) = &args.origin {
        config = config.with_origin(origin);
    }
    if args.deflate {
        config = config.with_deflate(DeflateConfig::default());
    }
    Ok(config)
}

/// The lines of standard input, read on a thread of their own: reading them blocks.
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

async fn talk<S>(mut socket: WebSocket<S>, binary: bool) -> Result<(), Box<dyn Error>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut lines = lines();
    // Set once the input has ended: then the answers that still come are awaited.
    let mut until = None;
    loop {
        tokio::select! {
            received = socket.recv() => match received? {
                Some(message) => {
                    print(&message, binary)?;
                    until = until.map(|_| Instant::now() + GRACE);
                }
                None => break,
            },
            line = lines.recv(), if until.is_none() => match line {
                Some(line) => socket.send(line).await?,
                None => until = Some(Instant::now() + GRACE),
            },
            () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                socket.begin_close(CloseCode::NORMAL_CLOSURE, "")?;
                while let Some(message) = socket.recv().await? {
                    print(&message, binary)?;
                }
                break;
            }
        }
    }
    let closure = socket
        .closure()
        .ok_or("the connection ended without a close")?;
    match closure.code() {
        CloseCode::NORMAL_CLOSURE | CloseCode::GOING_AWAY | CloseCode::NO_STATUS_RECEIVED => Ok(()),
        code => Err(format!(
            "the server closed with {}: {}",
            code.get(),
            closure.reason()
        )
        .into()),
    }
}

fn print(message: &Message, binary: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match message.kind() {
        Kind::Binary if binary => out.write_all(message.as_bytes())?,
        Kind::Binary => {
            let mut hex = String::with_capacity(2 * message.as_bytes().len());
            for byte in message.as_bytes() {
                // Writing to a string cannot fail.
                let _ = write!(hex, "{byte:02x}");
            }
            writeln!(out, "{hex}")?;
        }
        Kind::Text => writeln!(out, "{}", message.as_text().unwrap_or_default())?,
    }
    out.flush()
}
