//! What is left when connections are gone: no task, no descriptor, no growing memory.
//!
//! A program of its own with one test, since it counts what the whole process holds.
#![cfg(target_os = "linux")]

use core::net::SocketAddr;
use core::time::Duration;
use std::fs;

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

//= C08 type=test
//= E69 type=test
#[tokio::test]
async fn connections_that_come_and_go_leave_nothing_behind() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, Config::default()).await;
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
    for at in 0..WARM_UP {
        round(address, at).await;
    }
    settled(1).await;
    let before = (descriptors(), resident());
    for at in 0..ROUNDS {
        round(address, at).await;
    }
    settled(1).await;
    assert_eq!(descriptors(), before.0);
    let grown = resident().saturating_sub(before.1);
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB more");
    assert!(stop.stop(Duration::from_secs(60)).await);
    // No task and no timer outlives the server.
    settled(0).await;
}
