use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;

fn body(number: u16, text: &[u8]) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    body.extend_from_slice(text);
    body
}

//= WS-148 type=test
//= WS-149 type=test
//= WS-152 type=test
//= WS-153 type=test
//= WS-154 type=test
#[test]
fn of_all_65536_codes_only_the_permitted_ones_may_be_sent() {
    let registered = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
    ];
    for number in 0..=u16::MAX {
        let code = CloseCode::new(number);
        let permitted = registered.contains(&number) || (3000..5000).contains(&number);
        assert_eq!(code.may_be_sent(), permitted, "{number}");
        assert_eq!(CloseReason::new(code, "").is_ok(), permitted, "{number}");
        let decoded = CloseReason::decode(&body(number, b"why"));
        if permitted {
            let decoded = decoded.unwrap();
            assert_eq!((decoded.code(), decoded.reason()), (Some(code), "why"));
        } else {
            assert_eq!(decoded, Err(MalformedClose::Code(number)));
        }
    }
}

#[test]
fn a_code_prints_its_registered_name_or_its_number() {
    assert_eq!(
        format!("{:?}", CloseCode::MESSAGE_TOO_BIG),
        "MESSAGE_TOO_BIG"
    );
    assert_eq!(format!("{:?}", CloseCode::new(4008)), "4008");
    assert_eq!(CloseCode::MESSAGE_TOO_BIG.to_string(), "1009");
    assert_eq!(u16::from(CloseCode::from(1004)), 1004);
    let named = (0..=u16::MAX).filter(|&number| CloseCode(number).name().is_some());
    assert_eq!(
        named.collect::<Vec<_>>(),
        [1000, 1001, 1002, 1003]
            .into_iter()
            .chain(1005..=1015)
            .collect::<Vec<_>>()
    );
}

//= WS-100 type=test
#[test]
fn a_body_of_one_byte_is_refused_and_one_of_none_or_two_is_not() {
    assert_eq!(CloseReason::decode(&[]), Ok(CloseReason::empty()));
    assert_eq!(CloseReason::decode(&[3]), Err(MalformedClose::OneByte));
    let two = CloseReason::decode(&[3, 232]).unwrap();
    assert_eq!(
        (two.code(), two.reason()),
        (Some(CloseCode::NORMAL_CLOSURE), "")
    );
}

//= WS-135 type=test
//= WS-155 type=test
#[test]
fn a_reason_is_utf8_or_is_refused() {
    let decoded = CloseReason::decode(&body(1000, "Tschüß".as_bytes())).unwrap();
    assert_eq!(decoded.reason(), "Tschüß");
    for bad in [&b"\xc3"[..], b"\xed\xa0\x80", b"ok \xff"] {
        assert_eq!(
            CloseReason::decode(&body(1000, bad)),
            Err(MalformedClose::NotUtf8)
        );
    }
}

//= WS-098 type=test
#[test]
fn a_reason_of_123_bytes_fits_and_one_of_124_does_not() {
    let fits = "x".repeat(123);
    let long = "x".repeat(124);
    let code = CloseCode::GOING_AWAY;
    let mut bytes = Vec::new();
    CloseReason::new(code, &fits)
        .unwrap()
        .encode_into(&mut bytes);
    assert_eq!(bytes.len(), 125);
    assert_eq!(CloseReason::decode(&bytes).unwrap().reason(), fits);
    assert_eq!(
        CloseReason::new(code, &long),
        Err(CloseReasonError::TooLong { bytes: 124 })
    );
    bytes.push(b'x');
    assert_eq!(CloseReason::decode(&bytes), Err(MalformedClose::TooLong));
}

#[test]
fn a_truncated_reason_ends_between_two_characters() {
    for (unit, kept) in [("x", 123), ("é", 122), ("€", 123), ("😀", 120)] {
        let long: String = unit.repeat(200);
        let cut = CloseReason::truncated(CloseCode::NORMAL_CLOSURE, &long).unwrap();
        assert_eq!(cut.reason().len(), kept);
        assert!(long.starts_with(cut.reason()));
    }
    let short = CloseReason::truncated(CloseCode::NORMAL_CLOSURE, "short").unwrap();
    assert_eq!(short.reason(), "short");
    let unsent = CloseReason::truncated(CloseCode::ABNORMAL_CLOSURE, "x");
    assert_eq!(
        unsent,
        Err(CloseReasonError::Code(CloseCode::ABNORMAL_CLOSURE))
    );
}

#[test]
fn encoding_appends_the_body_that_was_decoded() {
    for bytes in [vec![], body(1000, b""), body(4999, "größer".as_bytes())] {
        let mut target = vec![0xaa];
        CloseReason::decode(&bytes)
            .unwrap()
            .encode_into(&mut target);
        assert_eq!(target, [&[0xaa][..], &bytes].concat());
    }
}
