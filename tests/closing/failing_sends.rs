//! What a violation does to what is being sent (RFC 6455 §7.1.7).

use framewire::engine::{Cause, Kind, Role, Side, Violation};
use framewire::wire::header::MalformedHeader;

use crate::{BINARY, CLOSE, End, Found, PING, PONG, TEXT, at, body, reason};

const BAD: u8 = 0x83;
const VIOLATION: Violation = Violation::Header(MalformedHeader::ReservedOpcode(3));

//= WS-136 type=test
//= WS-137 type=test
//= WS-139 type=test
//= WS-140 type=test
#[test]
fn a_violation_sends_what_waited_then_one_close_and_ends_the_stream() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.connection
            .send_text(at(0), "before")
            .expect("an open connection");
        let mut bytes = end.peer_frame(PING, "answered");
        bytes.extend(end.peer_frame(BAD, ""));
        bytes.extend(end.peer_frame(PING, "not answered"));
        bytes.extend(end.peer_frame(CLOSE, body(1000, "")));
        let found = end.feed(at(0), &bytes);
        assert_eq!(
            found,
            [Found::Ping(b"answered".to_vec()), Found::Failed(VIOLATION)]
        );
        end.expect_no_sending(at(0));
        assert!(end.connection.is_discarding() && !end.connection.should_end_stream());

        let expected = [
            (PONG, b"answered".to_vec()),
            (TEXT, b"before".to_vec()),
            (CLOSE, body(1002, "reserved opcode")),
        ];
        assert_eq!(end.sent(), expected);
        assert!(end.connection.should_end_stream() && !end.connection.is_closed());
        assert_eq!(end.hear(at(0), CLOSE, body(1000, "")), []);
        let closure = end.connection.closure().expect("it has failed");
        assert_eq!(closure.cause(), Some(Cause::Violation(VIOLATION)));
        assert_eq!(
            (closure.began(), closure.received()),
            (Some(Side::Local), None)
        );
        assert_eq!((closure.code().get(), closure.is_clean()), (1006, false));
        assert_eq!(
            closure.sent().and_then(|it| it.code()),
            Some(VIOLATION.close_code())
        );
        end.connection.receive_eof(at(0));
        assert!(end.connection.is_closed());
    }
}

//= WS-140 type=test
#[test]
fn a_violation_after_our_own_close_sends_no_second_close() {
    for role in Role::BOTH {
        for close_has_left in [false, true] {
            let mut end = End::new(role);
            end.connection
                .close(at(0), reason(1001, "away"))
                .expect("a code for both ends");
            let mut sent = Vec::new();
            if close_has_left {
                sent = end.sent();
            }
            assert_eq!(end.hear(at(1), BAD, ""), [Found::Failed(VIOLATION)]);
            sent.extend(end.sent());
            assert_eq!(sent, [(CLOSE, body(1001, "away"))]);
            assert!(end.connection.should_end_stream());
            let closure = end.connection.closure().expect("it has failed");
            assert_eq!(closure.cause(), Some(Cause::Violation(VIOLATION)));
            assert_eq!(closure.sent(), Some(&reason(1001, "away")));
            assert!(!closure.is_clean());
            // The time that is left to close is the one that began with our Close.
            assert_eq!(end.connection.poll_timeout(), Some(at(5_000)));
        }
    }
}

/// The message has no last fragment: the peer learns of it by the Close.
#[test]
fn a_violation_while_a_message_is_sent_in_fragments_ends_it_with_a_close() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        let begun = end
            .connection
            .send_fragment(at(0), Kind::Binary, b"one", false);
        begun.expect("an open connection");
        let sent_of_it = end.take(2);
        assert_eq!(end.hear(at(0), BAD, ""), [Found::Failed(VIOLATION)]);
        end.expect_no_sending(at(0));
        let all = [sent_of_it, end.take(usize::MAX)].concat();
        let firsts: Vec<u8> = crate::frames(&all).iter().map(|it| it.first).collect();
        assert_eq!(firsts, [BINARY & 0x0f, CLOSE]);
        assert!(end.connection.should_end_stream());
    }
}

/// A Close that breaks the rules is no Close: it is answered with 1002 or 1007, not echoed.
//= WS-098 type=test
//= WS-100 type=test
//= WS-153 type=test
//= WS-155 type=test
#[test]
fn a_malformed_close_fails_the_connection() {
    for role in Role::BOTH {
        for (bad, code) in [
            (b"\x03".to_vec(), 1002),
            (body(1004, ""), 1002),
            (body(1005, ""), 1002),
            (body(1006, ""), 1002),
            (body(1015, ""), 1002),
            (body(999, ""), 1002),
            (body(2999, ""), 1002),
            (body(5000, ""), 1002),
            (b"\x03\xe8\xff".to_vec(), 1007),
        ] {
            let mut end = End::new(role);
            let found = end.hear(at(0), CLOSE, &bad);
            assert!(
                matches!(found[..], [Found::Failed(Violation::Close(_))]),
                "{found:?}"
            );
            let sent = end.sent();
            assert_eq!(
                (sent.len(), &sent[0].1[..2]),
                (1, &body(code, "")[..]),
                "{bad:02x?}"
            );
            let closure = end.connection.closure().expect("it has failed");
            assert_eq!((closure.received(), closure.is_clean()), (None, false));
            assert!(end.connection.should_end_stream());
        }
        let mut end = End::new(role);
        assert_eq!(
            end.hear(at(0), CLOSE, body(1000, &"x".repeat(123))),
            [Found::Close]
        );
    }
}

/// What has been received before the violation in the same segment is delivered.
//= WS-140 type=test
//= PX-07 type=test
#[test]
fn messages_before_a_violation_are_delivered_and_those_behind_it_are_not() {
    for role in Role::BOTH {
        let end = End::new(role);
        let mut bytes = end.peer_frame(TEXT, "before");
        bytes.extend(end.peer_frame(BAD, ""));
        bytes.extend(end.peer_frame(TEXT, "behind"));
        for cut in 0..bytes.len() {
            let mut end = End::new(role);
            let mut found = end.feed(at(0), &bytes[..cut]);
            found.extend(end.feed(at(0), &bytes[cut..]));
            let expected = [Found::Text("before".into()), Found::Failed(VIOLATION)];
            assert_eq!(found, expected, "cut at {cut}");
        }
    }
}

#[test]
fn a_failed_connection_is_given_up_after_the_close_timeout() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.hear(at(100), BAD, "");
        assert_eq!(end.connection.poll_timeout(), Some(at(5_100)));
        end.sent();
        end.connection.timeout(at(5_100));
        assert!(end.connection.is_closed());
        let cause = end.connection.closure().and_then(|it| it.cause());
        assert_eq!(cause, Some(Cause::Violation(VIOLATION)));
    }
}
