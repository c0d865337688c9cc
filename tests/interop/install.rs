//! What the peers run on, installed once into the target directory.
//!
//! Each peer is copied to a folder of its own, where its pinned packages are installed beside it.
//! A lock on a file keeps parallel tests, also those in other processes, from doing it twice.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::run;
use crate::programs::program;

/// Where the peers stand in the repository.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers");
/// Where they are installed.
const INSTALLED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/peers");

/// The npm package of this name, with its dependencies: the folder that holds its scripts.
pub(crate) fn npm_package(name: &str) -> PathBuf {
    let npm = program(&["npm"], &["nodejs", "npm"]);
    let files = ["package.json", "package-lock.json"];
    prepared(name, &files, |folder| {
        let quiet = [
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--silent",
        ];
        run(Command::new(&npm).args(quiet).current_dir(folder));
    })
}

/// The interpreter of `npm_package`'s scripts.
pub(crate) fn node() -> PathBuf {
    program(&["node"], &["nodejs"])
}

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

/// A Chromium.
pub(crate) fn chromium() -> PathBuf {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    program(&names, &["chromium"])
}

/// Copies a peer to its folder, and has its packages installed when `pins` are other than the
/// ones that were installed last.
fn prepared(name: &str, pins: &[&str], install: impl FnOnce(&Path)) -> PathBuf {
    let _lock = locked(name);
    let source = Path::new(SOURCES).join(name);
    let folder = Path::new(INSTALLED).join(name);
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(&source).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            update(&entry.path(), &folder.join(entry.file_name()));
        }
    }
    let pinned: String = pins
        .iter()
        .map(|pin| fs::read_to_string(source.join(pin)).unwrap())
        .collect();
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == pinned) {
        return folder;
    }
    install(&folder);
    fs::write(stamp, pinned).unwrap();
    folder
}

/// Copies a file unless it is there already: another test may be reading it.
fn update(source: &Path, target: &Path) {
    let bytes = fs::read(source).unwrap();
    if fs::read(target).is_ok_and(|old| old == bytes) {
        return;
    }
    fs::write(target, bytes).unwrap();
}

/// Holds the lock of this name until the file is dropped.
fn locked(name: &str) -> File {
    fs::create_dir_all(INSTALLED).unwrap();
    let file = File::create(Path::new(INSTALLED).join(format!("{name}.lock"))).unwrap();
    file.lock().unwrap();
    file
}
