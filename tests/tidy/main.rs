//! The rules of the house, as tests.
//!
//! Each rule is a pure function from source files to faults. It is run over the tree as it
//! stands, and over samples in which the fault that it looks for has been planted.

extern crate alloc;

mod dropping;
mod floors;
mod graph;
mod imports;
mod names;
mod planted_faults;
mod planted_floors;
mod prose;
mod scan;
mod scripts;
mod shape;
mod tree;

use tree::{Fault, SourceFile};

/// Fails the calling test with every fault on a line of its own.
fn expect_none(faults: &[Fault]) {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "\n{}\n", lines.join("\n"));
}

/// The Rust files under one of the given folders.
fn rust_under(folders: &[&str]) -> Vec<SourceFile> {
    let files = tree::rust_files();
    let chosen = files
        .into_iter()
        .filter(|file| folders.iter().any(|f| file.path.starts_with(f)));
    let chosen: Vec<SourceFile> = chosen.collect();
    assert!(!chosen.is_empty(), "no Rust file under {folders:?}");
    chosen
}

#[test]
fn floors_only_look_down() {
    expect_none(&floors::check(&rust_under(&["src/"])));
}

#[test]
fn modules_of_one_floor_form_no_cycle() {
    expect_none(&graph::check(&rust_under(&["src/"])));
}

#[test]
fn paths_inside_the_crate_start_at_its_root() {
    expect_none(&floors::spelling(&rust_under(&["src/"])));
}

#[test]
fn wire_and_engine_name_no_runtime_socket_clock_or_thread() {
    expect_none(&floors::purity(&rust_under(&["src/"])));
}

#[test]
fn unsafe_code_stays_in_the_mask() {
    expect_none(&shape::unsafe_code(&rust_under(&["src/"])));
}

#[test]
fn nothing_is_left_unfinished() {
    expect_none(&prose::unfinished_code(&tree::rust_files()));
    expect_none(&prose::unfinished_text(&tree::text_files()));
}

#[test]
fn lints_are_never_allowed() {
    expect_none(&shape::allowed_lints(&rust_under(&[
        "src/", "tests/", "fuzz/",
    ])));
}

#[test]
fn citations_have_one_form() {
    expect_none(&prose::citations(&tree::rust_files()));
}

#[test]
fn lines_end_by_column_100() {
    expect_none(&shape::long_lines(&tree::rust_files()));
}

#[test]
fn files_have_one_subject() {
    expect_none(&shape::long_files(&rust_under(&["src/"])));
}

#[test]
fn roles_are_told_apart_in_one_table() {
    expect_none(&shape::role_questions(&rust_under(&["src/"])));
}

#[test]
fn every_public_async_fn_is_dropped_by_a_test() {
    let (sources, tests) = (rust_under(&["src/"]), rust_under(&["tests/"]));
    expect_none(&dropping::check(&sources, &tests));
}

#[test]
fn features_select_items_and_never_statements() {
    expect_none(&shape::features_in_bodies(&rust_under(&["src/"])));
}

#[test]
fn the_project_speaks_of_itself_alone() {
    expect_none(&prose::foreign_words(&tree::text_files()));
}

#[test]
fn public_names_of_the_root_are_listed() {
    let found = names::of_root(&tree::read("src/lib.rs"));
    if std::env::var_os("TIDY_UPDATE").is_some() {
        tree::write(names::LIST, &names::as_list(&found));
    }
    expect_none(&names::check(&found, &tree::read(names::LIST).text));
}

#[test]
fn requirement_matrix_tests_itself() {
    scripts::python(&["tests/requirements/test_matrix.py"]);
}

#[test]
fn every_requirement_that_is_cited_exists() {
    scripts::python(&["tests/requirements/matrix", "--quiet"]);
}
