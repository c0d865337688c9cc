//! Scripts of the project that check it, run as tests.

use std::process::Command;

use crate::tree;

/// Runs Python 3 at the root of the package and fails with what it printed.
pub(crate) fn python(arguments: &[&str]) {
    let output = Command::new("python3")
        .arg("-B")
        .args(arguments)
        .current_dir(tree::root())
        .output()
        .unwrap_or_else(|e| panic!("python3, which this test runs, did not start: {e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}\n{said}{complained}");
}
