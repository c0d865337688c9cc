//! Settings that fit together, and topics.

use framewire::announce::bus::{TOPIC_BYTES_MAX, Topic};
use framewire::announce::gateway::{BroadcastScope, Settings, SettingsError, TYPES_MAX, Types};

#[test]
fn the_defaults_are_the_names_of_the_first_gateway() {
    //= B03 type=test
    let settings = Settings::default();
    settings.check().unwrap();
    let names = [
        settings.onconnect,
        settings.onmessage,
        settings.onclose,
        settings.send,
        settings.broadcast,
    ];
    let names: Vec<_> = names.iter().flatten().map(Topic::as_str).collect();
    assert_eq!(
        names,
        [
            "socket:connection",
            "socket:generalMessage",
            "socket:close",
            "socket:send",
            "socket:broadcast"
        ]
    );
    assert_eq!(settings.broadcast_scope, BroadcastScope::Namespace);
    assert!(!settings.allow_raw);
}

#[test]
fn a_path_begins_with_a_slash_and_holds_no_query() {
    //= B04 type=test
    let check = |path: &str| {
        let mut settings = Settings::default();
        settings.path = path.into();
        settings.check()
    };
    assert_eq!(check("/connect"), Ok(()));
    for path in ["", "connect", "/a?b", "/a#b", "/a b", "/é"] {
        assert_eq!(check(path), Err(SettingsError::Path), "{path:?}");
    }
}

#[test]
fn clients_cannot_publish_where_the_server_listens() {
    let topic = Topic::parse("socket:send").unwrap();
    let mut settings = Settings::default();
    settings.types.insert("t", topic.clone()).unwrap();
    assert_eq!(settings.check(), Err(SettingsError::Loop(topic.clone())));
    let mut settings = Settings::default();
    settings.broadcast = Some(topic);
    assert_eq!(settings.check(), Err(SettingsError::SameTopic));
}

#[test]
fn a_type_stands_once_and_there_are_ten_thousand_at_most() {
    //= B08 type=test
    let topic = Topic::parse("t").unwrap();
    let mut types = Types::new();
    for n in 0..TYPES_MAX {
        types.insert(&n.to_string(), topic.clone()).unwrap();
    }
    let twice = types.insert("7", topic.clone());
    assert_eq!(twice, Err(SettingsError::DuplicateType("7".into())));
    assert_eq!(types.insert("x", topic), Err(SettingsError::TooManyTypes));
    assert!(types.topic("7").is_some() && types.topic("x").is_none());
}

#[test]
fn a_topic_is_any_short_text_without_control_characters() {
    //= B15 type=test
    let longest = "é".repeat(127) + "x";
    for name in ["socket:send", ":", "a b.*>%", "日本", &longest] {
        assert_eq!(Topic::parse(name).unwrap().as_str(), name);
    }
    assert_eq!(longest.len(), TOPIC_BYTES_MAX);
    for name in ["", "a\nb", "\u{7f}", "\u{85}", &(longest + "x")] {
        assert!(Topic::parse(name).is_err(), "{name:?}");
    }
}
