//! Forged, stale and malformed tokens as a table, for each algorithm, with their valid twins.

use std::sync::OnceLock;
use std::time::Duration;

use framewire::announce::token::{
    Algorithm, BYTES_MAX, KeyRing, Keys, Pin, Settings, TokenError, Verifier,
};
use jsonwebtoken::Algorithm as Signed;

use crate::forge::{NOW, Signer, at, encode, now, secret, sign_segments, sign_with};

const ISSUER: &str = "https://id.example";

/// One signer for each algorithm, in the order of [`Algorithm::ALL`].
fn signers() -> &'static [Signer] {
    static SIGNERS: OnceLock<Vec<Signer>> = OnceLock::new();
    SIGNERS.get_or_init(|| Algorithm::ALL.into_iter().map(Signer::new).collect())
}

fn kid(algorithm: Algorithm) -> String {
    format!("key of {algorithm}")
}

fn pin(algorithm: Algorithm) -> Pin {
    Pin {
        kid: Some(kid(algorithm)),
        ..Pin::default()
    }
}

/// Takes all four algorithms, with one named key each, from one issuer for one audience.
fn verifier() -> &'static Verifier {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let mut keys = Keys::new();
        for signer in signers() {
            let algorithm = signer.algorithm();
            keys = match algorithm {
                Algorithm::Hs256 => keys.with_secret(&secret(), pin(algorithm)),
                _ => keys.with_pem(algorithm, signer.pem().as_bytes(), pin(algorithm)),
            }
            .unwrap();
        }
        let mut settings = Settings::default();
        settings.algorithms = Algorithm::ALL.to_vec();
        settings.issuers = vec![ISSUER.into()];
        settings.audience = Some("announce".into());
        settings.required = vec!["jti".into(), "tenant".into()];
        Verifier::with_keys(KeyRing::new(keys), settings).unwrap()
    })
}

fn verify(token: &str) -> Result<String, TokenError> {
    let claims = verifier().verify(token, now());
    claims.map(|claims| claims.user().to_owned())
}

