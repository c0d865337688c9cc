//! The paths that a file names, and the module that a path leads to.

use crate::scan::{self, Token};
use crate::tree::SourceFile;

/// A path as written, one segment a word.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
    /// Stands in a `use`; the name under which it is known there.
    pub(crate) name: Option<String>,
    pub(crate) is_reexport: bool,
    pub(crate) is_glob: bool,
    /// Modules written in braces around it, outermost first.
    pub(crate) within: Vec<String>,
}

/// A file, its place in the crate, and the paths that it names outside its tests.
pub(crate) struct Module {
    pub(crate) file: SourceFile,
    pub(crate) at: Vec<String>,
    pub(crate) paths: Vec<Path>,
    pub(crate) tokens: Vec<Token>,
}

/// Every module under `src/`, those left out that exist in tests alone.
pub(crate) fn modules(files: &[SourceFile]) -> Vec<Module> {
    let mut modules = Vec::new();
    let mut tests = Vec::new();
    for file in files {
        let Some(at) = place(&file.path) else {
            continue;
        };
        let rest = scan::without_tests(&scan::scan(&file.text).tokens);
        tests.extend(
            rest.modules
                .into_iter()
                .map(|name| [at.clone(), vec![name]].concat()),
        );
        let file = SourceFile::new(&file.path, &file.text);
        modules.push(Module {
            file,
            at,
            paths: paths(&rest.tokens),
            tokens: rest.tokens,
        });
    }
    modules.retain(|module| !tests.iter().any(|test| module.at.starts_with(test)));
    modules
}

/// `src/wire/mask/mod.rs` and `src/wire/mask.rs` are `["wire", "mask"]`; `src/lib.rs` is `[]`.
fn place(path: &str) -> Option<Vec<String>> {
    let inner = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let mut at: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if at.last().is_some_and(|last| last == "mod") || inner == "lib" {
        at.pop();
    }
    Some(at)
}

impl Module {
    /// Where a path leads from here, counted from the root of the crate; `None` if it leaves it.
    pub(crate) fn resolve(&self, path: &Path, modules: &[Self]) -> Option<Vec<String>> {
        let mut base = [self.at.as_slice(), path.within.as_slice()].concat();
        let mut rest = path.segments.as_slice();
        match rest.first()?.as_str() {
            "crate" | "framewire" => {
                base.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            child => {
                base.push(child.to_owned());
                let is_child = base.len() > 1 && modules.iter().any(|module| module.at == base);
                return is_child.then(|| [base, rest[1..].to_vec()].concat());
            }
        }
        Some([base, rest.to_vec()].concat())
    }
}

/// Every path in a `use`, and every path of two segments or more elsewhere.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut paths = Vec::new();
    let mut within: Vec<(String, usize)> = Vec::new();
    let (mut at, mut depth) = (0, 0);
    while at < tokens.len() {
        let text = |offset: usize| {
            tokens
                .get(at + offset)
                .map_or("", |token| token.text.as_str())
        };
        match text(0) {
            "mod" if text(2) == "{" => within.push((text(1).to_owned(), depth)),
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                within.retain(|(_, opened)| *opened < depth);
            }
            _ => {}
        }
        let names: Vec<String> = within.iter().map(|(name, _)| name.clone()).collect();
        if text(0) == "use" && text(1) != "<" {
            let mut tree = UseTree {
                tokens,
                at: at + 1,
                is_reexport: is_public(tokens, at),
                names,
            };
            tree.branch(&[], &mut paths);
            at = tree.at;
        } else if text(0).starts_with(scan::is_word) && text(1) == "::" && starts_path(tokens, at) {
            let path = inline(tokens, at, names);
            at += 2 * path.segments.len() - 1;
            paths.push(path);
        } else {
            at += 1;
        }
    }
    paths
}

/// Whether a `use` has a visibility before it.
fn is_public(tokens: &[Token], at: usize) -> bool {
    at > 0 && matches!(tokens[at - 1].text.as_str(), "pub" | ")")
}

/// Not in the middle of a path, and not the reach of a visibility: `pub(in crate::wire)`.
fn starts_path(tokens: &[Token], at: usize) -> bool {
    let before = |offset: usize| {
        at.checked_sub(offset)
            .map_or("", |at| tokens[at].text.as_str())
    };
    before(1) != "::" && !(before(1) == "in" && before(2) == "(" && before(3) == "pub")
}

fn inline(tokens: &[Token], at: usize, within: Vec<String>) -> Path {
    let line = tokens[at].line;
    let mut segments = vec![tokens[at].text.clone()];
    for pair in tokens[at + 1..].chunks_exact(2) {
        if pair[0].text != "::" || !pair[1].text.starts_with(scan::is_word) {
            break;
        }
        segments.push(pair[1].text.clone());
    }
    Path {
        line,
        segments,
        name: None,
        is_reexport: false,
        is_glob: false,
        within,
    }
}

struct UseTree<'a> {
    tokens: &'a [Token],
    at: usize,
    is_reexport: bool,
    names: Vec<String>,
}

impl UseTree<'_> {
    fn text(&self) -> &str {
        self.tokens
            .get(self.at)
            .map_or(";", |token| token.text.as_str())
    }

    /// One branch of the tree, below the segments of `stem`.
    fn branch(&mut self, stem: &[String], paths: &mut Vec<Path>) {
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let mut segments = stem.to_vec();
        let mut is_glob = false;
        loop {
            match self.text() {
                "::" => self.at += 1,
                "{" => return self.group(&segments, paths),
                "*" => {
                    is_glob = true;
                    self.at += 1;
                }
                "," | "}" | ";" | "as" => break,
                segment => {
                    if segment != "self" || segments.is_empty() {
                        segments.push(segment.to_owned());
                    }
                    self.at += 1;
                }
            }
        }
        let mut name = segments.last().cloned();
        if self.text() == "as" {
            name = self.tokens.get(self.at + 1).map(|token| token.text.clone());
            self.at += 2;
        }
        let (is_reexport, within) = (self.is_reexport, self.names.clone());
        paths.push(Path {
            line,
            segments,
            name,
            is_reexport,
            is_glob,
            within,
        });
    }

    fn group(&mut self, stem: &[String], paths: &mut Vec<Path>) {
        self.at += 1;
        while !matches!(self.text(), "}" | ";") {
            if self.text() == "," {
                self.at += 1;
            } else {
                self.branch(stem, paths);
            }
        }
        self.at += 1;
    }
}
