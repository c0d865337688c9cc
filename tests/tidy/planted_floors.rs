//! Faults against the floors, planted, and what the rules say of them.

use crate::tree::{Fault, SourceFile};
use crate::{floors, graph};

/// A crate without a fault; each test adds one to it.
const CLEAN: &[(&str, &str)] = &[
    (
        "src/lib.rs",
        "#![no_std]\npub mod engine;\npub mod wire;\npub use crate::engine::Limits;\n",
    ),
    (
        "src/bin/framewire.rs",
        "fn main() { framewire::cli::main() }\n",
    ),
    (
        "src/wire/mod.rs",
        "//! Never names crate::engine.\npub mod header;\npub mod opcode;\n\
         pub use crate::wire::header::Header;\npub use crate::wire::opcode::Opcode;\n",
    ),
    (
        "src/wire/opcode.rs",
        "pub(in crate::wire) enum Opcode { Text }\n",
    ),
    (
        "src/wire/header.rs",
        "use crate::wire::Opcode;\npub struct Header(Opcode);\n",
    ),
    (
        "src/engine/mod.rs",
        "pub mod limits;\npub use limits::Limits;\n",
    ),
    (
        "src/engine/limits.rs",
        "use alloc::{vec, string::String};\nuse crate::{wire::{header::Header, Opcode}};\n\
         /// See [`crate::net`].\npub struct Limits<'a>(&'a str, Header, Opcode);\n\
         const WORDS: &str = \"use crate::cli::main; // \\\" crate::hub::x\";\n\
         const RAW: &str = r#\"crate::hub::x \" tokio::x\"#;\nconst TICK: char = '\"';\n\
         /* crate::server::x /* nested */ tokio::spawn */\n\
         #[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::net::Pump;\n}\n",
    ),
    (
        "src/net/mod.rs",
        "use crate::{engine::Limits, wire};\nuse tokio::net::TcpStream;\n",
    ),
    (
        "src/client/mod.rs",
        "use crate::net;\nfn f() { net::pump() }\n",
    ),
    (
        "src/server/mod.rs",
        "fn f() -> crate::net::Pump { crate::net::Pump::new() }\n",
    ),
    (
        "src/hub/mod.rs",
        "use crate::server::Server;\nuse crate::client::Client;\n",
    ),
    ("src/announce/mod.rs", "use crate::hub::Hub;\n"),
    (
        "src/cli/mod.rs",
        "use crate::announce::Announce;\npub fn main() {}\n",
    ),
];

/// The clean crate with files put in place of its own, or beside them.
fn planted(files: &[(&str, &str)]) -> Vec<SourceFile> {
    let kept = CLEAN
        .iter()
        .filter(|(path, _)| !files.iter().any(|(new, _)| new == path));
    kept.chain(files)
        .map(|(path, text)| SourceFile::new(path, text))
        .collect()
}

fn all(files: &[SourceFile]) -> Vec<Fault> {
    let rules = [
        floors::check,
        floors::spelling,
        floors::purity,
        graph::check,
    ];
    rules.iter().flat_map(|rule| rule(files)).collect()
}

/// The one fault of a planted crate reads as expected.
fn finds(files: &[(&str, &str)], expected: &str) {
    let faults: Vec<String> = all(&planted(files))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(faults, [expected]);
}

#[test]
fn a_clean_crate_has_no_fault() {
    crate::expect_none(&all(&planted(&[])));
}

#[test]
fn an_upward_path_from_the_root_is_found() {
    finds(
        &[("src/wire/opcode.rs", "\nuse crate::engine::Limits;\n")],
        "src/wire/opcode.rs:2: wire looks up to engine: crate::engine::Limits",
    );
}

#[test]
fn an_upward_path_over_the_parents_is_found() {
    let files = planted(&[("src/wire/opcode.rs", "use super::super::engine::Limits;\n")]);
    let faults: Vec<String> = all(&files).iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "src/wire/opcode.rs:1: wire looks up to engine: super::super::engine::Limits",
            "src/wire/opcode.rs:1: start at `crate::`: super::super::engine::Limits",
        ]
    );
}

