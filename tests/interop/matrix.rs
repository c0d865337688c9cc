//! Random messages between us and every other implementation: both roles, four settings of
//! permessage-deflate, with TLS and without.

use core::fmt;
use core::future::Future;
use core::time::Duration;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use tokio::process;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::certificate::Certificate;
use crate::foreign::Peer;
use crate::messages::{self, Planned};
use crate::ours::{self, Deflate, EchoServer, Failure, Told};
use crate::process::Server;

/// Messages of each run in the gate.
const FEW: usize = 100;
const SEED: u64 = 7;
/// One run may take so long.
const RUN_MAX: Duration = Duration::from_secs(900);

/// What we are in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Client,
    Server,
}

impl Role {
    const ALL: [Self; 2] = [Self::Client, Self::Server];

    const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
struct Cell {
    peer: Peer,
    role: Role,
    deflate: Deflate,
    tls: bool,
}

/// What all runs have in common.
struct Setting {
    seed: u64,
    messages: Vec<Planned>,
    file: PathBuf,
    certificate: Certificate,
}

struct Outcome {
    cell: Cell,
    told: Result<Told, Failure>,
    took: Duration,
}

/// A hundred messages in each run, and over TLS one setting of compression;
/// `tests/interop/all` sends as many as one likes, in all of them.
#[test]
fn random_messages_come_back_as_they_were() {
    let chosen = cells()
        .into_iter()
        .filter(|cell| !cell.tls || cell.deflate == Deflate::Default);
    play(chosen.collect(), FEW, SEED, 2);
}

/// Whoever compares has to see a single byte that is another.
#[test]
fn a_message_that_came_back_changed_is_noticed() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let setting = Setting::make(folder.path(), 10, SEED);
    // Some byte of a message of one byte, which is plain text whatever its kind.
    let spoilt = Some(1);
    let mut seen = Vec::new();
    for peer in Peer::ALL {
        let cell = Cell {
            peer,
            role: Role::Server,
            deflate: Deflate::Off,
            tls: false,
        };
        let command = peer.command();
        let told = block_on(as_server(cell, command, None, &setting, spoilt));
        seen.push(told.unwrap_err().to_string());
    }
    let told = block_on(async {
        let server = EchoServer::listen(None).await?;
        let url = server.url()?;
        let serving = server.serve(Deflate::Off, SEED, spoilt);
        let asking = ours::exchange(&url, Deflate::Off, None, &setting.messages);
        tokio::try_join!(serving, asking).map(|(_, told)| told)
    });
    seen.push(told.unwrap_err().to_string());
    let noticed = |why: &&String| why.contains("message 1 came back");
    assert_eq!(seen.iter().filter(noticed).count(), seen.len(), "{seen:#?}");
}

/// What `tests/interop/all` asks for in variables of the environment.
#[test]
#[ignore = "takes long; tests/interop/all runs it"]
fn all() {
    let said = |name: &str| env::var(format!("INTEROP_{name}")).ok();
    let number = |name, default| said(name).map_or(default, |text| text.parse().unwrap());
    let is =
        |name, value: &str| said(name).is_none_or(|text| text.split(',').any(|it| it == value));
    let chosen: Vec<Cell> = cells()
        .into_iter()
        .filter(|cell| {
            is("PEER", cell.peer.name())
                && is("ROLE", cell.role.name())
                && is("DEFLATE", cell.deflate.name())
                && is("TRANSPORT", transport(cell.tls))
        })
        .collect();
    assert!(!chosen.is_empty(), "no run is called that");
    let seed = said("SEED").map_or(SEED, |text| text.parse().unwrap());
    play(chosen, number("MESSAGES", FEW), seed, number("JOBS", 2));
}

const fn transport(tls: bool) -> &'static str {
    if tls { "tls" } else { "plain" }
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for peer in Peer::ALL {
        for role in Role::ALL {
            for deflate in Deflate::ALL {
                cells.extend([false, true].map(|tls| Cell {
                    peer,
                    role,
                    deflate,
                    tls,
                }));
            }
        }
    }
    cells
}

/// Plays the cells, `jobs` at a time, prints a table, and fails with all that went wrong.
fn play(cells: Vec<Cell>, count: usize, seed: u64, jobs: usize) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let setting = Setting::make(folder.path(), count, seed);
    let started = Instant::now();
    let bytes: usize = setting.messages.iter().map(|it| it.payload.len()).sum();
    let (cells, left_out): (Vec<_>, Vec<_>) = cells
        .into_iter()
        .partition(|cell| cell.peer.defect(cell.deflate).is_none());
    let wanted = cells.len();
    println!("{wanted} runs of {count} messages, {bytes} bytes, each way; seed {seed}");
    println!("{HEAD}");
    let left = Mutex::new(cells.into_iter());
    let failed = Mutex::new(Vec::new());
    let next = || left.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(cell) = next() {
                    let outcome = run(cell, &setting);
                    println!("{outcome}");
                    if outcome.told.is_err() {
                        failed.lock().unwrap().push(outcome.to_string());
                    }
                }
            });
        }
    });
    for cell in left_out {
        let why = cell.peer.defect(cell.deflate).unwrap_or_default();
        println!("{cell}left out: {why}");
    }
    let failed = failed.into_inner().unwrap();
    let (same, took) = (wanted - failed.len(), started.elapsed().as_secs());
    println!("{same} of {wanted} runs without a difference, {took} s");
    assert!(failed.is_empty(), "seed {seed}:\n{}", failed.join("\n"));
}

