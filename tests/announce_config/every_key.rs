//! Each key of the reference, alone: another value is taken, and whatever is wrong with it is
//! told with its line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use framewire::announce::config::{Config, reference};

use crate::{fault, faults, load};

/// Each key with a value that is not its default. Maps have none of their own.
const OTHER: &[(&str, &str)] = &[
    ("gateway.socket.path", "/d"),
    ("gateway.socket.onconnect.publish", "t1"),
    ("gateway.socket.onmessage.publish", "t2"),
    ("gateway.socket.onmessage.types[].type", "hours"),
    ("gateway.socket.onmessage.types[].publish", "t3"),
    ("gateway.socket.onclose.publish", "t4"),
    ("gateway.socket.send.subscribe", "t5"),
    ("gateway.socket.broadcast.subscribe", "t6"),
    ("gateway.socket.broadcast.scope", "all-namespaces"),
    ("gateway.namespace.required", "false"),
    ("gateway.namespace.default", "other"),
    ("gateway.origins", "[https://b.example]"),
    ("gateway.allow_raw", "true"),
    ("gateway.handlers[].topic", "t7"),
    ("gateway.handlers[].url", "https://h.example/2"),
    ("gateway.handlers[].secret_env", "HOOK"),
    ("gateway.handlers[].secret_file", "hook.secret"),
    ("gateway.handlers[].timeout", "250ms"),
    ("announcements.path", "/said"),
    ("announcements.feeds.*.retain", "7y"),
    ("announcements.feeds.*.late_joiners", "from-joining"),
    ("announcements.feeds.*.publish", "[hr:inform]"),
    ("announcements.feeds.*.require_ack", "true"),
    ("announcements.schedules[].id", "another"),
    ("announcements.schedules[].cron", "1 10 10 * *"),
    ("announcements.schedules[].timezone", "Asia/Tokyo"),
    ("announcements.schedules[].catch_up", "all"),
    ("announcements.schedules[].feed", "role:boss"),
    ("announcements.schedules[].namespace", "other"),
    (
        "announcements.schedules[].audience_hook",
        "https://h.example/whom",
    ),
    ("announcements.schedules[].template.title", "another title"),
    ("announcements.schedules[].template.body", "another body"),
    ("announcements.schedules[].template.data", "{link: x}"),
    ("announcements.schedules[].priority", "urgent"),
    ("announcements.schedules[].paused", "true"),
    ("auth.tokens.algorithms", "[HS256, RS256]"),
    ("auth.tokens.secret_env", "OTHER_SECRET"),
    ("auth.tokens.secret_file", "token.secret"),
    ("auth.tokens.previous_secret_env", "OLD_SECRET"),
    ("auth.tokens.keys[].pem_file", "other.pem"),
    ("auth.tokens.keys[].algorithm", "ES256"),
    ("auth.tokens.keys[].kid", "k1"),
    ("auth.tokens.keys[].issuer", "https://i.example/"),
    ("auth.tokens.jwks_file", "set.json"),
    ("auth.tokens.jwks_url", "https://i.example/set"),
    ("auth.tokens.issuer", "https://i.example/"),
    ("auth.tokens.audience", "us"),
    ("auth.tokens.user_claim", "[sub]"),
    ("auth.tokens.namespace_claim", "tenants"),
    ("auth.tokens.scope_claim", "scp"),
    ("auth.tokens.roles_claim", "r"),
    ("auth.tokens.channels_claim", "[c]"),
    ("auth.tokens.skew", "5s"),
    ("auth.cookie", "SESSION"),
    ("auth.auth_timeout", "3s"),
    ("auth.expiry_grace", "0s"),
    ("origins", "[https://a.example]"),
    ("server.listen", "\"[::1]:0\""),
    ("server.data", "elsewhere"),
    ("server.tls.cert", "other.pem"),
    ("server.tls.key", "other.key"),
    ("server.trusted_proxies", "[10.0.0.0/8, \"::1\"]"),
    ("server.allow_cleartext", "true"),
    ("server.hosts", "[a.example, \"a.example:4000\"]"),
    ("server.profile", "production"),
    ("limits.connections", "200"),
    ("limits.connections_per_ip", "\"20\""),
    ("limits.connections_per_user", "2"),
    ("limits.accept_rate", "10/m"),
    ("limits.message", "32KiB"),
    ("limits.message_unauthenticated", "512B"),
    ("limits.messages.rate", "5/h"),
    ("limits.messages.burst", "3"),
    ("limits.publish.rate", "off"),
    ("limits.publish.burst", "4"),
    ("limits.queue.bytes", "1MiB"),
    ("limits.queue.messages", "7"),
    ("limits.handshake.time", "1s"),
    ("limits.handshake.bytes", "8KiB"),
    ("limits.handshake.headers", "32"),
    ("limits.compression.enabled", "true"),
    ("limits.compression.max_ratio", "100"),
    ("heartbeat.interval", "1m"),
    ("heartbeat.jitter", "1s"),
    ("heartbeat.timeout", "2s"),
    ("shutdown.drain", "1m"),
    ("shutdown.slot", "5ms"),
    ("store.driver", "sqlite"),
    ("store.path", "other.db"),
    ("store.shared", "true"),
    ("bus.driver", "nats"),
    ("bus.url", "tls://n.example:4222"),
    ("bus.prefix", "other"),
    ("observe.metrics", "false"),
    ("observe.log", "json"),
];