/// The claims of a good token, with one put in the place of its namesake; `-` leaves it out.
fn claims(changed: &str, value: &str) -> String {
    let exp = (NOW + 60).to_string();
    let mut members = vec![
        ("iss", format!("\"{ISSUER}\"")),
        ("aud", r#""announce""#.into()),
        ("sub", r#""alice""#.into()),
        ("exp", exp),
        ("jti", r#""t1""#.into()),
        ("tenant", "1".into()),
    ];
    members.retain(|(name, _)| *name != changed);
    if value != "-" && !changed.is_empty() {
        members.push((changed, value.into()));
    }
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| format!(r#""{name}":{value}"#))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn header(algorithm: Algorithm, rest: &str) -> String {
    let kid = kid(algorithm);
    format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"{kid}"{rest}}}"#)
}

/// Case, claim, its value, and why it is refused.
const CLAIMS: &[(&str, &str, &str, TokenError)] = &[
    ("AU-08", "exp", "-", TokenError::Missing("exp")),
    ("AU-08", "exp", "\"1800000060\"", TokenError::Claim("exp")),
    ("AU-08", "exp", "1800000060.0", TokenError::Claim("exp")),
    ("AU-08", "exp", "1800000060.5", TokenError::Claim("exp")),
    ("AU-08", "exp", "18e8", TokenError::Claim("exp")),
    ("AU-08", "exp", "1e308", TokenError::Claim("exp")),
    ("AU-08", "exp", "-1", TokenError::Claim("exp")),
    ("AU-08", "exp", "-0", TokenError::Claim("exp")),
    ("AU-08", "exp", "0", TokenError::Expired),
    ("AU-08", "exp", "1", TokenError::Expired),
    ("AU-08", "exp", "1799999970", TokenError::Expired),
    ("AU-08", "exp", "9223372036854775807", TokenError::TooFar),
    (
        "AU-08",
        "exp",
        "9223372036854775808",
        TokenError::Claim("exp"),
    ),
    (
        "AU-08",
        "exp",
        "18446744073709551616",
        TokenError::Claim("exp"),
    ),
    ("AU-08", "exp", "1800000060000", TokenError::TooFar),
    ("AU-08", "exp", "null", TokenError::Claim("exp")),
    ("AU-08", "exp", "true", TokenError::Claim("exp")),
    ("AU-08", "exp", "[1800000060]", TokenError::Claim("exp")),
    ("AU-08", "exp", "{\"a\":1}", TokenError::Claim("exp")),
    ("AU-09", "nbf", "\"1800000000\"", TokenError::Claim("nbf")),
    ("AU-09", "nbf", "null", TokenError::Claim("nbf")),
    ("AU-09", "nbf", "1.5", TokenError::Claim("nbf")),
    ("AU-09", "nbf", "1800000031", TokenError::NotYet),
    ("AU-09", "iat", "\"1800000000\"", TokenError::Claim("iat")),
    ("AU-09", "iat", "[]", TokenError::Claim("iat")),
    ("AU-09", "iat", "1800000061", TokenError::NotYet),
    ("AU-11", "iss", "-", TokenError::Source),
    (
        "AU-11",
        "iss",
        "\"https://id.example/\"",
        TokenError::Source,
    ),
    ("AU-11", "iss", "\"HTTPS://id.example\"", TokenError::Source),
    (
        "AU-13",
        "iss",
        "\"https://id.example@evil\"",
        TokenError::Source,
    ),
    (
        "AU-13",
        "iss",
        "\"https://id.example#\"",
        TokenError::Source,
    ),
    (
        "AU-11",
        "iss",
        "[\"https://id.example\"]",
        TokenError::Claim("iss"),
    ),
    ("AU-11", "iss", "\"\"", TokenError::Claim("iss")),
    ("AU-11", "aud", "-", TokenError::Source),
    ("AU-11", "aud", "\"announcer\"", TokenError::Source),
    ("AU-11", "aud", "[\"x\",\"announce2\"]", TokenError::Source),
    ("AU-11", "aud", "[]", TokenError::Source),
    ("AU-11", "aud", "[[\"announce\"]]", TokenError::Claim("aud")),
    ("AU-11", "aud", "null", TokenError::Claim("aud")),
    ("AU-11", "sub", "-", TokenError::Missing("sub")),
    ("AU-11", "sub", "\"\"", TokenError::Claim("sub")),
    ("AU-11", "sub", "1", TokenError::Claim("sub")),
    ("AU-11", "sub", "\"a\\u0000\"", TokenError::Claim("sub")),
    (
        "AU-11",
        "preferred_username",
        "[]",
        TokenError::Claim("preferred_username"),
    ),
    ("AU-11", "jti", "-", TokenError::Missing("jti")),
    ("AU-11", "jti", "7", TokenError::Claim("jti")),
    ("AU-11", "tenant", "-", TokenError::Required),
    ("AU-40", "namespaces", "[]", TokenError::Claim("namespaces")),
    (
        "AU-40",
        "namespaces",
        "\"\"",
        TokenError::Claim("namespaces"),
    ),
    (
        "AU-40",
        "namespaces",
        "[\"a\",7]",
        TokenError::Claim("namespaces"),
    ),
    (
        "AU-40",
        "namespaces",
        "{\"a\":true}",
        TokenError::Claim("namespaces"),
    ),
    ("AU-26", "scope", "true", TokenError::Claim("scope")),
    (
        "AU-26",
        "scope",
        "{\"admin\":true}",
        TokenError::Claim("scope"),
    ),
    (
        "AU-26",
        "scope",
        "[\"admin\",true]",
        TokenError::Claim("scope"),
    ),
    ("AU-26", "roles", "\"true\"", TokenError::Claim("roles")),
    ("AU-26", "roles", "\"admin\"", TokenError::Claim("roles")),
    ("AU-26", "roles", "[null]", TokenError::Claim("roles")),
    ("AU-26", "channels", "\"HR\"", TokenError::Claim("channels")),
    ("AU-26", "groups", "[{}]", TokenError::Claim("groups")),
    ("AU-15", "x", "{\"y\":1,\"y\":1}", TokenError::Malformed),
    ("AU-15", "x", "1,\"sub\":\"bob\"", TokenError::Malformed),
    (
        "AU-15",
        "x",
        "1,\"\\u0073ub\":\"bob\"",
        TokenError::Malformed,
    ),
    ("AU-15", "x", "1,\"exp\":1900000000", TokenError::Malformed),
];

/// Case, members that are added to a good header, and why it is refused.
const HEADERS: &[(&str, &str, TokenError)] = &[
    ("AU-17", r#","crit":["exp"]"#, TokenError::Critical),
    (
        "AU-17",
        r#","crit":["b64"],"b64":false"#,
        TokenError::Critical,
    ),
    ("AU-17", r#","crit":[]"#, TokenError::Critical),
    ("AU-17", r#","crit":null"#, TokenError::Critical),
    ("AU-15", r#","alg":"none""#, TokenError::Malformed),
    ("AU-15", r#","kid":"other""#, TokenError::Malformed),
    ("AU-15", r#","\u0061lg":"HS256""#, TokenError::Malformed),
    ("AU-15", r#","x":{"a":1,"a":2}"#, TokenError::Malformed),
];

/// Case, `alg` and `kid` as JSON, and why it is refused.
const CHOICES: &[(&str, &str, &str, TokenError)] = &[
    ("AU-02", r#""none""#, r#""x""#, TokenError::Algorithm),
    ("AU-02", r#""None""#, r#""x""#, TokenError::Algorithm),
    ("AU-02", r#""nOnE""#, r#""x""#, TokenError::Algorithm),
    ("AU-02", r#""""#, r#""x""#, TokenError::Algorithm),
    ("AU-02", "0", r#""x""#, TokenError::Algorithm),
    ("AU-02", "null", r#""x""#, TokenError::Algorithm),
    ("AU-02", r#"["HS256"]"#, r#""x""#, TokenError::Algorithm),
    ("AU-04", r#""HS384""#, r#""x""#, TokenError::Algorithm),
    ("AU-04", r#""RS512""#, r#""x""#, TokenError::Algorithm),
    ("AU-04", r#""PS256""#, r#""x""#, TokenError::Algorithm),
    ("AU-04", r#""ES384""#, r#""x""#, TokenError::Algorithm),
    ("AU-04", r#""ES256K""#, r#""x""#, TokenError::Algorithm),
    ("AU-04", r#""hs256""#, r#""x""#, TokenError::Algorithm),
    ("AU-04", r#""EdDSA ""#, r#""x""#, TokenError::Algorithm),
];

/// Names of keys that nobody has; the algorithm is right.
const KIDS: &[(&str, TokenError)] = &[
    (r#""unknown""#, TokenError::UnknownKey),
    (r#""""#, TokenError::UnknownKey),
    (r#""../../x""#, TokenError::UnknownKey),
    (r#""' OR 1=1 --""#, TokenError::UnknownKey),
    (r#""key of""#, TokenError::UnknownKey),
    ("1", TokenError::Claim("kid")),
    ("null", TokenError::Claim("kid")),
    ("{}", TokenError::Claim("kid")),
];

#[test]
fn a_good_token_of_each_algorithm_passes_named_or_not() {
    //= A49 type=test
    //= AU-12 type=test
    for signer in signers() {
        let algorithm = signer.algorithm();
        let unnamed = format!(r#"{{"alg":"{algorithm}"}}"#);
        for header in [
            header(algorithm, ""),
            unnamed,
            header(algorithm, r#","x":1"#),
        ] {
            let token = signer.sign(&header, &claims("", ""));
            assert_eq!(verify(&token).as_deref(), Ok("alice"), "{header}");
        }
        let twins = [
            ("exp", "1799999971"),
            ("exp", "2116224000"),
            ("nbf", "1800000030"),
            ("iat", "1800000060"),
            ("aud", r#"["x","announce"]"#),
            ("roles", "[]"),
            ("groups", r#"["HR"]"#),
            ("x", r#"{"alg":"none"}"#),
        ];
        for (claim, value) in twins {
            let token = signer.sign(&header(algorithm, ""), &claims(claim, value));
            assert_eq!(
                verify(&token).as_deref(),
                Ok("alice"),
                "{algorithm} {claim}"
            );
        }
    }
}

/// All tokens of the tables and those that are put together by hand, signed where that helps.
fn forged() -> Vec<(String, String, TokenError)> {
    let mut all = Vec::new();
    for signer in signers() {
        let algorithm = signer.algorithm();
        let mut add = |what: String, token: String, error| {
            all.push((format!("{algorithm} {what}"), token, error));
        };
        let good = claims("", "");
        for (case, claim, value, error) in CLAIMS {
            let token = signer.sign(&header(algorithm, ""), &claims(claim, value));
            add(format!("{case} {claim} {value}"), token, *error);
        }
        for (case, rest, error) in HEADERS {
            let token = signer.sign(&header(algorithm, rest), &good);
            add(format!("{case} {rest}"), token, *error);
        }
        for (case, alg, kid, error) in CHOICES {
            let header = format!(r#"{{"alg":{alg},"kid":{kid}}}"#);
            add(format!("{case} {alg}"), signer.sign(&header, &good), *error);
            let unsigned = format!("{}.{}.", encode(&header), encode(&good));
            add(format!("{case} {alg} unsigned"), unsigned, *error);
        }
        for (kid, error) in KIDS {
            let header = format!(r#"{{"alg":"{algorithm}","kid":{kid}}}"#);
            add(format!("AU-12 {kid}"), signer.sign(&header, &good), *error);
        }
        let header_10k = format!(r#"{{"alg":"{algorithm}","kid":"{}"}}"#, "k".repeat(10_000));
        add(
            "AU-12 10 KB".into(),
            signer.sign(&header_10k, &good),
            TokenError::TooLong,
        );
        let kid_long = format!(r#"{{"alg":"{algorithm}","kid":"{}"}}"#, "k".repeat(257));
        let error = TokenError::Claim("kid");
        add(
            "AU-12 257 bytes".into(),
            signer.sign(&kid_long, &good),
            error,
        );
        let no_alg = format!(r#"{{"kid":"{}"}}"#, kid(algorithm));
        add(
            "AU-02 no alg".into(),
            signer.sign(&no_alg, &good),
            TokenError::Algorithm,
        );
        for other in signers().iter().map(Signer::algorithm) {
            if other != algorithm {
                // The key of one algorithm, the name of another, and the header of either.
                let swapped = format!(r#"{{"alg":"{other}","kid":"{}"}}"#, kid(algorithm));
                let token = signer.sign(&swapped, &good);
                add(format!("AU-04 as {other}"), token, TokenError::UnknownKey);
                let token = signer.sign(&header(other, ""), &good);
                add(format!("AU-04 for {other}"), token, TokenError::Signature);
            }
        }
    }
    all
}

#[test]
fn every_forged_token_is_refused_for_the_reason_that_is_meant() {
    //= AU-02 type=test
    //= AU-04 type=test
    //= V-92 type=test
    //= AU-08 type=test
    //= AU-09 type=test
    //= AU-11 type=test
    //= AU-12 type=test
    //= AU-15 type=test
    //= AU-17 type=test
    //= AU-26 type=test
    //= AU-40 type=test
    //= V-87 type=test
    //= V-94 type=test
    let all = forged();
    assert!(all.len() >= 150, "{}", all.len());
    for (what, token, error) in &all {
        assert_eq!(verify(token), Err(*error), "{what}");
    }
    println!("{} forged tokens", all.len());
}

#[test]
fn what_is_not_three_segments_of_strict_base64url_is_no_token() {
    //= AU-01 type=test
    //= AU-06 type=test
    //= AU-07 type=test
    //= AU-16 type=test
    for signer in signers() {
        let token = signer.sign(&header(signer.algorithm(), ""), &claims("", ""));
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (first, body) = message.split_once('.').unwrap();
        let nested = signer.sign(&header(signer.algorithm(), ""), &token);
        let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
        let deep = signer.sign(&header(signer.algorithm(), ""), &claims("x", &deep));
        let cases = [
            String::new(),
            "Bearer".into(),
            ".".into(),
            "..".into(),
            "...".into(),
            message.into(),
            format!("{first}.{body}.{signature}.{signature}"),
            // The five parts of an encrypted token.
            format!("{first}.{body}.{body}.{body}.{signature}"),
            format!("{token}="),
            format!("{token}\n"),
            format!(" {token}"),
            format!("{first} .{body}.{signature}"),
            format!("{first}=.{body}.{signature}"),
            format!("{first}.{body}.{signature}+"),
            format!("{first}.{body}./{signature}"),
            format!("{first}\n.{body}.{signature}"),
            nested,
            deep,
        ];
        for case in cases {
            let refused = verify(&case);
            assert_eq!(refused, Err(TokenError::Malformed), "{case:?}");
        }
        let huge = format!("{token}{}", "A".repeat(1 << 20));
        assert_eq!(verify(&huge), Err(TokenError::TooLong));
        let most = format!(
            "{first}.{body}.{}",
            "A".repeat(BYTES_MAX - message.len() - 1)
        );
        assert_eq!(most.len(), BYTES_MAX);
        assert!(matches!(
            verify(&most),
            Err(TokenError::Signature | TokenError::Malformed)
        ));
    }
}

#[test]
fn a_public_key_is_no_secret() {
    //= AU-03 type=test
    //= V-88 type=test
    let good = claims("", "");
    for signer in &signers()[1..] {
        let texts = [
            signer.pem().into_bytes(),
            signer.pem().trim_end().as_bytes().to_vec(),
            signer.der(),
            signer.public(),
            signer.jwk("").into_bytes(),
            encode(signer.public()).into_bytes(),
        ];
        for key in texts {
            for name in [kid(signer.algorithm()), kid(Algorithm::Hs256)] {
                let header = format!(r#"{{"alg":"HS256","kid":"{name}"}}"#);
                let token = sign_with(&header, &good, &key, Signed::HS256);
                assert!(matches!(
                    verify(&token),
                    Err(TokenError::Signature | TokenError::UnknownKey)
                ));
            }
            let unnamed = sign_with(r#"{"alg":"HS256"}"#, &good, &key, Signed::HS256);
            assert_eq!(verify(&unnamed), Err(TokenError::Signature));
        }
    }
}

#[test]
fn keys_in_the_header_are_not_used() {
    //= AU-13 type=test
    let stranger = Signer::new(Algorithm::EdDsa);
    let jwk = stranger.jwk("");
    for rest in [
        format!(r#","jwk":{jwk}"#),
        r#","x5c":["MIIB"]"#.into(),
        r#","jku":"http://127.0.0.1:1/""#.into(),
        r#","x5u":"file:///etc/passwd""#.into(),
    ] {
        let header = header(Algorithm::EdDsa, &rest);
        let forged = stranger.sign(&header, &claims("", ""));
        assert_eq!(verify(&forged), Err(TokenError::Signature), "{rest}");
        // Beside a good signature they are members like any other.
        let good = signers()[3].sign(&header, &claims("", ""));
        assert_eq!(verify(&good).as_deref(), Ok("alice"), "{rest}");
    }
}

#[test]
fn every_bit_of_every_signature_counts() {
    //= AU-05 type=test
    let good = claims("", "");
    for signer in signers() {
        let algorithm = signer.algorithm();
        let message = format!("{}.{}", encode(header(algorithm, "")), encode(&good));
        let signature = signer.signature(message.as_bytes());
        let verdict = |signature: &[u8]| verify(&format!("{message}.{}", encode(signature)));
        assert!(verdict(&signature).is_ok());
        // The signatures of two of them have 512 bits.
        for bit in 0..signature.len() * 8 {
            let mut forged = signature.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                verdict(&forged),
                Err(TokenError::Signature),
                "{algorithm} {bit}"
            );
        }
        for length in 0..signature.len() {
            let cut = verdict(&signature[..length]);
            assert_eq!(
                cut,
                Err(TokenError::Signature),
                "{algorithm} {length} bytes"
            );
        }
        let longer = [&signature[..], &[0]].concat();
        assert_eq!(verdict(&longer), Err(TokenError::Signature));
        for fill in [0, 1, 0xff] {
            let plain = vec![fill; signature.len()];
            assert_eq!(verdict(&plain), Err(TokenError::Signature));
        }
    }
    // r and s in DER, as other protocols have them.
    let token = sign_segments(
        &encode(header(Algorithm::Hs256, "")),
        &encode(&good),
        b"MAYCAQECAQE=MAYCAQECAQE=MAYCAQECAQE=",
        Signed::HS256,
    );
    assert_eq!(verify(&token), Err(TokenError::Signature));
}

#[test]
fn expiry_and_start_hold_to_the_second_for_any_skew() {
    //= AU-10 type=test
    for skew in [0, 1, 30, 300] {
        let mut settings = Settings::default();
        settings.skew = Duration::from_secs(skew);
        let keys = Keys::new().with_secret(&secret(), Pin::default()).unwrap();
        let verifier = Verifier::with_keys(KeyRing::new(keys), settings).unwrap();
        let token = signers()[0].sign(
            r#"{"alg":"HS256"}"#,
            &format!(r#"{{"sub":"a","nbf":{NOW},"exp":{}}}"#, NOW + 1000),
        );
        let case = |second: u64| verifier.verify(&token, at(second)).map(drop);
        assert_eq!(case(NOW - skew - 1), Err(TokenError::NotYet));
        assert_eq!(case(NOW - skew), Ok(()));
        assert_eq!(case(NOW + 1000 + skew - 1), Ok(()));
        assert_eq!(case(NOW + 1000 + skew), Err(TokenError::Expired));
        let last = at(NOW + 1000 + skew) - Duration::from_nanos(1);
        assert!(verifier.verify(&token, last).is_ok());
    }
}