#[test]
fn parents_are_counted_from_the_inline_module() {
    let text = "mod inner {\n    use super::super::super::engine::Limits;\n}\n";
    let faults = floors::check(&planted(&[("src/wire/opcode.rs", text)]));
    assert_eq!(
        faults.len(),
        1,
        "super from an inline module starts at its file"
    );
    let text = "mod inner {\n    use super::super::Header;\n}\n";
    crate::expect_none(&floors::check(&planted(&[("src/wire/opcode.rs", text)])));
}

#[test]
fn an_upward_path_in_a_group_is_found() {
    finds(
        &[(
            "src/wire/opcode.rs",
            "use crate::{\n    wire,\n    engine::{Limits as L},\n};\n",
        )],
        "src/wire/opcode.rs:3: wire looks up to engine: crate::engine::Limits",
    );
}

#[test]
fn an_upward_path_in_an_expression_is_found() {
    finds(
        &[(
            "src/wire/opcode.rs",
            "fn f() {\n    let x = crate::engine::Limits::new();\n}\n",
        )],
        "src/wire/opcode.rs:2: wire looks up to engine: crate::engine::Limits::new",
    );
}

#[test]
fn an_upward_path_in_a_type_is_found() {
    finds(
        &[(
            "src/wire/opcode.rs",
            "fn f(x: Option<&crate::engine::Limits>) {}\n",
        )],
        "src/wire/opcode.rs:1: wire looks up to engine: crate::engine::Limits",
    );
}

#[test]
fn an_upward_path_in_a_macro_is_found() {
    finds(
        &[(
            "src/wire/opcode.rs",
            "macro_rules! m { () => { $crate::engine::f() } }\n",
        )],
        "src/wire/opcode.rs:1: wire looks up to engine: crate::engine::f",
    );
}

#[test]
fn an_upward_re_export_is_found() {
    finds(
        &[(
            "src/wire/opcode.rs",
            "pub use crate::engine::Limits as Bounds;\n",
        )],
        "src/wire/opcode.rs:1: wire looks up to engine: crate::engine::Limits",
    );
}

#[test]
fn a_path_behind_test_code_is_found() {
    let text = "#[cfg(test)]\nmod tests { fn f() { 1 } }\n#[cfg(test)]\nuse crate::cli::{a, b};\n\
                #[cfg(not(test))]\nuse crate::engine::Limits;\n";
    finds(
        &[("src/wire/opcode.rs", text)],
        "src/wire/opcode.rs:6: wire looks up to engine: crate::engine::Limits",
    );
}

#[test]
fn neighbours_may_not_meet() {
    finds(
        &[("src/server/mod.rs", "use crate::client::Url;\n")],
        "src/server/mod.rs:1: server names its neighbour client: crate::client::Url",
    );
    finds(
        &[("src/client/mod.rs", "use crate::server::Listener;\n")],
        "src/client/mod.rs:1: client names its neighbour server: crate::server::Listener",
    );
}

#[test]
fn the_engine_may_not_name_net() {
    finds(
        &[("src/engine/limits.rs", "use crate::net::Pump;\n")],
        "src/engine/limits.rs:1: engine looks up to net: crate::net::Pump",
    );
}

#[test]
fn the_hub_may_not_name_announce() {
    finds(
        &[("src/hub/mod.rs", "use crate::announce::Announcement;\n")],
        "src/hub/mod.rs:1: hub looks up to announce: crate::announce::Announcement",
    );
}

#[test]
fn a_program_names_cli_alone() {
    finds(
        &[(
            "src/bin/framewire.rs",
            "fn main() { framewire::announce::serve() }\n",
        )],
        "src/bin/framewire.rs:1: a program names cli alone: framewire::announce::serve",
    );
}

