//! `framewire echo` with TLS.

use core::net::SocketAddr;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::authority::Authority;
use crate::peer::{self, config};
use crate::within;

fn echo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command
        .args(["echo", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Starts the server and returns it with the address that it says it listens on.
async fn start(arguments: &[&str]) -> (Child, SocketAddr) {
    let mut child = echo(arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = within(lines.next_line()).await.unwrap().unwrap();
    let address = line.strip_prefix("listening on wss://").expect(&line);
    let address = address.parse().unwrap();
    (child, address)
}

//= D35 type=test
//= WS-171 type=test
#[cfg(unix)]
#[tokio::test]
async fn echo_speaks_tls_and_reads_its_certificate_again_on_sighup() {
    let authority = Authority::new("one");
    let (old, new) = (
        authority.issue("localhost"),
        authority.issue_with("localhost", 2, |_| {}),
    );
    let (chain, key) = (old.chain.to_str().unwrap(), old.key.to_str().unwrap());
    let (child, address) = start(&["--tls-cert", chain, "--tls-key", key]).await;
    let mut open = peer::open(address, config(&authority, None)).await;
    peer::echo(&mut open, "hello").await.unwrap();
    std::fs::copy(&new.chain, &old.chain).unwrap();
    std::fs::copy(&new.key, &old.key).unwrap();
    let id = child.id().unwrap().to_string();
    let told = Command::new("kill").args(["-HUP", &id]).status().await;
    assert!(told.unwrap().success());
    // The signal is on its way: sooner or later the new certificate is shown.
    within(async {
        loop {
            let socket = peer::open(address, config(&authority, None)).await;
            let shown = socket.stream().get_ref().1.peer_certificates().unwrap()[0].clone();
            if shown == new.certificate() {
                break;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    peer::echo(&mut open, "still here").await.unwrap();
}

#[tokio::test]
async fn a_certificate_without_its_key_is_wrong_usage() {
    for half in [["--tls-cert", "a.pem"], ["--tls-key", "a.key"]] {
        let output = within(echo(&half).output()).await.unwrap();
        assert_eq!(output.status.code(), Some(2));
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_is_named_in_one_line() {
    let output = echo(&["--tls-cert", "nowhere.pem", "--tls-key", "nowhere.key"]).output();
    let output = within(output).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("nowhere.pem"), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
}
