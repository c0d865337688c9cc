//! The modules of one floor form no cycle.
//!
//! A module is a file, and an edge is a path in one file that leads to another of the same floor.
//! A child that names an item of its parent is an edge like any other.
//!
//! A parent that re-exports a name of its child does not depend on it by that alone, or every
//! `mod.rs` with a front door would be a cycle. Such a re-export is followed instead: who names
//! `crate::wire::Opcode` depends on the file where `wire` takes it from. It becomes an edge when
//! the parent uses the name in its own code, and so does a re-export of everything (`::*`), of
//! which nobody can tell what it is used for, and one of a file that is not below.

use crate::imports::{self, Module, Path};
use crate::tree::{Fault, SourceFile};

/// Re-exports of re-exports are followed this far.
const HOPS_MAX: usize = 8;

pub(crate) fn check(files: &[SourceFile]) -> Vec<Fault> {
    let mut modules = imports::modules(files);
    modules.sort_by(|a, b| a.file.path.cmp(&b.file.path));
    let edges: Vec<Vec<usize>> = (0..modules.len()).map(|at| edges(at, &modules)).collect();
    let reached: Vec<Vec<bool>> = (0..modules.len()).map(|at| reach(at, &edges)).collect();
    let mut faults = Vec::new();
    for at in 0..modules.len() {
        let ring: Vec<usize> = (0..modules.len())
            .filter(|&to| reached[at][to] && reached[to][at])
            .collect();
        if ring.first() == Some(&at) {
            let names: Vec<&str> = ring
                .iter()
                .map(|&to| modules[to].file.path.as_str())
                .collect();
            let what = format!("a cycle of modules: {}", names.join(", "));
            faults.push(Fault::new(&modules[at].file, 1, what));
        }
    }
    faults
}

/// Everything that can be reached in one step or more.
fn reach(from: usize, edges: &[Vec<usize>]) -> Vec<bool> {
    let mut reached = vec![false; edges.len()];
    let mut waiting = edges[from].clone();
    while let Some(at) = waiting.pop() {
        if !reached[at] {
            reached[at] = true;
            waiting.extend(&edges[at]);
        }
    }
    reached
}

fn edges(from: usize, modules: &[Module]) -> Vec<usize> {
    let module = &modules[from];
    let Some(floor) = module.at.first() else {
        return Vec::new();
    };
    let mut edges = Vec::new();
    for path in &module.paths {
        let Some(target) = module.resolve(path, modules) else {
            continue;
        };
        if is_front_door(module, path, &target) && !uses(module, path) {
            continue;
        }
        let Some(to) = owner(target, path.is_glob, modules) else {
            continue;
        };
        if to != from && modules[to].at.first() == Some(floor) {
            edges.push(to);
        }
    }
    edges
}

/// A re-export of one name from below.
fn is_front_door(module: &Module, path: &Path, target: &[String]) -> bool {
    path.is_reexport && !path.is_glob && target.starts_with(&module.at)
}

/// Whether the module's own code says the name that it re-exports.
fn uses(module: &Module, path: &Path) -> bool {
    let Some(name) = &path.name else { return true };
    let said = module
        .tokens
        .iter()
        .filter(|token| token.text == *name)
        .count();
    let imported = module.paths.iter().filter(|path| path.name.is_some());
    let in_imports: usize = imported
        .map(|path| {
            path.segments
                .iter()
                .filter(|segment| *segment == name)
                .count()
        })
        .sum();
    said > in_imports.max(1)
}

/// The file that a path leads to, through the front doors on its way.
fn owner(mut target: Vec<String>, is_glob: bool, modules: &[Module]) -> Option<usize> {
    for _ in 0..HOPS_MAX {
        let lengths = (1..=target.len()).rev();
        let found = lengths
            .filter_map(|n| modules.iter().position(|module| module.at == target[..n]))
            .next()?;
        let module = &modules[found];
        let item = target.get(module.at.len()).filter(|_| !is_glob);
        let door = item.and_then(|item| {
            let mut doors = module
                .paths
                .iter()
                .filter(|path| path.is_reexport && !path.is_glob);
            doors.find(|path| path.name.as_ref() == Some(item))
        });
        match door.and_then(|door| module.resolve(door, modules)) {
            Some(behind) => target = behind,
            None => return Some(found),
        }
    }
    None
}
