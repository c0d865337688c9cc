//! The two programs, run as somebody in a terminal runs them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// `framewire echo` on a free port; it ends with this value.
pub(crate) struct Echo {
    child: Child,
    pub(crate) url: String,
}

impl Echo {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_framewire"))
            .args(["echo", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ");
        let url = url.expect("it is ready").to_owned();
        Self { child, url }
    }

    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `framewire bench` with arguments parted by spaces.
pub(crate) fn bench(url: &str, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_framewire"))
        .args(["bench", url])
        .args(arguments.split_whitespace())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The figures of a run, and its exit status.
pub(crate) fn figures(url: &str, arguments: &str) -> (Value, Option<i32>) {
    let output = bench(url, &format!("--json {arguments}"));
    let figures = serde_json::from_slice(&output.stdout);
    let figures = figures.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (figures, output.status.code())
}

/// The figures of a run in which nothing went wrong.
pub(crate) fn good(url: &str, arguments: &str) -> Value {
    let (figures, status) = figures(url, arguments);
    assert_eq!(status, Some(0), "{arguments}: {figures}");
    assert_eq!(figures["faults"], serde_json::json!({"all": 0}));
    figures
}

/// The faults of a run in which something did.
pub(crate) fn faults(url: &str, arguments: &str) -> Value {
    let (figures, status) = figures(url, arguments);
    assert_eq!(status, Some(1), "{arguments}: {figures}");
    figures["faults"].clone()
}
