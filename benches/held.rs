//! Many idle connections at once: `cargo bench --bench held -- [CONNECTIONS [PROCESSES]]`.
//!
//! Starts `framewire echo`, 1 or PROCESSES of them, and clients in processes of their own, each
//! with its own address of this machine, which open connections, 15,000 in all or CONNECTIONS,
//! and have one message echoed on each. When all are open and the servers' memory does not change
//! any more, prints how much of it each connection holds. Then a message is echoed on every tenth
//! connection, on the first and on the last, and all others are looked at for an end. Exit status
//! 1 where a connection was refused, has ended, or did not answer.
//!
//! A server needs a descriptor for each of its connections and a few more, and a client for each of
//! its own, 15,000 at most: `ulimit -H -n` says how many a process may have. The two ends of a
//! connection together hold about 10 KiB in the kernel.

mod serving;

use core::net::{Ipv4Addr, SocketAddr};
use core::ops::RangeInclusive;
use core::time::Duration;
use socket2::{Domain, Socket, Type};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{ChildStdin, ChildStdout, ExitCode, Stdio};
use std::time::Instant;

use crate::serving::{Memory, Outcome, Process, Server, TIMEOUT, WARM_UP};

const CONNECTIONS: usize = 15_000;
const CONNECTIONS_MAX: usize = 10_000_000;
const PROCESSES_MAX: usize = 1000;
/// What one client opens at most, fewer than it has ports.
const PER_CLIENT_MAX: usize = 15_000;
/// One in so many connections is asked at the end.
const SAMPLE: usize = 10;
/// How long all of a client's connections that are asked may take together.
const ASKING_MAX: Duration = Duration::from_secs(60);
/// The ports of a client, more than it needs.
const PORTS: PortRange = 20_000..=u16::MAX;
/// The address of the first client; the others have those that follow.
const FIRST_SOURCE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

type PortRange = RangeInclusive<u16>;

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments = std::env::args().skip(1).filter(|it| !it.starts_with("--"));
    let arguments: Vec<String> = arguments.collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["client", server, source, count] => be_client(server, source, count).map(|()| true),
        _ => match counts(&arguments) {
            Some((connections, processes)) => hold(connections, processes),
            None => {
                eprintln!(
                    "how many connections: a number from 1 to {CONNECTIONS_MAX}, and on how many \
                     processes: from 1 to {PROCESSES_MAX}"
                );
                return ExitCode::from(2);
            }
        },
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot hold them: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How many connections are asked for, on how many processes.
fn counts(arguments: &[&str]) -> Option<(usize, usize)> {
    let (connections, processes) = match arguments {
        [] => (CONNECTIONS, 1),
        [connections] => (connections.parse().ok()?, 1),
        [connections, processes] => (connections.parse().ok()?, processes.parse().ok()?),
        _ => return None,
    };
    let fits =
        (1..=CONNECTIONS_MAX).contains(&connections) && (1..=PROCESSES_MAX).contains(&processes);
    fits.then_some((connections, processes))
}

/// Holds so many connections, prints what came of it, and says whether all were there to the end.
fn hold(connections: usize, processes: usize) -> Outcome<bool> {
    let servers = (0..processes)
        .map(|_| Server::start(&[]))
        .collect::<Outcome<Vec<_>>>()?;
    for server in &servers {
        for _ in 0..WARM_UP {
            let mut stream = TcpStream::connect(&server.address)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            serving::open(&mut stream, "")?;
        }
    }
    let before = Memory::at_rest(&servers)?;
    let mut clients = Vec::new();
    for (at, server) in servers.iter().enumerate() {
        let mut rest = connections / processes + usize::from(at < connections % processes);
        while rest > 0 {
            let count = rest.min(PER_CLIENT_MAX);
            clients.push(Client::start(&server.address, clients.len(), count)?);
            rest -= count;
        }
    }
    let mut opened = 0;
    for client in &mut clients {
        let [count] = client.told()?;
        opened += count;
    }
    let after = Memory::at_rest(&servers)?;
    println!("{opened} idle connections, each after one message; processes: {processes}");
    after.print_each(before, opened.max(1))?;
    for client in &mut clients {
        client.ask()?;
    }
    let (mut held, mut asked, mut answered) = (0, 0, 0);
    for client in &mut clients {
        let [its_held, its_asked, its_answered] = client.told()?;
        held += its_held;
        asked += its_asked;
        answered += its_answered;
    }
    let refused = connections - opened;
    println!("{held:6} held, {refused} refused, {} lost", opened - held);
    println!("{asked:6} asked at the end, {answered} answered");
    Ok(held == connections && answered == asked)
}

