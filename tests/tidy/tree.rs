//! The files of the project, and what a fault looks like.

use core::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file by its path from the root of the package, with `/` between folders.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }
}

/// A broken rule and the line that breaks it.
pub(crate) struct Fault {
    path: String,
    line: usize,
    what: String,
}

impl Fault {
    pub(crate) fn new(file: &SourceFile, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: file.path.clone(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: &str) -> SourceFile {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    SourceFile::new(path, &text)
}

pub(crate) fn write(path: &str, text: &str) {
    fs::write(root().join(path), text).unwrap_or_else(|e| panic!("{path}: {e}"));
}

pub(crate) fn rust_files() -> Vec<SourceFile> {
    text_files()
        .into_iter()
        .filter(|file| file.path.ends_with(".rs"))
        .collect()
}

/// Every text file that belongs to the project; files that are not UTF-8 are left out.
pub(crate) fn text_files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    for path in paths() {
        if let Ok(text) = fs::read_to_string(root().join(&path)) {
            files.push(SourceFile { path, text });
        }
    }
    assert!(
        files.len() > 20,
        "the project has more than {} files",
        files.len()
    );
    files
}

/// Paths from git where there is one (new files included), else from the folders.
fn paths() -> Vec<String> {
    let listing = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output();
    let mut paths = match listing {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect(),
        _ => walk(&root()),
    };
    paths.sort();
    paths.dedup();
    paths
}

fn walk(folder: &Path) -> Vec<String> {
    const SKIPPED: [&str; 6] = [
        ".git",
        ".suite",
        "target",
        "node_modules",
        "artifacts",
        "data",
    ];
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)
        .expect("a folder of the project")
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                paths.extend(walk(&path));
            }
        } else if let Ok(inner) = path.strip_prefix(root()) {
            paths.push(inner.to_string_lossy().replace('\\', "/"));
        }
    }
    paths
}
