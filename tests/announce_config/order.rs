//! Defaults, file, environment and flags, of which the later wins; and what a reload changes.

use std::collections::{BTreeMap, BTreeSet};

use framewire::announce::config::{Config, Effect, Flags, SecretSource, Source, reference};

use crate::{EXAMPLE, SEED, load, load_with};

const FILE: &str = "server:\n  listen: 127.0.0.1:5000\n";

//= A18 type=test
//= E30 type=test
#[test]
fn the_later_source_wins() {
    let listen = |config: Config| config.server.listen.to_string();
    assert_eq!(listen(load("").unwrap()), "127.0.0.1:4000");
    assert_eq!(listen(load(FILE).unwrap()), "127.0.0.1:5000");
    let variable = [("FRAMEWIRE_SERVER_LISTEN", "127.0.0.1:6000")];
    assert_eq!(
        listen(load_with(FILE, &variable).unwrap()),
        "127.0.0.1:6000"
    );
    let both = [variable[0], ("PORT", "7000")];
    let config = load_with(FILE, &both).unwrap();
    assert_eq!(
        config.place("server.listen"),
        "the environment variable PORT"
    );
    assert_eq!(listen(config), "127.0.0.1:7000");
    let environment = both.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let flags = Flags {
        listen: Some("127.0.0.1:8000".parse().unwrap()),
        data: Some("there".into()),
    };
    let source = Source {
        name: "c.yaml".to_owned(),
        bytes: FILE.into(),
    };
    let config = Config::load(Some(&source), &BTreeMap::from(environment), &flags).unwrap();
    assert_eq!(config.place("server.listen"), "the flag --listen");
    assert_eq!(config.server.data.to_str(), Some("there"));
    assert_eq!(config.store.path.to_str(), Some("there/announce.db"));
    assert_eq!(listen(config), "127.0.0.1:8000");
}

//= E30 type=test
#[test]
fn wrong_variables_are_refused_by_name() {
    let cases = [
        (
            "PORT",
            "65536",
            "PORT: server.listen: expected a port from 0 to 65535",
        ),
        ("PORT", "", "PORT: server.listen: expected a port"),
        (
            "FRAMEWIRE_LIMITS_CONNECTIONS",
            "many",
            "limits.connections: expected a whole number",
        ),
        (
            "FRAMEWIRE_LIMITS_CONECTIONS",
            "1",
            "did you mean FRAMEWIRE_LIMITS_CONNECTIONS?",
        ),
        ("FRAMEWIRE_ORIGINS", "*", "no key has this variable"),
        (
            "FRAMEWIRE_GATEWAY_SOCKET_PATH",
            "/c",
            "`gateway.socket` is not in the file",
        ),
    ];
    for (name, value, expected) in cases {
        let fault = load_with("", &[(name, value)]).unwrap_err().to_string();
        assert!(
            fault.starts_with(&format!("the environment variable {name}: ")),
            "{fault}"
        );
        assert!(fault.contains(expected), "{fault}");
    }
    let config = load_with(SEED, &[("FRAMEWIRE_GATEWAY_SOCKET_PATH", "/d")]).unwrap();
    assert_eq!(config.gateway.socket.unwrap().path, "/d");
    load_with("", &[("PATH", "/bin"), ("FRAMEWIREX", "1")]).unwrap();
}

#[test]
fn no_two_keys_share_a_variable() {
    let reference = reference();
    let cells = reference
        .split('`')
        .filter(|cell| cell.starts_with("FRAMEWIRE_"));
    let names: Vec<&str> = cells.collect();
    assert!(names.len() > 50);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

//= A18 type=test
#[test]
fn equal_inputs_make_equal_configurations_without_secrets() {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
    let environment = [("API_secret", secret), ("PORT", "1")];
    let [one, two] = [(); 2].map(|()| load_with(EXAMPLE, &environment).unwrap());
    assert!(Config::difference(&one, &two).is_empty());
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
    assert!(!format!("{one:?}").contains(secret));
    let expected = SecretSource::VariableOrGenerated("API_secret".to_owned());
    assert_eq!(one.auth.tokens.secret, expected);
}

//= B57 type=test
#[test]
fn a_reload_applies_some_changes_and_a_start_the_others() {
    let old = load(SEED).unwrap();
    let text = format!("{SEED}origins: [\"https://a.example\"]\nlimits:\n  connections: 9000\n")
        .replace("socket:type_two", "socket:other")
        .replace("/connect", "/elsewhere");
    let changes = Config::difference(&old, &load(&text).unwrap());
    let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let expected = [
        "gateway.socket.onmessage.types[1].publish: socket:type_two -> socket:other",
        "gateway.socket.path: /connect -> /elsewhere (with the next start)",
        "limits.connections: 100000 -> 9000 (with the next start)",
        "origins: [] -> [https://a.example]",
    ];
    assert_eq!(told, expected);
    let words = EXAMPLE.replace("still empty", "not there");
    let changes = Config::difference(&load(EXAMPLE).unwrap(), &load(&words).unwrap());
    assert_eq!(
        changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["announcements.schedules[0].template.body: 69 bytes -> 67 bytes"]
    );
    let gone = Config::difference(&old, &load("").unwrap());
    let path = gone
        .iter()
        .find(|change| change.path == "gateway.socket.path")
        .unwrap();
    assert_eq!((path.effect, path.new.as_deref()), (Effect::Restart, None));
}
