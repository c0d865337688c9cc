//! The announcement server's page, with people in it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::install;
use crate::run::run;

/// What the story says after each of its parts.
const PARTS: usize = 5;

//= C12 type=test
#[test]
fn what_one_publishes_on_the_page_reaches_the_others_and_is_kept_until_read() {
    let data = tempfile::tempdir().unwrap();
    let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    fs::create_dir_all(&screenshots).unwrap();
    let script = install::npm_package("browser").join("announce.mjs");
    let mut story = Command::new(install::node());
    story.env("FRAMEWIRE", env!("CARGO_BIN_EXE_framewire"));
    story.env("CHROMIUM", install::chromium());
    let printed = run(story.arg(script).arg(data.path()).arg(&screenshots));
    let told = printed
        .lines()
        .filter(|line| line.starts_with("ok "))
        .count();
    assert_eq!(told, PARTS, "parts of the story that held:\n{printed}");
    for name in ["page-light.png", "page-dark.png"] {
        assert!(screenshots.join(name).is_file(), "no {name}");
    }
}
