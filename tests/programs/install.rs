//! What the peers run on, installed once into the target directory.
//!
//! Each peer is copied to a folder of its own, where its pinned packages are installed beside it.
//! A lock on a file keeps parallel tests, also those in other processes, from doing it twice.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::program;
use crate::run::run;

/// Where the peers stand in the repository.
pub(crate) const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers");
/// Where they are installed.
pub(crate) const INSTALLED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/peers");

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
pub(crate) fn prepared(name: &str, pins: &[&str], install: impl FnOnce(&Path)) -> PathBuf {
    let _lock = locked(name);
    let source = Path::new(SOURCES).join(name);
    let folder = Path::new(INSTALLED).join(name);
    copy(&source, &folder);
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

/// Copies the files of a folder, without what stands in folders of it.
pub(crate) fn copy(source: &Path, target: &Path) {
    fs::create_dir_all(target).unwrap();
    for entry in fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            update(&entry.path(), &target.join(entry.file_name()));
        }
    }
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
pub(crate) fn locked(name: &str) -> File {
    fs::create_dir_all(INSTALLED).unwrap();
    let file = File::create(Path::new(INSTALLED).join(format!("{name}.lock"))).unwrap();
    file.lock().unwrap();
    file
}
