//! Programs of other people that tests run beside the library, from Debian's packages.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first of `names` that is there; `packages` are installed where none is.
pub(crate) fn program(names: &[&str], packages: &[&str]) -> PathBuf {
    // Tests, also those in other processes, do not install at the same time.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(folder).expect("a folder for the tests");
    let lock = File::create(folder.join("programs.lock")).expect("a lock");
    lock.lock().expect("a lock");
    found(names).unwrap_or_else(|| {
        let wanted = packages.join(" ");
        assert!(
            found(&["apt-get"]).is_some() && is_superuser(),
            "{} is not in PATH: install it (Debian: apt-get install {wanted})",
            names[0]
        );
        apt(&["update", "-qq"]);
        let quiet = ["install", "-qq", "-y", "--no-install-recommends"];
        apt(&[&quiet, packages].concat());
        found(names).unwrap_or_else(|| panic!("{} is not in {wanted}", names[0]))
    })
}

fn apt(arguments: &[&str]) {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    let done = command.args(arguments).output().expect("apt-get starts");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "apt-get {arguments:?}: {said}");
}

/// The first of `names` in `PATH`, or where Debian puts servers.
fn found(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let folders: Vec<PathBuf> = folders.collect();
    let in_folders = |name: &&str| {
        let mut places = folders.iter().map(|folder| folder.join(name));
        places.find(|at| at.is_file())
    };
    names.iter().find_map(in_folders)
}

fn is_superuser() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
