//! `framewire echo` in a process of its own: what it holds in memory, and a client that opens.

use core::error::Error;
use core::time::Duration;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

/// Connections that are opened and closed before anything is measured: what a server holds anyway
/// is there then.
pub(crate) const WARM_UP: usize = 100;
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// A process that ends with this value.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // A process that is gone already needs no end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program with as many descriptors as it may have, where it would have fewer.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    const SCRIPT: &str = r#"ulimit -S -n "$(ulimit -H -n)"; exec "$0" "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT]).arg(program);
    command
}

/// The server's process.
pub(crate) struct Server {
    process: Process,
    pub(crate) address: String,
}

impl Server {
    /// Starts a server, which has said where it listens when this returns.
    pub(crate) fn start(options: &[&OsStr]) -> Outcome<Self> {
        let child = command(env!("CARGO_BIN_EXE_framewire"))
            .args(["echo", "--listen", "127.0.0.1:0"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut process = Process(child);
        let output = process.0.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let url = line.trim().strip_prefix("listening on ");
        let address = url.and_then(|url| Some(url.split_once("://")?.1));
        let address = address.ok_or_else(|| format!("the server said {line:?}"))?;
        Ok(Self {
            process,
            address: address.into(),
        })
    }

    fn memory(&self) -> Outcome<Memory> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.process.0.id()))?;
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

/// Memory of processes in bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    resident: i64,
    proportional: i64,
}

impl Memory {
    /// The memory of all `servers`, once two readings some time apart agree.
    pub(crate) fn at_rest(servers: &[Server]) -> Outcome<Self> {
        let began = Instant::now();
        let mut last = Self::now(servers)?;
        while began.elapsed() < TIMEOUT {
            thread::sleep(Duration::from_millis(200));
            let now = Self::now(servers)?;
            if now == last {
                return Ok(now);
            }
            last = now;
        }
        Err("the server's memory does not come to rest".into())
    }

    fn now(servers: &[Server]) -> Outcome<Self> {
        servers.iter().try_fold(Self::default(), |sum, server| {
            let one = server.memory()?;
            Ok(Self {
                resident: sum.resident + one.resident,
                proportional: sum.proportional + one.proportional,
            })
        })
    }

    /// Prints what each connection has added, and returns it in bytes of resident memory.
    pub(crate) fn print_each(self, before: Self, connections: usize) -> Outcome<i64> {
        let connections = i64::try_from(connections)?;
        let each = |now, before| (now - before) / connections;
        let resident = each(self.resident, before.resident);
        let proportional = each(self.proportional, before.proportional);
        println!("{resident:6} bytes each of resident memory (RSS)");
        println!("{proportional:6} bytes each of proportional memory (PSS)");
        Ok(resident)
    }
}

/// Asks for a WebSocket, sends one message and reads its echo. Returns the head of the answer.
pub(crate) fn open(stream: &mut (impl Read + Write), offer: &str) -> Outcome<String> {
    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const HELLO: &[u8] = b"\r\n\x81\x85\x01\x02\x03\x04igohn";
    stream.write_all(&[REQUEST.as_bytes(), offer.as_bytes(), HELLO].concat())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Err(String::from_utf8_lossy(&answer).into()),
            n => answer.extend_from_slice(&buffer[..n]),
        }
        if let Some(head) = answer.strip_suffix(b"\x81\x05hello") {
            return Ok(String::from_utf8_lossy(head).into());
        }
    }
}
