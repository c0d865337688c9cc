//! Bodies of Close frames.

use framewire::wire::close::{CloseCode, CloseReason, MalformedClose};

use crate::hex;

/// A body that may be sent is read, and is written again as it was.
fn check(body: &str, code: Option<CloseCode>, reason: &str) {
    let bytes = hex(body);
    let read = CloseReason::decode(&bytes).expect("a body that may be sent");
    assert_eq!((read.code(), read.reason()), (code, reason), "{body}");
    let mut written = Vec::new();
    read.encode_into(&mut written);
    assert_eq!(written, bytes, "{body}");
}

//= WS-100 type=test
#[test]
fn bodies_that_may_be_sent_survive_a_round_trip() {
    check("", None, "");
    check("03e8", Some(CloseCode::NORMAL_CLOSURE), "");
    check("03e9 62 79 65", Some(CloseCode::GOING_AWAY), "bye");
    check("03f6 c3a9", Some(CloseCode::BAD_GATEWAY), "é");
    check("0bb8", Some(CloseCode::new(3000)), "");
    check("1387 f09f9880", Some(CloseCode::new(4999)), "😀");
}

//= WS-148 type=test
//= WS-149 type=test
//= WS-152 type=test
//= WS-154 type=test
#[test]
fn bodies_that_must_not_be_sent_are_refused() {
    for (body, expected) in [
        ("03", MalformedClose::OneByte),
        ("0000", MalformedClose::Code(0)),
        ("03e7", MalformedClose::Code(999)),
        ("03ec", MalformedClose::Code(1004)),
        ("03ed", MalformedClose::Code(1005)),
        ("03ee", MalformedClose::Code(1006)),
        ("03f7", MalformedClose::Code(1015)),
        ("03f8", MalformedClose::Code(1016)),
        ("0bb7", MalformedClose::Code(2999)),
        ("1388", MalformedClose::Code(5000)),
        ("ffff", MalformedClose::Code(65_535)),
        ("03e8 ff", MalformedClose::NotUtf8),
        ("03e8 c3", MalformedClose::NotUtf8),
        ("03e8 eda080", MalformedClose::NotUtf8),
    ] {
        assert_eq!(CloseReason::decode(&hex(body)), Err(expected), "{body}");
    }
}

#[test]
fn a_close_reason_takes_three_words_of_memory() {
    assert!(size_of::<CloseReason>() <= 3 * size_of::<u64>());
    assert!(size_of::<Option<CloseReason>>() <= 3 * size_of::<u64>());
}
