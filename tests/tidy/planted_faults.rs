//! Faults against the other rules, planted, and what the rules say of them.

use crate::tree::{Fault, SourceFile};
use crate::{dropping, names, prose, shape};

type Rule = fn(&[SourceFile]) -> Vec<Fault>;

fn count(rule: Rule, path: &str, text: &str) -> usize {
    rule(&[SourceFile::new(path, text)]).len()
}

/// Each sample has one fault.
fn refuses(rule: Rule, path: &str, samples: &[&str]) {
    for sample in samples {
        assert_eq!(count(rule, path, sample), 1, "{path}: {sample}");
    }
}

/// No sample has a fault.
fn passes(rule: Rule, path: &str, samples: &[&str]) {
    for sample in samples {
        assert_eq!(count(rule, path, sample), 0, "{path}: {sample}");
    }
}

#[test]
fn unsafe_outside_the_mask_is_found() {
    let block = "fn f() { unsafe { g() } }";
    refuses(
        shape::unsafe_code,
        "src/wire/utf8.rs",
        &[block, "unsafe impl Send for X {}"],
    );
    refuses(shape::unsafe_code, "src/net/mod.rs", &[block]);
    passes(shape::unsafe_code, "src/wire/mask/x86_64.rs", &[block]);
    passes(
        shape::unsafe_code,
        "src/net/mod.rs",
        &["// unsafe\nconst A: &str = \"unsafe\";"],
    );
}

#[test]
fn unfinished_work_is_found() {
    let code = prose::unfinished_code;
    for word in [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ] {
        refuses(
            code,
            "src/a.rs",
            &[&format!("// {word}: later\n"), &format!("/* a\n{word} */")],
        );
        passes(
            code,
            "src/a.rs",
            &[
                &format!("const A: &str = \"{word}\";"),
                &format!("// {word}S"),
            ],
        );
        refuses(
            prose::unfinished_text,
            "README.md",
            &[&format!("{word}: write this\n")],
        );
    }
    refuses(
        code,
        "src/a.rs",
        &["fn f() { dbg!(1) }", "fn f() { todo!() }"],
    );
    refuses(code, "src/a.rs", &["fn f() { core::unimplemented!() }"]);
    passes(
        code,
        "src/a.rs",
        &["// the unimplemented part", "const A: &str = \"dbg!\";"],
    );
}

#[test]
fn an_allowed_lint_is_found() {
    refuses(
        shape::allowed_lints,
        "src/a.rs",
        &["#![allow(dead_code)]", "#[allow(x)]\nfn f() {}"],
    );
    passes(
        shape::allowed_lints,
        "src/a.rs",
        &["#[expect(x, reason = \"y\")]\nfn f() {}"],
    );
}

#[test]
fn a_misspelt_citation_is_found() {
    refuses(
        prose::citations,
        "src/a.rs",
        &[
            "// RFC6455",
            "// RFC 6455, section 5.4",
            "/// rfc 6455 §5.4",
            "//! RFC-6455",
            "// see rfc6455#section-5.4",
            "// RFC 6455§5.4",
            "// RFC 6455 § 5.4",
            "// as section 5.4 says",
            "/* a\n   (Section 7) */",
            "// RFC 645 §5",
        ],
    );
    passes(
        prose::citations,
        "src/a.rs",
        &[
            "// RFC 6455 §5.4, and §7.1.7",
            "/// An RFC 6455 engine; RFC 7692 §7.1.1.",
            "// the RFC's own example, as both RFCs have it",
            "//= WS-101 type=test",
            "// see `rfc6455_5_7_hello`",
            "fn rfc6455_hello() {}",
            "// a section of the table",
        ],
    );
}

#[test]
fn a_long_line_is_found() {
    let line = "x".repeat(100);
    passes(shape::long_lines, "src/a.rs", &[&line, &"§".repeat(100)]);
    refuses(shape::long_lines, "src/a.rs", &[&format!("{line}x")]);
}

#[test]
fn a_long_file_is_found_and_its_tests_are_not_counted() {
    let code = "fn f() {}\n".repeat(500);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
    passes(
        shape::long_files,
        "src/a.rs",
        &[&code, &format!("{code}{tests}")],
    );
    refuses(
        shape::long_files,
        "src/a.rs",
        &[&format!("{code}\n"), &format!("{code}\n{tests}")],
    );
    passes(shape::long_files, "src/a/tests.rs", &[&format!("{code}\n")]);
}

