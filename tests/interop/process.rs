//! Child processes that end with the test that started them.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A server in a process of its own, ended by its own handle.
pub(crate) struct Server {
    child: Child,
    url: String,
    /// Kept open, so that the server can go on writing.
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts `command` and waits for its line `listening on URL`.
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let url = line
            .trim_end()
            .strip_prefix("listening on ")
            .map(ToOwned::to_owned);
        let mut server = Self {
            child,
            url: url.unwrap_or_default(),
            _output: output,
        };
        if server.url.is_empty() {
            server.end();
            panic!("{command:?} said {line:?} instead of where it listens");
        }
        server
    }

    /// `ws://` and the address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn end(&mut self) {
        // It may have ended by itself; there is nothing to do about either.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The binary under test as an echo server.
pub(crate) fn echo_server() -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command.args([
        "echo",
        "--listen",
        "127.0.0.1:0",
        "--message-bytes-max",
        "16777216",
    ]);
    Server::start(&mut command)
}
