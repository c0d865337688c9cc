//! How a part of a story is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install;
use crate::programs::program;
use crate::run::run;

/// The configuration of the first gateway.
const CONFIGURATION: &[u8] = include_bytes!("../announce_config/files/socket.yaml");

/// Where a client may run.
#[derive(Clone, Copy)]
enum Place {
    Node,
    Chromium,
}

/// Tells a part in Node and in Chromium, to a server of its own each time.
pub(crate) fn everywhere(story: &str, part: &str) {
    in_node(story, part);
    tell(story, part, Place::Chromium);
}

/// Tells a part of which a browser is no part.
pub(crate) fn in_node(story: &str, part: &str) {
    tell(story, part, Place::Node);
}

fn tell(story: &str, part: &str, place: Place) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("conf")).unwrap();
    fs::write(folder.path().join("conf/socket.yaml"), CONFIGURATION).unwrap();
    let mut node = Command::new(install::node());
    node.env("FRAMEWIRE", env!("CARGO_BIN_EXE_framewire"))
        .env("CURL", program(&["curl"], &["curl"]))
        .env("NATS", program(&["nats-server"], &["nats-server"]))
        .env("RUST_LOG", "framewire=trace")
        .env_remove("API_secret");
    let place = match place {
        Place::Node => "node",
        Place::Chromium => {
            node.env("CHROMIUM", install::chromium());
            "chromium"
        }
    };
    node.arg(clients().join("story.mjs"));
    node.args([story, part, place]).arg(folder.path());
    let told = run(&mut node);
    let expected = format!("ok {story} {part} in {place}");
    assert_eq!(told.lines().last(), Some(expected.as_str()), "{told}");
}

/// The clients, put where they find their packages.
fn clients() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds/clients");
    let folder = install::npm_package("browser").join("seeds");
    let _lock = install::locked("seeds");
    install::copy(&source, &folder);
    folder
}
