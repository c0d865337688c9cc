//! Another configuration for a server that runs.

use framewire::client::{Config, Tls};
use rcgen::{CertificateParams, KeyPair};

use crate::person::{Person, SECRET, token, token_with};
use crate::program::{Running, framewire, write};

const FILE: &str = "conf/socket.yaml";
const SEED: &str = include_str!("../announce_config/files/socket.yaml");

//= B57 type=test
#[tokio::test]
async fn who_is_connected_stays_and_goes_by_the_new_rules() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), FILE, SEED);
    let mut server = Running::serve(folder.path(), &[]).await;
    let mut alice = Person::sign_in(&server.url, token(&folder.path().join("data"), "alice")).await;
    assert_eq!(alice.publish("one").await["type"], "published");

    let feed = "announcements:\n  feeds:\n    Public:\n      publish: [hr:other]\n";
    let changed = format!("{SEED}{feed}limits:\n  connections: 7000\n");
    write(folder.path(), FILE, &changed);
    server.signal("HUP").await;
    let told = server.says("reloaded: ").await;
    assert!(
        told.contains("announcements.feeds.Public.publish"),
        "{told}"
    );
    assert!(told.contains("limits.connections: 100000 -> 7000 (with the next start)"));
    assert_ne!(alice.publish("two").await["type"], "published");

    write(folder.path(), FILE, "announcements:\n  feds: {}\n");
    server.signal("HUP").await;
    let told = server.says("not reloaded").await;
    assert!(told.ends_with("everything stays as it was:"), "{told}");
    let fault = server.says(FILE).await;
    assert!(
        fault.ends_with(":2:3: announcements.feds: no such key; did you mean `feeds`?"),
        "{fault}"
    );
    assert_ne!(alice.publish("two").await["type"], "published");

    write(folder.path(), FILE, SEED);
    server.signal("HUP").await;
    let told = server.says("reloaded: ").await;
    assert!(!told.contains("limits.connections"), "{told}");
    assert_eq!(alice.publish("two").await["type"], "published");
    drop(alice);
    server.stop().await;
}

//= B57 type=test
//= A55 type=test
#[tokio::test]
async fn the_secret_of_before_goes_on_until_it_is_taken_away() {
    const OTHER: &str = "5b04f1c7e2d9a683583b1f0c47d92e6a";
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let text = |secret: &str| format!("auth:\n  tokens:\n    secret_file: {secret}\n");
    for (name, secret) in [("one", SECRET), ("two", OTHER)] {
        write(folder.path(), name, secret);
        private(&file(name));
    }
    write(folder.path(), FILE, &text("one"));
    let mut server = Running::serve(folder.path(), &[]).await;
    let alice = Person::sign_in(&server.url, token_with(SECRET, "alice", &[])).await;
    write(folder.path(), FILE, &text("two"));
    server.signal("HUP").await;
    server.says("auth.tokens.secret_file: one -> two").await;
    Person::sign_in(&server.url, token_with(OTHER, "bob", &[])).await;
    let forged = token_with(SECRET, "eve", &[]);
    let subprotocol = Config::default().with_subprotocol(format!("token.{forged}"));
    let url = format!("{}/websockets", server.url);
    assert!(framewire::client::open(&url, &subprotocol).await.is_err());
    drop(alice);
    server.stop().await;
}

fn private(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A certificate for this machine that vouches for itself.
fn certificate(folder: &std::path::Path) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    write(folder, "server.pem", &certificate);
    write(folder, "server.key", &key.serialize_pem());
    certificate
}

fn trusting(certificate: &str) -> Config {
    let tls = Tls::builder().with_roots_pem(certificate.as_bytes());
    Config::default().with_tls(tls.unwrap().build().unwrap())
}

//= D35 type=test
//= A09 type=test
#[tokio::test]
async fn a_new_certificate_is_shown_to_whoever_comes_next() {
    let folder = tempfile::tempdir().unwrap();
    let first = certificate(folder.path());
    let text = "server:\n  tls: {cert: server.pem, key: server.key}\n";
    write(folder.path(), FILE, text);
    let mut command = framewire(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.env("API_secret", SECRET);
    let mut server = Running::start(&mut command).await;
    assert!(server.url.starts_with("wss://"));
    let token = || token_with(SECRET, "alice", &["announce:public"]);
    let mut alice = Person::sign_in_with(&server.url, &trusting(&first), token()).await;

    let second = certificate(folder.path());
    server.signal("HUP").await;
    server.says("reloaded: nothing has changed").await;
    let url = format!("{}/websockets", server.url);
    assert!(
        framewire::client::open(&url, &trusting(&first))
            .await
            .is_err()
    );
    Person::sign_in_with(&server.url, &trusting(&second), token()).await;
    assert_eq!(alice.publish("still here").await["type"], "published");

    write(folder.path(), "server.pem", "no certificate");
    server.signal("HUP").await;
    server.says("not reloaded").await;
    server.says("server.tls: server.pem cannot be used").await;
    Person::sign_in_with(&server.url, &trusting(&second), token()).await;
    drop(alice);
    server.stop().await;
}
