use framewire::announce::announcement::{Announcement, FeedKey, Kind, Priority, State, Unread};
use framewire::announce::caller::Identity;
use framewire::announce::code::Code;
use framewire::announce::intent::{
    Acknowledgement, BAD_TOKEN, BYTES_MAX, Context, Intent, NO_TOKEN, Reject, Request,
    USER_MISMATCH, announcement, error, read_state, signed, unread_page,
};
use framewire::announce::outcome::Standing;
use framewire::announce::store::{Published, ReadMark, ReadState, UnreadPage};
use framewire::announce::token::Verifier;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::forge::{HEADER, at, secret, sign};

fn wanted(text: &str) -> Intent {
    Request::parse(text).unwrap().intent.unwrap()
}

fn fault(text: &str) -> Code {
    Request::parse(text).unwrap().intent.unwrap_err().code
}

fn reject(text: &str) -> Code {
    match Request::parse(text).unwrap_err() {
        Reject::Fault(fault) => fault.code,
        other => panic!("{text} was {other:?}"),
    }
}

/// A request with a token and these other members.
fn with(members: &str) -> String {
    format!(r#"{{"APIToken":"t.t.t",{members}}}"#)
}

fn fields(members: &str) -> String {
    let text = with(&format!(
        r#""Intent":"Public announcement","Group":"Public",{members}"#
    ));
    match wanted(&text) {
        Intent::Announce(draft) => draft.body,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_two_refusals_are_byte_for_byte_those_of_the_first_server() {
    //= A47 type=test
    //= A50 type=test
    assert_eq!(NO_TOKEN, r#"{"auth":false,"message":"No token provided."}"#);
    assert_eq!(
        BAD_TOKEN,
        r#"{"auth":false,"message":"Failed to authenticate token."}"#
    );
    //= A52 type=test
    assert_eq!(
        USER_MISMATCH,
        r#"{"auth":false,"message":"UserID does not match token."}"#
    );
}

#[test]
fn a_message_without_a_usable_token_has_none() {
    //= A47 type=test
    //= AU-01 type=test
    for token in [
        "",
        r#""APIToken":"","#,
        r#""APIToken":null,"#,
        r#""APIToken":0,"#,
        r#""APIToken":["t"],"#,
        r#""APIToken":{},"#,
        r#""APIToken":true,"#,
        r#""apitoken":"t","#,
    ] {
        let text = format!(r#"{{{token}"Intent":"Sign"}}"#);
        assert!(
            matches!(Request::parse(&text), Err(Reject::NoToken)),
            "{text}"
        );
    }
    assert!(matches!(Request::parse("{}"), Err(Reject::NoToken)));
}

#[test]
fn what_is_no_object_is_answered_and_not_fatal() {
    //= A43 type=test
    //= A44 type=test
    for text in [
        "",
        "x",
        "{",
        "{\"a\":1",
        "\u{0}",
        "{\"APIToken\":\"t\",}",
        "{} {}",
        "'{}'",
    ] {
        assert_eq!(reject(text), Code::MalformedJson, "{text}");
    }
    for text in [
        "null",
        "7",
        "[]",
        "\"text\"",
        "true",
        "[{\"APIToken\":\"t\"}]",
    ] {
        assert_eq!(reject(text), Code::NotAnObject, "{text}");
    }
    let twice = r#"{"APIToken":"good","APIToken":"bad","Intent":"Sign"}"#;
    assert_eq!(reject(twice), Code::MalformedJson);
    let deep = with(&format!(r#""x":{}{}"#, "[".repeat(32), "]".repeat(32)));
    assert_eq!(reject(&deep), Code::MalformedJson);
    let long = with(&format!(r#""x":"{}""#, "x".repeat(BYTES_MAX)));
    assert_eq!(reject(&long), Code::TooLarge);
    let longest = with(&format!(
        r#""Intent":"Sign","x":"{}""#,
        "x".repeat(BYTES_MAX - 43)
    ));
    assert_eq!(longest.len(), BYTES_MAX);
    assert_eq!(
        wanted(&longest),
        Intent::Sign {
            user: None,
            since: Vec::new()
        }
    );
}

#[test]
fn field_names_are_those_of_the_first_server_and_case_sensitive() {
    //= A70 type=test
    let sign = with(r#""Intent":"Sign","UserID":"u42","Bearer":"b","Namespace":"acme""#);
    assert_eq!(
        wanted(&sign),
        Intent::Sign {
            user: Some("u42".into()),
            since: Vec::new(),
        }
    );
    assert_eq!(
        Request::parse(&sign).unwrap().namespace.as_deref(),
        Some("acme")
    );
    assert_eq!(
        wanted(&with(r#""Intent":"Sign","userid":"u42""#)),
        Intent::Sign {
            user: None,
            since: Vec::new()
        }
    );
    assert_eq!(fault(&with(r#""intent":"Sign""#)), Code::MissingField);
    assert_eq!(
        wanted(&with(r#""Intent":"sign""#)),
        Intent::Unknown("sign".into())
    );
    let inform = with(r#""Intent":"Inform HR Master Data Change","UserID":"u7","Change":{}"#);
    let Intent::Announce(draft) = wanted(&inform) else {
        panic!("{:?}", wanted(&inform));
    };
    assert_eq!(
        (draft.kind, draft.feed.as_str()),
        (Kind::HrChange, "HR"),
        "of a change, UserID is whom it concerns"
    );
    assert_eq!(draft.body, r#"{"UserID":"u7","Change":{}}"#);
    for (name, value) in [("Intent", "7"), ("UserID", "7"), ("Namespace", "[]")] {
        let rest = if name == "Intent" {
            ""
        } else {
            r#""Intent":"Sign","#
        };
        assert_eq!(
            fault(&with(&format!(r#"{rest}"{name}":{value}"#))),
            Code::WrongType,
            "{name}"
        );
    }
}

#[test]
fn a_group_has_two_spellings_and_one_meaning() {
    //= A59 type=test
    //= A60 type=test
    let group = |value: &str| {
        let rest = r#""Intent":"Mark as read","UpTo":1,"Group""#;
        Request::parse(&with(&format!("{rest}:{value}")))
            .unwrap()
            .intent
            .map(|intent| match intent {
                Intent::MarkAsRead { group, .. } => group.as_str().to_owned(),
                other => panic!("{other:?}"),
            })
    };
    assert_eq!(group(r#""HR""#), Ok("HR".into()));
    assert_eq!(group(r#" { "channel" : "HR" , "x":1} "#), Ok("HR".into()));
    assert_eq!(group(r#"{"channel":"Public"}"#), Ok("Public".into()));
    for value in ["null", "{}", r#"{"channel":null}"#, r#"{"Channel":"HR"}"#] {
        assert_eq!(
            group(value).unwrap_err().code,
            Code::MissingField,
            "{value}"
        );
    }
    let long = format!("\"{}\"", "x".repeat(129));
    for value in [
        "7",
        "[]",
        "true",
        r#""""#,
        r#"{"channel":7}"#,
        r#""a\nb""#,
        &long,
    ] {
        assert_eq!(group(value).unwrap_err().code, Code::WrongType, "{value}");
    }
    for intent in ["Mark as read", "Public announcement"] {
        let text = with(&format!(
            r#""Intent":"{intent}","NotificationID":"x","Body":"x""#
        ));
        assert_eq!(fault(&text), Code::MissingField, "{intent} without Group");
    }
}

proptest! {
    #[test]
    fn prop_both_spellings_of_a_group_are_one(name in "[^\\p{Cc}]{1,32}") {
        //= A60 type=test
        let name = Value::from(name);
        let parse = |group: String| {
            wanted(&with(&format!(r#""Intent":"Mark as read","UpTo":1,"Group":{group}"#)))
        };
        prop_assert_eq!(parse(name.to_string()), parse(json!({ "channel": name }).to_string()));
    }

    #[test]
    fn prop_no_text_makes_the_parser_panic(text in any::<String>()) {
        //= A43 type=test
        drop(Request::parse(&text));
        drop(Request::parse(&with(&text)));
    }
}

#[test]
fn what_was_read_is_named_by_identifier_or_by_offset() {
    //= A61 type=test
    let mark = |members: &str| {
        let text = with(&format!(
            r#""Intent":"Mark as read","Group":"Public",{members}"#
        ));
        Request::parse(&text)
            .unwrap()
            .intent
            .map(|intent| match intent {
                Intent::MarkAsRead { mark, .. } => mark,
                other => panic!("{other:?}"),
            })
    };
    assert_eq!(
        mark(r#""NotificationID":"a""#),
        Ok(ReadMark::Ids(vec!["a".into()]))
    );
    let both = Ok(ReadMark::Ids(vec!["a".into(), "b".into()]));
    assert_eq!(mark(r#""NotificationID":["a","b"]"#), both);
    assert_eq!(mark(r#""UpTo":812"#), Ok(ReadMark::UpTo(812)));
    assert_eq!(mark(r#""UpTo":null"#).unwrap_err().code, Code::MissingField);
    for members in [
        r#""NotificationID":7"#,
        r#""NotificationID":{}"#,
        r#""NotificationID":["a",7]"#,
        r#""UpTo":"812""#,
        r#""UpTo":-1"#,
        r#""UpTo":1.0"#,
        r#""UpTo":1e3"#,
        r#""UpTo":[]"#,
        r#""UpTo":18446744073709551616"#,
        r#""UpTo":1,"NotificationID":"a""#,
    ] {
        assert_eq!(
            mark(members).unwrap_err().code,
            Code::WrongType,
            "{members}"
        );
    }
}

#[test]
fn a_page_of_unread_has_a_size_and_a_beginning() {
    //= A66 type=test
    let unread = |members: &str| {
        Request::parse(&with(&format!(
            r#""Intent":"Get unread messages"{members}"#
        )))
        .unwrap()
        .intent
    };
    assert_eq!(
        unread(""),
        Ok(Intent::GetUnread {
            limit: 50,
            after: None
        })
    );
    let expected = Intent::GetUnread {
        limit: 7,
        after: Some("1.2.3.4".parse().unwrap()),
    };
    assert_eq!(unread(r#","Limit":7,"Cursor":"1.2.3.4""#), Ok(expected));
    let plain = Ok(Intent::GetUnread {
        limit: 50,
        after: None,
    });
    assert_eq!(unread(r#","Limit":null,"Cursor":null"#), plain);
    for members in [
        r#","Limit":0"#,
        r#","Limit":-1"#,
        r#","Limit":"7""#,
        r#","Limit":1.5"#,
        r#","Cursor":7"#,
        r#","Cursor":"""#,
        r#","Cursor":"1'.2""#,
    ] {
        assert_eq!(
            unread(members).unwrap_err().code,
            Code::WrongType,
            "{members}"
        );
    }
}

#[test]
fn a_request_id_is_repeated_as_it_was_written() {
    for id in [r#""7""#, "7", "-1.50e2", r#""\u00e9""#, r#""""#] {
        let request = Request::parse(&with(&format!(r#""Intent":"x","RequestID":{id}"#))).unwrap();
        let text = error(Code::UnknownIntent, "m", &request.context);
        let tail = format!(r#""message":"m","Intent":"x","RequestID":{id}}}}}"#);
        assert!(text.ends_with(&tail), "{text}");
        serde_json::from_str::<Value>(&text).unwrap();
    }
    let long = format!("\"{}\"", "x".repeat(300));
    for id in ["true", "{}", "[7]", &long] {
        assert_eq!(
            fault(&with(&format!(r#""Intent":"Sign","RequestID":{id}"#))),
            Code::WrongType
        );
    }
}

#[test]
fn an_announcement_keeps_every_field_of_its_own_as_it_was_written() {
    let own = r#""Title":"T","n":1.50e+3,"nested":{"a": [1, 2],"\u0062":"\u00e9"},"none":null"#;
    let consumed = r#""UserID":"u","Namespace":"main","IdempotencyKey":"k","RequestID":1"#;
    assert_eq!(
        fields(&format!(r#"{own},{consumed},"Bearer":"b""#)),
        format!("{{{own}}}")
    );
    let nothing = with(&format!(
        r#""Intent":"Public announcement","Group":"Public",{consumed}"#
    ));
    assert_eq!(fault(&nothing), Code::MissingField);
    for key in [
        "7",
        r#""""#,
        r#""a\u0000""#,
        &format!("\"{}\"", "k".repeat(257)),
    ] {
        let text = format!(
            r#""Intent":"Public announcement","Group":"Public","Body":"b","IdempotencyKey":{key}"#
        );
        assert_eq!(fault(&with(&text)), Code::WrongType, "{key}");
    }
}

#[test]
fn credentials_are_taken_out_and_nothing_prints_them() {
    //= A53 type=test
    //= A81 type=test
    //= AU-19 type=test
    let (token, bearer) = ("head.private-token.sig", "a-private-bearer-of-some-length");
    let message = |members: &str| {
        format!(
            r#"{{"Intent":"Public announcement","Group":"Public","APIToken":"{token}",
            "Bearer":"{bearer}","Body":"hello"{members}}}"#
        )
    };
    let request = Request::parse(&message("")).unwrap();
    assert_eq!(request.credential.as_str(), token);
    let printed = format!("{request:?}");
    assert!(
        !printed.contains("private") && printed.contains("hello"),
        "{printed}"
    );
    for members in [
        format!(r#","copy":"{token}""#),
        format!(r#","copy":{{"deep":["x {token} y"]}}"#),
        format!(r#","{token}":1"#),
        format!(r#","Authorization":"Bearer {bearer}""#),
    ] {
        let request = Request::parse(&message(&members)).unwrap();
        let fault = request.intent.unwrap_err();
        assert_eq!(fault.code, Code::Forbidden);
        assert!(!format!("{fault:?}").contains("private"));
    }
    for bearer in ["7", "{}", "null", "[\"x\"]", "\"\""] {
        let text = with(&format!(
            r#""Intent":"Public announcement","Group":"Public","Body":"b","Bearer":{bearer}"#
        ));
        assert!(Request::parse(&text).unwrap().intent.is_ok(), "{bearer}");
    }
}

fn stored(feed: &str, body: &str) -> Announcement {
    Announcement {
        id: "01890000-0000-7000-8000-000000000000".into(),
        namespace: "main".into(),
        feed: FeedKey::new(feed).unwrap(),
        offset: 812,
        epoch: "k3f".into(),
        publisher: "alice".into(),
        sent_at: at(1_700_000_000) + std::time::Duration::from_millis(7),
        body: body.into(),
        version: 1,
        priority: Priority::Normal,
        require_ack: false,
        ack_by: None,
        visible_at: at(1_700_000_000),
        expires_at: None,
        kind: Kind::Announcement,
        state: State::Released,
    }
}

const HEAD: &str = concat!(
    r#"{"Intent":"Public announcement","Group":"Public","#,
    r#""NotificationID":"01890000-0000-7000-8000-000000000000","offset":812,"epoch":"k3f","#,
    r#""SentAt":"2023-11-14T22:13:20.007Z","Publisher":"alice""#,
);

#[test]
fn an_announcement_is_delivered_at_the_top_and_under_data() {
    let body = r#"{"Title":"T","color":"red","Body":"B","n":1.50,"Priority":"high"}"#;
    let top = r#""Title":"T","color":"red","Body":"B","n":1.50,"Priority":"high""#;
    let expected = format!(r#"{HEAD},{top},"Data":{{"color":"red","n":1.50}}}}"#);
    assert_eq!(announcement(&stored("Public", body)), expected);
    let channel = announcement(&stored("HR", "{}"));
    let group = r#""Group":{"channel":"HR"}"#;
    assert_eq!(
        channel,
        format!("{HEAD},\"Data\":{{}}}}").replace(r#""Group":"Public""#, group)
    );
}

#[test]
fn a_publisher_cannot_speak_with_the_names_of_the_server() {
    let names = [
        "NotificationID",
        "offset",
        "epoch",
        "SentAt",
        "Publisher",
        "Data",
        "auth",
        "type",
        "Intent",
        "Group",
    ];
    let members: Vec<_> = names
        .iter()
        .map(|name| format!(r#""{name}":"forged""#))
        .collect();
    let body = format!("{{{}}}", members.join(","));
    let text = announcement(&stored("Public", &body));
    assert_eq!(text, format!(r#"{HEAD},"Data":{body}}}"#));
    let sent = fields(&members[..8].join(","));
    assert_eq!(sent, format!("{{{}}}", members[..8].join(",")));
}

/// The unread that replies report in these tests, and how it is written.
fn unread() -> (Unread, &'static str) {
    let counts = vec![(FeedKey::public(), 3), (FeedKey::new("HR").unwrap(), 1)];
    let unread = Unread {
        counts,
        version: 88,
    };
    (
        unread,
        r#""unread":{"Public":3,"HR":1},"unread_version":88"#,
    )
}

fn context() -> Context {
    Request::parse(&with(r#""Intent":"Sign","RequestID":"1""#))
        .unwrap()
        .context
}

#[test]
fn the_answer_to_sign_has_its_exact_shape() {
    //= A55 type=test
    let (unread, written) = unread();
    let claims = Verifier::new(&secret())
        .verify(
            &sign(HEADER, r#"{"sub":"u\"42","exp":1700000000}"#),
            at(1_699_999_000),
        )
        .unwrap();
    let identity = Identity {
        namespace: "main".into(),
        session: "s1".into(),
        claims: claims.into(),
    };
    let standings = [Standing {
        feed: FeedKey::public(),
        offset: 812,
        epoch: "k3f".into(),
        recovered: Some(true),
    }];
    let text = signed(&identity, &standings, &unread, Some("\"1\""));
    let feeds = r#""feeds":{"Public":{"offset":812,"epoch":"k3f","recovered":true}}"#;
    let head = r#"{"auth":true,"Intent":"Sign","UserID":"u\"42","session":"s1""#;
    let end = r#""expires_at":"2023-11-14T22:13:20.000Z","ping":25"#;
    assert_eq!(
        text,
        format!(r#"{head},{end},{feeds},{written},"RequestID":"1"}}"#)
    );
}

#[test]
fn the_acknowledgement_of_a_publication_has_its_exact_shape() {
    //= A62 type=test
    let published = Published {
        announcement: stored("Public", "{}"),
        duplicate: true,
    };
    let expected = concat!(
        r#"{"type":"published","Intent":"Published","Group":"Public","#,
        r#""NotificationID":"01890000-0000-7000-8000-000000000000","offset":812,"#,
        r#""epoch":"k3f","online":7,"duplicate":true,"RequestID":"1"}"#,
    );
    assert_eq!(
        Acknowledgement::new(published, context().id).text(7),
        expected
    );
}

#[test]
fn a_page_of_unread_has_its_exact_shape() {
    //= A66 type=test
    let (unread, written) = unread();
    let head = r#"{"Intent":"Get unread messages","messages":"#;
    let page = UnreadPage {
        messages: vec![],
        unread,
        next: None,
    };
    let expected = format!(r#"{head}[],{written},"Cursor":null,"complete":true}}"#);
    assert_eq!(unread_page(&page, None), expected);

    let one = stored("Public", r#"{"Title":"T"}"#);
    let pushed = announcement(&one);
    let page = UnreadPage {
        messages: vec![one.clone(), one],
        next: "1.2.4.9".parse().ok(),
        ..page
    };
    let end = r#""Cursor":"1.2.4.9","complete":false,"RequestID":"1""#;
    let expected = format!("{head}[{pushed},{pushed}],{written},{end}}}");
    assert_eq!(unread_page(&page, context().id.as_ref()), expected);
}

#[test]
fn the_answer_to_mark_as_read_has_its_exact_shape() {
    //= A57 type=test
    let (unread, written) = unread();
    let state = ReadState {
        unread,
        newly_read: vec!["x".into()],
    };
    let ids = ReadMark::Ids(vec!["a".into(), "b".into()]);
    let text = read_state(
        &FeedKey::new("HR").unwrap(),
        &ids,
        &state,
        context().id.as_ref(),
    );
    let head = r#"{"Intent":"Mark as read","Group":{"channel":"HR"},"NotificationID":["a","b"]"#;
    assert_eq!(text, format!(r#"{head},{written},"RequestID":"1"}}"#));

    let text = read_state(&FeedKey::public(), &ReadMark::UpTo(812), &state, None);
    let head = r#"{"Intent":"Mark as read","Group":"Public","NotificationID":["x"],"UpTo":812"#;
    assert_eq!(text, format!("{head},{written}}}"));
}

#[test]
fn an_error_without_a_request_has_its_exact_shape() {
    assert_eq!(
        error(Code::MalformedJson, "m", &Context::default()),
        r#"{"type":"error","payload":{"code":"malformed_json","message":"m"}}"#
    );
}
