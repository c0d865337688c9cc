//! Blocks of code in Markdown, and the quotes in those for a shell.

use std::fs;
use std::path::{Path, PathBuf};

/// The blocks of `text` that are said to be in `language`.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = text.split(fence.as_str()).skip(1);
    let blocks = parts.map(|part| part.split("\n```").next().unwrap().to_owned() + "\n");
    blocks.collect()
}

/// The words with `://` in which a shell would take a `?` or `&` for its own.
fn unquoted(script: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut quote = None;
    let (mut word, mut is_bare) = (String::new(), false);
    for character in script.chars().chain([' ']) {
        match quote {
            Some(open) if character == open => quote = None,
            None if character == '"' || character == '\'' => quote = Some(character),
            None if character.is_whitespace() => {
                if is_bare && word.contains("://") {
                    found.push(word.clone());
                }
                word.clear();
                is_bare = false;
                continue;
            }
            None if character == '?' || character == '&' => is_bare = true,
            _ => {}
        }
        word.push(character);
    }
    found
}

/// Everything that people read: Markdown, and the comments of sources without their marks.
fn texts(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                texts(&path, found);
            }
        } else if name.ends_with(".md") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).unwrap();
            let comments = text.lines().filter_map(|line| {
                let line = line.trim_start();
                let marks = ["//! ", "/// ", "//!", "///"];
                marks.iter().find_map(|mark| line.strip_prefix(mark))
            });
            let comments: Vec<_> = comments.collect();
            found.push((path, comments.join("\n")));
        }
    }
}

//= B21 type=test
#[test]
fn addresses_in_shell_blocks_are_quoted() {
    assert_eq!(
        unquoted("curl http://h/a?b=1 'http://h/?c' \"http://h/?d&e\" ws://h/x -d a&\n"),
        ["http://h/a?b=1"]
    );
    assert_eq!(unquoted("cat ws://h/?a&b\n"), ["ws://h/?a&b"]);
    let mut found = Vec::new();
    texts(Path::new(env!("CARGO_MANIFEST_DIR")), &mut found);
    let mut seen = 0;
    for (path, text) in found {
        for block in ["sh", "console", "bash"].map(|language| blocks(&text, language)) {
            for script in block {
                seen += 1;
                assert_eq!(unquoted(&script), [""; 0], "{}", path.display());
            }
        }
    }
    assert!(seen >= 3, "the blocks of README are among them");
}