#[test]
fn a_question_of_role_is_found() {
    let samples = [
        "fn f() { if self.role == x {} }",
        "fn f() { role != x }",
        "fn f() { matches!(r, Role::Client) }",
        "fn f() { match r { Role::Server => 1 } }",
        "fn f() { if let Role::Server = r {} }",
        "fn f() { self.side == Role::Client }",
        "fn f() { Role::Client != self.side }",
    ];
    refuses(shape::role_questions, "src/engine/outbox.rs", &samples);
    passes(shape::role_questions, "src/engine/role.rs", &samples);
    passes(
        shape::role_questions,
        "src/engine/handshake/server.rs",
        &samples,
    );
    passes(shape::role_questions, "src/net/mod.rs", &samples);
    let handed_on = "fn f() { Connection::new(Role::Client, limits) }";
    passes(
        shape::role_questions,
        "src/engine/connection.rs",
        &[handed_on],
    );
    let tested = "#[cfg(test)]\nmod tests { fn f() { Role::Client } }";
    passes(
        shape::role_questions,
        "src/engine/outbox.rs",
        &["fn f() { role.masks() }", tested],
    );
}

#[test]
fn a_feature_inside_a_function_is_found() {
    refuses(
        shape::features_in_bodies,
        "src/a.rs",
        &[
            "fn f() {\n    #[cfg(feature = \"net\")]\n    g();\n}",
            "impl A {\n    fn f<const N: usize>(a: [u8; 3]) { cfg!(feature = \"x\") }\n}",
            "fn f() {\n    #[cfg(all(unix, feature = \"net\"))]\n    fn g() {}\n}",
        ],
    );
    passes(
        shape::features_in_bodies,
        "src/a.rs",
        &[
            "#[cfg(feature = \"net\")]\npub mod net;",
            "impl A {\n    #[cfg(feature = \"std\")]\n    fn f() {}\n}",
            "trait T { fn f(); }\n#[cfg(feature = \"std\")]\nconst F: fn(u8) = g;",
            "fn f() {\n    #[cfg(target_arch = \"x86_64\")]\n    g();\n}",
        ],
    );
}

#[test]
fn a_word_from_elsewhere_is_found() {
    let path = concat!("let p = \"/ro", "ot/data\";");
    let host = concat!("https://crates", ".io/x");
    refuses(prose::foreign_words, "tests/a.rs", &[path, host]);
    passes(prose::foreign_words, "Cargo.lock", &[host]);
    passes(prose::foreign_words, "fuzz/Cargo.lock", &[host]);
    passes(
        prose::foreign_words,
        "README.md",
        &["the roots of /etc/ssl", "--agent NAME"],
    );
}

#[test]
fn an_unlisted_public_name_is_found() {
    let root = "pub mod wire;\nmod hidden;\n#[cfg(feature = \"net\")]\n\
                pub use crate::net::{Error, stream::WebSocket as Socket};\nuse crate::a::B;\n";
    let found = names::of_root(&SourceFile::new("src/lib.rs", root));
    assert_eq!(found, ["Error", "Socket", "mod wire"]);
    assert!(names::check(&found, &names::as_list(&found)).is_empty());
    let faults = names::check(&found, "# a comment\nError\nGone\nmod wire\n");
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "tests/tidy/public-names.txt:1: `Socket` is public and not listed",
            "tests/tidy/public-names.txt:1: `Gone` is listed and not public",
        ]
    );
}

#[test]
fn an_async_fn_that_no_test_drops_is_found() {
    let source = |docs: &str| {
        let text =
            format!("impl S {{\n    {docs}\n    #[must_use]\n    pub async fn f<T>() {{}}\n}}\n");
        [SourceFile::new("src/net/s.rs", &text)]
    };
    let says = "/// F.\n    /// # Cancel safety\n    /// Nothing is lost.";
    let test = |mark: &str| {
        [SourceFile::new(
            "tests/t.rs",
            &format!("{mark}\n#[test]\nfn t() {{}}\n"),
        )]
    };
    let faults = |source: &[SourceFile], test: &[SourceFile]| dropping::check(source, test).len();
    assert_eq!(faults(&source(says), &test("// drops: net::s::f")), 0);
    assert_eq!(faults(&source("/// F."), &test("// drops: net::s::f")), 1);
    assert_eq!(faults(&source(says), &test("// nothing")), 1);
    assert_eq!(faults(&source(says), &test("// drops: net::s::g")), 2);
    let nowhere = [SourceFile::new(
        "tests/t.rs",
        "// drops: net::s::f\nfn helper() {}\n",
    )];
    assert_eq!(faults(&source(says), &nowhere), 1);
}