#[test]
fn a_name_of_the_root_is_found() {
    finds(
        &[("src/net/mod.rs", "use crate::Limits;\n")],
        "src/net/mod.rs:1: `Limits` is named at the crate's root; name it on its floor: \
         crate::Limits",
    );
}

#[test]
fn a_file_without_a_floor_is_found() {
    for path in ["src/util.rs", "src/util/mod.rs", "src/util/strings.rs"] {
        let expected = "`util` has no floor: give it one in tests/tidy/floors.rs";
        finds(&[(path, "fn f() {}\n")], &format!("{path}:1: {expected}"));
    }
}

#[test]
fn logic_in_the_root_is_found() {
    finds(
        &[("src/lib.rs", "pub mod wire;\nfn f() {}\n")],
        "src/lib.rs:2: `fn` in lib.rs: give it a floor",
    );
}

#[test]
fn a_runtime_below_net_is_found() {
    for (path, line) in [
        ("src/wire/opcode.rs", "use tokio::io::AsyncRead;"),
        ("src/engine/limits.rs", "fn f() { tokio::io::split(s) }"),
    ] {
        let faults = floors::purity(&planted(&[(path, line)]));
        assert_eq!(faults.len(), 1, "{line}");
        assert!(
            faults[0]
                .to_string()
                .starts_with(&format!("{path}:1: not on this floor: tokio"))
        );
    }
}

#[test]
fn a_socket_clock_or_thread_below_net_is_found() {
    for line in [
        "use std::net::TcpStream;",
        "use std::{vec::Vec, time::Instant};",
        "fn f() { std::thread::yield_now() }",
        "use std::fs;",
    ] {
        let faults = floors::purity(&planted(&[("src/engine/limits.rs", line)]));
        assert_eq!(faults.len(), 1, "{line}");
    }
}

#[test]
fn a_cycle_of_two_files_is_found() {
    finds(
        &[(
            "src/wire/opcode.rs",
            "use crate::wire::header::Header;\npub struct Opcode;\n",
        )],
        "src/wire/header.rs:1: a cycle of modules: src/wire/header.rs, src/wire/opcode.rs",
    );
}

#[test]
fn a_cycle_through_a_front_door_is_found() {
    finds(
        &[(
            "src/wire/opcode.rs",
            "pub struct Opcode(crate::wire::Header);\n",
        )],
        "src/wire/header.rs:1: a cycle of modules: src/wire/header.rs, src/wire/opcode.rs",
    );
}

#[test]
fn a_cycle_of_parent_and_child_is_found() {
    finds(
        &[
            (
                "src/engine/mod.rs",
                "mod limits;\nfn f() { limits::g() }\npub const MAX: u8 = 1;\n",
            ),
            (
                "src/engine/limits.rs",
                "pub fn g() -> u8 { crate::engine::MAX }\n",
            ),
        ],
        "src/engine/limits.rs:1: a cycle of modules: src/engine/limits.rs, src/engine/mod.rs",
    );
}

#[test]
fn a_re_export_that_its_file_uses_closes_a_cycle() {
    let child = (
        "src/engine/limits.rs",
        "pub struct Limits([u8; crate::engine::MAX]);\n",
    );
    let shut = "mod limits;\npub use crate::engine::limits::Limits;\npub const MAX: usize = 1;\n";
    crate::expect_none(&all(&planted(&[child, ("src/engine/mod.rs", shut)])));
    let open = format!("{shut}fn f(limits: Limits) {{}}\n");
    finds(
        &[child, ("src/engine/mod.rs", &open)],
        "src/engine/limits.rs:1: a cycle of modules: src/engine/limits.rs, src/engine/mod.rs",
    );
}

#[test]
fn a_file_of_tests_may_look_anywhere() {
    crate::expect_none(&all(&planted(&[
        (
            "src/wire/opcode.rs",
            "pub struct Opcode;\n#[cfg(test)]\nmod tests;\n",
        ),
        (
            "src/wire/opcode/tests.rs",
            "use super::*;\nuse crate::net::Pump;\n",
        ),
    ])));
}
