//! The real program as a process that is killed, told to stop, and started again.

use core::time::Duration;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Instant;

use framewire::announce::secret;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::reserved::Reserved;

const PATIENCE: Duration = Duration::from_secs(60);
const SIGKILL: i32 = 9;

pub(crate) struct Serving {
    data: PathBuf,
    child: Child,
    /// Where it listens, the same through all its lives, and nobody else between them.
    pub(crate) address: String,
    _place: Reserved,
}

impl Serving {
    pub(crate) async fn start(data: &Path) -> Self {
        let place = Reserved::new();
        let (child, address) = spawn(data, &place.address.to_string()).await;
        Self {
            data: data.to_owned(),
            child,
            address,
            _place: place,
        }
    }

    /// Ends the process at once, as a crash would.
    pub(crate) async fn kill(&mut self) {
        self.child.start_kill().unwrap();
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        assert_eq!(status.signal(), Some(SIGKILL), "it ended by itself");
    }

    /// Tells it to stop, and says how it ended and how long that took.
    pub(crate) async fn stop(&mut self) -> (ExitStatus, Duration) {
        let id = self.child.id().unwrap().to_string();
        let began = Instant::now();
        let told = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap();
        assert!(told.success());
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        (status, began.elapsed())
    }

    pub(crate) async fn again(&mut self) {
        let (child, address) = spawn(&self.data, &self.address).await;
        assert_eq!(address, self.address);
        self.child = child;
    }
}

async fn spawn(data: &Path, address: &str) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command
        .args(["serve", "--listen", address, "--data"])
        .arg(data)
        .env_remove(secret::VARIABLE)
        .env("RUST_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    let address = first
        .as_deref()
        .and_then(|line| line.strip_prefix("listening on ws://"));
    let address = address.unwrap_or_else(|| panic!("{first:?}")).to_owned();
    (child, address)
}
