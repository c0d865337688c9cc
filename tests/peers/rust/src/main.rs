//! WebSocket crates as the other side. The first argument says which crate, the second what to
//! do; `../README.md` tells what the modes are.

mod random;
mod tls;
mod tungstenite;
mod yawc;

use std::error::Error;
use std::process::ExitCode;

/// Whatever went wrong.
type Failure = Box<dyn Error + Send + Sync>;

const USAGE: &str = "usage: framewire-peer-rust tungstenite serve | drive URL
       framewire-peer-rust tungstenite|yawc echo DEFLATE [CERTIFICATE KEY]
       framewire-peer-rust tungstenite|yawc exchange URL DEFLATE MESSAGES [ROOT]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["tungstenite", "serve"] => tungstenite::serve().map_err(Failure::from),
        ["tungstenite", "drive", url] => return tungstenite::drive(url),
        [peer, "echo", deflate, ref files @ ..] => echo(peer, deflate, files),
        [peer, "exchange", url, deflate, file, ref root @ ..] => {
            exchange(peer, url, deflate, file, root.first().copied())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Serves until the process is ended.
fn echo(peer: &str, deflate: &str, files: &[&str]) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let listener = tls::Listener::bind(files).await?;
        println!("listening on {}", listener.url()?);
        loop {
            let stream = listener.accept().await?;
            let deflate = deflate.to_owned();
            match peer {
                "tungstenite" => tokio::spawn(told(tungstenite::echo(stream))),
                _ => tokio::spawn(told(yawc::echo(stream, deflate))),
            };
        }
    })
}

/// A connection that fails concerns nobody else.
async fn told(connection: impl Future<Output = Result<(), Failure>>) {
    if let Err(error) = connection.await {
        eprintln!("{error}");
    }
}

fn exchange(
    peer: &str,
    url: &str,
    deflate: &str,
    file: &str,
    root: Option<&str>,
) -> Result<(), Failure> {
    let messages = random::read(file)?;
    let count = messages.len();
    runtime()?.block_on(async {
        match peer {
            "tungstenite" => tungstenite::exchange(url, messages, root).await,
            _ => yawc::exchange(url, deflate, messages, root).await,
        }
    })?;
    println!("same {count}");
    Ok(())
}
