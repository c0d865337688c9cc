//! Files that only their owner may read.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a folder, and those above it, for the owner alone. One that exists stays as it is.
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    owner_only_dir(&mut builder);
    builder.create(path)
}

/// Creates a file for the owner alone; fails if anything has that name.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only_file(&mut options);
    options.open(path)
}

/// Opens a file for reading and writing, and creates it for the owner alone if it is missing.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    owner_only_file(&mut options);
    options.open(path)
}

/// The permission bits of an open file if they let anybody but the owner at it.
#[cfg(unix)]
pub(crate) fn exposed_mode(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// Without permission bits there is nothing to find.
#[cfg(not(unix))]
pub(crate) fn exposed_mode(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(unix)]
fn owner_only_dir(builder: &mut DirBuilder) {
    use std::os::unix::fs::DirBuilderExt as _;
    builder.mode(0o700);
}

#[cfg(not(unix))]
fn owner_only_dir(_: &mut DirBuilder) {}

#[cfg(unix)]
fn owner_only_file(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn owner_only_file(_: &mut OpenOptions) {}
