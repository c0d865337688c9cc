//! `framewire connect` as somebody in a terminal uses it.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

/// `framewire echo` on a free port; it ends with this value.
struct Echo(Child, String);

impl Echo {
    fn start() -> Self {
        use std::io::BufRead;
        let mut child = Command::new(env!("CARGO_BIN_EXE_framewire"))
            .args(["echo", "--listen", "127.0.0.1:0", "--deflate"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("listening on ");
        Self(child, url.expect("it is ready").to_owned())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connect(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_framewire"))
        .arg("connect")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(input.as_bytes()).expect("it reads");
    drop(pipe);
    child.wait_with_output().expect("it ends")
}

//= E57 type=test
#[test]
fn lines_go_out_as_messages_and_messages_come_in_as_lines() {
    let echo = Echo::start();
    let done = connect(&[&echo.1], "one\ntwo κόσμε\n");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(String::from_utf8_lossy(&done.stdout), "one\ntwo κόσμε\n");
}

#[test]
fn every_frame_is_shown_when_that_is_asked_for() {
    let echo = Echo::start();
    let done = connect(&[&echo.1, "--frames", "--deflate"], "one\n");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(String::from_utf8_lossy(&done.stdout), "one\n");
    let frames = String::from_utf8_lossy(&done.stderr).to_lowercase();
    for word in ["text", "close"] {
        assert!(
            frames.matches(word).count() >= 2,
            "{word} both ways: {frames}"
        );
    }
}

#[test]
fn what_cannot_be_opened_is_told_in_one_line() {
    let done = connect(&["ws://127.0.0.1:1/"], "");
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    for wrong in [
        &["--no-such-option"][..],
        &["ws://127.0.0.1:1/", "--header", "no colon"],
        &["ws://127.0.0.1:1/", "--proxy", "ftp://proxy"],
    ] {
        assert_eq!(connect(wrong, "").status.code(), Some(2), "{wrong:?}");
    }
}
