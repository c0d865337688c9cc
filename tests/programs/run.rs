//! Programs that are run to their end.

use std::io::Read;
use std::process::{Command, Stdio};

/// Runs `command` to its end and returns what it printed; fails with that when it failed.
pub(crate) fn run(command: &mut Command) -> String {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut printed = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .unwrap();
    let status = child.wait().unwrap();
    assert!(
        status.success(),
        "{command:?} ended with {status}:\n{printed}"
    );
    printed
}
