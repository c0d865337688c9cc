//! Rules on the shape of code: what may stand where, and how long it may be.

use crate::scan::{self, Token};
use crate::tree::{Fault, SourceFile};

const COLUMNS_MAX: usize = 100;
const LINES_MAX: usize = 500;

fn tokens(file: &SourceFile) -> Vec<Token> {
    scan::scan(&file.text).tokens
}

/// Whether the tokens from `at` on read as the given words.
fn reads(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    let rest = tokens.get(at..).unwrap_or_default();
    rest.len() >= words.len()
        && rest
            .iter()
            .zip(words)
            .all(|(token, word)| token.text == *word)
}

/// `unsafe` belongs to `wire::mask`.
pub(crate) fn unsafe_code(files: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        let is_mask = file.path.starts_with("src/wire/mask/") || file.path == "src/wire/mask.rs";
        for token in tokens(file)
            .iter()
            .filter(|token| token.text == "unsafe" && !is_mask)
        {
            faults.push(Fault::new(
                file,
                token.line,
                "`unsafe` outside src/wire/mask",
            ));
        }
    }
    faults
}

/// `#[expect(…, reason = "…")]` on an item says what is excepted and complains when it is not.
pub(crate) fn allowed_lints(files: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        let tokens = tokens(file);
        for at in 0..tokens.len() {
            let inner = reads(&tokens, at, &["#", "!", "[", "allow"]);
            let outer = reads(&tokens, at, &["#", "[", "allow"]);
            if inner || outer {
                let what = "`allow` of a lint: `expect` it on the item, with a reason";
                faults.push(Fault::new(file, tokens[at].line, what));
            }
        }
    }
    faults
}

pub(crate) fn long_lines(files: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                faults.push(Fault::new(file, index + 1, format!("{columns} columns")));
            }
        }
    }
    faults
}

/// A file that wants to pass the limit has two subjects. Its tests are not counted.
pub(crate) fn long_files(files: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files
        .iter()
        .filter(|file| !file.path.ends_with("/tests.rs"))
    {
        let lines = file.text.lines().count() - scan::without_tests(&tokens(file)).lines;
        if lines > LINES_MAX {
            faults.push(Fault::new(
                file,
                1,
                format!("{lines} lines: name the second subject"),
            ));
        }
    }
    faults
}

/// What client and server do differently is a row of the table in `role.rs`. The handshake, of
/// which each side has its own, is excepted; a role that is only handed on is no question.
pub(crate) fn role_questions(files: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        let path = file.path.as_str();
        let is_excepted = path.starts_with("src/engine/handshake") || path.ends_with("/role.rs");
        if !path.starts_with("src/engine/") || is_excepted || path.ends_with("/tests.rs") {
            continue;
        }
        let tokens = scan::without_tests(&tokens(file)).tokens;
        for at in 0..tokens.len() {
            let compared = ["=", "!"]
                .iter()
                .any(|sign| reads(&tokens, at, &["role", sign, "="]));
            if compared || is_role_pattern(&tokens, at) || is_role_test(&tokens, at) {
                let what = "a question of role: give the table in role.rs a row";
                faults.push(Fault::new(file, tokens[at].line, what));
            }
        }
    }
    faults
}

/// `Role::Client` as an arm, as an alternative, behind `let`, or on one side of a comparison.
fn is_role_pattern(tokens: &[Token], at: usize) -> bool {
    if !["Client", "Server"]
        .iter()
        .any(|role| reads(tokens, at, &["Role", "::", role]))
    {
        return false;
    }
    let before = at
        .checked_sub(1)
        .map_or("", |before| tokens[before].text.as_str());
    let signs: [&[&str]; 4] = [&["=", ">"], &["=", "="], &["!", "="], &["|"]];
    let compared = at >= 2 && signs[1..3].iter().any(|sign| reads(tokens, at - 2, sign));
    let followed = signs.iter().any(|sign| reads(tokens, at + 3, sign));
    compared || followed || matches!(before, "|" | "let")
}

/// `matches!` of something with a role.
fn is_role_test(tokens: &[Token], at: usize) -> bool {
    let is_call = reads(tokens, at, &["matches", "!", "("]);
    let end = if is_call {
        scan::group_end(tokens, at + 2)
    } else {
        at
    };
    (at..end).any(|inner| reads(tokens, inner, &["Role", "::"]))
}

/// A feature is a floor: it selects modules and items, and no statement knows of it.
pub(crate) fn features_in_bodies(files: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        let tokens = tokens(file);
        for body in bodies(&tokens) {
            for at in body {
                let attribute = reads(&tokens, at, &["#", "[", "cfg"])
                    && scan::attribute_at(&tokens, at)
                        .is_some_and(|range| tokens[range].iter().any(|t| t.text == "feature"));
                let expression = reads(&tokens, at, &["cfg", "!", "(", "feature"]);
                if attribute || expression {
                    let what = "a feature inside a function: select the item around it";
                    faults.push(Fault::new(file, tokens[at].line, what));
                }
            }
        }
    }
    faults
}

/// The bodies of all outermost functions.
fn bodies(tokens: &[Token]) -> Vec<core::ops::Range<usize>> {
    let mut bodies = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_function = tokens[at].text == "fn" && !reads(tokens, at, &["fn", "("]);
        at += 1;
        while is_function && at < tokens.len() {
            match tokens[at].text.as_str() {
                ";" => break,
                "{" => {
                    let end = scan::group_end(tokens, at);
                    bodies.push(at..end);
                    at = end;
                    break;
                }
                "(" | "[" => at = scan::group_end(tokens, at),
                _ => at += 1,
            }
        }
    }
    bodies
}
