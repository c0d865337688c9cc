use std::time::Duration;

use framewire::announce::secret::Secret;
use framewire::announce::token::{BYTES_MAX, Minter, TokenError, Verifier, self_test};
use jsonwebtoken::Algorithm;

use crate::forge::{
    HEADER, NOW, SECRET, at, encode, good, now, payload, secret, sign, sign_segments, sign_with,
};

fn verify(token: &str) -> Result<String, TokenError> {
    Verifier::new(&secret())
        .verify(token, now())
        .map(|claims| claims.user().to_owned())
}

fn refused(cases: &[(&str, String)]) {
    for (name, token) in cases {
        assert!(verify(token).is_err(), "{name} was let through");
    }
}

fn exp() -> String {
    (NOW + 60).to_string()
}

#[test]
fn a_minted_token_says_what_was_asked_for() {
    let minter = Minter::new(&secret());
    let hour = Duration::from_secs(3600);
    let token = minter.mint(
        "u42",
        &["acme", "beta"],
        &["announce:public", "x"],
        hour,
        now(),
    );
    let claims = Verifier::new(&secret())
        .verify(&token.unwrap(), now())
        .unwrap();
    assert_eq!(claims.user(), "u42");
    assert_eq!(claims.namespaces(), ["acme", "beta"]);
    assert!(claims.allows("announce:public") && claims.allows("x"));
    assert!(!claims.allows("announce") && !claims.allows("announce:public x"));
    assert_eq!(claims.expires_at(), at(NOW + 3600));
    assert_eq!(claims.id().unwrap().len(), 32);

    let token = minter.mint("u42", &[], &[], hour, now()).unwrap();
    let claims = Verifier::new(&secret()).verify(&token, now()).unwrap();
    assert_eq!(claims.namespaces(), ["main"]);
    assert!(!claims.allows("announce:public"));
}

#[test]
fn the_minter_refuses_what_the_verifier_would_refuse() {
    let minter = Minter::new(&secret());
    let hour = Duration::from_secs(3600);
    let long = "u".repeat(257);
    for user in ["", "a\nb", &long] {
        assert_eq!(
            minter.mint(user, &[], &[], hour, now()),
            Err(TokenError::Claim("sub"))
        );
    }
    let scope = minter.mint("u", &[], &["two words"], hour, now());
    assert_eq!(scope, Err(TokenError::Claim("scope")));
    assert_eq!(
        minter.mint("u", &[], &[], Duration::from_secs(1 << 40), now()),
        Err(TokenError::TooFar)
    );
}

#[test]
fn signing_and_verifying_work_in_this_build() {
    //= PR-13 type=test
    //= V-88 type=test
    self_test(&secret(), now()).unwrap();
}

