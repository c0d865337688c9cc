//! The first announcement of README, with curl and with Node.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Deserializer, Value};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::blocks::blocks;
use crate::install;
use crate::programs::program;

const README: &str = include_str!("../../README.md");
const PATIENCE: Duration = Duration::from_secs(60);

/// Where README has its server.
const PRINTED: &str = "127.0.0.1:4000";

/// In the place of cargo: it is built already.
const CARGO: &str = "cargo() { shift 3; \"$FRAMEWIRE\" \"$@\"; }\n";

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap();
    line.unwrap().expect("it goes on")
}

/// A server with its data in the folder, and where it listens.
async fn serve(folder: &Path) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let command = command.current_dir(folder).env_remove("API_secret");
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = line(&mut lines).await;
    let address = first.strip_prefix("listening on ws://").unwrap();
    (child, address.to_owned())
}

/// Runs the block of README that holds `what`, and returns what it says.
async fn shell(folder: &Path, address: &str, what: &str) -> String {
    let all = blocks(README, "sh");
    let mut meant = all.iter().filter(|block| block.contains(what));
    let block = meant.next().unwrap();
    assert!(meant.next().is_none(), "one block has {what}");
    let script = CARGO.to_owned() + &block.replace(PRINTED, address);
    program(&["curl"], &["curl"]);
    let mut command = Command::new("sh");
    command.args(["-euc", &script]).current_dir(folder);
    command.env("FRAMEWIRE", env!("CARGO_BIN_EXE_framewire"));
    let command = command.env_remove("API_secret").stdin(Stdio::null());
    let done = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

fn objects(text: &str) -> Vec<Value> {
    let values = Deserializer::from_str(text).into_iter();
    values.map(Result::unwrap).collect()
}

/// The snippet for Node, beside the package that it names.
async fn node(folder: &Path, address: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let all = blocks(README, "js");
    let meant: Vec<_> = all.iter().filter(|block| block.contains("ws")).collect();
    assert_eq!(meant.len(), 1);
    let node = install::node();
    let package = install::npm_package("node");
    let name = folder.file_name().unwrap().to_string_lossy();
    let script = package.join(format!("printed{name}.mjs"));
    fs::write(&script, meant[0].replace(PRINTED, address)).unwrap();
    let mut command = Command::new(node);
    command.arg(&script).current_dir(folder);
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !line(&mut lines).await.contains("'signed'") {}
    fs::remove_file(script).unwrap();
    (child, lines)
}

//= A13 type=test
//= B21 type=test
#[tokio::test]
async fn the_first_announcement_is_made_and_heard_as_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, address) = serve(folder.path()).await;
    shell(folder.path(), &address, "-- token").await;
    let (mut reader, mut heard) = node(folder.path(), &address).await;
    let told = objects(&shell(folder.path(), &address, "curl ").await);
    let [published, unread] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(
        (&published["feed"], &published["duplicate"]),
        (&"Public".into(), &false.into())
    );
    assert!(unread.to_string().contains("Payday"), "{unread}");
    while !line(&mut heard).await.contains("'Payday'") {}
    // The same key again, as the words below the block have it.
    let told = objects(&shell(folder.path(), &address, "curl ").await);
    assert_eq!(told[0]["duplicate"], true);
    assert_eq!(told[0]["announcement"], published["announcement"]);
    assert_eq!(told[1], *unread);
    reader.kill().await.unwrap();
    server.kill().await.unwrap();
}
