//! Texts that have to look a certain way, keys that have to agree, and secrets in the file.

use framewire::announce::config::FAULTS_MAX;

use crate::{fault, faults, load};

/// Texts that break a rule: where that is told, and what is expected.
const TEXTS: &[(&str, &str, &str)] = &[
    (
        "server:\n  listen: localhost:4000",
        "2:11",
        "an address and a port",
    ),
    (
        "server:\n  listen: 127.0.0.1:65536",
        "2:11",
        "an address and a port",
    ),
    (
        "server:\n  trusted_proxies: [10.0.0.0/33]",
        "2:21",
        "an address or a network",
    ),
    ("server:\n  hosts: [\"a b\"]", "2:11", "a host"),
    ("announcements:\n  path: websockets", "2:9", "a path"),
    ("announcements:\n  path: /a?b=c", "2:9", "a path"),
    ("announcements:\n  path: /a/../b", "2:9", "a path"),
    (
        "gateway:\n  namespace: {default: \"a b\"}",
        "2:24",
        "a namespace",
    ),
    (
        "gateway:\n  socket:\n    path: /c\n    send: {subscribe: \"a\\tb\"}",
        "4:23",
        "a topic",
    ),
    ("origins: [app.example.com]", "1:11", "an origin"),
    (
        "origins: [\"https://app.example.com/\"]",
        "1:11",
        "an origin",
    ),
    (
        "bus:\n  url: \"nats://me:word@n.example\"",
        "2:8",
        "a nats or tls URL without a user",
    ),
    ("auth:\n  cookie: \"a=b\"", "2:11", "the name of a cookie"),
    (
        "auth:\n  tokens: {issuer: 7}",
        "2:20",
        "text of at most 255 bytes",
    ),
    ("announcements:\n  feeds: {\"\\n\": {}}", "2:11", "a feed"),
];

//= B15 type=test
#[test]
fn texts_follow_their_rules() {
    for (text, spot, expected) in TEXTS {
        let fault = fault(text);
        assert!(fault.starts_with(&format!("c.yaml:{spot}: ")), "{fault}");
        assert!(fault.contains(&format!("expected {expected}")), "{fault}");
    }
    let schedule = |cron: &str, zone: &str| {
        format!(
            "announcements:\n  schedules:\n  - id: a\n    cron: {cron}\n    timezone: {zone}\n    \
             feed: Public\n    template: {{title: t, body: b}}\n"
        )
    };
    load(&schedule("1 10 20 * *", "Europe/Stockholm")).unwrap();
    let zone = fault(&schedule("1 10 20 * *", "Europe/Stockhom"));
    assert!(
        zone.starts_with("c.yaml:5:15: announcements.schedules[0].timezone: "),
        "{zone}"
    );
    let cron = fault(&schedule("1 10 20 *", "UTC"));
    assert!(
        cron.contains("c.yaml:4:11: ") && cron.contains("five fields"),
        "{cron}"
    );
}

//= A19 type=test
//= AU-18 type=test
#[test]
fn secrets_never_stand_in_the_file_and_are_not_repeated() {
    const SECRET: &str = "do-not-tell-4711";
    for key in [
        "secret",
        "api_secret",
        "API_secret",
        "previous_secret",
        "password",
        "token",
    ] {
        let fault = fault(&format!("auth:\n  tokens:\n    {key}: {SECRET}\n"));
        assert!(fault.starts_with("c.yaml:3:5: auth.tokens."), "{fault}");
        assert!(
            fault.contains("secret_env") && fault.contains("secret_file"),
            "{fault}"
        );
        assert!(!fault.contains(SECRET), "{fault}");
    }
    let misplaced = fault(&format!("auth:\n  tokens:\n    secret_env: {SECRET}\n"));
    assert!(misplaced.contains("never the secret itself"), "{misplaced}");
    assert!(!misplaced.contains(SECRET), "{misplaced}");
    for key in ["insecure_skip_verify", "insecure"] {
        let fault = fault(&format!("auth:\n  {key}: true\n"));
        assert!(fault.ends_with("no check can be switched off"), "{fault}");
    }
}

