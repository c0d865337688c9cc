//! The peers that are not written for Node.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install::{INSTALLED, SOURCES, locked, prepared};
use crate::programs::program;
use crate::run::run;

/// The Python peer: its interpreter, and the script to give to it.
pub(crate) fn python_peer() -> (PathBuf, PathBuf) {
    let python = program(&["python3"], &["python3", "python3-venv"]);
    let folder = prepared("python", &["requirements.txt"], |folder| {
        run(Command::new(&python)
            .args(["-m", "venv", "--clear", "venv"])
            .current_dir(folder));
        let quiet = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
        let pinned = ["--require-hashes", "-r", "requirements.txt"];
        let python = folder.join("venv/bin/python");
        run(Command::new(python)
            .args(quiet)
            .args(pinned)
            .current_dir(folder));
    });
    (folder.join("venv/bin/python"), folder.join("peer.py"))
}

/// The peers on crates, built from their own lock file. The first argument says which.
pub(crate) fn rust_peer() -> PathBuf {
    let target = Path::new(INSTALLED).join("rust");
    let _lock = locked("rust");
    let manifest = Path::new(SOURCES).join("rust/Cargo.toml");
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "build",
        "--release",
        "--locked",
        "--quiet",
        "--manifest-path",
    ]);
    // What cargo tells a test of its package would make build scripts run anew.
    for (name, _) in env::vars_os() {
        let told = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        if name
            .to_str()
            .is_some_and(|it| told.iter().any(|told| it.starts_with(told)))
        {
            command.env_remove(name);
        }
    }
    run(command.arg(manifest).arg("--target-dir").arg(&target));
    target.join("release/framewire-peer-rust")
}
