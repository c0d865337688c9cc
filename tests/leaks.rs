//! What is left when connections are gone: no task, no descriptor, no growing memory.
//!
//! A program of its own, since it counts what the whole process holds; of its tests one runs at a
//! time. `cargo test --test leaks -- --ignored --test-threads 1` runs the long ones.
#![cfg(target_os = "linux")]

use core::net::SocketAddr;
use core::time::Duration;
use std::fs;

use framewire::engine::Limits;
use framewire::server::{Config, Listener, Stop};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// "hi" in a masked frame.
const MESSAGE: &[u8] = b"\x81\x82\0\0\0\0hi";
const CLOSE: &[u8] = b"\x88\x80\0\0\0\0";

/// Rounds until everything that is kept for the next one has been made.
const WARM_UP: usize = 2000;
const ROUNDS: usize = 10_000;
const ROUNDS_LONG: usize = 100_000;
/// What an allocator may do with its pages meanwhile; a kilobyte for each round is ten times it.
const GROWTH_KIB_MAX: usize = 2048;

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("it is Linux").count()
}

/// Resident memory in KiB.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("it is Linux");
    let line = status.lines().find(|it| it.starts_with("VmRSS:"));
    let number = line.and_then(|it| it.split_whitespace().nth(1));
    number.and_then(|it| it.parse().ok()).expect("a number")
}

/// One connection: some close in good order, some go within a message, some within the request.
async fn round(address: SocketAddr, round: usize) {
    let mut tcp = TcpStream::connect(address).await.expect("it listens");
    let all = [REQUEST, MESSAGE, CLOSE].concat();
    let len = match round % 4 {
        0 => REQUEST.len() + 3,
        1 => 40,
        _ => all.len(),
    };
    tcp.write_all(&all[..len]).await.expect("it reads");
    if len == all.len() {
        tcp.read_to_end(&mut Vec::new()).await.expect("no reset");
    }
}

/// Waits until there are no more than so many tasks.
async fn settled(tasks: usize) {
    let settling = async {
        while Handle::current().metrics().num_alive_tasks() > tasks {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let settled = tokio::time::timeout(Duration::from_secs(60), settling).await;
    settled.expect("a task is left");
}

/// A server that echoes, until it is told to stop.
async fn serve(config: Config) -> (SocketAddr, Stop) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, config).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let stop = Stop::new();
    let mut stopping = stop.stopping();
    tokio::spawn(async move {
        loop {
            let incoming = tokio::select! {
                incoming = listener.accept() => incoming,
                () = stopping.wait() => return,
            };
            tokio::spawn(async move {
                let opened = async { incoming.handshake().await?.accept().await };
                let Ok(mut socket) = opened.await else { return };
                while let Ok(Some(message)) = socket.recv().await {
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, stop)
}

/// Stops a server: no task and no timer outlives it.
async fn stopped(stop: Stop) {
    assert!(stop.stop(Duration::from_secs(60)).await);
    settled(0).await;
}

async fn come_and_go(rounds: usize) {
    let (address, stop) = serve(Config::default()).await;
    for at in 0..WARM_UP {
        round(address, at).await;
    }
    settled(1).await;
    let before = (descriptors(), resident());
    for at in 0..rounds {
        round(address, at).await;
    }
    settled(1).await;
    assert_eq!(descriptors(), before.0);
    let grown = resident().saturating_sub(before.1);
    println!("{rounds} connections: {grown} KiB more than {}", before.1);
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB more");
    stopped(stop).await;
}

//= C08 type=test
//= E69 type=test
#[tokio::test]
async fn connections_that_come_and_go_leave_nothing_behind() {
    come_and_go(ROUNDS).await;
}

//= C08 type=test
#[tokio::test]
#[ignore = "takes minutes; the beginning of this file says how to run it"]
async fn many_connections_that_come_and_go_leave_nothing_behind() {
    come_and_go(ROUNDS_LONG).await;
}

/// Opens connections whose other end then never says anything again, and waits until the server
/// has given them all up.
async fn die(address: SocketAddr, peers: usize) {
    let mut dead = Vec::with_capacity(peers);
    for _ in 0..peers {
        let mut tcp = TcpStream::connect(address).await.expect("it listens");
        tcp.write_all(REQUEST).await.expect("it reads");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let n = tcp.read_buf(&mut answer).await.expect("no reset");
            assert!(n > 0, "{}", String::from_utf8_lossy(&answer));
        }
        dead.push(tcp);
    }
    settled(1).await;
}

/// Both ends of a connection are in this process, which may open 20,000 descriptors: so many die
/// at once.
const DEAD_AT_ONCE: usize = 5_000;

//= D34 type=test
#[tokio::test]
#[ignore = "takes long, and many descriptors; the beginning of this file says how to run it"]
async fn ten_thousand_peers_that_die_without_a_word_leave_nothing_behind() {
    // All are open before the first is asked.
    let limits =
        Limits::default().with_keep_alive(Some(Duration::from_secs(20)), Duration::from_secs(2));
    let config = Config::default()
        .with_limits(limits)
        .with_connections_max(2 * DEAD_AT_ONCE, 2 * DEAD_AT_ONCE);
    let (address, stop) = serve(config).await;
    die(address, DEAD_AT_ONCE).await;
    let before = (descriptors(), resident());
    for _ in 0..2 {
        die(address, DEAD_AT_ONCE).await;
    }
    assert_eq!(descriptors(), before.0);
    let grown = resident().saturating_sub(before.1);
    println!("10,000 dead peers: {grown} KiB more than {}", before.1);
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB more");
    stopped(stop).await;
}
