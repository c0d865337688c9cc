//! Tokens that are refused before their time.

use std::time::{Duration, SystemTime};

use framewire::announce::token::{
    Claims, Revocation, RevocationError, RevocationKind, Revocations, TokenError, Verifier,
};

use crate::forge::{HEADER, NOW, at, now, payload, secret, sign};

const END: u64 = NOW + 1000;

fn token(rest: &str) -> String {
    sign(HEADER, &payload(&(NOW + 60).to_string(), rest))
}

fn verify(revocations: &Revocations, rest: &str) -> Result<Claims, TokenError> {
    let verifier = Verifier::new(&secret()).with_revocations(revocations.clone());
    verifier.verify(&token(rest), now())
}

fn revoked(revocation: Revocation) -> Revocations {
    let revocations = Revocations::new();
    revocations.add(revocation, now()).unwrap();
    revocations
}

#[test]
fn one_token_is_refused_by_its_id() {
    //= A56 type=test
    let set = revoked(Revocation::of_token("t1", at(END)));
    assert_eq!(verify(&set, r#","jti":"t1""#), Err(TokenError::Revoked));
    for rest in ["", r#","jti":"t2""#, r#","jti":"T1""#, r#","jti":"t1 ""#] {
        assert!(verify(&set, rest).is_ok(), "{rest}");
    }
}

#[test]
fn a_user_is_refused_in_one_namespace_by_the_time_of_issue() {
    let set = revoked(Revocation::of_user("acme", "alice", at(NOW), at(END)));
    let case = |rest: &str| verify(&set, &format!(r#","namespaces":["acme"]{rest}"#)).map(drop);
    let iat = |second: u64| case(&format!(r#","iat":{second}"#));
    assert_eq!(iat(NOW - 1), Err(TokenError::Revoked));
    assert_eq!(iat(NOW), Ok(()));
    assert_eq!(iat(NOW + 1), Ok(()));
    // Who does not say when it was issued is refused.
    assert_eq!(case(""), Err(TokenError::Revoked));
    assert_eq!(case(r#","preferred_username":"bob""#), Ok(()));
    assert!(verify(&set, r#","namespaces":["beta"]"#).is_ok());
    // What is left of a token for two namespaces is the other.
    let claims = verify(&set, r#","namespaces":["acme","beta"]"#).unwrap();
    assert_eq!(claims.namespaces(), ["beta"]);
    // A moment within a second: what was issued in that second may have been before.
    let within = at(NOW) + Duration::from_millis(500);
    let set = revoked(Revocation::of_user("main", "alice", within, at(END)));
    let case = |second: u64| verify(&set, &format!(r#","iat":{second}"#)).map(drop);
    assert_eq!(case(NOW), Err(TokenError::Revoked));
    assert_eq!(case(NOW + 1), Ok(()));
}

#[test]
fn everybody_of_a_namespace_is_refused_and_nobody_of_another() {
    let set = revoked(Revocation::of_namespace("acme", at(NOW), at(END)));
    let case = |rest: &str| verify(&set, rest).map(drop);
    let other = r#","namespaces":["acme1"]"#;
    assert_eq!(case(r#","namespaces":["acme"]"#), Err(TokenError::Revoked));
    assert_eq!(
        case(r#","namespaces":"acme","sub2":1"#),
        Err(TokenError::Revoked)
    );
    assert_eq!(case(other), Ok(()));
    assert_eq!(case(r#","namespaces":["ACME"]"#), Ok(()));
    // Namespace and user do not run together.
    let set = revoked(Revocation::of_user("ac", "mealice", at(NOW), at(END)));
    assert!(verify(&set, r#","namespaces":["acme"]"#).is_ok());
}

#[test]
fn claims_of_an_open_connection_are_judged_like_a_token() {
    let set = Revocations::new();
    let claims = verify(
        &set,
        r#","jti":"t1","namespaces":["a","b"],"iat":1799999999"#,
    )
    .unwrap();
    assert!(!set.covers(&claims, "a", now()));
    set.add(Revocation::of_user("a", "alice", at(NOW), at(END)), now())
        .unwrap();
    assert!(set.covers(&claims, "a", now()));
    assert!(!set.covers(&claims, "b", now()));
    set.add(Revocation::of_token("t1", at(END)), now()).unwrap();
    assert!(set.covers(&claims, "b", now()));
    // It is forgotten at its end, to the second.
    assert!(set.covers(&claims, "b", at(END) - Duration::from_nanos(1)));
    assert!(!set.covers(&claims, "b", at(END)));
    assert!(!set.covers(&claims, "a", at(END)));
}

#[test]
fn the_set_is_bounded_and_forgets_what_has_ended() {
    let set = Revocations::with_count_max(2);
    let add =
        |id: &str, until: u64, when: SystemTime| set.add(Revocation::of_token(id, at(until)), when);
    assert_eq!(add("a", END, now()), Ok(()));
    assert_eq!(add("b", END + 1, now()), Ok(()));
    assert_eq!(add("c", END, now()), Err(RevocationError::Full));
    assert!(verify(&set, r#","jti":"c""#).is_ok());
    // The same again needs no room, and the later end holds.
    assert_eq!(add("a", END + 5, now()), Ok(()));
    assert_eq!(add("a", END - 5, now()), Ok(()));
    assert_eq!(add("c", END + 9, at(END + 1)), Ok(()));
    let mut left: Vec<_> = set
        .snapshot(at(END + 1))
        .into_iter()
        .map(|it| (it.kind, it.value, it.until))
        .collect();
    left.sort_by(|a, b| a.1.cmp(&b.1));
    let token = RevocationKind::Token;
    assert_eq!(
        left,
        [
            (token, "a".into(), at(END + 5)),
            (token, "c".into(), at(END + 9))
        ]
    );
    // What has ended takes no room, and what names nothing is refused.
    assert_eq!(add("d", NOW, now()), Ok(()));
    assert_eq!(add("", END, now()), Err(RevocationError::Value));
    assert_eq!(
        add(&"x".repeat(1025), END, now()),
        Err(RevocationError::Value)
    );
    assert_eq!(set.snapshot(at(END + 9)), []);
}

#[test]
fn revocations_survive_being_stored() {
    let set = revoked(Revocation::of_user("acme", "alice", at(NOW), at(END)));
    set.add(
        Revocation::of_namespace("beta", at(NOW - 5), at(END)),
        now(),
    )
    .unwrap();
    let stored: Vec<_> = set
        .snapshot(now())
        .into_iter()
        .map(|it| (it.kind.name(), it.value, it.issued_before, it.until))
        .collect();
    let again = Revocations::new();
    let read = stored.into_iter().map(|(kind, value, before, until)| {
        Revocation::new(
            RevocationKind::from_name(kind).unwrap(),
            value,
            before,
            until,
        )
    });
    again.extend(read, now()).unwrap();
    let both = r#","namespaces":["acme","beta"]"#;
    assert_eq!(verify(&again, both), Err(TokenError::Revoked));
    assert_eq!(RevocationKind::from_name("everything"), None);
}

// drops: announce::token::revocation::changed
#[tokio::test]
async fn listeners_are_told_of_a_revocation_however_often_they_stop_waiting() {
    //= A56 type=test
    let set = Revocations::new();
    let (mut one, mut other) = (set.listen(), set.listen());
    let is_told = async |revoked: &mut framewire::announce::token::Revoked| {
        let soon = Duration::from_secs(1);
        tokio::time::timeout(soon, revoked.changed()).await.is_ok()
    };
    {
        let waiting = one.changed();
        tokio::pin!(waiting);
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(waiting.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
        set.add(Revocation::of_token("a", at(END)), now()).unwrap();
    }
    assert!(is_told(&mut one).await);
    set.add(Revocation::of_token("b", at(END)), now()).unwrap();
    // Told once of both, after which there is nothing to tell.
    assert!(is_told(&mut other).await);
    let nothing = tokio::time::timeout(Duration::from_millis(20), other.changed()).await;
    assert!(nothing.is_err());
    assert!(is_told(&mut one).await);
}