impl Setting {
    fn make(folder: &Path, count: usize, seed: u64) -> Self {
        let messages = messages::plan(seed, count);
        let file = folder.join("messages");
        messages::write(&messages, &file);
        Self {
            seed,
            messages,
            file,
            certificate: Certificate::make(folder),
        }
    }
}

fn run(cell: Cell, setting: &Setting) -> Outcome {
    let started = Instant::now();
    let command = cell.peer.command();
    let certificate = cell.tls.then_some(&setting.certificate);
    let told = block_on(async {
        match cell.role {
            Role::Client => as_client(cell, command, certificate, setting).await,
            Role::Server => as_server(cell, command, certificate, setting, None).await,
        }
    });
    let told = told.and_then(|told| as_asked(cell, told));
    Outcome {
        cell,
        told,
        took: started.elapsed(),
    }
}

/// Fails a run in which compression was another than the cell says: it would prove nothing.
fn as_asked(cell: Cell, told: Told) -> Result<Told, Failure> {
    let wanted = match cell.deflate {
        _ if !cell.peer.has_deflate() => "",
        Deflate::Off => "",
        Deflate::Default => "permessage-deflate",
        Deflate::NoTakeover => "server_no_context_takeover",
        Deflate::SmallWindows => "server_max_window_bits=9",
    };
    let agreed = told.extension.as_str();
    if agreed.contains(wanted) && agreed.is_empty() == wanted.is_empty() {
        return Ok(told);
    }
    Err(format!("agreed on {agreed:?}").into())
}

/// Awaits one run, for a limited time.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    match runtime.block_on(async { timeout(RUN_MAX, work).await }) {
        Ok(done) => done,
        Err(_) => Err(format!("not done after {RUN_MAX:?}").into()),
    }
}

async fn as_client(
    cell: Cell,
    mut command: Command,
    certificate: Option<&Certificate>,
    setting: &Setting,
) -> Result<Told, Failure> {
    command.args(["echo", cell.deflate.name()]);
    if let Some(files) = certificate {
        command.args([&files.certificate, &files.key]);
    }
    let server = Server::start(&mut command);
    ours::exchange(server.url(), cell.deflate, certificate, &setting.messages).await
}

async fn as_server(
    cell: Cell,
    command: Command,
    certificate: Option<&Certificate>,
    setting: &Setting,
    spoilt: Option<usize>,
) -> Result<Told, Failure> {
    let server = EchoServer::listen(certificate).await?;
    let mut command = process::Command::from(command);
    command.args(["exchange", &server.url()?, cell.deflate.name()]);
    command.arg(&setting.file);
    command.args(certificate.map(|files| &files.root));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).kill_on_drop(true);
    let peer = command.spawn()?.wait_with_output();
    tokio::pin!(peer);
    let serving = server.serve(cell.deflate, setting.seed, spoilt);
    tokio::pin!(serving);
    // Whoever fails first says why; what the peer says is then the better half of it.
    let (told, output) = tokio::select! {
        output = &mut peer => (None, output?),
        told = &mut serving => (Some(told), timeout(Duration::from_secs(30), &mut peer).await??),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    let wanted = format!("same {}", setting.messages.len());
    if !output.status.success() || said.trim() != wanted {
        let ours = told.and_then(Result::err);
        let ours = ours.map(|error| error.to_string()).unwrap_or_default();
        let text = format!("{} {} {ours}", said.trim(), last_line(&complained));
        return Err(text.into());
    }
    match told {
        Some(told) => told,
        None => serving.await,
    }
}

fn last_line(text: &str) -> &str {
    text.trim().lines().last().unwrap_or_default()
}

const HEAD: &str = concat!(
    "peer             we are  deflate        over   ",
    "result  frames   wire bytes      s  extension or difference"
);

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (peer, role, deflate) = (self.peer.name(), self.role.name(), self.deflate.name());
        let over = transport(self.tls);
        write!(f, "{peer:<16} {role:<7} {deflate:<14} {over:<6} ")
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cell, took) = (self.cell, self.took.as_secs_f64());
        write!(f, "{cell}")?;
        match &self.told {
            Ok(told) => {
                let none = if told.extension.is_empty() {
                    "none"
                } else {
                    ""
                };
                let (frames, wire, agreed) = (told.frames, told.wire_bytes, &told.extension);
                write!(
                    f,
                    "same   {frames:>7} {wire:>12} {took:>6.1}  {agreed}{none}"
                )
            }
            Err(why) => write!(f, "DIFFER       -            - {took:>6.1}  {why}"),
        }
    }
}
