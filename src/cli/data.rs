//! The data folder.

use alloc::format;
use alloc::string::String;
use std::env::VarError;
use std::fs;
use std::path::Path;

use crate::announce::secret;

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

/// The secret that the environment gives, if it gives one.
pub(crate) fn secret_variable() -> Result<Option<String>, String> {
    match std::env::var(secret::VARIABLE) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!(
            "{} is not UTF-8: set another secret, or remove it to have one generated",
            secret::VARIABLE
        )),
    }
}
