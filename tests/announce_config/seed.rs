//! The file of the first gateway, byte for byte.

use framewire::announce::config::{BroadcastScope, Config, Origins};

use crate::{EXAMPLE, SEED, fault, load};

//= B02 type=test
//= B03 type=test
//= B04 type=test
//= B08 type=test
//= B14 type=test
//= B56 type=test
#[test]
fn is_read_as_it_stands() {
    let config = load(SEED).unwrap();
    let socket = config.gateway.socket.unwrap();
    assert_eq!(socket.path, "/connect");
    assert_eq!(socket.onconnect.as_deref(), Some("socket:connection"));
    assert_eq!(socket.onmessage.as_deref(), Some("socket:generalMessage"));
    let types: Vec<_> = socket
        .types
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let expected = [
        ("message_type_one", "socket:type_one"),
        ("message_type_two", "socket:type_two"),
    ];
    assert_eq!(types, expected);
    assert_eq!(socket.onclose.as_deref(), Some("socket:close"));
    assert_eq!(socket.send.as_deref(), Some("socket:send"));
    assert_eq!(socket.broadcast.as_deref(), Some("socket:broadcast"));
}

#[test]
fn gets_safe_defaults_for_what_it_does_not_say() {
    let config = load(SEED).unwrap();
    assert_eq!(
        config.gateway.socket.unwrap().broadcast_scope,
        BroadcastScope::Namespace
    );
    assert!(config.gateway.namespace_required);
    assert_eq!(config.gateway.origins, Origins::Same);
    assert_eq!(config.auth.cookie, "ID_TOKEN");
    assert!(!config.gateway.allow_raw);
    assert_eq!(config.server.listen, "127.0.0.1:4000".parse().unwrap());
    assert_eq!(config.limits, Config::default().limits);
}

//= B16 type=test
//= B17 type=test
//= B47 type=test
#[test]
fn names_of_the_old_text_lead_to_the_keys() {
    let fault = fault("gateway:\n  socket:\n    path: /c\n    connect: /c\n");
    let expected = "c.yaml:4:5: gateway.socket.connect: no such key; did you mean `path`?";
    assert_eq!(fault, expected);
    let cases = [
        (
            "onconnection: {publish: a}",
            "gateway.socket.onconnection",
            "`onconnect`",
        ),
        (
            "send: {subscribe: a, broadcast: b}",
            "gateway.socket.send.broadcast",
            "`subscribe`",
        ),
        (
            "broadcast: {subscribe: a, publish: b}",
            "gateway.socket.broadcast.publish",
            "`subscribe`",
        ),
    ];
    for (line, path, near) in cases {
        let fault = crate::fault(&format!("gateway:\n  socket:\n    path: /c\n    {line}\n"));
        assert!(fault.starts_with("c.yaml:4:"), "{fault}");
        assert!(
            fault.contains(&format!("{path}: no such key; did you mean {near}")),
            "{fault}"
        );
    }
}

//= A23 type=test
//= A24 type=test
#[test]
fn the_example_has_both_reminders() {
    let config = load(EXAMPLE).unwrap();
    let schedules = config.announcements.schedules;
    let told: Vec<_> = schedules
        .iter()
        .map(|it| (it.id.as_str(), it.cron.as_str(), it.feed.as_str()))
        .collect();
    let expected = [
        ("log-schedule-reminder", "1 10 10 * *", "Public"),
        ("log-hours-reminder", "1 10 20 * *", "Public"),
    ];
    assert_eq!(told, expected);
}
