//! A server that has no descriptors left.
#![cfg(target_os = "linux")]

use core::time::Duration;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The binary in a process of its own that may open so many descriptors.
struct Server(Child);

impl Server {
    fn start(descriptors: u32) -> (Self, String) {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {descriptors}; exec \"$0\" echo --listen 127.0.0.1:0");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_framewire")]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("there is a shell");
        let mut line = String::new();
        let out = child.stdout.take().expect("it is piped");
        let read = BufReader::new(out).read_line(&mut line);
        let server = Self(child);
        read.expect("it says where it listens");
        let url = line.trim_end().strip_prefix("listening on ws://");
        (server, url.expect("it says where it listens").to_owned())
    }

    /// The processor time that it has taken, in hundredths of a second.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()));
        let stat = stat.expect("it runs");
        let behind_name = stat.rsplit_once(')').expect("a name in parentheses").1;
        let fields: Vec<&str> = behind_name.split_whitespace().collect();
        let number = |at: usize| fields[at].parse::<u64>().expect("a number");
        // utime and stime, the 14th and 15th of all.
        number(11) + number(12)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

//= D21 type=test
//= E41 type=test
//= E74 type=test
#[test]
fn a_server_without_descriptors_rests_and_serves_again_when_it_has_some() {
    let (server, address) = Server::start(32);
    let mut clients = Vec::new();
    for _ in 0..64 {
        let tcp = TcpStream::connect(&address).expect("the system accepts for it");
        clients.push(tcp);
    }
    let asked_first = &mut clients[0];
    asked_first.write_all(REQUEST).expect("it is open");
    let mut head = [0; 12];
    asked_first.read_exact(&mut head).expect("it is served");
    assert_eq!(&head, b"HTTP/1.1 101");
    // What it does while there is nothing to be had; a busy loop takes a hundred ticks a second.
    let (before, began) = (server.ticks(), Instant::now());
    thread::sleep(Duration::from_secs(2));
    let (ticks, seconds) = (server.ticks() - before, began.elapsed().as_secs());
    assert!(ticks < 25 * seconds, "{ticks} ticks in {seconds} s");
    drop(clients);
    let mut tcp = TcpStream::connect(&address).expect("it listens");
    let timeout = Some(Duration::from_secs(30));
    tcp.set_read_timeout(timeout).expect("a timeout");
    tcp.write_all(REQUEST).expect("it is open");
    tcp.read_exact(&mut head).expect("it is served again");
    assert_eq!(&head, b"HTTP/1.1 101");
}
