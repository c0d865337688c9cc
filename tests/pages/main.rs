//! The pages in a real browser against `framewire serve`, every state of both under the rules of
//! axe.
//!
//! The stories stand in `tests/peers/browser`. Photographs of the states are left in the folder
//! `screenshots` of the test's own part of the target directory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../programs/install.rs"]
mod install;
#[path = "../programs/mod.rs"]
mod programs;
#[path = "../programs/run.rs"]
mod run;

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a story to its end, and fails unless as many of its parts have held.
fn tell(story: &str, parts: usize) {
    let data = tempfile::tempdir().unwrap();
    let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    fs::create_dir_all(&screenshots).unwrap();
    let script = install::npm_package("browser").join(story);
    let mut command = Command::new(install::node());
    command.env("FRAMEWIRE", env!("CARGO_BIN_EXE_framewire"));
    command.env("CHROMIUM", install::chromium());
    command.arg(script).arg(data.path()).arg(&screenshots);
    let printed = run::run(&mut command);
    let told = printed
        .lines()
        .filter(|line| line.starts_with("ok "))
        .count();
    assert_eq!(told, parts, "parts of the story that held:\n{printed}");
}

//= A14 type=test
//= C12 type=test
#[test]
fn the_inbox_is_live_and_comes_back_and_is_for_everybody() {
    tell("inbox.mjs", 11);
}

/// `FRAMEWIRE_URL`, `ADMIN_TOKEN` and `BOB_TOKEN` name a server that runs already.
#[test]
fn the_console_checks_whom_something_reaches_and_shows_how_far_it_has_come() {
    tell("console.mjs", 6);
}
