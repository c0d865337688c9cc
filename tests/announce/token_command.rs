//! The command `token`.

use std::process::Command;
use std::time::SystemTime;

use framewire::announce::secret::{FILE, Secret};
use framewire::announce::token::Verifier;

fn token(data: &std::path::Path, more: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_framewire"))
        .args(["token", "--user", "bob", "--data"])
        .arg(data)
        .args(more)
        .env_remove("API_secret")
        .output()
        .unwrap()
}

#[test]
fn the_command_mints_what_its_arguments_say() {
    let data = tempfile::tempdir().unwrap();
    let more = [
        "--namespace",
        "acme",
        "--scope",
        "announce:channel",
        "--scope",
        "x",
        "--channel",
        "HR",
        "--channel",
        "IT",
        "--role",
        "nurse",
    ];
    let output = token(data.path(), &more);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let secret = std::fs::read_to_string(data.path().join(FILE)).unwrap();
    let secret = Secret::from_variable("S", secret.trim_end().into()).unwrap();
    let claims = Verifier::new(&secret).verify(text.trim_end(), SystemTime::now());
    let claims = claims.unwrap();
    assert_eq!(claims.user(), "bob");
    assert_eq!(claims.namespaces(), ["acme"]);
    assert_eq!(claims.channels(), ["HR", "IT"]);
    assert_eq!(claims.roles(), ["nurse"]);
    assert!(claims.allows("x") && claims.allows("announce:channel:HR"));
    assert!(claims.issued_at().is_some());

    let output = token(data.path(), &["--role", "two\nlines"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("roles"), "{said}");
}
