//! The data folder.

use alloc::format;
use alloc::string::String;
use std::fs;
use std::path::Path;

/// Makes the data folder, for its owner alone, where it is missing.
pub(crate) fn create(path: &Path) -> Result<(), String> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| {
        format!(
            "cannot create the data folder {}: {error}; choose another with --data",
            path.display()
        )
    })
}