#[test]
fn no_other_algorithm_is_let_through() {
    //= AU-02 type=test
    //= AU-03 type=test
    //= AU-04 type=test
    //= A49 type=test
    let body = payload(&exp(), "");
    let mut cases = Vec::new();
    for alg in [
        r#""none""#,
        r#""None""#,
        r#""nOnE""#,
        r#""HS384""#,
        r#""HS512""#,
        r#""RS256""#,
        r#""ES256""#,
        r#""EdDSA""#,
        r#""hs256""#,
        r#""HS256 ""#,
        r#"["HS256"]"#,
        "256",
        "null",
        r#""""#,
    ] {
        let header = format!(r#"{{"alg":{alg},"typ":"JWT"}}"#);
        cases.push(("signed with the right secret", sign(&header, &body)));
        cases.push((
            "unsigned",
            format!("{}.{}.", encode(&header), encode(&body)),
        ));
    }
    cases.push(("no alg", sign(r#"{"typ":"JWT"}"#, &body)));
    let honest = r#"{"alg":"HS512","typ":"JWT"}"#;
    for header in [HEADER, honest] {
        let token = sign_with(header, &body, SECRET.as_bytes(), Algorithm::HS512);
        cases.push(("signed with HS512", token));
    }
    let public = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ\n-----END PUBLIC KEY-----\n";
    for key in [public.as_bytes(), b"", &SECRET.as_bytes()[..31]] {
        cases.push((
            "another key",
            sign_with(HEADER, &body, key, Algorithm::HS256),
        ));
    }
    refused(&cases);
}

#[test]
fn every_flipped_bit_of_the_signature_is_seen() {
    //= AU-05 type=test
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let token = good();
    assert_eq!(verify(&token).unwrap(), "alice");
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = [0; 36];
    assert_eq!(
        URL_SAFE_NO_PAD.decode_slice(signature, &mut bytes).unwrap(),
        32
    );
    for bit in 0..256 {
        let mut forged = bytes[..32].to_vec();
        forged[bit / 8] ^= 1 << (bit % 8);
        let forged = format!("{message}.{}", encode(&forged));
        assert_eq!(verify(&forged), Err(TokenError::Signature), "bit {bit}");
    }
    for length in 0..32 {
        let forged = format!("{message}.{}", encode(&bytes[..length]));
        assert_eq!(
            verify(&forged),
            Err(TokenError::Signature),
            "{length} bytes"
        );
    }
}

#[test]
fn every_altered_byte_of_the_message_is_seen() {
    //= AU-05 type=test
    let token = good();
    for index in 0..token.rfind('.').unwrap() {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        assert!(
            verify(&String::from_utf8(bytes).unwrap()).is_err(),
            "byte {index}"
        );
    }
}

#[test]
fn only_three_base64url_segments_of_json_objects_are_a_token() {
    //= AU-06 type=test
    //= AU-07 type=test
    let key = SECRET.as_bytes();
    let (header, body) = (encode(HEADER), encode(payload(&exp(), "")));
    let signed = |header: &str, body: &str| sign_segments(header, body, key, Algorithm::HS256);
    let token = good();
    let (first, rest) = token.split_once('.').unwrap();
    refused(&[
        ("empty", String::new()),
        ("a word", "token".into()),
        ("only dots", "..".into()),
        ("two segments", format!("{header}.{body}")),
        ("no signature", format!("{header}.{body}.")),
        ("four segments", format!("{token}.{body}")),
        ("five segments", format!("{token}.{body}.{body}")),
        (
            "four segments, signed",
            signed(&header, &format!("{body}.{body}")),
        ),
        ("a token in a token", signed(&header, &encode(&token))),
        ("padding, signed", signed(&format!("{header}=="), &body)),
        ("padding after the signature", format!("{token}=")),
        (
            "standard alphabet, signed",
            signed(&header, &format!("{body}+/")),
        ),
        ("space before", format!(" {token}")),
        ("space after", format!("{token} ")),
        ("line end after", format!("{token}\n")),
        ("line end inside", format!("{first}\n.{rest}")),
        (
            "line end inside, signed",
            signed(&format!("{header}\n"), &body),
        ),
        ("NUL after", format!("{token}\0")),
        ("not ASCII", format!("{token}é")),
        ("header is no JSON", sign("{", &payload(&exp(), ""))),
        (
            "header is an array",
            sign(r#"["HS256"]"#, &payload(&exp(), "")),
        ),
        ("payload is no JSON", sign(HEADER, "sub=alice")),
        ("payload is an array", sign(HEADER, "[]")),
        ("payload is null", sign(HEADER, "null")),
        ("payload is empty", sign(HEADER, "")),
        (
            "payload is not UTF-8",
            signed(&header, &encode(b"{\"sub\":\"\xff\"}")),
        ),
        (
            "more after the payload",
            sign(HEADER, &format!("{} {{}}", payload(&exp(), ""))),
        ),
    ]);
}

#[test]
fn the_expiry_is_a_whole_number_of_seconds_and_nothing_else() {
    //= AU-08 type=test
    //= V-87 type=test
    //= V-94 type=test
    let future = NOW + 60;
    let case = |exp: &str| verify(&sign(HEADER, &payload(exp, "")));
    for exp in [
        format!("\"{future}\""),
        "\"never\"".into(),
        "\"\"".into(),
        "null".into(),
        "[]".into(),
        format!("[{future}]"),
        "{}".into(),
        "true".into(),
        "false".into(),
        "-1".into(),
        format!("-{future}"),
        format!("{future}.0"),
        format!("{future}.5"),
        "1.9e9".into(),
        "1e300".into(),
        "18446744073709551616".into(),
        "1e19".into(),
    ] {
        assert_eq!(case(&exp), Err(TokenError::Claim("exp")), "{exp}");
    }
    for exp in [
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
    ] {
        assert!(case(exp).is_err(), "{exp}");
    }
    assert_eq!(
        case(&(NOW * 1000).to_string()),
        Err(TokenError::TooFar),
        "milliseconds"
    );
    assert_eq!(case("0"), Err(TokenError::Expired));
    let none = sign(HEADER, r#"{"sub":"alice"}"#);
    assert_eq!(verify(&none), Err(TokenError::Missing("exp")));
    assert!(verify(&sign(HEADER, &payload("1e400", ""))).is_err());
}

#[test]
fn the_expiry_holds_to_the_second_with_thirty_of_grace() {
    //= AU-10 type=test
    let verifier = Verifier::new(&secret());
    let token = sign(HEADER, &payload(&NOW.to_string(), ""));
    for (offset, sound) in [
        (-1_i64, true),
        (0, true),
        (29, true),
        (30, false),
        (31, false),
    ] {
        let result = verifier.verify(&token, at(NOW.checked_add_signed(offset).unwrap()));
        assert_eq!(result.is_ok(), sound, "{offset} s after exp");
    }
    let last = at(NOW) + Duration::from_nanos(29_999_999_999);
    assert!(verifier.verify(&token, last).is_ok());
    let far = sign(HEADER, &payload(&(NOW + 10 * 366 * 86_400).to_string(), ""));
    assert!(verifier.verify(&far, at(NOW)).is_ok());
    assert_eq!(verifier.verify(&far, at(NOW - 1)), Err(TokenError::TooFar));
}

#[test]
fn a_token_is_not_taken_before_its_time() {
    //= AU-09 type=test
    let case = |rest: &str| verify(&sign(HEADER, &payload(&exp(), rest)));
    let claim = |name: &str, ahead: u64| format!(r#","{name}":{}"#, NOW + ahead);
    assert!(case(&claim("nbf", 30)).is_ok());
    assert_eq!(case(&claim("nbf", 31)), Err(TokenError::NotYet));
    assert!(case(&claim("iat", 60)).is_ok());
    assert_eq!(case(&claim("iat", 61)), Err(TokenError::NotYet));
    for name in ["nbf", "iat"] {
        for value in [r#""0""#, "null", "1.5", "-1", "true", "[]", "{}", "1e1"] {
            let result = case(&format!(r#","{name}":{value}"#));
            assert!(
                matches!(result, Err(TokenError::Claim(_))),
                "{name} {value}"
            );
        }
        assert!(case(&format!(r#","{name}":18446744073709551615"#)).is_err());
    }
}

#[test]
fn a_person_has_a_name() {
    //= AU-11 type=test
    //= A51 type=test
    let case = |claims: &str| verify(&sign(HEADER, &format!(r#"{{{claims}"exp":{}}}"#, exp())));
    assert_eq!(case(r#""sub":"a","preferred_username":"b","#).unwrap(), "b");
    assert_eq!(case(r#""preferred_username":"b","#).unwrap(), "b");
    let most = "é".repeat(128);
    assert_eq!(case(&format!(r#""sub":"{most}","#)).unwrap(), most);
    assert_eq!(case(""), Err(TokenError::Missing("sub")));
    let long = format!(r#""{most}x""#);
    let bad = [
        r#""""#,
        "null",
        "1",
        "[]",
        "{}",
        "true",
        r#""a\nb""#,
        r#""a\u0000""#,
        &long,
    ];
    for value in bad {
        let sub = case(&format!(r#""sub":{value},"#));
        assert_eq!(sub, Err(TokenError::Claim("sub")), "{value}");
        let both = case(&format!(r#""sub":"a","preferred_username":{value},"#));
        assert_eq!(
            both,
            Err(TokenError::Claim("preferred_username")),
            "{value}"
        );
    }
}

#[test]
fn namespaces_and_scopes_have_their_types() {
    let verifier = Verifier::new(&secret());
    let case = |rest: &str| verifier.verify(&sign(HEADER, &payload(&exp(), rest)), now());
    assert_eq!(
        case(r#","namespaces":"acme""#).unwrap().namespaces(),
        ["acme"]
    );
    assert_eq!(
        case(r#","namespaces":["a","b"]"#).unwrap().namespaces(),
        ["a", "b"]
    );
    assert!(
        case(r#","scope":"x announce:public""#)
            .unwrap()
            .allows("announce:public")
    );
    assert!(
        case(r#","scope":["announce:public"]"#)
            .unwrap()
            .allows("announce:public")
    );
    assert!(
        !case(r#","scope":"announce:publicity""#)
            .unwrap()
            .allows("announce:public")
    );
    for value in [
        "null",
        "1",
        "{}",
        "true",
        "[1]",
        "[\"\"]",
        "[]",
        "\"\"",
        "\"a\\u0007\"",
    ] {
        let result = case(&format!(r#","namespaces":{value}"#));
        assert_eq!(result, Err(TokenError::Claim("namespaces")), "{value}");
    }
    //= AU-26 type=test
    for value in ["null", "1", "{}", "true", "[1]", "[null]", "\"a\\u0007\""] {
        let result = case(&format!(r#","scope":{value}"#));
        assert_eq!(result, Err(TokenError::Claim("scope")), "{value}");
    }
}

#[test]
fn issuer_and_audience_are_checked_where_they_are_asked_for() {
    //= AU-11 type=test
    let strict = Verifier::new(&secret())
        .with_issuer("https://id".into())
        .with_audience("ann".into());
    let case = |rest: &str| {
        strict
            .verify(&sign(HEADER, &payload(&exp(), rest)), now())
            .map(drop)
    };
    assert_eq!(case(r#","iss":"https://id","aud":"ann""#), Ok(()));
    assert_eq!(case(r#","iss":"https://id","aud":["x","ann"]"#), Ok(()));
    for rest in [
        "",
        r#","iss":"https://id""#,
        r#","aud":"ann""#,
        r#","iss":"https://id/","aud":"ann""#,
        r#","iss":"https://id","aud":"announce""#,
        r#","iss":"https://id","aud":[]"#,
    ] {
        assert_eq!(case(rest), Err(TokenError::Source), "{rest}");
    }
    assert_eq!(
        case(r#","iss":["https://id"],"aud":"ann""#),
        Err(TokenError::Claim("iss"))
    );
    assert_eq!(
        case(r#","iss":"https://id","aud":{"a":1}"#),
        Err(TokenError::Claim("aud"))
    );
}

#[test]
fn headers_cannot_point_at_keys_or_demand_extensions() {
    //= AU-12 type=test
    //= AU-13 type=test
    //= AU-17 type=test
    let body = payload(&exp(), "");
    let case = |rest: &str| verify(&sign(&format!(r#"{{"alg":"HS256",{rest}}}"#), &body));
    assert_eq!(case(r#""crit":["exp"]"#), Err(TokenError::Critical));
    assert_eq!(case(r#""crit":[]"#), Err(TokenError::Critical));
    assert_eq!(case(r#""crit":null"#), Err(TokenError::Critical));
    assert_eq!(case(r#""kid":1"#), Err(TokenError::Claim("kid")));
    assert_eq!(
        case(&format!(r#""kid":"{}""#, "k".repeat(257))),
        Err(TokenError::Claim("kid"))
    );
    // What points elsewhere is not followed: the signature has been settled before.
    assert!(case(r#""kid":"../../x","jku":"http://127.0.0.1:1/","jwk":{"k":"AAAA"}"#).is_ok());
    let other = br"another secret, thirty-two bytes!";
    let jwk = format!(
        r#"{{"alg":"HS256","jwk":{{"kty":"oct","k":"{}"}}}}"#,
        encode(other)
    );
    let forged = sign_with(&jwk, &body, other, Algorithm::HS256);
    assert_eq!(verify(&forged), Err(TokenError::Signature));
}

#[test]
fn a_name_twice_is_refused_in_header_and_claims() {
    //= AU-15 type=test
    let body = payload(&exp(), "");
    let twice = r#"{"alg":"none","alg":"HS256"}"#;
    assert_eq!(verify(&sign(twice, &body)), Err(TokenError::Malformed));
    for rest in [
        r#","sub":"bob""#,
        r#","exp":1900000000"#,
        r#","x":{"y":1,"y":1}"#,
    ] {
        let token = sign(HEADER, &payload(&exp(), rest));
        assert_eq!(verify(&token), Err(TokenError::Malformed), "{rest}");
    }
}

#[test]
fn long_and_deep_tokens_cost_little() {
    //= AU-16 type=test
    let filler = format!(r#","x":"{}""#, "x".repeat(1 << 20));
    assert_eq!(
        verify(&sign(HEADER, &payload(&exp(), &filler))),
        Err(TokenError::TooLong)
    );
    let deep = format!(r#","x":{}{}"#, "[".repeat(3000), "]".repeat(3000));
    let deep = sign(HEADER, &payload(&exp(), &deep));
    let verdict = if deep.len() > BYTES_MAX {
        TokenError::TooLong
    } else {
        TokenError::Malformed
    };
    assert_eq!(verify(&deep), Err(verdict));
    let deep = format!(r#","x":{}{}"#, "[".repeat(2500), "]".repeat(2500));
    let deep = sign(HEADER, &payload(&exp(), &deep));
    assert!(deep.len() <= BYTES_MAX);
    assert_eq!(verify(&deep), Err(TokenError::Malformed));
}

#[test]
fn no_error_text_holds_anything_of_the_token() {
    //= AU-19 type=test
    let token = sign(HEADER, &payload("1", r#","jti":"very-private""#));
    let text = verify(&token).unwrap_err().to_string();
    assert_eq!(text, "the token has expired");
}

#[test]
fn another_secret_verifies_nothing() {
    let data = tempfile::tempdir().unwrap();
    let other = Secret::load(data.path(), None).unwrap();
    let result = Verifier::new(&other).verify(&good(), now());
    assert_eq!(result.map(drop), Err(TokenError::Signature));
}