/// What has to stand beside a key, by what its path begins with.
const BESIDE: &[(&str, &[(&str, &str)])] = &[
    ("gateway.socket.", &[("gateway.socket.path", "/c")]),
    (
        "gateway.socket.onmessage.types",
        &[
            ("gateway.socket.onmessage.publish", "m"),
            ("gateway.socket.onmessage.types[].type", "x"),
            ("gateway.socket.onmessage.types[].publish", "y"),
        ],
    ),
    (
        "gateway.socket.broadcast.scope",
        &[("gateway.socket.broadcast.subscribe", "z")],
    ),
    (
        "gateway.handlers",
        &[
            ("gateway.handlers[].topic", "t"),
            ("gateway.handlers[].url", "https://h.example/"),
        ],
    ),
    (
        "announcements.feeds",
        &[("announcements.feeds.*.require_ack", "false")],
    ),
    (
        "announcements.schedules",
        &[
            ("announcements.schedules[].id", "one"),
            ("announcements.schedules[].cron", "\"* * * * *\""),
            ("announcements.schedules[].timezone", "UTC"),
            ("announcements.schedules[].feed", "Public"),
            ("announcements.schedules[].template.title", "title"),
            ("announcements.schedules[].template.body", "body"),
        ],
    ),
    (
        "auth.tokens.keys",
        &[
            ("auth.tokens.algorithms", "[HS256, RS256, ES256]"),
            ("auth.tokens.keys[].pem_file", "key.pem"),
            ("auth.tokens.keys[].algorithm", "RS256"),
        ],
    ),
    (
        "auth.tokens.algorithms",
        &[("auth.tokens.jwks_file", "set.json")],
    ),
    (
        "server.tls",
        &[("server.tls.cert", "c.pem"), ("server.tls.key", "c.key")],
    ),
    ("bus.", &[("bus.url", "nats://n.example")]),
    ("bus.prefix", &[("bus.driver", "nats")]),
    ("bus.url", &[("bus.driver", "nats")]),
];

/// The keys of the reference with what it says that they hold.
fn keys() -> Vec<(String, String)> {
    let reference = reference();
    let rows = reference.lines().skip(2).map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        (
            cells[0].trim_matches(['|', ' ', '`']).to_owned(),
            cells[1].to_owned(),
        )
    });
    rows.collect()
}

#[derive(Default)]
struct Map(Vec<(String, Self)>, Option<String>);

