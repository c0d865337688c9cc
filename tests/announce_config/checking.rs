//! What is said about a configuration: its meaning in words, and remarks.

use framewire::announce::config::check::{Report, Severity, Strength, World, check};
use framewire::announce::config::{Config, SecretSource};
use jiff::Timestamp;

use crate::{EXAMPLE, load};

const GOOD: Strength = Strength {
    bytes: 32,
    is_sample: false,
};

fn report(text: &str) -> Report {
    report_with(text, &|_| Some(GOOD))
}

fn report_with(text: &str, secret: &dyn Fn(&SecretSource) -> Option<Strength>) -> Report {
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let world = World { now, secret };
    check(&load(text).unwrap(), &world)
}

/// The findings as severity and path.
fn found(report: &Report) -> Vec<(Severity, &str)> {
    report
        .findings
        .iter()
        .map(|finding| (finding.severity, finding.path.as_str()))
        .collect()
}

//= B02 type=test
#[test]
fn the_example_in_words() {
    let printed = report(EXAMPLE).to_string();
    let expected = include_str!("files/example.txt");
    assert_eq!(printed, expected, "\n{printed}");
}

#[test]
fn a_server_without_a_file_is_fine() {
    let report = report("");
    assert_eq!(found(&report), []);
    assert!(
        report
            .to_string()
            .ends_with("nothing to remark\n\nfine for development\n")
    );
    assert_eq!(Config::default().server.listen.port(), 4000);
}

//= A77 type=test
#[test]
fn a_shared_store_is_told_in_words() {
    let words = |text: &str| report(text).to_string();
    let shared = words("store: { shared: true }\n");
    assert!(shared.contains("announce.db, shared by several servers of this machine\n"));
    assert!(shared.contains("servers: those that share the store; rooms, presence"));
    let alone = words("");
    assert!(alone.contains("announce.db\n") && alone.contains("servers: this one alone\n"));
}

fn schedule(cron: &str) -> String {
    format!(
        "announcements:\n  schedules:\n  - id: reminder\n    cron: \"{cron}\"\n    timezone: \
         Europe/Stockholm\n    feed: Public\n    template: {{title: t, body: b}}\n"
    )
}

//= A20 type=test
//= A21 type=test
#[test]
fn the_schedules_of_the_first_server_are_explained_and_warned_of() {
    for (cron, day) in [("10 1 10 * *", "10"), ("10 1 20 * *", "20")] {
        let report = report(&schedule(cron));
        let said =
            format!("reminder: at 01:10 on day {day} of every month ({cron}, Europe/Stockholm)");
        assert!(report.to_string().contains(&said), "{report}");
        assert_eq!(
            found(&report),
            [(Severity::Warning, "announcements.schedules[0].cron")]
        );
        let warning = format!(
            "warning: c.yaml:4:11: announcements.schedules[0].cron: the minute stands first: this \
             is 01:10, not 10:01, which is \"1 10 {day} * *\""
        );
        assert_eq!(report.findings[0].to_string(), warning);
        let right = self::report(&schedule(&format!("1 10 {day} * *")));
        assert!(
            right
                .to_string()
                .contains(&format!("at 10:01 on day {day} of every month"))
        );
        assert_eq!(found(&right), []);
        let next = format!("next: Sun 2026-12-{day} 10:01 Europe/Stockholm (+01:00)");
        let next = match day {
            "10" => next.replace("Sun", "Thu"),
            _ => next,
        };
        let right = right.to_string();
        assert!(right.contains(&next), "{right}");
        assert_eq!(right.matches("next: ").count(), 3);
    }
}

#[test]
fn a_schedule_that_never_runs_is_a_fault() {
    let faults = load(&schedule("0 0 31 2 *")).unwrap_err().to_string();
    assert!(
        faults.starts_with("c.yaml:4:11: announcements.schedules[0].cron: expected five fields"),
        "{faults}"
    );
}

