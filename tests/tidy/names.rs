//! The names at the root of the crate are a promise: they are listed, and change on purpose.

use crate::imports;
use crate::scan;
use crate::tree::{Fault, SourceFile};

pub(crate) const LIST: &str = "tests/tidy/public-names.txt";

const HEADING: &str = "\
# The public names at the root of the crate, one a line.
# After a change that is meant: TIDY_UPDATE=1 cargo test --test tidy public_names
";

/// Public modules and re-exported names, sorted.
pub(crate) fn of_root(root: &SourceFile) -> Vec<String> {
    let tokens = scan::without_tests(&scan::scan(&root.text).tokens).tokens;
    let mut names = Vec::new();
    for three in tokens.windows(3) {
        if three[0].text == "pub" && three[1].text == "mod" {
            names.push(format!("mod {}", three[2].text));
        }
    }
    for path in imports::paths(&tokens)
        .into_iter()
        .filter(|path| path.is_reexport)
    {
        let name = path.name.unwrap_or_default();
        names.push(if path.is_glob {
            format!("{}::*", path.segments.join("::"))
        } else {
            name
        });
    }
    names.sort();
    names
}

pub(crate) fn as_list(names: &[String]) -> String {
    format!("{HEADING}{}\n", names.join("\n"))
}

pub(crate) fn check(names: &[String], list: &str) -> Vec<Fault> {
    let listed: Vec<&str> = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let file = SourceFile::new(LIST, "");
    let mut faults = Vec::new();
    for name in names.iter().filter(|name| !listed.contains(&name.as_str())) {
        faults.push(Fault::new(
            &file,
            1,
            format!("`{name}` is public and not listed"),
        ));
    }
    for name in listed
        .iter()
        .filter(|name| !names.iter().any(|found| found == *name))
    {
        faults.push(Fault::new(
            &file,
            1,
            format!("`{name}` is listed and not public"),
        ));
    }
    faults
}