impl Map {
    fn put(&mut self, path: &str, value: &str) {
        let mut at = self;
        for part in path.replace("[]", ".-").split('.') {
            let index =
                at.0.iter()
                    .position(|(key, _)| key == part)
                    .unwrap_or_else(|| {
                        at.0.push((part.to_owned(), Self::default()));
                        at.0.len() - 1
                    });
            at = &mut at.0[index].1;
        }
        at.1 = Some(value.to_owned());
    }

    fn write(&self, depth: usize, text: &mut String) {
        for (key, inner) in &self.0 {
            let indent = "  ".repeat(depth);
            let key = match key.as_str() {
                "-" => "-".to_owned(),
                "*" => "HR:".to_owned(),
                key => format!("{key}:"),
            };
            let value = inner.1.as_deref().unwrap_or("");
            writeln!(text, "{indent}{key} {value}").unwrap();
            if inner.1.is_none() {
                inner.write(depth + 1, text);
            }
        }
    }
}

/// A file with what belongs beside a key, and the key with a value, if one is given.
fn file(path: &str, value: Option<&str>) -> String {
    let mut map = Map::default();
    for (begin, pairs) in BESIDE {
        if path.starts_with(begin) {
            pairs.iter().for_each(|(path, value)| map.put(path, value));
        }
    }
    if let Some(value) = value {
        map.put(path, value);
    }
    let mut text = String::new();
    map.write(0, &mut text);
    text
}

/// The line on which this value of the key stands.
fn line_of(text: &str, path: &str, value: &str) -> usize {
    let key = path.rsplit('.').next().unwrap();
    let end = format!("{key}: {value}");
    text.lines()
        .position(|line| line.trim_start() == end)
        .unwrap()
        + 1
}

/// The path as faults write it.
fn told(path: &str) -> String {
    path.replace("[]", "[0]").replace('*', "HR")
}

fn plain(config: &Config) -> String {
    let c = config;
    let one = (
        &c.gateway,
        &c.announcements,
        &c.auth,
        &c.origins,
        &c.server,
        &c.limits,
    );
    format!(
        "{one:?} {:?}",
        (&c.heartbeat, &c.shutdown, &c.store, &c.bus, &c.observe)
    )
}

fn is_map(expected: &str) -> bool {
    expected.starts_with("a map of keys")
        || expected.contains(" maps")
        || expected.contains("names to maps")
}

//= B47 type=test
#[test]
fn stands_in_the_list_of_this_test() {
    let of_reference: BTreeSet<String> = keys()
        .into_iter()
        .filter(|(_, it)| !is_map(it))
        .map(|(path, _)| path)
        .collect();
    let listed: BTreeSet<String> = OTHER.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(of_reference, listed);
}

//= B56 type=test
//= C10 type=test
#[test]
fn changes_the_plain_data_and_shows_as_a_difference() {
    // SQLite is the one driver, so that there is no other value.
    for (path, value) in OTHER.iter().filter(|(path, _)| *path != "store.driver") {
        let [before, after] = [None, Some(*value)].map(|value| {
            let text = file(path, value);
            load(&text).unwrap_or_else(|faults| panic!("{faults}\n{text}"))
        });
        assert_ne!(plain(&before), plain(&after), "{path}");
        let changes = Config::difference(&before, &after);
        let is_told = changes.iter().any(|change| change.path == told(path));
        assert!(is_told, "{path}: {changes:?}");
    }
}

#[test]
fn of_another_type_is_refused_with_its_line() {
    for (path, expected) in keys() {
        let is_list = expected.starts_with("a list");
        let mut wrongs = vec![if is_list { "7" } else { "[7]" }];
        if !is_map(&expected) && expected != "a map" {
            wrongs.push("{ a: 1 }");
        }
        if expected == "true or false" {
            wrongs.extend(["yes", "\"true\"", "1"]);
        }
        for wrong in wrongs.into_iter().filter(|_| !path.ends_with('*')) {
            let text = file(&path, Some(wrong));
            let faults = faults(&text);
            let line = line_of(&text, &path, wrong);
            let begin = format!("c.yaml:{line}:");
            let end = format!(": {}: expected ", told(&path));
            let is_told = |fault: &String| fault.starts_with(&begin) && fault.contains(&end);
            assert!(
                faults.iter().any(is_told),
                "{path} {wrong}: {faults:?}\n{text}"
            );
        }
    }
}

