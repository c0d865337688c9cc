use std::time::Duration;

use framewire::announce::announcement::FeedKey;
use framewire::announce::caller::Caller;
use framewire::announce::desk::Desk;
use framewire::announce::event::Event;
use framewire::announce::intent;
use framewire::announce::outcome::{Audience, Close, Outcome, Standing};
use framewire::announce::store::{Releases, Store};
use framewire::announce::token::{Minter, TokenError, Verifier};
use serde_json::Value;

use crate::forge::{HEADER, NOW, at, now, payload, secret, sign};

struct Server {
    desk: Desk,
    releases: Releases,
    folder: tempfile::TempDir,
}

fn server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    open(folder)
}

fn open(folder: tempfile::TempDir) -> Server {
    let store = Store::open(&folder.path().join("announce.db")).unwrap();
    let desk = Desk::new(store, Verifier::new(&secret()));
    let releases = desk.store().releases();
    Server {
        desk,
        releases,
        folder,
    }
}

fn token(user: &str, namespaces: &[&str], scopes: &[&str]) -> String {
    let hour = Duration::from_secs(3600);
    Minter::new(&secret())
        .mint(user, namespaces, scopes, hour, now())
        .unwrap()
}

fn reader(user: &str) -> String {
    token(user, &[], &[])
}

fn publisher(user: &str) -> String {
    token(user, &[], &["announce:public"])
}

fn message(token: &str, intent: &str, members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"APIToken":"{token}","Intent":"{intent}"{comma}{members}}}"#)
}

const TO_PUBLIC: &str = r#""Group":"Public","Title":"T","Body":"B""#;

/// The replies of an outcome, as they would be sent with 7 connections online.
async fn texts(server: &Server, outcome: Outcome) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some(welcome) = &outcome.signed_in {
        let identity = &welcome.identity;
        let entered = server.desk.enter(identity, now()).await.unwrap();
        let standings: Vec<_> = entered
            .feeds
            .into_iter()
            .map(|state| Standing {
                feed: state.feed,
                offset: state.top,
                epoch: state.epoch,
                recovered: None,
            })
            .collect();
        let id = welcome.reply_to.as_deref();
        texts.push(intent::signed(identity, &standings, &entered.unread, id));
    }
    texts.extend(outcome.replies.into_iter().map(|reply| reply.text(7)));
    texts
}

/// The next announcement as it would be sent.
async fn announced(server: &mut Server) -> Option<String> {
    let release = server.releases.next().await?;
    intent::event(&Event::Released(release.into()))
}

async fn handle(server: &Server, caller: &mut Caller, text: &str) -> Outcome {
    intent::handle(&server.desk, caller, text, now()).await
}

async fn say(server: &Server, caller: &mut Caller, text: &str) -> (Value, Option<Close>) {
    let outcome = handle(server, caller, text).await;
    let close = outcome.close;
    let texts = texts(server, outcome).await;
    assert_eq!(texts.len(), 1, "one message, one reply");
    (serde_json::from_str(&texts[0]).unwrap(), close)
}

async fn code(server: &Server, caller: &mut Caller, text: &str) -> String {
    let (reply, close) = say(server, caller, text).await;
    assert_eq!(close, None, "{reply}");
    reply["payload"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("{reply}"))
        .to_owned()
}

async fn signed(server: &Server, token: &str) -> Caller {
    let mut caller = Caller::new();
    let (reply, close) = say(server, &mut caller, &message(token, "Sign", "")).await;
    assert_eq!((reply["auth"].as_bool(), close), (Some(true), None));
    caller
}

