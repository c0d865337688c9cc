//! What an idle connection costs in user space: `cargo bench --bench idle -- [CONNECTIONS]`.
//!
//! Starts `framewire echo`, opens connections, has one message echoed on each, waits until the
//! server's memory does not change any more, and prints how much of it each connection holds:
//! first without an extension, then with permessage-deflate agreed on. Exit status 1 above 1,200
//! bytes, and above 2,048 bytes more for the agreement.

use core::error::Error;
use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Instant;

const CONNECTIONS: usize = 2000;
/// Opened and closed before anything is measured: what a server holds anyway is there then.
const WARM_UP: usize = 100;
const BYTES_MAX: i64 = 1200;
/// What an agreement on permessage-deflate may cost, while nobody talks.
const DEFLATE_BYTES_MAX: i64 = 2048;
const TIMEOUT: Duration = Duration::from_secs(10);
/// Sockets of the same address on the server's side: loopback addresses have so many ports.
const PER_ADDRESS_MAX: usize = 20_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|it| !it.starts_with("--"));
    let connections = match arguments.next().map(|it| it.parse()) {
        None => CONNECTIONS,
        Some(Ok(count @ 1..=PER_ADDRESS_MAX)) => count,
        Some(_) => {
            eprintln!("how many connections: a number from 1 to {PER_ADDRESS_MAX}");
            return ExitCode::from(2);
        }
    };
    let measured = measure(connections, &[]).and_then(|plain| {
        println!("with permessage-deflate agreed on:");
        let deflate = measure(connections, &["--deflate"])?;
        println!("{:6} bytes more", deflate - plain);
        Ok((plain, deflate))
    });
    match measured {
        Ok((plain, deflate)) if plain <= BYTES_MAX && deflate - plain <= DEFLATE_BYTES_MAX => {
            ExitCode::SUCCESS
        }
        Ok((plain, deflate)) => {
            eprintln!("{plain} and {deflate} bytes are more than they may be");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cannot measure: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what each of so many connections holds, and returns it in bytes of resident memory.
fn measure(connections: usize, options: &[&str]) -> Outcome<i64> {
    let (server, address) = Server::start(options)?;
    let offer = match options {
        [] => "",
        _ => "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
    };
    for _ in 0..WARM_UP {
        open(&address, offer)?;
    }
    let before = server.quiet_memory()?;
    let sockets = (0..connections)
        .map(|_| open(&address, offer))
        .collect::<Outcome<Vec<_>>>()?;
    let after = server.quiet_memory()?;
    drop(sockets);
    let each = |before, after| (after - before) / i64::try_from(connections).unwrap_or(i64::MAX);
    let resident = each(before.resident, after.resident);
    let proportional = each(before.proportional, after.proportional);
    println!("{connections} idle connections, each after one message");
    println!("{resident:6} bytes each of resident memory (RSS)");
    println!("{proportional:6} bytes each of proportional memory (PSS)");
    Ok(resident)
}

/// The server's process, which ends with this value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // A process that is gone already needs no end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Memory of a process in bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Memory {
    resident: i64,
    proportional: i64,
}

impl Server {
    /// Starts a server, and says where it listens.
    fn start(options: &[&str]) -> Outcome<(Self, String)> {
        let child = Command::new(env!("CARGO_BIN_EXE_framewire"))
            .args(["echo", "--listen", "127.0.0.1:0"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut server = Self(child);
        let output = server.0.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ws://");
        let address = address.ok_or_else(|| format!("the server said {line:?}"))?;
        Ok((server, address.into()))
    }

    /// The memory of the process, once two readings some time apart agree.
    fn quiet_memory(&self) -> Outcome<Memory> {
        let began = Instant::now();
        let mut last = self.memory()?;
        while began.elapsed() < TIMEOUT {
            thread::sleep(Duration::from_millis(200));
            let now = self.memory()?;
            if now == last {
                return Ok(now);
            }
            last = now;
        }
        Err("the server's memory does not come to rest".into())
    }

    fn memory(&self) -> Outcome<Memory> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0.id()))?;
        let field = |name: &str| -> Outcome<i64> {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|line| line.split_whitespace().next());
            let kib: i64 = value
                .ok_or_else(|| format!("no {name} in {rollup}"))?
                .parse()?;
            Ok(kib << 10)
        };
        Ok(Memory {
            resident: field("Rss:")?,
            proportional: field("Pss:")?,
        })
    }
}

/// Opens a connection, sends one message and reads its echo.
fn open(address: &str, offer: &str) -> Outcome<TcpStream> {
    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const HELLO: &[u8] = b"\r\n\x81\x85\x01\x02\x03\x04igohn";
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(&[REQUEST.as_bytes(), offer.as_bytes(), HELLO].concat())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(b"\x81\x05hello") {
        match stream.read(&mut buffer)? {
            0 => return Err(String::from_utf8_lossy(&answer).into()),
            n => answer.extend_from_slice(&buffer[..n]),
        }
    }
    let agreed = String::from_utf8_lossy(&answer).contains("permessage-deflate");
    if agreed == offer.is_empty() {
        return Err(String::from_utf8_lossy(&answer).into());
    }
    Ok(stream)
}
