//! Keys: which are refused, which verify what, and their change while tokens are verified.

use std::time::{Duration, SystemTime};

use framewire::announce::secret::{Secret, SecretError};
use framewire::announce::token::{
    Algorithm, InvalidJwks, JWKS_BYTES_MAX, KEYS_MAX, KeyError, KeyRing, Keys, LIFETIME_MAX, Pin,
    SKEW_MAX, Settings, TokenError, Verifier,
};

use crate::forge::{HEADER, NOW, Signer, at, encode, jwks, now, payload, pem, secret, sign};

fn taking_all(keys: Keys) -> Verifier {
    let mut settings = Settings::default();
    settings.algorithms = Algorithm::ALL.to_vec();
    Verifier::with_keys(KeyRing::new(keys), settings).unwrap()
}

fn verdict(verifier: &Verifier, token: &str, when: SystemTime) -> Result<(), TokenError> {
    verifier.verify(token, when).map(drop)
}

fn token(signer: &Signer, kid: Option<&str>, rest: &str) -> String {
    let kid = kid.map_or(String::new(), |kid| format!(r#","kid":"{kid}""#));
    let header = format!(r#"{{"alg":"{}"{kid}}}"#, signer.algorithm());
    signer.sign(&header, &payload(&(NOW + 5000).to_string(), rest))
}

fn named(kid: &str) -> Pin {
    Pin {
        kid: Some(kid.into()),
        ..Pin::default()
    }
}

/// An RSA key in DER with a modulus of so many bytes, all of whose bits are set.
fn rsa_der(modulus_bytes: usize) -> Vec<u8> {
    let modulus = [&[0][..], &vec![0xff; modulus_bytes]].concat();
    let value = |tag: &[u8], content: &[u8]| {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let length = match (high, low) {
            (0, 0..128) => vec![low],
            (0, _) => vec![0x81, low],
            _ => vec![0x82, high, low],
        };
        [tag, &length, content].concat()
    };
    let integers = [value(&[2], &modulus), vec![2, 3, 1, 0, 1]].concat();
    let bits = [&[0][..], &value(&[0x30], &integers)].concat();
    let rsa = [
        0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0,
    ];
    value(&[0x30], &[&rsa[..], &value(&[3], &bits)].concat())
}

#[test]
fn a_key_that_is_weak_or_something_else_is_refused_when_it_is_loaded() {
    //= AU-18 type=test
    let load = |algorithm, text: &str| {
        Keys::new()
            .with_pem(algorithm, text.as_bytes(), Pin::default())
            .map(drop)
    };
    let kinds = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];
    let texts = kinds.map(|algorithm| Signer::new(algorithm).pem());
    for (at, algorithm) in kinds.into_iter().enumerate() {
        for (of, text) in texts.iter().enumerate() {
            let expected = if at == of {
                Ok(())
            } else {
                Err(KeyError::Kind)
            };
            assert_eq!(load(algorithm, text), expected, "{algorithm} {of}");
        }
        let cases = [
            String::new(),
            "key".into(),
            texts[at].replace("PUBLIC KEY", "CERTIFICATE"),
            texts[at].replace("PUBLIC KEY", "PRIVATE KEY"),
            format!("{0}{0}", texts[at]),
            format!("{}{}", " ".repeat(64 << 10), texts[at]),
        ];
        for case in &cases {
            assert_eq!(
                load(algorithm, case),
                Err(KeyError::Pem),
                "{algorithm} {case:.40}"
            );
        }
        assert_eq!(
            load(algorithm, &pem("PUBLIC KEY", &[0x30, 0])),
            Err(KeyError::Kind)
        );
    }
    assert_eq!(load(Algorithm::Hs256, &texts[0]), Err(KeyError::Kind));
    let weak = load(Algorithm::Rs256, &pem("PUBLIC KEY", &rsa_der(128)));
    assert_eq!(weak, Err(KeyError::Weak));
    // One byte decides: it is the size that is refused.
    assert_eq!(
        load(Algorithm::Rs256, &pem("PUBLIC KEY", &rsa_der(255))),
        Err(KeyError::Weak)
    );
    let strong = load(Algorithm::Rs256, &pem("PUBLIC KEY", &rsa_der(256)));
    assert_eq!(strong, Ok(()));

    let short = Secret::from_variable("API_secret_previous", "x".repeat(31));
    let Err(error @ SecretError::TooShort { .. }) = short else {
        panic!("a short secret was taken");
    };
    assert!(error.to_string().contains("API_secret_previous"), "{error}");
    assert!(Secret::from_variable("S", "x".repeat(32)).is_ok());
}

#[test]
fn sets_of_keys_are_bounded_and_their_names_are_names() {
    let add = |keys: Keys, kid: &str| keys.with_secret(&secret(), named(kid));
    assert_eq!(add(Keys::new(), "").map(drop), Err(KeyError::Name));
    assert_eq!(
        add(Keys::new(), &"k".repeat(257)).map(drop),
        Err(KeyError::Name)
    );
    let mut keys = Keys::new();
    for at in 0..KEYS_MAX {
        keys = add(keys, &at.to_string()).unwrap();
    }
    assert_eq!(keys.len(), KEYS_MAX);
    assert_eq!(add(keys.clone(), "x").map(drop), Err(KeyError::TooMany));
    let keys = add(Keys::new(), "a").unwrap();
    assert_eq!(add(keys, "a").map(drop), Err(KeyError::Twice));
    assert!(Keys::new().is_empty());
    let nothing = taking_all(Keys::new());
    let good = sign(HEADER, &payload(&(NOW + 60).to_string(), ""));
    assert_eq!(verdict(&nothing, &good, now()), Err(TokenError::UnknownKey));
}

#[test]
fn nothing_of_a_key_is_printed() {
    let signer = Signer::new(Algorithm::EdDsa);
    let keys = Keys::new()
        .with_secret(&secret(), Pin::default())
        .unwrap()
        .with_jwks(&jwks(&[(&signer, "k1")]), None)
        .unwrap();
    let text = format!("{:?}", taking_all(keys));
    assert!(text.contains("k1"), "{text}");
    assert!(!text.contains("0123456789abcdef"), "{text}");
    assert!(!text.contains(&encode(signer.public())), "{text}");
}

#[test]
fn a_previous_secret_verifies_until_its_end() {
    //= A19 type=test
    //= AU-36 type=test
    let old = Secret::from_variable("S", "another secret, thirty-two bytes!".into()).unwrap();
    let keys = |end| {
        Keys::new()
            .with_secret(&old, Pin::default())
            .unwrap()
            .with_previous_secret(&secret(), end)
            .unwrap()
    };
    let verifier = taking_all(keys(at(NOW + 100)));
    let of_old = sign(HEADER, &payload(&(NOW + 5000).to_string(), ""));
    assert_eq!(verdict(&verifier, &of_old, at(NOW + 99)), Ok(()));
    assert_eq!(
        verdict(&verifier, &of_old, at(NOW + 100)),
        Err(TokenError::Signature)
    );
    // A change of the keys is seen by the clones, which were there before.
    let clone = verifier.clone();
    verifier.ring().replace(keys(at(NOW - 1)));
    assert_eq!(verdict(&clone, &of_old, now()), Err(TokenError::Signature));
    clone.ring().replace(keys(at(NOW + 200)));
    assert_eq!(verdict(&verifier, &of_old, at(NOW + 150)), Ok(()));
}

#[test]
fn keys_of_one_name_at_two_issuers_are_two_keys() {
    //= AU-14 type=test
    //= V-90 type=test
    let (one, two) = (Signer::new(Algorithm::Es256), Signer::new(Algorithm::Es256));
    let keys = Keys::new()
        .with_jwks(&jwks(&[(&one, "k")]), Some("https://one"))
        .unwrap()
        .with_jwks(&jwks(&[(&two, "k")]), Some("https://two"))
        .unwrap();
    let verifier = taking_all(keys);
    let case =
        |signer: &Signer, kid, rest: &str| verdict(&verifier, &token(signer, kid, rest), now());
    for kid in [Some("k"), None] {
        assert_eq!(case(&one, kid, r#","iss":"https://one""#), Ok(()));
        assert_eq!(case(&two, kid, r#","iss":"https://two""#), Ok(()));
        for (signer, rest) in [
            (&one, r#","iss":"https://two""#),
            (&two, r#","iss":"https://one""#),
            (&two, r#","iss":"https://two/""#),
            (&one, ""),
        ] {
            assert_eq!(case(signer, kid, rest), Err(TokenError::Source), "{rest}");
        }
    }
    assert_eq!(case(&one, Some("K"), ""), Err(TokenError::UnknownKey));
}

#[test]
fn a_set_of_keys_takes_what_is_for_tokens_and_passes_over_the_rest() {
    let signers = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].map(Signer::new);
    let entries: Vec<_> = signers.iter().map(|it| it.jwk(r#","use":"sig""#)).collect();
    let others = [
        r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#.to_owned(),
        r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#.into(),
        r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}"#.into(),
        r#"{"kty":"RSA","use":"enc","n":"AA","e":"AQAB"}"#.into(),
        r#"{"kty":"RSA","alg":"RS512","n":"AA","e":"AQAB"}"#.into(),
        r#"{"kty":"RSA","key_ops":["wrapKey"],"n":"AA","e":"AQAB"}"#.into(),
    ];
    let all = [&entries[..], &others].concat().join(",");
    let text = format!(r#"{{"more":1,"keys":[{all}]}}"#);
    let keys = Keys::new().with_jwks(&text, None).unwrap();
    assert_eq!(keys.len(), 3);
    let verifier = taking_all(keys);
    for signer in &signers {
        assert_eq!(verdict(&verifier, &token(signer, None, ""), now()), Ok(()));
        assert_eq!(
            verdict(&verifier, &token(signer, Some("any"), ""), now()),
            Ok(())
        );
        let other = Signer::new(signer.algorithm());
        let forged = verdict(&verifier, &token(&other, None, ""), now());
        assert_eq!(forged, Err(TokenError::Signature));
    }
    // RFC 9864 has a name of its own for this one.
    let alias = format!(r#"{{"keys":[{}]}}"#, signers[2].jwk(r#","alg":"Ed25519""#));
    assert_eq!(Keys::new().with_jwks(&alias, None).unwrap().len(), 1);
    let only_others = format!(r#"{{"keys":[{}]}}"#, others.join(","));
    let none = Keys::new().with_jwks(&only_others, None).map(drop);
    assert_eq!(none, Err(InvalidJwks::Empty));
}

/// Entries of a set that are meant for tokens and cannot be used, and why.
fn bad_entries(ec: &Signer) -> Vec<(String, KeyError)> {
    let point = ec.public();
    let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
    let weak = encode(vec![0xff; 255]);
    let big = encode(vec![0xff; 1025]);
    let strong = encode(vec![0xff; 256]);
    vec![
        (
            format!(r#"{{"kty":"RSA","n":"{weak}","e":"AQAB"}}"#),
            KeyError::Weak,
        ),
        (
            format!(r#"{{"kty":"RSA","n":"AAAA{weak}","e":"AQAB"}}"#),
            KeyError::Weak,
        ),
        (
            format!(r#"{{"kty":"RSA","n":"{big}","e":"AQAB"}}"#),
            KeyError::Weak,
        ),
        (
            format!(r#"{{"kty":"RSA","n":"{strong}","e":"AQ"}}"#),
            KeyError::Weak,
        ),
        (
            format!(r#"{{"kty":"RSA","n":"{strong}","e":"BA"}}"#),
            KeyError::Weak,
        ),
        (
            format!(r#"{{"kty":"RSA","n":"{strong}","e":""}}"#),
            KeyError::Weak,
        ),
        (format!(r#"{{"kty":"RSA","n":"{strong}"}}"#), KeyError::Kind),
        (
            format!(r#"{{"kty":"RSA","n":"{strong}=","e":"AQAB"}}"#),
            KeyError::Kind,
        ),
        (
            format!(r#"{{"kty":"RSA","alg":"ES256","n":"{strong}","e":"AQAB"}}"#),
            KeyError::Kind,
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}"}}"#),
            KeyError::Kind,
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"AA{x}","y":"{y}"}}"#),
            KeyError::Kind,
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}"}}"#),
            KeyError::Kind,
        ),
        (
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}AA"}}"#),
            KeyError::Kind,
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":5}"#.into(),
            KeyError::Kind,
        ),
        (r#"{"n":"AA"}"#.into(), KeyError::Kind),
        (Signer::new(Algorithm::Hs256).jwk(""), KeyError::Private),
        (ec.jwk(r#","d":"AAAA""#), KeyError::Private),
        (ec.jwk(r#","kid":7"#), KeyError::Name),
        (ec.jwk(r#","kid":"""#), KeyError::Name),
    ]
}

#[test]
fn one_bad_key_condemns_the_document() {
    //= AU-36 type=test
    let good = Signer::new(Algorithm::EdDsa).jwk("");
    let ec = Signer::new(Algorithm::Es256);
    for (entry, error) in bad_entries(&ec) {
        let text = format!(r#"{{"keys":[{good},{entry}]}}"#);
        let refused = Keys::new().with_jwks(&text, None).map(drop);
        let expected = Err(InvalidJwks::Key { index: 1, error });
        assert_eq!(refused, expected, "{entry}");
    }
    let twice = format!(r#"{{"keys":[{0},{0}]}}"#, ec.jwk(r#","kid":"k""#));
    let (index, error) = (1, KeyError::Twice);
    let expected = Err(InvalidJwks::Key { index, error });
    assert_eq!(Keys::new().with_jwks(&twice, None).map(drop), expected);
}

#[test]
fn what_is_no_set_of_keys_is_refused() {
    let refused = |text: &str| Keys::new().with_jwks(text, None).map(drop);
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":["a"]}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[{"kty":"EC","kty":"RSA"}]}"#,
    ] {
        assert_eq!(refused(text), Err(InvalidJwks::Malformed), "{text}");
    }
    assert_eq!(refused(r#"{"keys":[]}"#), Err(InvalidJwks::Empty));
    let long = format!(r#"{{"keys":[]{}}}"#, " ".repeat(JWKS_BYTES_MAX));
    assert_eq!(refused(&long), Err(InvalidJwks::TooLong));
    let many = vec![r#"{"kty":"x"}"#; 257].join(",");
    let (index, error) = (256, KeyError::TooMany);
    let expected = Err(InvalidJwks::Key { index, error });
    assert_eq!(refused(&format!(r#"{{"keys":[{many}]}}"#)), expected);
}

#[test]
fn a_scope_gives_its_own_right_and_that_of_all_channels_the_one_of_each() {
    //= AU-26 type=test
    let verifier = Verifier::new(&secret());
    let claims = |scope: &str| {
        let rest = format!(r#","scope":"{scope}""#);
        let token = sign(HEADER, &payload(&(NOW + 60).to_string(), &rest));
        verifier.verify(&token, now()).unwrap()
    };
    let all = claims("announce:channel");
    for (scope, is_allowed) in [
        ("announce:channel", true),
        ("announce:channel:HR", true),
        ("announce:channel:a:b", true),
        ("announce:channel:", false),
        ("announce:channels", false),
        ("announce:channelHR", false),
        ("announce:public", false),
        ("announce:role:x", false),
        ("announce", false),
        ("admin", false),
        ("", false),
    ] {
        assert_eq!(all.allows(scope), is_allowed, "{scope}");
    }
    let one = claims("announce:channel:HR announce:role announce:* *");
    for (scope, is_allowed) in [
        ("announce:channel:HR", true),
        ("announce:channel:HR2", false),
        ("announce:channel:hr", false),
        ("announce:channel", false),
        ("announce:role:x", false),
        ("announce:public", false),
        ("announce:*", true),
    ] {
        assert_eq!(one.allows(scope), is_allowed, "{scope}");
    }
    assert!(!claims("").allows("announce:public"));
}

#[test]
fn claims_stand_where_the_settings_say() {
    let mut settings = Settings::default();
    settings.user_claim = vec!["email".into(), "login".into()];
    settings.namespace_claim = "tenants".into();
    settings.scope_claim = "scp".into();
    settings.roles_claim = "positions".into();
    settings.channels_claim = vec!["teams".into(), "groups".into()];
    settings.lifetime_max = Duration::from_secs(60);
    let keys = Keys::new().with_secret(&secret(), Pin::default()).unwrap();
    let verifier = Verifier::with_keys(KeyRing::new(keys), settings).unwrap();
    let case = |claims: &str| {
        let exp = NOW + 60;
        verifier.verify(&sign(HEADER, &format!(r#"{{"exp":{exp}{claims}}}"#)), now())
    };
    let claims = case(
        r#","login":"bob","tenants":["a"],"scp":["x"],"positions":["nurse"],"groups":["HR"],
        "iat":1799999999,"iss":"i","namespaces":["z"],"scope":"admin","roles":["r"]"#,
    )
    .unwrap();
    assert_eq!(claims.user(), "bob");
    assert_eq!(claims.namespaces(), ["a"]);
    assert_eq!(claims.roles(), ["nurse"]);
    assert_eq!(claims.channels(), ["HR"]);
    assert_eq!(claims.issued_at(), Some(at(NOW - 1)));
    assert_eq!(claims.issuer(), Some("i"));
    assert!(claims.allows("x") && !claims.allows("admin"));
    let both = case(r#","email":"e","login":"bob","teams":[],"groups":["HR"]"#).unwrap();
    assert_eq!((both.user(), both.channels().len()), ("e", 0));
    assert_eq!(case(r#","sub":"bob""#), Err(TokenError::Missing("user")));
    assert_eq!(case(r#","login":7"#), Err(TokenError::Claim("user")));
    let late = format!(r#"{{"login":"bob","exp":{}}}"#, NOW + 61);
    assert_eq!(
        verifier.verify(&sign(HEADER, &late), now()),
        Err(TokenError::TooFar)
    );
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    type Change = fn(&mut Settings);
    let cases: [(&str, Change); 12] = [
        ("algorithms", |it| it.algorithms.clear()),
        ("issuers", |it| it.issuers = vec![String::new()]),
        ("issuers", |it| it.issuers = vec!["i".into(); 33]),
        ("audience", |it| it.audience = Some(String::new())),
        ("user_claim", |it| it.user_claim.clear()),
        ("namespace_claim", |it| it.namespace_claim.clear()),
        ("scope_claim", |it| it.scope_claim = "x".repeat(1025)),
        ("roles_claim", |it| it.roles_claim.clear()),
        ("channels_claim", |it| it.channels_claim.clear()),
        ("skew", |it| it.skew = SKEW_MAX + Duration::from_nanos(1)),
        ("lifetime_max", |it| it.lifetime_max = LIFETIME_MAX * 2),
        ("lifetime_max", |it| it.lifetime_max = Duration::ZERO),
    ];
    for (field, change) in cases {
        let mut settings = Settings::default();
        assert_eq!(settings.check(), Ok(()));
        change(&mut settings);
        let refused = Verifier::with_keys(KeyRing::new(Keys::new()), settings).unwrap_err();
        assert_eq!(refused.field(), field);
        assert!(refused.to_string().starts_with(field));
    }
}