//= AU-18 type=test
#[test]
fn the_algorithm_none_is_never_taken() {
    for name in ["none", "None", "NONE"] {
        let fault = fault(&format!(
            "auth:\n  tokens:\n    algorithms: [HS256, \"{name}\"]\n"
        ));
        assert!(
            fault.starts_with("c.yaml:3:25: auth.tokens.algorithms: "),
            "{fault}"
        );
        assert!(fault.contains("anybody could be anybody"), "{fault}");
    }
}

/// Keys that disagree: where that is told, and what is said.
const DISAGREEMENTS: &[(&str, &str, &str)] = &[
    (
        "gateway:\n  socket: {path: /websockets}",
        "2:18",
        "announcements.path is the same",
    ),
    (
        "announcements: {path: /api/v1}",
        "1:23",
        "the server's own pages",
    ),
    (
        "server:\n  tls: {cert: a}",
        "2:15",
        "server.tls.key is missing",
    ),
    ("bus: {driver: nats}", "1:15", "nats needs bus.url"),
    (
        "origins: [\"*\", \"https://a.example\"]",
        "1:10",
        "\"*\" lets all origins in",
    ),
    (
        "limits: {message: 2KiB}",
        "the default",
        "larger than limits.message",
    ),
    (
        "limits: {message: 1MiB, queue: {bytes: 64KiB}}",
        "1:40",
        "smaller than limits.message",
    ),
    (
        "heartbeat: {interval: 1s}",
        "the default",
        "longer than heartbeat.interval",
    ),
    (
        "auth: {tokens: {algorithms: [RS256]}}",
        "1:29",
        "RS256 needs a public key",
    ),
    (
        "auth: {tokens: {jwks_url: \"http://i.example\"}}",
        "1:27",
        "expected https",
    ),
    (
        "auth: {tokens: {keys: [{pem_file: k, algorithm: HS256}]}}",
        "1:49",
        "an HS algorithm has a secret",
    ),
    (
        "auth: {tokens: {secret_env: A, secret_file: b}}",
        "1:45",
        "secret_env is set as well",
    ),
    (
        "auth: {tokens: {previous_secret_env: API_secret}}",
        "1:38",
        "secret_env names the same variable",
    ),
    (
        "gateway: {socket: {path: /c, send: {subscribe: a}, broadcast: {subscribe: a}}}",
        "1:75",
        "send.subscribe is the same topic",
    ),
    (
        "gateway: {socket: {path: /c, onclose: {publish: a}, send: {subscribe: a}}}",
        "1:71",
        "the server publishes on this topic",
    ),
    (
        "gateway: {socket: {path: /c, onmessage: {publish: m, types: [{type: a, publish: b}, \
             {type: a, publish: c}]}}}",
        "1:92",
        "gateway.socket.onmessage.types[0] has the same type",
    ),
];

//= B08 type=test
#[test]
fn keys_agree() {
    for (text, spot, expected) in DISAGREEMENTS {
        let fault = fault(text);
        let spot = match spot.contains(':') {
            true => format!("c.yaml:{spot}: "),
            false => (*spot).to_owned(),
        };
        assert!(
            fault.starts_with(&spot) && fault.contains(expected),
            "{fault}"
        );
    }
}

//= B02 type=test
#[test]
fn all_faults_are_told_at_once_in_their_order() {
    let text =
        "limits:\n  connections: none\n  mesage: 1KiB\nserver:\n  listen: here\nunknown: 1\n";
    let faults = faults(text);
    let lines: Vec<&str> = faults.iter().map(|fault| &fault[..9]).collect();
    assert_eq!(lines, ["c.yaml:2:", "c.yaml:3:", "c.yaml:5:", "c.yaml:6:"]);
    assert!(faults[1].ends_with("limits.mesage: no such key; did you mean `message`?"));
    assert!(faults[3].contains("unknown: no such key; expected gateway, announcements, "));
    let many: String = (0..300).map(|at| format!("k{at}: 1\n")).collect();
    let many = load(&many).unwrap_err();
    assert_eq!(many.as_slice().len(), FAULTS_MAX);
    assert!(many.to_string().ends_with("\nand 200 more"));
}
