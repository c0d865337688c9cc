use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;

use super::*;

fn offers(values: &[&str]) -> Result<Vec<String>, MalformedList> {
    let offers = parse_extensions(values.iter().map(|value| value.as_bytes()))?;
    Ok(offers.iter().map(ToString::to_string).collect())
}

#[test]
fn a_token_has_no_separator_no_control_and_nothing_beyond_ascii() {
    let separators = b"()<>@,;:\\\"/[]?={} \t";
    for byte in 0..=u8::MAX {
        let expected = (0x21..0x7f).contains(&byte) && !separators.contains(&byte);
        assert_eq!(is_token(&[b'a', byte]), expected, "{byte:#04x}");
    }
    assert!(!is_token(b""));
}

//= WS-067 type=test
#[test]
fn tokens_come_in_order_and_empty_elements_are_passed_over() {
    let found: Vec<_> = tokens(b" ,chat ,\tsuperchat,,v1.x\t, ").collect();
    assert_eq!(found, [Ok("chat"), Ok("superchat"), Ok("v1.x")]);
    assert_eq!(tokens(b"").count(), 0);
    let found: Vec<_> = tokens(b"a b, c, d/e, \xff").collect();
    let bad = Err(MalformedList::NotAToken);
    assert_eq!(found, [bad, Ok("c"), bad, bad]);
}

//= WS-162 type=test
#[test]
fn a_token_is_found_in_any_line_and_in_any_case() {
    let has = |values: &[&str], wanted: &str| {
        contains_token(
            values.iter().map(|value| value.as_bytes()),
            wanted.as_bytes(),
        )
    };
    assert!(has(&["Upgrade"], "upgrade"));
    assert!(has(&["keep-alive, UPGRADE"], "upgrade"));
    assert!(has(&["keep-alive", "x ,upgrade\t"], "upgrade"));
    assert!(has(&["not a token, upgrade"], "upgrade"));
    assert!(!has(
        &["keep-alive", "upgrades, up grade, \"upgrade\""],
        "upgrade"
    ));
    assert!(!has(&[], "upgrade"));
}

