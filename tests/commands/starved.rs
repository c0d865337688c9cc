//! A server for which the system has no more sockets.

use core::time::Duration;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const PATIENCE: Duration = Duration::from_secs(30);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// `framewire echo` with at most 32 open files; it ends with this value.
struct Starved(Child);

impl Starved {
    fn start() -> (Self, String) {
        let command = "ulimit -n 32; exec \"$0\" echo --listen 127.0.0.1:0";
        let mut child = Command::new("sh")
            .args(["-c", command, env!("CARGO_BIN_EXE_framewire")])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on ws://");
        (Self(child), address.expect("it is ready").to_owned())
    }

    /// Ticks of the processor that the server has used so far.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()));
        let stat = stat.expect("it runs");
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .expect("a name")
            .split(' ')
            .collect();
        // User and system time, counted from behind the name.
        [fields[12], fields[13]]
            .map(|it| it.parse::<u64>().expect("a number"))
            .iter()
            .sum()
    }
}

impl Drop for Starved {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the system's queue takes it");
    stream.set_read_timeout(Some(PATIENCE)).expect("TCP has it");
    stream.write_all(REQUEST).expect("open");
    stream
}

fn is_answered(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).is_ok() && answer == *b"HTTP/1.1 101"
}

//= D21 type=test
//= E41 type=test
#[test]
fn a_server_without_sockets_to_give_waits_and_goes_on() {
    let (server, address) = Starved::start();
    let mut streams: Vec<TcpStream> = (0..60).map(|_| ask(&address)).collect();
    assert!(is_answered(&mut streams[0]), "there are sockets for some");
    let before = server.ticks();
    let waiting = &mut streams[59];
    waiting
        .set_read_timeout(Some(Duration::from_secs(2)))
        .expect("TCP has it");
    assert!(!is_answered(waiting), "there are not enough for all");
    // In two seconds a loop that did not wait would have used nearly 200 ticks.
    assert!(server.ticks() - before < 50, "it does not wait");
    waiting
        .set_read_timeout(Some(PATIENCE))
        .expect("TCP has it");
    streams.drain(..50);
    assert!(is_answered(streams.last_mut().expect("ten are left")));
    assert!(is_answered(&mut ask(&address)), "and whoever comes then");
}