#[test]
fn misspelt_leads_to_the_right_one() {
    for (path, value) in OTHER {
        let text = file(path, Some(value));
        let key = path.rsplit('.').next().unwrap();
        let line = line_of(&text, path, value);
        let wrong = format!("{key}x");
        let (from, to) = (format!("{key}: {value}\n"), format!("{wrong}: {value}\n"));
        let faults = faults(&text.replace(&from, &to));
        let path = told(path);
        let is_told = |fault: &String| {
            fault.starts_with(&format!("c.yaml:{line}:"))
                && fault.ends_with(&format!(": {path}x: no such key; did you mean `{key}`?"))
        };
        assert!(faults.iter().any(is_told), "{path}: {faults:?}");
    }
}

#[test]
fn given_twice_is_refused_with_both_lines() {
    for (path, value) in OTHER {
        let text = file(path, Some(value));
        let key = path.rsplit('.').next().unwrap();
        let line = line_of(&text, path, value);
        let mut lines: Vec<&str> = text.lines().collect();
        lines.insert(line, lines[line - 1]);
        let fault = fault(&format!("{}\n", lines.join("\n")));
        assert!(
            fault.starts_with(&format!("c.yaml:{}:", line + 1)),
            "{fault}"
        );
        assert!(
            fault.contains(&format!("`{key}` is given twice, first in line {line}")),
            "{fault}"
        );
    }
}

//= C10 type=test
#[test]
fn out_of_range_or_without_its_unit_is_refused_with_its_line() {
    for (path, expected) in keys() {
        let wrongs: Vec<String> = match expected.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["a", "whole", "number", "from", least, "to", most] => {
                let (least, most): (u64, u64) = (least.parse().unwrap(), most.parse().unwrap());
                let below = i64::try_from(least).unwrap() - 1;
                let numbers = [below.to_string(), (most + 1).to_string()];
                let others = ["-1", "1.5", "1e3", "0x10", "99999999999999999999", "many"];
                numbers
                    .into_iter()
                    .chain(others.map(str::to_owned))
                    .collect()
            }
            ["a", "time", "from", ..] => ["101y", "10", "-1s", "1.5s", "10 s", "10S", "1h30m", "s"]
                .map(str::to_owned)
                .to_vec(),
            ["a", "size", ..] => ["0B", "5000GiB", "64", "64KB", "64kib", "1.5MiB", "-1KiB"]
                .map(str::to_owned)
                .to_vec(),
            ["a", "rate", ..] => ["0/s", "5", "5/d", "-1/s", "1.5/s", "5/", "/s", "on"]
                .map(str::to_owned)
                .to_vec(),
            _ => continue,
        };
        for wrong in wrongs {
            let text = file(&path, Some(&wrong));
            let line = line_of(&text, &path, &wrong);
            let fault = fault(&text);
            let begin = format!("c.yaml:{line}:");
            assert!(fault.starts_with(&begin), "{fault}");
            let end = format!(": {}: expected {expected}, found `{wrong}`", told(&path));
            assert!(fault.ends_with(&end), "{fault}");
        }
    }
}

#[test]
fn required_and_missing_is_told_where_it_is_missed() {
    let faults = faults("announcements:\n  schedules:\n    - id: a\n      cron: \"1 2 3 * *\"\n");
    let expected = ["timezone", "feed", "template"];
    assert_eq!(faults.len(), expected.len(), "{faults:?}");
    for (fault, key) in faults.iter().zip(expected) {
        let begin = format!("c.yaml:3:7: announcements.schedules[0].{key}: missing; expected ");
        assert!(fault.starts_with(&begin), "{fault}");
    }
}
