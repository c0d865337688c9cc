//! Rust source as tokens and comments: as much of the grammar as the rules need.

use core::ops::Range;

/// A word, a number, a lifetime, `::`, or one other character. A literal is `""`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// One line of a comment, its slashes included.
pub(crate) struct Comment {
    pub(crate) line: usize,
    pub(crate) text: String,
}

#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) tokens: Vec<Token>,
    pub(crate) comments: Vec<Comment>,
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(crate) fn scan(text: &str) -> Scan {
    let mut reader = Reader {
        chars: text.chars().collect(),
        at: 0,
        line: 1,
        out: Scan::default(),
    };
    while reader.at < reader.chars.len() {
        reader.step();
    }
    reader.out
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
    out: Scan,
}

impl Reader {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn advance(&mut self) -> char {
        let c = self.peek(0);
        self.at += 1;
        self.line += usize::from(c == '\n');
        c
    }

    fn push(&mut self, line: usize, text: impl Into<String>) {
        self.out.tokens.push(Token {
            line,
            text: text.into(),
        });
    }

    fn step(&mut self) {
        let line = self.line;
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.line_comment(),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.quoted('"'),
            ('\'', _) => self.tick(),
            (':', ':') => {
                self.at += 2;
                self.push(line, "::");
            }
            (c, _) if is_word(c) => self.word(),
            (c, _) => {
                self.advance();
                if !c.is_whitespace() {
                    self.push(line, c);
                }
            }
        }
    }

    fn line_comment(&mut self) {
        let start = self.at;
        while self.at < self.chars.len() && self.peek(0) != '\n' {
            self.at += 1;
        }
        let text = self.chars[start..self.at].iter().collect();
        self.out.comments.push(Comment {
            line: self.line,
            text,
        });
    }

    fn block_comment(&mut self) {
        let (first, start, mut depth) = (self.line, self.at, 0);
        loop {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.advance();
                    if self.at >= self.chars.len() {
                        break;
                    }
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                break;
            }
        }
        let end = self.at.min(self.chars.len());
        let text: String = self.chars[start..end].iter().collect();
        for (offset, text) in text.lines().enumerate() {
            self.out.comments.push(Comment {
                line: first + offset,
                text: text.to_owned(),
            });
        }
    }

    fn quoted(&mut self, end: char) {
        let line = self.line;
        self.advance();
        while self.at < self.chars.len() {
            match self.advance() {
                '\\' => drop(self.advance()),
                c if c == end => break,
                _ => {}
            }
        }
        self.push(line, "\"\"");
    }

    /// A raw string; stands at the first `#` or at the quote.
    fn raw(&mut self) {
        let line = self.line;
        let mut hashes = 0;
        while self.peek(0) == '#' {
            hashes += 1;
            self.at += 1;
        }
        self.advance();
        while self.at < self.chars.len() {
            let closes = self.advance() == '"' && (0..hashes).all(|i| self.peek(i) == '#');
            if closes {
                self.at += hashes;
                break;
            }
        }
        self.push(line, "\"\"");
    }

    /// A character or a lifetime.
    fn tick(&mut self) {
        if self.peek(1) == '\\' || self.peek(2) == '\'' {
            self.quoted('\'');
            return;
        }
        let line = self.line;
        self.at += 1;
        let name = self.take_word();
        self.push(line, format!("'{name}"));
    }

    fn take_word(&mut self) -> String {
        let start = self.at;
        while is_word(self.peek(0)) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn word(&mut self) {
        let line = self.line;
        let word = self.take_word();
        let is_raw = matches!(word.as_str(), "r" | "br" | "cr");
        let is_prefix = is_raw || matches!(word.as_str(), "b" | "c");
        match (self.peek(0), self.peek(1)) {
            ('"', _) if is_raw => self.raw(),
            ('#', '"' | '#') if is_raw => self.raw(),
            ('#', _) if word == "r" => {
                self.at += 1;
                let name = self.take_word();
                self.push(line, name);
            }
            ('"', _) if is_prefix => self.quoted('"'),
            ('\'', _) if word == "b" => self.quoted('\''),
            _ => self.push(line, word),
        }
    }
}

/// The tokens without the items that exist in tests alone.
pub(crate) struct Tested {
    pub(crate) tokens: Vec<Token>,
    /// Lines that those items take.
    pub(crate) lines: usize,
    /// Modules declared with `#[cfg(test)] mod name;`, whose files are left out as well.
    pub(crate) modules: Vec<String>,
}

pub(crate) fn without_tests(tokens: &[Token]) -> Tested {
    let mut rest = Tested {
        tokens: Vec::new(),
        lines: 0,
        modules: Vec::new(),
    };
    let mut at = 0;
    while at < tokens.len() {
        let Some(attribute) =
            attribute_at(tokens, at).filter(|range| is_test(&tokens[range.clone()]))
        else {
            rest.tokens.push(tokens[at].clone());
            at += 1;
            continue;
        };
        let item = skip_attributes(tokens, attribute.end);
        let end = item_end(tokens, item);
        rest.lines += tokens[end - 1].line + 1 - tokens[at].line;
        let declared = tokens[item..end].iter().position(|t| t.text == "mod");
        if let Some(found) = declared.filter(|_| tokens[end - 1].text == ";") {
            rest.modules.push(tokens[item + found + 1].text.clone());
        }
        at = end;
    }
    rest
}

/// An outer attribute: `#[…]`.
pub(crate) fn attribute_at(tokens: &[Token], at: usize) -> Option<Range<usize>> {
    let starts = tokens.get(at)?.text == "#" && tokens.get(at + 1)?.text == "[";
    starts.then(|| at..group_end(tokens, at + 1))
}

/// One past the bracket that closes the one at `open`.
pub(crate) fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

fn is_test(attribute: &[Token]) -> bool {
    let has = |word: &str| attribute.iter().any(|token| token.text == word);
    let name = attribute.get(2).map_or("", |token| token.text.as_str());
    match name {
        "test" => attribute.len() == 4,
        "cfg" => has("test") && !has("not") && !has("any"),
        _ => false,
    }
}

fn skip_attributes(tokens: &[Token], mut at: usize) -> usize {
    while let Some(range) = attribute_at(tokens, at) {
        at = range.end;
    }
    at
}

/// One past the end of the item that starts at `at`: its body, its `;`, or a field's `,`.
fn item_end(tokens: &[Token], at: usize) -> usize {
    const ITEMS: [&str; 15] = [
        "pub", "fn", "mod", "use", "impl", "struct", "enum", "const", "static", "trait", "type",
        "unsafe", "async", "extern", "let",
    ];
    let is_item = tokens
        .get(at)
        .is_some_and(|token| ITEMS.contains(&token.text.as_str()));
    let keyword = tokens[at..]
        .iter()
        .find(|t| ITEMS[1..].contains(&t.text.as_str()));
    let is_use = keyword.is_some_and(|token| token.text == "use");
    let mut here = at;
    while here < tokens.len() {
        match tokens[here].text.as_str() {
            ";" => return here + 1,
            "," if !is_item => return here + 1,
            "}" | ")" if !is_item => return here,
            "{" if is_item && !is_use => {
                let end = group_end(tokens, here);
                let closed = tokens.get(end).is_some_and(|token| token.text == ";");
                return end + usize::from(closed);
            }
            "(" | "[" | "{" => here = group_end(tokens, here),
            _ => here += 1,
        }
    }
    tokens.len()
}
