//! From a file, the environment and flags to a server that listens, or to the reason why not.

use tokio::net::UnixDatagram;
use tokio::time::timeout;

use crate::person::{Person, SECRET, token, token_with};
use crate::program::{PATIENCE, Running, framewire, refused, write};

const SEED: &str = include_str!("../announce_config/files/socket.yaml");
const EXAMPLE: &str = include_str!("../../examples/announce.yaml");

//= A05 type=test
//= A17 type=test
//= A30 type=test
#[tokio::test]
async fn without_a_file_one_command_runs_everything() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::serve(folder.path(), &[]).await;
    let data = folder.path().join("data");
    let mut alice = Person::sign_in(&server.url, token(&data, "alice")).await;
    assert_eq!(alice.publish("hello").await["type"], "published");
    let mut bob = Person::sign_in(&server.url, token(&data, "bob")).await;
    assert_eq!(bob.unread().await, ["hello"]);
    assert!(data.join("announce.db").is_file());
    server.stop().await;
}

//= B02 type=test
//= A29 type=test
#[tokio::test]
async fn the_first_file_is_found_and_opens_both_endpoints() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "conf/socket.yaml", SEED);
    let server = Running::serve(folder.path(), &[]).await;
    let token = token(&folder.path().join("data"), "alice");
    Person::sign_in(&server.url, token).await;
    let gateway = format!("{}/connect?namespace=main", server.url);
    framewire::client::connect(&gateway).await.unwrap();
    let elsewhere = format!("{}/connect/more", server.url);
    assert!(framewire::client::connect(&elsewhere).await.is_err());
    server.stop().await;
}

//= A18 type=test
//= C10 type=test
//= E30 type=test
#[tokio::test]
async fn the_later_source_wins() {
    let folder = tempfile::tempdir().unwrap();
    let text = "server:\n  listen: \"127.0.0.9:0\"\n  data: of-file\nannouncements:\n  path: /a\n";
    write(folder.path(), "c.yaml", text);
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.9:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let serve = || {
        let mut command = framewire(folder.path());
        command.args(["serve", "--config", "c.yaml"]);
        command
    };
    let server = Running::start(serve().env("PORT", port.to_string())).await;
    assert_eq!(server.url, format!("ws://127.0.0.9:{port}"));
    assert!(folder.path().join("of-file/announce.db").is_file());
    server.stop().await;

    let mut command = serve();
    command.env("FRAMEWIRE_SERVER_LISTEN", "127.0.0.8:0");
    command.env("FRAMEWIRE_ANNOUNCEMENTS_PATH", "/websockets");
    command.env("API_secret", SECRET);
    let server = Running::start(command.args(["--data", "of-flag"])).await;
    assert!(server.url.starts_with("ws://127.0.0.8:"), "{}", server.url);
    Person::sign_in(&server.url, token_with(SECRET, "alice", &[])).await;
    assert!(folder.path().join("of-flag/announce.db").is_file());
    assert!(!folder.path().join("of-flag/api_secret").exists());
    server.stop().await;

    let (code, said) = refused(serve().env("PORT", "70000")).await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains("PORT: server.listen: expected a port"),
        "{said}"
    );
}

//= B02 type=test
#[tokio::test]
async fn a_bad_file_is_refused_with_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let text = "limits:\n  mesage: 1KiB\nannouncements:\n  schedules:\n  - id: x\n";
    write(folder.path(), "c.yaml", text);
    let (code, said) =
        refused(framewire(folder.path()).args(["serve", "--config", "c.yaml"])).await;
    assert_eq!(code, Some(1));
    let lines: Vec<&str> = said.lines().collect();
    let expected = "c.yaml:2:3: limits.mesage: no such key; did you mean `message`?";
    assert_eq!(lines[0], expected);
    assert_eq!(
        lines.last().copied(),
        Some("framewire: c.yaml cannot be used: correct what is told above")
    );
    let (code, said) =
        refused(framewire(folder.path()).args(["serve", "--config", "no.yaml"])).await;
    assert_eq!(code, Some(1));
    assert!(
        said.starts_with("framewire: cannot read no.yaml: "),
        "{said}"
    );
    assert!(!folder.path().join("data").exists());
}

//= A09 type=test
//= WS-172 type=test
//= A18 type=test
//= A19 type=test
//= AU-18 type=test
#[tokio::test]
async fn what_is_unsafe_starts_in_development_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = |profile| format!("server:\n  listen: \"0.0.0.0:0\"\n  profile: {profile}\n");
    let serve = || {
        let mut command = framewire(folder.path());
        command.args(["serve", "--config", "c.yaml"]);
        command.env("API_secret", SECRET);
        command
    };
    write(folder.path(), "c.yaml", &text("production"));
    let (code, said) = refused(&mut serve()).await;
    assert_eq!(code, Some(1));
    let unsafe_line = "c.yaml:2:11: server.listen: tokens would cross the network in the clear";
    assert!(said.contains(unsafe_line), "{said}");
    assert!(!said.contains(SECRET));

    write(folder.path(), "c.yaml", &text("development"));
    let mut server = Running::start(&mut serve()).await;
    let warned = server.says("tokens would cross").await;
    assert!(warned.starts_with("unsafe: c.yaml:2:11:"), "{warned}");
    server.stop().await;

    let text = "server:\n  profile: production\nauth:\n  tokens:\n    secret_env: OUR_SECRET\n";
    write(folder.path(), "c.yaml", text);
    let (code, said) = refused(&mut serve()).await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains("the variable OUR_SECRET is not there"),
        "{said}"
    );
    let development = text.replace("production", "development");
    write(folder.path(), "c.yaml", &development);
    let (code, said) = refused(&mut serve()).await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains("the variable OUR_SECRET is not set"),
        "{said}"
    );
}

//= A23 type=test
//= A24 type=test
#[tokio::test]
async fn the_example_names_what_has_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.yaml", EXAMPLE);
    let mut command = framewire(folder.path());
    command.args(["serve", "--config", "c.yaml", "--listen", "127.0.0.1:0"]);
    for name in ["API_secret", "API_secret_previous", "HOURS_SECRET"] {
        command.env(name, SECRET);
    }
    let (code, said) = refused(&mut command).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("keys/identity.pem"), "{said}");
}

//= D18 type=test
#[tokio::test]
async fn the_service_manager_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    let mut command = framewire(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Running::start(command.env("NOTIFY_SOCKET", &socket)).await;
    let mut state = [0; 64];
    let length = timeout(PATIENCE, manager.recv(&mut state)).await;
    assert_eq!(&state[..length.unwrap().unwrap()], b"READY=1");
    server.stop().await;
    let length = timeout(PATIENCE, manager.recv(&mut state)).await;
    assert_eq!(&state[..length.unwrap().unwrap()], b"STOPPING=1");
}

//= A07 type=test
#[tokio::test]
async fn the_log_is_json_where_that_is_wanted_and_holds_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = framewire(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
        .env("FRAMEWIRE_OBSERVE_LOG", "json")
        .env("RUST_LOG", "debug");
    let mut server = Running::start(&mut command).await;
    let token = token(&folder.path().join("data"), "alice");
    let mut alice = Person::sign_in(&server.url, token.clone()).await;
    alice.publish("a secret plan").await;
    drop(alice);
    loop {
        let line = server.says("{").await;
        assert!(
            !line.contains(&token) && !line.contains("a secret plan"),
            "{line}"
        );
        let entry: serde_json::Value = serde_json::from_str(&line).unwrap();
        let message = entry["fields"]["message"].as_str().unwrap_or_default();
        if message.starts_with("connection") {
            break;
        }
    }
    server.stop().await;
}
