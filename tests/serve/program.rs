//! The program under test, in a folder of its own.

use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub(crate) struct Running {
    child: Child,
    /// `ws://127.0.0.1:PORT`.
    pub(crate) url: String,
    said: Option<Lines<BufReader<ChildStderr>>>,
}

/// The program in this folder, and without the settings of whoever runs the tests.
pub(crate) fn framewire(folder: &Path) -> Command {
    let mut framewire = Command::new(env!("CARGO_BIN_EXE_framewire"));
    framewire
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    framewire
}

/// What `framewire serve` says where it does not start.
pub(crate) async fn refused(command: &mut Command) -> (Option<i32>, String) {
    let output: Output = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    assert!(output.stdout.is_empty(), "it has started");
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

impl Running {
    /// Starts a server and waits until it is ready.
    pub(crate) async fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = timeout(PATIENCE, out.next_line()).await.unwrap().unwrap();
        let url = first
            .as_deref()
            .and_then(|it| it.strip_prefix("listening on "));
        let Some(url) = url.map(String::from) else {
            panic!("{first:?}, {:?}", child.wait_with_output().await);
        };
        let said = child.stderr.take().map(|it| BufReader::new(it).lines());
        Self { child, url, said }
    }

    /// `framewire serve` with these arguments, on a free port of its own.
    pub(crate) async fn serve(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = framewire(folder);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        Self::start(command.args(arguments)).await
    }

    /// Waits for a line on standard error that holds this text.
    pub(crate) async fn says(&mut self, text: &str) -> String {
        loop {
            let line = timeout(PATIENCE, self.said.as_mut().unwrap().next_line()).await;
            let line = line.unwrap().unwrap().expect("it has gone");
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().await;
        assert!(sent.unwrap().success());
    }

    pub(crate) async fn ended(mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap()
    }

    pub(crate) async fn stop(self) {
        self.signal("TERM").await;
        assert_eq!(self.ended().await.code(), Some(0));
    }
}
