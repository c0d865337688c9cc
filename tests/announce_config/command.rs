//! `framewire check-config` as a program.

use std::fs;
use std::process::{Command, Output};

use crate::{EXAMPLE, SEED};

/// Runs the command on a file with this text, in a folder of its own.
fn check(text: &str, variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.yaml"), text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_framewire"))
        .args(["check-config", "c.yaml"])
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(folder.path())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

//= B02 type=test
#[test]
fn prints_what_the_first_file_means() {
    let output = check(SEED, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("ws://127.0.0.1:4000/connect?namespace=NAME: the event bus"));
    assert!(printed.ends_with("\nfine for development\n"), "{printed}");
}

#[test]
fn tells_every_fault_on_a_line_and_exits_with_1() {
    let output = check("limits:\n  mesage: 1KiB\n  connections: 0\n", &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(lines[0].starts_with("c.yaml:2:3: limits.mesage: no such key"));
    assert!(lines[1].starts_with("c.yaml:3:16: limits.connections: expected a whole number"));
    assert!(lines[2].starts_with("framewire: c.yaml cannot be used"));
    assert!(output.stdout.is_empty());
}

//= A18 type=test
//= A19 type=test
//= AU-18 type=test
#[test]
fn what_is_unsafe_is_refused_in_production_and_told_in_development() {
    let short = [
        ("API_secret", "too-short"),
        ("API_secret_previous", "also"),
        ("HOURS_SECRET", ""),
    ];
    let output = check(EXAMPLE, &short);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    let expected = "unsafe: c.yaml:77:17: auth.tokens.secret_env: the variable API_secret holds 9 \
                    bytes, a secret needs at least 32";
    assert!(printed.contains(expected), "{printed}");
    assert!(!printed.contains("too-short"));
    assert!(printed.ends_with("refused: what is unsafe does not start in production\n"));
    let development = EXAMPLE.replace("profile: production", "profile: development");
    assert_eq!(check(&development, &short).status.code(), Some(0));
    let good = short.map(|(name, _)| (name, "83b1f0c47d92e6a5b04f1c7e2d9a6835"));
    let output = check(EXAMPLE, &good);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with("fine for production\n"));
}

#[test]
fn is_called_with_a_file_that_is_there() {
    let program = env!("CARGO_BIN_EXE_framewire");
    let output = Command::new(program).arg("check-config").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = Command::new(program)
        .args(["check-config", "not/there.yaml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("framewire: cannot read not/there.yaml: "));
}
