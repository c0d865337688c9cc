//! Every public `async fn` says what happens when it is dropped, and a test drops it.
//!
//! The test says so in a comment above it: `// drops: net::websocket::recv`, which is the path
//! of the file without `src/`, and the function.

use alloc::collections::BTreeMap;

use crate::tree::{Fault, SourceFile};

const SAYS: &str = "# Cancel safety";
const MARK: &str = "// drops: ";

pub(crate) fn check(sources: &[SourceFile], tests: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut functions = BTreeMap::new();
    for file in sources {
        for (line, name, docs) in async_functions(file) {
            if !docs.iter().any(|doc| doc.contains(SAYS)) {
                faults.push(Fault::new(file, line, format!("`{name}` has no `{SAYS}`")));
            }
            functions.insert(format!("{}::{name}", module(file)), (file, line));
        }
    }
    let mut dropped = Vec::new();
    for file in tests {
        for (line, name, is_above_a_test) in marks(file) {
            if !functions.contains_key(name) {
                faults.push(Fault::new(
                    file,
                    line,
                    format!("no public async fn `{name}`"),
                ));
            }
            if !is_above_a_test {
                faults.push(Fault::new(file, line, "no test below"));
            }
            dropped.push(name);
        }
    }
    for (name, (file, line)) in &functions {
        if !dropped.contains(&name.as_str()) {
            faults.push(Fault::new(file, *line, format!("no test drops `{name}`")));
        }
    }
    faults
}

/// The module that a file under `src/` is.
fn module(file: &SourceFile) -> String {
    let path = file.path.trim_start_matches("src/").trim_end_matches(".rs");
    path.trim_end_matches("/mod").replace('/', "::")
}

/// Line, name and documentation of each public `async fn`.
fn async_functions(file: &SourceFile) -> Vec<(usize, &str, Vec<&str>)> {
    let mut found = Vec::new();
    let mut docs = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("pub async fn ") {
            let end = rest.find(['(', '<']).unwrap_or(rest.len());
            found.push((at + 1, &rest[..end], core::mem::take(&mut docs)));
        } else if line.starts_with("///") {
            docs.push(line);
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            docs.clear();
        }
    }
    found
}

/// Line and function of each mark, and whether a test stands below it.
fn marks(file: &SourceFile) -> Vec<(usize, &str, bool)> {
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(name) = line.strip_prefix(MARK) {
            let mut below = lines[at..].iter().filter(|line| !line.starts_with("//"));
            let is_above_a_test = below.next().is_some_and(|line| line.contains("test"));
            found.push((at + 1, name, is_above_a_test));
        }
    }
    found
}