/// A client's process, seen from the one that has started it.
struct Client {
    _process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    /// Starts the client of this number, which opens so many connections.
    fn start(server: &str, number: usize, count: usize) -> Outcome<Self> {
        let source = Ipv4Addr::from_bits(FIRST_SOURCE.to_bits() + u32::try_from(number)?);
        let child = serving::command(std::env::current_exe()?)
            .args(["client", server, &source.to_string(), &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut process = Process(child);
        let input = process.0.stdin.take().ok_or("a client has no input")?;
        let output = process.0.stdout.take().ok_or("a client has no output")?;
        Ok(Self {
            _process: process,
            input,
            output: BufReader::new(output),
        })
    }

    /// The numbers on the next line that it prints.
    fn told<const N: usize>(&mut self) -> Outcome<[usize; N]> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let numbers: Result<Vec<usize>, _> = line.split_whitespace().map(str::parse).collect();
        let numbers = numbers.ok().and_then(|it| it.try_into().ok());
        Ok(numbers.ok_or_else(|| format!("a client said {line:?}"))?)
    }

    /// Has it look at its connections.
    fn ask(&mut self) -> io::Result<()> {
        self.input.write_all(b"\n")
    }
}

/// Is a client: prints how many connections it has opened, waits for a line, and prints how many
/// are still there, on how many it has sent a message, and on how many the echo came.
fn be_client(server: &str, source: &str, count: &str) -> Outcome<()> {
    let (server, source, count) = (server.parse()?, source.parse()?, count.parse()?);
    let (mut streams, mut ports) = (Vec::with_capacity(count), PORTS);
    while streams.len() < count {
        match open(server, source, &mut ports) {
            Ok(stream) => streams.push(stream),
            // Whoever does not take this one will not take more of them.
            Err(error) => {
                eprintln!("{source}, connection {}: {error}", streams.len());
                break;
            }
        }
    }
    println!("{}", streams.len());
    io::stdin().lock().read_line(&mut String::new())?;
    let (last, until) = (streams.len().saturating_sub(1), Instant::now() + ASKING_MAX);
    let (mut held, mut asked, mut answered) = (0, 0, 0);
    for (at, stream) in streams.iter_mut().enumerate() {
        let is_asked = at % SAMPLE == 0 || at == last;
        let looked_at = match is_asked {
            true => echo(stream, at, until),
            false => look(stream),
        };
        asked += usize::from(is_asked);
        match looked_at {
            Ok(()) => {
                held += 1;
                answered += usize::from(is_asked);
            }
            Err(error) => eprintln!("{source}, connection {at}: {error}"),
        }
    }
    println!("{held} {asked} {answered}");
    Ok(())
}

/// Opens a connection from an address of this machine.
fn open(server: SocketAddr, source: Ipv4Addr, ports: &mut PortRange) -> Outcome<TcpStream> {
    let socket = bind(source, ports)?;
    socket.connect(&server.into())?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(TIMEOUT))?;
    serving::open(&mut stream, "")?;
    Ok(stream)
}

/// A socket on the next port that nobody has. The system, asked for any, would look past all that
/// are taken, each time anew.
fn bind(source: Ipv4Addr, ports: &mut PortRange) -> Outcome<Socket> {
    for port in ports {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        // A port on which the run before has ended a connection will do.
        socket.set_reuse_address(true)?;
        match socket.bind(&SocketAddr::from((source, port)).into()) {
            Ok(()) => return Ok(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err("there is no port left".into())
}

/// Has a message echoed that only this connection is sent.
fn echo(stream: &mut TcpStream, number: usize, until: Instant) -> Outcome<()> {
    let number = u32::try_from(number)?.to_be_bytes();
    // The masking key is all zeros.
    stream.write_all(&[&[0x82, 0x84, 0, 0, 0, 0], &number[..]].concat())?;
    // No time at all is no timeout.
    let rest = until.saturating_duration_since(Instant::now());
    stream.set_read_timeout(Some(rest.max(Duration::from_millis(1))))?;
    let mut answer = [0; 6];
    stream.read_exact(&mut answer)?;
    match answer[..2] == [0x82, 4] && answer[2..] == number {
        true => Ok(()),
        false => Err(format!("the answer was {answer:?}").into()),
    }
}

/// Looks for the end of a connection on which nothing should have come.
fn look(stream: &TcpStream) -> Outcome<()> {
    stream.set_nonblocking(true)?;
    match stream.peek(&mut [0; 16]) {
        Ok(0) => Err("it has ended".into()),
        Ok(_) => Err("something came that nobody has asked for".into()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error.into()),
    }
}
