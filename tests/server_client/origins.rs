//! Which origins are let in.

use framewire::engine::UpgradeRequest;
use framewire::server::{Origins, handle_upgrade};

fn from(host: &str, origins: &[&str]) -> UpgradeRequest {
    let mut headers = vec![
        ("Host", host),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    headers.extend(origins.iter().map(|it| ("Origin", *it)));
    handle_upgrade("GET", "/", (1, 1), headers).expect("it is valid")
}

fn lets_in(origins: &Origins, host: &str, origin: &str, is_tls: bool) -> bool {
    match origins.check(&from(host, &[origin]), is_tls) {
        Ok(()) => true,
        Err(refusal) => {
            assert_eq!(refusal.status(), 403);
            false
        }
    }
}

//= C15 type=test
//= E15 type=test
#[test]
fn a_list_lets_in_what_it_names_exactly() {
    let listed = ["https://example.org", "http://127.0.0.1:3000"];
    let origins = Origins::only(listed).expect("they are origins");
    for good in [
        "https://example.org",
        "HTTPS://Example.ORG:443",
        "http://127.0.0.1:3000",
    ] {
        assert!(lets_in(&origins, "a", good, false), "{good}");
    }
    for bad in [
        "http://example.org",
        "https://example.org:8443",
        "https://www.example.org",
        "https://example.org.evil.example",
        "https://evil.example/https://example.org",
        "https://example.org@evil.example",
        "https://example.org/",
        "http://127.0.0.1",
        "example.org",
        "null",
        "",
    ] {
        assert!(!lets_in(&origins, "a", bad, false), "{bad}");
    }
}

#[test]
fn the_same_origin_is_scheme_host_and_port() {
    let same = Origins::same();
    for (host, origin, is_tls, expected) in [
        ("example.org", "http://example.org", false, true),
        ("example.org", "http://example.org", true, false),
        ("example.org", "https://example.org", true, true),
        ("example.org:443", "https://EXAMPLE.org", true, true),
        ("example.org:8080", "http://example.org:8080", false, true),
        ("example.org:8080", "http://example.org", false, false),
        ("[::1]:80", "http://[::1]", false, true),
        ("[::1]:81", "http://[::1]", false, false),
        ("example.org", "null", false, false),
    ] {
        assert_eq!(
            lets_in(&same, host, origin, is_tls),
            expected,
            "{host} {origin}"
        );
    }
}

#[test]
fn a_missing_origin_is_let_in_unless_it_must_be_there() {
    let nothing = from("a", &[]);
    assert!(Origins::same().check(&nothing, false).is_ok());
    assert!(
        Origins::same()
            .with_missing(false)
            .check(&nothing, false)
            .is_err()
    );
    assert!(
        Origins::any()
            .with_missing(false)
            .check(&nothing, false)
            .is_err()
    );
    assert!(lets_in(&Origins::any(), "a", "null", false));
}

#[test]
fn two_origins_are_let_in_by_nobody() {
    let twice = from("a", &["http://a", "http://a"]);
    for origins in [Origins::any(), Origins::same()] {
        assert!(origins.check(&twice, false).is_err());
    }
}

//= C15 type=test
#[test]
fn what_is_no_origin_cannot_be_listed() {
    for wrong in [
        "*",
        "null",
        "example.org",
        "https://",
        "https://a/b",
        "https://a:x",
        "://a",
    ] {
        let error = Origins::only([wrong]).expect_err(wrong);
        assert!(error.to_string().contains(wrong));
    }
}