/// What is remarked on; `SOCKET` stands for the least endpoint of the event bus.
const REMARKS: &[(&str, Severity, &str)] = &[
    (
        "server:\n  listen: 0.0.0.0:80",
        Severity::Unsafe,
        "server.listen",
    ),
    (
        "server:\n  listen: 0.0.0.0:80\n  allow_cleartext: true",
        Severity::Warning,
        "server.allow_cleartext",
    ),
    ("origins: [\"*\"]", Severity::Unsafe, "origins"),
    (
        "SOCKET  origins: [\"*\"]",
        Severity::Unsafe,
        "gateway.origins",
    ),
    (
        "origins: [\"http://a.example\"]",
        Severity::Warning,
        "origins",
    ),
    (
        "auth:\n  cookie: ID_TOKEN",
        Severity::Warning,
        "auth.cookie",
    ),
    (
        "SOCKET  namespace: {required: false}",
        Severity::Unsafe,
        "gateway.namespace.required",
    ),
    (
        "SOCKET    broadcast: {subscribe: b, scope: all-namespaces}",
        Severity::Unsafe,
        "gateway.socket.broadcast.scope",
    ),
    (
        "SOCKET  allow_raw: true",
        Severity::Warning,
        "gateway.allow_raw",
    ),
    (
        "SOCKET  handlers: [{topic: t, url: \"https://h.example\"}]",
        Severity::Warning,
        "gateway.handlers[0].url",
    ),
    (
        "bus: {url: \"nats://n.example\"}",
        Severity::Warning,
        "bus.url",
    ),
    (
        "limits: {messages: {rate: off}}",
        Severity::Unsafe,
        "limits.messages.rate",
    ),
    (
        "limits: {publish: {rate: off}}",
        Severity::Unsafe,
        "limits.publish.rate",
    ),
    (
        "limits: {accept_rate: off}",
        Severity::Unsafe,
        "limits.accept_rate",
    ),
    (
        "auth: {tokens: {jwks_file: set.json}}",
        Severity::Warning,
        "auth.tokens.issuer",
    ),
];

//= A09 type=test
//= WS-172 type=test
//= C15 type=test
//= AU-18 type=test
#[test]
fn what_is_unsafe_is_found_and_refused_in_production() {
    for (text, severity, path) in REMARKS {
        let text = text.replace("SOCKET", "gateway:\n  socket:\n    path: /c\n");
        let report = report(&text);
        assert_eq!(found(&report), [(*severity, *path)], "{text}");
        assert!(!report.is_refused());
        let production = match text.contains("server:") {
            true => text.replace("server:\n", "server:\n  profile: production\n"),
            false => format!("{text}\nserver: {{profile: production}}\n"),
        };
        assert_eq!(
            self::report(&production).is_refused(),
            *severity == Severity::Unsafe,
            "{production}"
        );
    }
}

//= A19 type=test
//= AU-18 type=test
#[test]
fn secrets_that_are_missing_short_or_of_an_example_are_found() {
    let path = "auth.tokens.secret_env";
    let cases = [
        ("", None, Severity::Note),
        (
            "auth: {tokens: {secret_env: OTHER}}",
            None,
            Severity::Unsafe,
        ),
        (
            "",
            Some(Strength {
                bytes: 31,
                is_sample: false,
            }),
            Severity::Unsafe,
        ),
        (
            "",
            Some(Strength {
                bytes: 64,
                is_sample: true,
            }),
            Severity::Unsafe,
        ),
    ];
    for (text, strength, severity) in cases {
        assert_eq!(found(&report_with(text, &|_| strength)), [(severity, path)]);
    }
    let unused = "auth: {tokens: {algorithms: [RS256], jwks_file: s, issuer: i, audience: a}}";
    assert_eq!(found(&report_with(unused, &|_| None)), []);
    for sample in [
        "your-256-bit-secret-your-256-bit-secret",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        assert!(Strength::of(sample.as_bytes()).is_sample, "{sample}");
    }
    assert_eq!(Strength::of(b"83b1f0c47d92e6a5b04f1c7e2d9a6835"), GOOD);
}
