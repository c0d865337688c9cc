//! An echo server that also obeys commands.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use tungstenite::error::ProtocolError;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Error, Message, WebSocket, accept_with_config};

type Socket = WebSocket<TcpStream>;

/// Listens on a free port of the loopback address, a thread for each connection.
pub fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept()?;
        thread::spawn(move || {
            if let Err(error) = answer(stream) {
                eprintln!("{error}");
            }
        });
    }
}

/// Echoes every message, or does what it asks for, until the connection ends.
fn answer(stream: TcpStream) -> tungstenite::Result<()> {
    stream.set_nodelay(true)?;
    let accepted = accept_with_config(stream, Some(super::config()));
    let mut socket = accepted.map_err(|error| io::Error::other(error.to_string()))?;
    let mut pings = 0_u32;
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                if !obey(&mut socket, &text, &mut pings)? {
                    socket.send(Message::Text(text))?;
                }
            }
            Ok(Message::Binary(data)) => socket.send(Message::Binary(data))?,
            Ok(Message::Pong(payload)) if pings > 0 => {
                pings -= 1;
                let payload = String::from_utf8_lossy(&payload).into_owned();
                socket.send(format!("pong:{payload}").into())?;
            }
            Ok(_) => {}
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Ok(()),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Does what `text` asks for, and says whether it was a command.
///
/// `pings` counts the Pings whose answer is awaited.
fn obey(socket: &mut Socket, text: &str, pings: &mut u32) -> tungstenite::Result<bool> {
    let (name, argument) = text.split_once(':').unwrap_or((text, ""));
    match name {
        "close" => socket.close(argument.split_once(':').and_then(close_frame))?,
        "drop" => socket.get_ref().shutdown(Shutdown::Both)?,
        "ping" => {
            *pings += 1;
            socket.send(Message::Ping(argument.to_owned().into()))?;
        }
        "fragments" => {
            *pings += 1;
            fragments(socket, argument.parse().unwrap_or(0))?;
        }
        "burst" => {
            for part in 1..=argument.parse().unwrap_or(0) {
                socket.write(format!("burst-{part}").into())?;
            }
            socket.flush()?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The Close frame for a code and a reason; none where the code is empty.
fn close_frame((code, reason): (&str, &str)) -> Option<CloseFrame> {
    let code: u16 = code.parse().ok()?;
    Some(CloseFrame {
        code: code.into(),
        reason: reason.to_owned().into(),
    })
}

/// Sends one message in `count` fragments, with a Ping after the first.
fn fragments(socket: &mut Socket, count: u32) -> tungstenite::Result<()> {
    for part in 1..=count {
        let data = if part == 1 {
            Data::Text
        } else {
            Data::Continue
        };
        let payload = format!("part-{part};");
        let frame = Frame::message(payload, OpCode::Data(data), part == count);
        socket.send(Message::Frame(frame))?;
        if part == 1 {
            socket.send(Message::Ping("between".into()))?;
        }
    }
    Ok(())
}
