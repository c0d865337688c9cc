//! Clients of others against our echo server.

use std::process::Command;

use crate::install;
use crate::packages;
use crate::process::echo_server;
use crate::run::run;

/// What a full client can do; a page in a browser can do less.
/// That of websockets can send a list of extensions that is empty as well.
const SCENARIOS: usize = 33;
const SCENARIOS_IN_A_PAGE: usize = 28;

/// Lets a peer run all its scenarios against our server; `scenarios` is how many it has.
fn drive(peer: &mut Command, scenarios: usize) {
    let server = echo_server();
    let printed = run(peer.arg(server.url()));
    let passed = printed
        .lines()
        .filter(|line| line.starts_with("ok "))
        .count();
    assert_eq!(passed, scenarios, "scenarios that passed:\n{printed}");
}

#[test]
fn the_client_of_ws_meets_our_server() {
    let script = install::npm_package("node").join("peer.mjs");
    drive(
        Command::new(install::node())
            .arg(script)
            .args(["ws", "drive"]),
        SCENARIOS,
    );
}

#[test]
fn the_client_of_websockets_meets_our_server() {
    let (python, script) = packages::python_peer();
    drive(
        Command::new(python).arg("-B").arg(script).arg("drive"),
        SCENARIOS + 1,
    );
}

#[test]
fn the_client_of_tungstenite_meets_our_server() {
    drive(
        Command::new(packages::rust_peer()).args(["tungstenite", "drive"]),
        SCENARIOS,
    );
}

#[test]
fn the_client_of_chromium_meets_our_server() {
    let script = install::npm_package("browser").join("drive.mjs");
    let mut command = Command::new(install::node());
    drive(
        command.env("CHROMIUM", install::chromium()).arg(script),
        SCENARIOS_IN_A_PAGE,
    );
}