#[tokio::test]
async fn one_publishes_another_reads_and_a_restart_forgets_nothing() {
    //= A01 type=test
    //= A62 type=test
    //= A65 type=test
    let mut server = server();
    let (alice, bob) = (publisher("alice"), reader("bob"));
    let mut first = signed(&server, &alice).await;
    let text = message(
        &alice,
        "Public announcement",
        &format!(r#"{TO_PUBLIC},"RequestID":5"#),
    );
    let (reply, _) = say(&server, &mut first, &text).await;
    assert_eq!(reply["type"], "published");
    assert_eq!(reply["online"], 7);
    assert_eq!(reply["offset"], 1);
    assert_eq!(reply["duplicate"], false);
    assert_eq!(reply["RequestID"], 5);
    let pushed = announced(&mut server).await.unwrap();
    let pushed: Value = serde_json::from_str(&pushed).unwrap();
    assert_eq!(pushed["NotificationID"], reply["NotificationID"]);
    assert_eq!(
        (&pushed["Title"], &pushed["Publisher"]),
        (&"T".into(), &"alice".into())
    );

    let Server { desk, folder, .. } = server;
    drop(desk);
    let server = open(folder);
    let mut second = Caller::new();
    let (reply, _) = say(&server, &mut second, &message(&bob, "Sign", "")).await;
    assert_eq!(reply["unread"]["Public"], 1);
    assert_eq!(reply["UserID"], "bob");
    let (page, _) = say(
        &server,
        &mut second,
        &message(&bob, "Get unread messages", ""),
    )
    .await;
    assert_eq!(page["messages"], Value::from(vec![pushed.clone()]));
    assert_eq!(
        (&page["complete"], &page["Cursor"]),
        (&true.into(), &Value::Null)
    );

    let id = pushed["NotificationID"].as_str().unwrap();
    let mark = format!(r#""Group":{{"channel":"Public"}},"NotificationID":"{id}","RequestID":"m""#);
    let outcome = handle(&server, &mut second, &message(&bob, "Mark as read", &mark)).await;
    //= A72 type=test
    let others = Audience {
        namespace: "main".into(),
        feed: FeedKey::user("bob").unwrap(),
        except_sender: true,
    };
    assert_eq!(outcome.pushes[0].audience, others);
    let told = intent::event(&outcome.pushes[0].event).unwrap();
    let reply = texts(&server, outcome).await.remove(0);
    assert_eq!(told, reply.replace(r#","RequestID":"m""#, ""));
    assert!(reply.contains(r#""unread":{"Public":0}"#), "{reply}");
    let again = handle(&server, &mut second, &message(&bob, "Mark as read", &mark)).await;
    assert!(again.pushes.is_empty(), "nothing has changed");
    assert_eq!(texts(&server, again).await, [reply]);
    let (page, _) = say(
        &server,
        &mut second,
        &message(&bob, "Get unread messages", ""),
    )
    .await;
    assert_eq!(page["messages"], Value::Array(vec![]));
}

#[tokio::test]
async fn nothing_is_granted_before_sign() {
    //= A42 type=test
    //= A67 type=test
    //= AU-35 type=test
    let mut server = server();
    let alice = publisher("alice");
    let mut caller = Caller::new();
    for (intent, members) in [
        ("Public announcement", TO_PUBLIC),
        ("Get unread messages", ""),
        ("Mark as read", r#""Group":"Public","UpTo":0"#),
        ("Inform HR Master Data Change", r#""Change":{}"#),
    ] {
        let text = message(&alice, intent, members);
        assert_eq!(
            code(&server, &mut caller, &text).await,
            "not_signed_in",
            "{intent}"
        );
    }
    assert!(caller.identity().is_none() && caller.expires_at().is_none());
    drop(server.desk);
    assert_eq!(server.releases.next().await, None, "nothing was announced");
}

#[tokio::test]
async fn identity_comes_from_the_token_alone() {
    //= A51 type=test
    //= A52 type=test
    let server = server();
    let mut caller = Caller::new();
    let text = message(&reader("mallory"), "Sign", r#""UserID":"alice""#);
    let outcome = handle(&server, &mut caller, &text).await;
    assert_eq!(outcome.close.unwrap().code, 4403);
    assert!(outcome.signed_in.is_none() && caller.identity().is_none());
    let texts = texts(&server, outcome).await;
    assert_eq!(
        texts,
        [r#"{"auth":false,"message":"UserID does not match token."}"#]
    );

    let text = message(&reader("alice"), "Sign", r#""UserID":"alice""#);
    let (reply, _) = say(&server, &mut caller, &text).await;
    assert_eq!(reply["UserID"], "alice");
    assert_eq!(reply["session"].as_str().unwrap().len(), 32);
    assert_eq!(reply["expires_at"], "2027-01-15T09:00:00.000Z");
    assert_eq!(reply["ping"], 25);
}

#[tokio::test]
async fn a_bad_token_is_answered_exactly_and_three_times() {
    //= A47 type=test
    //= A50 type=test
    //= A82 type=test
    let server = server();
    let bad = "{\"auth\":false,\"message\":\"Failed to authenticate token.\"}";
    let none = "{\"auth\":false,\"message\":\"No token provided.\"}";
    let mut caller = Caller::new();
    for (text, expected, closed) in [
        (message("a.b.c", "Sign", ""), bad, None),
        (r#"{"Intent":"Sign","RequestID":1}"#.to_owned(), none, None),
        (
            message("a.b.c", "Sign", r#""RequestID":1"#),
            bad,
            Some(4401),
        ),
    ] {
        let outcome = handle(&server, &mut caller, &text).await;
        assert_eq!(outcome.close.map(|close| close.code), closed);
        assert_eq!(outcome.refused.is_some(), expected == bad);
        assert_eq!(texts(&server, outcome).await, [expected]);
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_before_its_message_is_judged() {
    let server = server();
    let mut caller = Caller::new();
    let text = message("a.b.c", "Mark as read", r#""Group":7"#);
    let outcome = handle(&server, &mut caller, &text).await;
    assert_eq!(outcome.refused, Some(TokenError::Malformed));
    assert!(texts(&server, outcome).await[0].contains("Failed to authenticate"));
}

#[tokio::test]
async fn every_message_needs_a_sound_token_of_the_same_person() {
    //= A46 type=test
    //= AU-21 type=test
    let server = server();
    let alice = publisher("alice");
    let mut caller = signed(&server, &alice).await;
    let text = message(&publisher("bob"), "Public announcement", TO_PUBLIC);
    assert_eq!(code(&server, &mut caller, &text).await, "forbidden");
    let expired = sign(HEADER, &payload(&(NOW - 30).to_string(), ""));
    let (reply, _) = say(
        &server,
        &mut caller,
        &message(&expired, "Get unread messages", ""),
    )
    .await;
    assert_eq!(reply["auth"], false);
    assert_eq!(
        caller.identity().unwrap().user(),
        "alice",
        "the connection is still signed in"
    );

    let (reply, close) = say(&server, &mut caller, &message(&reader("bob"), "Sign", "")).await;
    assert_eq!(reply["payload"]["code"], "forbidden");
    assert_eq!(close.unwrap().code, 4403);
    assert_eq!(caller.identity().unwrap().user(), "alice");
}

#[tokio::test]
async fn publishing_needs_the_scope_and_the_public_group() {
    //= A64 type=test
    //= AU-25 type=test
    //= AU-26 type=test
    let mut server = server();
    let (alice, bob) = (
        publisher("alice"),
        token("bob", &[], &["announce", "announce:publi"]),
    );
    let mut second = signed(&server, &bob).await;
    let text = message(&bob, "Public announcement", TO_PUBLIC);
    assert_eq!(code(&server, &mut second, &text).await, "forbidden");
    let hr = r#""Group":{"channel":"HR"},"Body":"B""#;
    let text = message(&bob, "Public announcement", hr);
    assert_eq!(code(&server, &mut second, &text).await, "forbidden");
    let mut first = signed(&server, &alice).await;
    //= A63 type=test
    let text = message(&alice, "Public announcement", hr);
    assert_eq!(code(&server, &mut first, &text).await, "forbidden");
    let alice = token("alice", &[], &["announce:channel:HR"]);
    let text = message(&alice, "Public announcement", hr);
    assert_eq!(code(&server, &mut first, &text).await, "unknown_group");
    let text = message(&alice, "Mark as read", r#""Group":"HR","UpTo":0"#);
    assert_eq!(
        code(&server, &mut first, &text).await,
        "unknown_notification"
    );
    drop(server.desk);
    assert_eq!(server.releases.next().await, None);
}

#[tokio::test]
async fn a_repeated_publication_is_recognised() {
    let mut server = server();
    let alice = publisher("alice");
    let mut caller = signed(&server, &alice).await;
    let members = format!(r#"{TO_PUBLIC},"IdempotencyKey":"pay-2026-11""#);
    let text = message(&alice, "Public announcement", &members);
    let (first, _) = say(&server, &mut caller, &text).await;
    let (again, _) = say(&server, &mut caller, &text).await;
    assert_eq!(
        (&first["duplicate"], &again["duplicate"]),
        (&false.into(), &true.into())
    );
    assert_eq!(first["NotificationID"], again["NotificationID"]);
    drop(server.desk);
    assert!(server.releases.next().await.is_some());
    assert_eq!(server.releases.next().await, None, "announced once");
}

#[tokio::test]
async fn namespaces_are_those_of_the_token() {
    //= AU-24 type=test
    //= AU-40 type=test
    let server = server();
    let both = token("alice", &["acme", "beta"], &["announce:public"]);
    for asked in ["main", "Acme", "acme ", "ac", ""] {
        let mut caller = Caller::new();
        let text = message(&both, "Sign", &format!(r#""Namespace":"{asked}""#));
        let (reply, close) = say(&server, &mut caller, &text).await;
        assert_eq!(reply["payload"]["code"], "forbidden", "{asked}");
        assert_eq!(close.unwrap().code, 4403);
        assert!(caller.identity().is_none());
    }
    let mut caller = signed(&server, &both).await;
    assert_eq!(caller.identity().unwrap().namespace, "acme");
    let members = format!(r#"{TO_PUBLIC},"Namespace":"beta""#);
    let text = message(&both, "Public announcement", &members);
    assert_eq!(code(&server, &mut caller, &text).await, "forbidden");
    let elsewhere = token("alice", &["beta"], &["announce:public"]);
    let text = message(&elsewhere, "Public announcement", TO_PUBLIC);
    assert_eq!(code(&server, &mut caller, &text).await, "forbidden");

    say(
        &server,
        &mut caller,
        &message(&both, "Public announcement", TO_PUBLIC),
    )
    .await;
    let mut beta = Caller::new();
    let text = message(&both, "Sign", r#""Namespace":"beta""#);
    let (reply, _) = say(&server, &mut beta, &text).await;
    assert_eq!(
        reply["unread"]["Public"], 0,
        "what acme announces is not for beta"
    );
}

#[tokio::test]
async fn unknown_things_are_answered() {
    //= A69 type=test
    //= A61 type=test
    let server = server();
    let alice = reader("alice");
    let mut caller = signed(&server, &alice).await;
    let (reply, _) = say(&server, &mut caller, &message(&alice, "Dance", "")).await;
    assert_eq!(reply["payload"]["code"], "unknown_intent");
    assert_eq!(reply["payload"]["Intent"], "Dance");
    for known in [
        "Sign",
        "Mark as read",
        "Public announcement",
        "Get unread messages",
    ] {
        assert!(
            reply["payload"]["message"]
                .as_str()
                .unwrap()
                .contains(known)
        );
    }
    let text = message(
        &alice,
        "Mark as read",
        r#""Group":"Public","NotificationID":"x""#,
    );
    assert_eq!(
        code(&server, &mut caller, &text).await,
        "unknown_notification"
    );
    let text = message(&alice, "Inform HR Master Data Change", "");
    assert_eq!(code(&server, &mut caller, &text).await, "missing_field");
}

#[tokio::test]
async fn five_malformed_messages_in_a_row_close_and_four_do_not() {
    //= A43 type=test
    let server = server();
    let alice = reader("alice");
    let mut caller = signed(&server, &alice).await;
    let bad = ["{", "null", "[]", r#"{"a":1,"a":2}"#];
    for _ in 0..2 {
        for text in bad {
            let (reply, close) = say(&server, &mut caller, text).await;
            assert_eq!(reply["type"], "error");
            assert_eq!(close, None);
        }
        let (reply, _) = say(&server, &mut caller, &message(&alice, "Sign", "")).await;
        assert_eq!(reply["auth"], true);
    }
    for text in bad {
        say(&server, &mut caller, text).await;
    }
    let wrong = message(&alice, "Mark as read", r#""Group":7"#);
    let (reply, close) = say(&server, &mut caller, &wrong).await;
    assert_eq!(reply["payload"]["code"], "wrong_type");
    assert_eq!(close.unwrap().code, 4400);
}

#[tokio::test]
async fn a_later_sign_prolongs_and_never_shortens() {
    //= A56 type=test
    //= AU-21 type=test
    let server = server();
    let until = |exp: u64| sign(HEADER, &payload(&exp.to_string(), ""));
    let mut caller = signed(&server, &until(NOW + 60)).await;
    assert_eq!(caller.expires_at(), Some(at(NOW + 60)));
    let session = caller.identity().unwrap().session.clone();
    say(
        &server,
        &mut caller,
        &message(&until(NOW + 600), "Sign", ""),
    )
    .await;
    assert_eq!(caller.expires_at(), Some(at(NOW + 600)));
    assert_eq!(caller.identity().unwrap().session, session);
    say(&server, &mut caller, &message(&until(NOW + 60), "Sign", "")).await;
    assert_eq!(caller.expires_at(), Some(at(NOW + 600)));
    say(
        &server,
        &mut caller,
        &message(&until(NOW + 900), "Get unread messages", ""),
    )
    .await;
    assert_eq!(
        caller.expires_at(),
        Some(at(NOW + 600)),
        "only Sign prolongs"
    );
}

#[tokio::test]
async fn no_credential_leaves_by_any_door() {
    //= A81 type=test
    //= AU-19 type=test
    let mut server = server();
    let alice = publisher("alice");
    let bearer = "a-private-bearer-token-of-the-seed";
    let mut caller = Caller::new();
    let mut out = String::new();
    let with_bearer = |members: &str| format!(r#""Bearer":"{bearer}"{members}"#);
    for text in [
        message(&alice, "Sign", &with_bearer("")),
        message(
            &alice,
            "Public announcement",
            &with_bearer(&format!(",{TO_PUBLIC}")),
        ),
        message(
            &alice,
            "Public announcement",
            &with_bearer(r#","Group":"HR","x":1"#),
        ),
        message(&alice, "Get unread messages", &with_bearer("")),
        message(
            &alice,
            "Mark as read",
            &with_bearer(r#","Group":"Public","UpTo":1"#),
        ),
        message(&alice, "Nonsense", &with_bearer("")),
        message(&alice, "Sign", &with_bearer(r#","UserID":7"#)),
        message(
            &alice,
            "Public announcement",
            &format!(r#""Group":"Public","Body":"my token is {alice}""#),
        ),
        format!(r#"{{"APIToken":"{alice}","Bearer":"{bearer}","#),
        format!(r#"{{"APIToken":"{alice}","APIToken":"{bearer}"}}"#),
    ] {
        let outcome = handle(&server, &mut caller, &text).await;
        out.push_str(&format!("{outcome:?} {caller:?}"));
        out.extend(
            outcome
                .pushes
                .iter()
                .filter_map(|it| intent::event(&it.event)),
        );
        out.extend(texts(&server, outcome).await);
    }
    out.push_str(&announced(&mut server).await.unwrap());
    let Server { desk, folder, .. } = server;
    drop(desk);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        out.push_str(&String::from_utf8_lossy(
            &std::fs::read(file.unwrap().path()).unwrap(),
        ));
    }
    assert!(
        out.contains(r#""Title":"T""#),
        "the announcement itself did leave"
    );
    let signature = alice.rsplit('.').next().unwrap();
    assert!(!out.contains(signature) && !out.contains(bearer) && !out.contains("eyJ"));
}
