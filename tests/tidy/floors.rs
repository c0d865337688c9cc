//! A module names lower floors only.

use crate::imports::{self, Module, Path};
use crate::scan::Token;
use crate::tree::{Fault, SourceFile};

/// The floors and their heights. Neighbours of one height may not name each other.
///
/// The manual is text: its examples may name every floor, and no floor names the manual.
const FLOORS: [(&str, u8); 9] = [
    ("wire", 1),
    ("engine", 2),
    ("net", 3),
    ("client", 4),
    ("server", 4),
    ("hub", 5),
    ("announce", 6),
    ("cli", 7),
    ("manual", 8),
];

fn height(floor: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == floor)
        .map(|(_, height)| *height)
}

/// Upward and sideways imports, files without a floor, and names taken from the root.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Fault> {
    let modules = imports::modules(files);
    let mut faults = Vec::new();
    for module in &modules {
        match module.at.first().map(String::as_str) {
            None => faults.extend(root(module)),
            Some("bin") => faults.extend(program(module, &modules)),
            Some(floor) => match height(floor) {
                Some(own) => faults.extend(upward(module, &modules, floor, own)),
                None => faults.push(Fault::new(
                    &module.file,
                    1,
                    format!("`{floor}` has no floor: give it one in tests/tidy/floors.rs"),
                )),
            },
        }
    }
    faults
}

fn upward(module: &Module, modules: &[Module], floor: &str, own: u8) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in &module.paths {
        let Some(target) = module.resolve(path, modules) else {
            continue;
        };
        let named = target.first().map_or("", String::as_str);
        let what = match height(named) {
            Some(_) if named == floor => continue,
            Some(height) if height < own => continue,
            Some(height) if height == own => format!("{floor} names its neighbour {named}"),
            Some(_) => format!("{floor} looks up to {named}"),
            None => format!("`{named}` is named at the crate's root; name it on its floor"),
        };
        faults.push(Fault::new(
            &module.file,
            path.line,
            format!("{what}: {}", written(path)),
        ));
    }
    faults
}

/// `lib.rs` declares modules and re-exports their names.
fn root(module: &Module) -> Vec<Fault> {
    const LOGIC: [&str; 7] = [
        "fn",
        "struct",
        "enum",
        "trait",
        "impl",
        "static",
        "macro_rules",
    ];
    let is_logic = |token: &&Token| LOGIC.contains(&token.text.as_str());
    let first = module.tokens.iter().find(is_logic);
    first
        .map(|t| {
            Fault::new(
                &module.file,
                t.line,
                format!("`{}` in lib.rs: give it a floor", t.text),
            )
        })
        .into_iter()
        .collect()
}

/// A program names `cli` alone.
fn program(module: &Module, modules: &[Module]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in &module.paths {
        let Some(target) = module.resolve(path, modules) else {
            continue;
        };
        if target.first().is_some_and(|floor| floor != "cli") {
            let what = format!("a program names cli alone: {}", written(path));
            faults.push(Fault::new(&module.file, path.line, what));
        }
    }
    faults
}

/// `super::` and `self::` hide from the reader which floor is named.
pub(crate) fn spelling(files: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for module in imports::modules(files) {
        for path in &module.paths {
            if matches!(path.segments[0].as_str(), "super" | "self") {
                let what = format!("start at `crate::`: {}", written(path));
                faults.push(Fault::new(&module.file, path.line, what));
            }
        }
    }
    faults
}

/// What `wire` and `engine` take as arguments they must not reach for.
pub(crate) fn purity(files: &[SourceFile]) -> Vec<Fault> {
    const IMPURE: [&[&str]; 5] = [
        &["tokio"],
        &["std", "net"],
        &["std", "time"],
        &["std", "thread"],
        &["std", "fs"],
    ];
    let mut faults = Vec::new();
    for module in imports::modules(files) {
        if !matches!(
            module.at.first().map(String::as_str),
            Some("wire" | "engine")
        ) {
            continue;
        }
        for path in &module.paths {
            let begins =
                |impure: &&&[&str]| path.segments.iter().zip(**impure).all(|(a, b)| a == b);
            if IMPURE
                .iter()
                .any(|impure| begins(&impure) && path.segments.len() >= impure.len())
            {
                let what = format!("not on this floor: {}", written(path));
                faults.push(Fault::new(&module.file, path.line, what));
            }
        }
    }
    faults
}

fn written(path: &Path) -> String {
    path.segments.join("::")
}
