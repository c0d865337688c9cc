//! The crate `tungstenite` as the other side: `serve`, or `drive URL`.
//! What both modes do is written in `../README.md`.

mod drive;
mod serve;

use std::process::ExitCode;

use tungstenite::protocol::WebSocketConfig;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => match serve::serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        ["drive", url] => drive::drive(url),
        _ => {
            eprintln!("usage: framewire-peer-tungstenite serve | drive URL");
            ExitCode::from(2)
        }
    }
}

/// The limits of both modes: 16 MiB a message.
fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(16 << 20))
        .max_frame_size(Some(16 << 20))
}
