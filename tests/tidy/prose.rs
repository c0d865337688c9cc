//! Rules on words: comments, citations, and what the project does not speak of.

use crate::scan::{self, Comment};
use crate::tree::{Fault, SourceFile};

/// Words that stand for work not done; they are found in comments and in text.
const UNFINISHED: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// Comments that put off, and macros that stop the program or print.
pub(crate) fn unfinished_code(files: &[SourceFile]) -> Vec<Fault> {
    const MACROS: [&str; 3] = ["dbg", "todo", "unimplemented"];
    let mut faults = Vec::new();
    for file in files {
        let scan = scan::scan(&file.text);
        for comment in &scan.comments {
            faults.extend(unfinished_line(file, comment.line, &comment.text));
        }
        for pair in scan.tokens.windows(2) {
            if pair[1].text == "!" && MACROS.contains(&pair[0].text.as_str()) {
                faults.push(Fault::new(
                    file,
                    pair[0].line,
                    format!("`{}!`", pair[0].text),
                ));
            }
        }
    }
    faults
}

/// The same words in everything that is not Rust.
pub(crate) fn unfinished_text(files: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files
        .iter()
        .filter(|file| !file.path.ends_with(".rs") && !is_lock(file))
    {
        for (index, line) in file.text.lines().enumerate() {
            faults.extend(unfinished_line(file, index + 1, line));
        }
    }
    faults
}

fn unfinished_line(file: &SourceFile, line: usize, text: &str) -> Option<Fault> {
    let found = text
        .split(|c| !scan::is_word(c))
        .find(|word| UNFINISHED.contains(word))?;
    Some(Fault::new(
        file,
        line,
        format!("`{found}`: finish it, or leave it out"),
    ))
}

/// A section is cited as `RFC 6455 §5.4`, and by `§5.4` alone once the document is clear.
pub(crate) fn citations(files: &[SourceFile]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        for comment in scan::scan(&file.text).comments {
            if let Some(what) = misspelt_citation(&comment) {
                faults.push(Fault::new(file, comment.line, what));
            }
        }
    }
    faults
}

fn misspelt_citation(comment: &Comment) -> Option<String> {
    if comment.text.trim_start().starts_with("//=") {
        return None;
    }
    // What stands between backticks is a name, not a citation.
    let prose: String = comment
        .text
        .split('`')
        .step_by(2)
        .collect::<Vec<_>>()
        .join("`");
    let lower = prose.to_ascii_lowercase();
    for (at, _) in lower.match_indices("rfc") {
        let is_inside = prose[..at].ends_with(scan::is_word);
        let after = &prose[at + 3..];
        let is_plain = after.starts_with([' ', '\'', '.', ',', ';', ':', ')']) || after.is_empty();
        let is_plural = after.starts_with("s ") || after.starts_with("s.") || after == "s";
        let is_number = after.trim_start().starts_with(|c: char| c.is_ascii_digit());
        let is_right = match is_number {
            true => &prose[at..at + 3] == "RFC" && has_good_section(after),
            false => &prose[at..at + 3] == "RFC" && (is_plain || is_plural),
        };
        if is_inside || !is_right {
            return Some("a citation reads `RFC 6455 §5.4`".into());
        }
    }
    for (at, sign) in prose.match_indices('§') {
        if !prose[at + sign.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Some("the number follows `§` at once".into());
        }
    }
    let mut words = lower
        .split_whitespace()
        .skip_while(|word| !is_section_word(word));
    let number = words.nth(1).unwrap_or_default();
    let is_spelt_out = number.starts_with(|c: char| c.is_ascii_digit());
    is_spelt_out.then(|| "a section is written `§5.4`".into())
}

fn is_section_word(word: &str) -> bool {
    matches!(
        word.trim_start_matches('('),
        "section" | "sections" | "sec."
    )
}

/// What follows `RFC`: a space, four digits, and no section unless behind ` §`.
fn has_good_section(after: &str) -> bool {
    let Some(number) = after.strip_prefix(' ') else {
        return false;
    };
    let digits = number.chars().take_while(char::is_ascii_digit).count();
    let rest = &number[digits..];
    digits == 4 && !rest.starts_with(['#', '-', '/', '_', '§']) && !rest.starts_with("  ")
}

/// Paths of one machine, the hosts packages come from, and the tools of whoever types.
pub(crate) fn foreign_words(files: &[SourceFile]) -> Vec<Fault> {
    const FOREIGN: [&str; 12] = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/tm", "p/"),
        concat!("crates", ".io"),
        concat!("npmjs", ".org"),
        concat!("npmjs", ".com"),
        concat!("pypi", ".org"),
        concat!("python", "hosted.org"),
        concat!("debian", ".org"),
        concat!("cla", "ude"),
        concat!("anthr", "opic"),
    ];
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| !is_lock(file)) {
        for (index, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            for word in FOREIGN.iter().filter(|word| lower.contains(**word)) {
                faults.push(Fault::new(
                    file,
                    index + 1,
                    format!("`{word}` is not the project's"),
                ));
            }
        }
    }
    faults
}

fn is_lock(file: &SourceFile) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    matches!(
        name,
        "Cargo.lock" | "package-lock.json" | "npm-shrinkwrap.json"
    )
}