//= WS-067 type=test
#[test]
fn a_version_is_0_to_255_without_a_leading_zero() {
    for number in 0..=255_u8 {
        assert_eq!(parse_version(number.to_string().as_bytes()), Some(number));
    }
    for bad in [
        "", "013", "00", "256", "1000", "+13", "-1", "13 ", "1x", "٣",
    ] {
        assert_eq!(parse_version(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn offers_are_read_with_their_parameters_in_order() {
    let parsed = parse_extensions(
        [&b"permessage-deflate; client_max_window_bits; server_max_window_bits=10, X-a"[..]]
            .into_iter(),
    )
    .unwrap();
    assert_eq!(parsed.len(), 2);
    assert_eq!(parsed[0].name(), "permessage-deflate");
    assert_eq!(
        parsed[0].params().collect::<Vec<_>>(),
        [
            ("client_max_window_bits", None),
            ("server_max_window_bits", Some("10"))
        ]
    );
    assert_eq!(parsed[1], ExtensionOffer::new("X-a").unwrap());
    assert_eq!(offers(&["a;p;p=1;p"]).unwrap(), ["a; p; p=1; p"]);
}

//= WS-162 type=test
#[test]
fn several_lines_are_one_list() {
    assert_eq!(
        offers(&["a; p=1", "b, c", ","]).unwrap(),
        ["a; p=1", "b", "c"]
    );
    assert_eq!(offers(&["a; p=1, b, c"]), offers(&["a; p=1", "b, c"]));
    assert_eq!(offers(&[]).unwrap(), vec![""; 0]);
}

//= WS-066 type=test
#[test]
fn a_quoted_value_is_unescaped_and_must_then_be_a_token() {
    assert_eq!(offers(&[r#"a; p="10""#]).unwrap(), ["a; p=10"]);
    assert_eq!(
        offers(&[r#"a; p="1\0" ; q="\x" , b"#]).unwrap(),
        ["a; p=10; q=x", "b"]
    );
    for bad in [
        r#"a; p="""#,
        r#"a; p="1 0""#,
        r#"a; p="1,0""#,
        r#"a; p="\"""#,
        "a; p=\"é\"",
    ] {
        assert_eq!(offers(&[bad]), Err(MalformedList::NotAToken), "{bad}");
    }
    for bad in [r#"a; p=""#, r#"a; p="10"#, r#"a; p="10\"#, r#"a; p="10\""#] {
        assert_eq!(
            offers(&[bad]),
            Err(MalformedList::UnterminatedQuote),
            "{bad}"
        );
    }
    assert_eq!(
        offers(&[r#"a; p="10"#, r#"""#]),
        Err(MalformedList::UnterminatedQuote)
    );
}

//= WS-158 type=test
#[test]
fn a_malformed_list_is_refused() {
    for bad in [
        "a;",
        "a; ;b",
        "a; =1",
        "a; p=",
        "a; p=,b",
        ";a",
        "=a",
        "\"a\"",
        "a; p=1=2;",
        "é",
    ] {
        let result = offers(&[bad]);
        assert!(
            matches!(
                result,
                Err(MalformedList::NotAToken | MalformedList::Separator)
            ),
            "{bad}: {result:?}"
        );
    }
    for bad in [
        "a b",
        "a=1",
        "a; p q",
        "a; p=1 q",
        r#"a; p="1"q"#,
        "a/b",
        "a\0",
    ] {
        assert_eq!(offers(&[bad]), Err(MalformedList::Separator), "{bad}");
    }
    for bad in [&[""][..], &[" "], &[",", " , "]] {
        assert_eq!(offers(bad), Err(MalformedList::Empty), "{bad:?}");
    }
    assert_eq!(offers(&["a", "b;"]), Err(MalformedList::NotAToken));
}

#[test]
fn white_space_may_stand_around_the_separators() {
    assert_eq!(
        offers(&[" a\t;p =\t1 ; q ,, b "]).unwrap(),
        ["a; p=1; q", "b"]
    );
}

#[test]
fn sixteen_offers_and_sixteen_parameters_pass_and_one_more_does_not() {
    let many = |count: usize, separator: &str| vec!["x"; count].join(separator);
    assert_eq!(offers(&[&many(OFFERS_MAX, ",")]).unwrap().len(), OFFERS_MAX);
    assert_eq!(
        offers(&[&many(OFFERS_MAX + 1, ",")]),
        Err(MalformedList::TooManyOffers)
    );
    assert_eq!(
        offers(&vec!["x"; OFFERS_MAX + 1]),
        Err(MalformedList::TooManyOffers)
    );
    assert!(offers(&[&many(PARAMS_MAX + 1, ";")]).is_ok());
    assert_eq!(
        offers(&[&many(PARAMS_MAX + 2, ";")]),
        Err(MalformedList::TooManyParams)
    );
}

#[test]
fn an_offer_is_made_of_tokens_only() {
    let offer = ExtensionOffer::new("a").unwrap();
    assert_eq!(ExtensionOffer::new(""), Err(MalformedList::NotAToken));
    assert_eq!(ExtensionOffer::new("a\r\nb"), Err(MalformedList::NotAToken));
    assert!(offer.clone().with_param("p;q", None).is_err());
    assert!(offer.clone().with_param("p", Some("")).is_err());
    assert!(offer.clone().with_param("p", Some("1, b")).is_err());
    assert_eq!(
        offer.with_param("p", Some("1")).unwrap().to_string(),
        "a; p=1"
    );
}

fn any_token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,8}"
}

proptest! {
    #[test]
    fn prop_what_is_written_is_read_back(
        list in proptest::collection::vec(
            (
                any_token(),
                proptest::collection::vec((any_token(), proptest::option::of(any_token())), 0..5),
            ),
            1..6,
        ),
    ) {
        let list: Vec<_> = list
            .into_iter()
            .map(|(name, params)| ExtensionOffer { name, params })
            .collect();
        let lines: Vec<_> = list.iter().map(ToString::to_string).collect();
        let joined = lines.join(", ");
        prop_assert_eq!(parse_extensions([joined.as_bytes()].into_iter()), Ok(list.clone()));
        prop_assert_eq!(parse_extensions(lines.iter().map(|line| line.as_bytes())), Ok(list));
    }

    #[test]
    fn prop_any_bytes_are_read_or_refused_and_what_is_read_is_tokens(
        value in proptest::collection::vec(
            prop_oneof![Just(b','), Just(b';'), Just(b'='), Just(b'"'), Just(b'\\'), Just(b' '),
                Just(b'a'), any::<u8>()],
            0..60,
        ),
    ) {
        for offer in parse_extensions([&value[..]].into_iter()).unwrap_or_default() {
            let again = format!("{offer}");
            prop_assert_eq!(parse_extensions([again.as_bytes()].into_iter()), Ok(vec![offer]));
        }
        for token in tokens(&value).flatten() {
            prop_assert!(is_token(token.as_bytes()));
        }
    }
}
