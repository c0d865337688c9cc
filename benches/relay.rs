//! A message that is larger than memory, through a relay: `cargo bench --bench relay -- [MIB]`.
//!
//! A client sends one message of 4 GiB, or of so many MiB, through the relay of
//! `examples/relay.rs`, which runs in a process of its own, to a server that counts and checks
//! what comes: once as it is, and once compressed on both sides of the relay. Prints by how much
//! the resident memory of the relay rose above what it held before the message. Exit status 1
//! above 4 MiB.

#[path = "../examples/relay.rs"]
#[expect(dead_code, reason = "an example has a main function of its own")]
mod relay;

use core::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use framewire::client::{self, connect_with};
use framewire::engine::deflate::DeflateAnswer;
use framewire::engine::{Acceptance, Kind};
use framewire::server::{self, Listener};
use framewire::wire::close::CloseCode;

const MIB_DEFAULT: u64 = 4096;
const RISE_BYTES_MAX: u64 = 4 << 20;
const FRAGMENT_BYTES: usize = 64 << 10;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| !it.starts_with("--"))
        .collect();
    let done = match arguments.as_slice() {
        [word, target] if word == "relay" => {
            run(relay::serve(([127, 0, 0, 1], 0).into(), target.clone()))
        }
        [] => measure(MIB_DEFAULT),
        [mib] => match mib.parse() {
            Ok(mib) => measure(mib),
            Err(_) => Err("one argument: how many MiB".into()),
        },
        _ => Err("one argument: how many MiB".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(task)
}

fn measure(mib: u64) -> Outcome<()> {
    let mut rises = Vec::new();
    for compressed in [false, true] {
        run(async {
            rises.push(pass(mib << 20, compressed).await?);
            Ok(())
        })?;
    }
    match rises.iter().all(|rise| *rise < RISE_BYTES_MAX) {
        true => Ok(()),
        false => Err(format!("more than {RISE_BYTES_MAX} bytes").into()),
    }
}

/// Passes one message of so many bytes, and returns by how many bytes the relay grew.
async fn pass(bytes: u64, compressed: bool) -> Outcome<u64> {
    let config = server::Config::default().with_limits(relay::limits());
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), config).await?;
    let target = format!("ws://{}/", listener.local_addr()?);
    let (process, url) = Relay::start(&target)?;
    let sink = tokio::spawn(async move { sink(&listener, bytes, compressed).await });

    let mut config = client::Config::default().with_limits(relay::limits());
    if compressed {
        config = config.with_deflate(relay::deflate());
    }
    let (mut source, _) = connect_with(&url, &config).await?;
    // The first message brings the relay to what it holds while it works.
    source.send("ready").await?;
    let echoed = source.recv().await?;
    assert_eq!(echoed, Some("ready".into()), "the sink answers");
    let (before, started) = (process.memory()?, Instant::now());
    let mut peak = before;
    let fragment = pattern();
    let mut left = bytes;
    while left > 0 {
        let len = usize::try_from(left)?.min(FRAGMENT_BYTES);
        left -= len as u64;
        source
            .send_fragment(Kind::Binary, &fragment[..len], left == 0)
            .await?;
        if left % (16 << 20) < len as u64 {
            peak = peak.max(process.memory()?);
        }
    }
    let answer = source.recv().await?;
    assert_eq!(answer, Some("all".into()), "every byte arrived");
    peak = peak.max(process.memory()?);
    source.close(CloseCode::NORMAL_CLOSURE, "").await?;
    sink.await??;
    let rise = peak - before;
    println!(
        "{} MiB, {}: the relay held {} KiB before, and {} KiB more at most ({:.1} s)",
        bytes >> 20,
        if compressed { "compressed" } else { "as it is" },
        before >> 10,
        rise >> 10,
        started.elapsed().as_secs_f32(),
    );
    Ok(rise)
}

/// Bytes that compress, though not to nothing.
fn pattern() -> Vec<u8> {
    let mut state = 1u32;
    (0..FRAGMENT_BYTES)
        .map(|at| {
            if at % 16 == 0 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            }
            state.to_le_bytes()[3]
        })
        .collect()
}

/// Answers the first message, then checks and counts the second.
async fn sink(listener: &Listener, bytes: u64, compressed: bool) -> Outcome<()> {
    let answer = DeflateAnswer::new(relay::deflate());
    let mut acceptance = Acceptance::new();
    if compressed {
        acceptance = acceptance.with_extension(&answer);
    }
    let opening = listener.accept().await.handshake().await?;
    let mut socket = opening.accept_with(acceptance).await?;
    let first = socket.recv().await?.ok_or("no first message")?;
    socket.send(first).await?;
    let expected = pattern();
    let (mut at, mut ended) = (0, false);
    while !ended {
        let piece = socket.recv_piece().await?.ok_or("cut off")?;
        let mut rest = piece.bytes;
        ended = piece.last;
        while !rest.is_empty() {
            let from = usize::try_from(at % FRAGMENT_BYTES as u64)?;
            let n = rest.len().min(FRAGMENT_BYTES - from);
            if rest[..n] != expected[from..from + n] {
                return Err(format!("other bytes than were sent, from {at} on").into());
            }
            rest = &rest[n..];
            at += n as u64;
        }
    }
    if at != bytes {
        return Err(format!("{at} bytes of {bytes}").into());
    }
    socket.send("all").await?;
    while socket.recv().await?.is_some() {}
    Ok(())
}

/// The relay's process; it ends with this value.
struct Relay(Child);

impl Relay {
    fn start(target: &str) -> Outcome<(Self, String)> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["relay", target])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("no output")?;
        let process = Self(child);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .ok_or("not ready")?;
        Ok((process, url.to_owned()))
    }

    /// Resident memory in bytes.
    fn memory(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let kib = line.and_then(|it| it.split_whitespace().next());
        Ok(kib.ok_or("no VmRSS")?.parse::<u64>()? << 10)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
