//! Echo servers on other WebSocket libraries, each in the way of using it that is fastest, and two
//! floors that do the same reads and writes without a protocol.
//!
//! `framewire-bench-peers NAME [--listen ADDR] [--fan-out]`, one thread, until it is ended.

mod corked;
mod failure;
mod floor;
mod hall;
mod handshake;
mod peers;
mod serve;
mod sinks;

use std::net::SocketAddr;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::serve::{Accept, serve};

const NAMES: &str = "floor-epoll floor-tokio floor-tokio-deferred fastwebsockets sockudo-ws \
     sockudo-ws-protocol soketto tokio-websockets tungstenite web-socket wtx yawc";

fn main() -> ExitCode {
    let (name, listen, fan_out) = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!(
                "{error}\nusage: NAME [--listen ADDR] [--fan-out], with NAME one of\n{NAMES}"
            );
            return ExitCode::from(2);
        }
    };
    match run(&name, listen, fan_out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str, listen: SocketAddr, fan_out: bool) -> Result<(), Failure> {
    match name {
        "floor-epoll" => floor::epoll::run(listen, fan_out),
        "floor-tokio" | "floor-tokio-deferred" if fan_out => {
            serve(listen, fan_out, floor::tokio::fan_out)
        }
        "floor-tokio" => serve::raw(listen, Accept::AtOnce, floor::tokio::echo),
        "floor-tokio-deferred" => serve::raw(listen, Accept::Spoken, floor::tokio::echo),
        "fastwebsockets" => serve(listen, fan_out, peers::fastwebsockets::echo),
        "sockudo-ws" => serve(listen, fan_out, peers::sockudo::stream),
        "sockudo-ws-protocol" => serve(listen, fan_out, peers::sockudo::protocol),
        "soketto" => serve(listen, fan_out, peers::soketto::echo),
        "tokio-websockets" => serve(listen, fan_out, peers::tokio_websockets::echo),
        "tungstenite" => serve(listen, fan_out, peers::tungstenite::echo),
        "web-socket" => serve(listen, fan_out, peers::web_socket::echo),
        "wtx" => serve(listen, fan_out, peers::wtx::echo),
        "yawc" => serve(listen, fan_out, peers::yawc::echo),
        _ => Err(format!("nobody has this name; there are {NAMES}").into()),
    }
}

fn arguments() -> Result<(String, SocketAddr, bool), Failure> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("a name is missing")?;
    let (mut listen, mut fan_out) = (SocketAddr::from(([127, 0, 0, 1], 9001)), false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" => listen = arguments.next().ok_or("an address is missing")?.parse()?,
            "--fan-out" => fan_out = true,
            other => return Err(format!("{other} is not known").into()),
        }
    }
    Ok((name, listen, fan_out))
}
