//! The closing handshake (RFC 6455 §5.5.1, §7.1).

use framewire::engine::{Cause, Kind, Misuse, Role, Side};
use framewire::wire::close::{CloseCode, CloseReason, CloseReasonError};

use crate::{CLOSE, End, Found, PING, PONG, TEXT, at, body, reason};

//= WS-106 type=test
//= WS-107 type=test
//= WS-108 type=test
//= WS-128 type=test
//= WS-129 type=test
//= WS-130 type=test
//= WS-131 type=test
//= WS-132 type=test
//= WS-133 type=test
#[test]
fn a_close_that_begins_here_is_over_when_the_peer_has_answered_and_tcp_has_ended() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        assert_eq!(end.connection.closure(), None);
        end.connection
            .close(at(0), reason(1000, "bye"))
            .expect("a code for both ends");
        end.expect_no_sending(at(0));
        assert_eq!(end.sent(), [(CLOSE, body(1000, "bye"))]);
        let closure = end.connection.closure().expect("it is closing");
        assert_eq!(closure.began(), Some(Side::Local));
        assert_eq!(closure.sent(), Some(&reason(1000, "bye")));
        assert_eq!((closure.received(), closure.cause()), (None, None));
        assert_eq!(
            (closure.code(), closure.is_clean()),
            (CloseCode::ABNORMAL_CLOSURE, false)
        );
        assert!(!end.connection.should_end_stream() && !end.connection.is_discarding());

        assert_eq!(
            end.hear(at(1), CLOSE, body(1000, "see you")),
            [Found::Close]
        );
        assert_eq!(end.sent(), []);
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!(closure.began(), Some(Side::Local));
        assert_eq!(closure.received(), Some(&reason(1000, "see you")));
        assert_eq!(
            (closure.cause(), closure.is_clean()),
            (Some(Cause::Handshake), true)
        );
        assert_eq!((closure.code().get(), closure.reason()), (1000, "see you"));
        assert_eq!(end.connection.should_end_stream(), role == Role::Server);
        assert!(!end.connection.is_closed() && end.connection.is_discarding());

        end.connection.receive_eof(at(2));
        assert!(end.connection.is_closed() && end.connection.should_end_stream());
        assert_eq!(end.connection.poll_timeout(), None);
        assert!(end.connection.closure().expect("it has closed").is_clean());
    }
}

//= WS-104 type=test
//= WS-106 type=test
//= WS-107 type=test
//= WS-128 type=test
#[test]
fn a_close_that_the_peer_begins_is_answered_with_its_code() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        assert_eq!(end.hear(at(0), CLOSE, body(4001, "later")), [Found::Close]);
        end.expect_no_sending(at(0));
        // The answer is still to leave, so the stream does not end yet.
        assert!(!end.connection.should_end_stream());
        assert_eq!(end.sent(), [(CLOSE, body(4001, ""))]);
        assert_eq!(end.connection.should_end_stream(), role == Role::Server);
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!(closure.began(), Some(Side::Remote));
        assert_eq!(closure.sent(), Some(&reason(4001, "")));
        assert_eq!(closure.received(), Some(&reason(4001, "later")));
        assert!(closure.is_clean());
        end.connection.receive_eof(at(1));
        assert!(end.connection.is_closed());
    }
}

//= WS-104 type=test
//= WS-154 type=test
#[test]
fn every_code_that_may_arrive_is_echoed() {
    for role in Role::BOTH {
        for code in (0..=u16::MAX)
            .map(CloseCode::new)
            .filter(|code| code.may_be_sent())
        {
            let mut end = End::new(role);
            assert_eq!(end.hear(at(0), CLOSE, body(code.get(), "")), [Found::Close]);
            assert_eq!(end.sent(), [(CLOSE, body(code.get(), ""))]);
            assert_eq!(end.connection.closure().map(|it| it.code()), Some(code));
        }
    }
}

//= WS-134 type=test
//= WS-135 type=test
//= WS-148 type=test
#[test]
fn a_close_without_a_code_is_1005_here_and_nothing_on_the_wire() {
    for role in Role::BOTH {
        let mut asked = End::new(role);
        assert_eq!(asked.hear(at(0), CLOSE, b""), [Found::Close]);
        assert_eq!(asked.sent(), [(CLOSE, vec![])]);
        let closure = asked.connection.closure().expect("it has closed");
        assert_eq!(
            (closure.code(), closure.reason()),
            (CloseCode::NO_STATUS_RECEIVED, "")
        );
        assert_eq!(closure.sent(), Some(&CloseReason::empty()));
        assert!(closure.is_clean());

        let mut asking = End::new(role);
        asking
            .connection
            .close(at(0), CloseReason::empty())
            .expect("no code is no misuse");
        assert_eq!(asking.sent(), [(CLOSE, vec![])]);
        asking.hear(at(0), CLOSE, b"");
        assert_eq!(
            asking.connection.closure().map(|it| it.code().get()),
            Some(1005)
        );
    }
}

/// What a peer writes there is for a log that asks for it, not for whoever reads the outcome.
//= WS-101 type=test
#[test]
fn the_outcome_in_words_has_the_code_and_not_the_peers_reason() {
    let mut end = End::new(Role::Client);
    end.hear(at(0), CLOSE, body(4321, "<b>look here</b>"));
    let closure = end.connection.closure().expect("it has closed");
    let words = closure.to_string();
    assert!(words.contains("4321") && words.contains("peer"), "{words}");
    assert!(!words.contains("look"), "{words}");
    assert_eq!(closure.reason(), "<b>look here</b>");
}

//= WS-109 type=test
#[test]
fn two_closes_that_cross_answer_each_other() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.connection
            .close(at(0), reason(1001, "ours"))
            .expect("a code for both ends");
        let ours = end.sent();
        assert_eq!(end.hear(at(0), CLOSE, body(4000, "theirs")), [Found::Close]);
        assert_eq!(
            (ours, end.sent()),
            (vec![(CLOSE, body(1001, "ours"))], vec![])
        );
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!(
            (closure.began(), closure.code().get()),
            (Some(Side::Local), 4000)
        );
        assert_eq!(closure.sent(), Some(&reason(1001, "ours")));
        assert!(closure.is_clean());
        assert_eq!(end.connection.should_end_stream(), role == Role::Server);
    }
}

/// The Close of this end is queued and has not left when the peer's arrives.
//= WS-109 type=test
#[test]
fn a_close_that_waits_still_leaves_when_the_peers_has_come() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.connection
            .send_text(at(0), "last words")
            .expect("an open connection");
        end.connection
            .close(at(0), reason(1000, ""))
            .expect("a code for both ends");
        end.hear(at(0), CLOSE, body(1000, ""));
        assert!(!end.connection.should_end_stream());
        let expected = [(TEXT, b"last words".to_vec()), (CLOSE, body(1000, ""))];
        assert_eq!(end.sent(), expected);
        assert_eq!(end.connection.should_end_stream(), role == Role::Server);
    }
}

//= WS-103 type=test
//= WS-105 type=test
//= WS-116 type=test
//= WS-073 type=test
#[test]
fn what_was_sent_before_the_close_leaves_before_it_and_nothing_is_sent_after() {
    for role in Role::BOTH {
        for peer_begins in [false, true] {
            let mut end = End::new(role);
            end.connection
                .send_text(at(0), "one")
                .expect("an open connection");
            end.connection
                .send_message(at(0), vec![7; 6_000].into())
                .expect("an open connection");
            if peer_begins {
                end.hear(at(0), CLOSE, body(1000, ""));
            } else {
                end.connection
                    .close(at(0), reason(1000, ""))
                    .expect("a code for both ends");
            }
            end.expect_no_sending(at(0));
            let sent: Vec<_> = end
                .sent()
                .iter()
                .map(|(first, it)| (*first, it.len()))
                .collect();
            assert_eq!(sent, [(TEXT, 3), (0x82, 6_000), (CLOSE, 2)]);
            end.expect_no_sending(at(1));
            assert_eq!(end.sent(), []);
        }
    }
}

//= WS-091 type=test
//= WS-123 type=test
#[test]
fn a_close_may_come_and_go_inside_a_message() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        assert_eq!(end.hear(at(0), 0x01, b"never to"), []);
        assert_eq!(end.hear(at(0), CLOSE, body(1001, "")), [Found::Close]);
        assert_eq!(end.hear(at(0), 0x80, b" end"), []);
        assert_eq!(end.sent(), [(CLOSE, body(1001, ""))]);

        let mut end = End::new(role);
        let begun = end
            .connection
            .send_fragment(at(0), Kind::Text, b"never to", false);
        begun.expect("an open connection");
        end.connection
            .close(at(0), reason(1001, ""))
            .expect("a code for both ends");
        end.expect_no_sending(at(0));
        assert_eq!(
            end.sent(),
            [(0x01, b"never to".to_vec()), (CLOSE, body(1001, ""))]
        );
    }
}

//= WS-110 type=test
//= WS-111 type=test
//= WS-112 type=test
#[test]
fn pings_are_answered_after_our_close_and_not_after_the_peers() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.connection
            .close(at(0), reason(1000, ""))
            .expect("a code for both ends");
        assert_eq!(end.sent(), [(CLOSE, body(1000, ""))]);
        assert_eq!(
            end.hear(at(0), PING, b"alive?"),
            [Found::Ping(b"alive?".to_vec())]
        );
        assert_eq!(
            end.hear(at(0), TEXT, b"on its way"),
            [Found::Text("on its way".into())]
        );
        assert_eq!(end.sent(), [(PONG, b"alive?".to_vec())]);
        assert_eq!(end.hear(at(0), CLOSE, body(1000, "")), [Found::Close]);
        assert_eq!(end.hear(at(0), PING, b"still?"), []);
        assert_eq!(end.sent(), []);
    }
}

//= WS-110 type=test
//= WS-127 type=test
//= WS-140 type=test
#[test]
fn what_follows_the_peers_close_is_discarded() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        let mut bytes = end.peer_frame(CLOSE, body(1000, ""));
        for (first, payload) in [
            (TEXT, "late"),
            (PING, "late"),
            (CLOSE, "\u{3}\u{e9}"),
            (0xff, ""),
        ] {
            bytes.extend(end.peer_frame(first, payload));
        }
        bytes.extend([0xff; 40]);
        assert_eq!(end.feed(at(0), &bytes), [Found::Close]);
        assert_eq!(end.feed(at(0), &[0xff; 300]), []);
        assert!(end.inbox.is_empty());
        assert_eq!(end.sent(), [(CLOSE, body(1000, ""))]);
        assert!(end.connection.closure().expect("it has closed").is_clean());
    }
}

#[test]
fn a_second_close_changes_nothing() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.connection
            .close(at(0), reason(1000, "first"))
            .expect("a code for both ends");
        let deadline = end.connection.poll_timeout();
        end.connection
            .close(at(9), reason(1001, "second"))
            .expect("no misuse");
        assert_eq!(end.connection.poll_timeout(), deadline);
        assert_eq!(end.sent(), [(CLOSE, body(1000, "first"))]);
        end.hear(at(9), CLOSE, body(1000, ""));
        end.connection
            .close(at(9), reason(1001, "third"))
            .expect("no misuse");
        end.connection.receive_eof(at(9));
        end.connection
            .close(at(9), reason(1001, "fourth"))
            .expect("no misuse");
        assert_eq!(end.sent(), []);
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!(closure.sent(), Some(&reason(1000, "first")));
    }
}

//= WS-150 type=test
//= WS-151 type=test
#[test]
fn only_a_client_closes_with_1010() {
    let missing = reason(1010, "x-wanted");
    let mut server = End::new(Role::Server);
    assert_eq!(
        server.connection.close(at(0), missing.clone()),
        Err(Misuse::ClientCode)
    );
    assert!(server.connection.is_open() && server.connection.closure().is_none());
    assert_eq!(server.sent(), []);
    let mut client = End::new(Role::Client);
    client
        .connection
        .close(at(0), missing)
        .expect("a client's code");
    assert_eq!(client.sent(), [(CLOSE, body(1010, "x-wanted"))]);
}

//= WS-148 type=test
//= WS-149 type=test
//= WS-152 type=test
//= WS-153 type=test
//= WS-098 type=test
#[test]
fn a_reason_that_may_not_be_sent_cannot_be_made() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
        let code = CloseCode::new(code);
        assert_eq!(
            CloseReason::new(code, ""),
            Err(CloseReasonError::Code(code))
        );
    }
    let normal = CloseCode::NORMAL_CLOSURE;
    let too_long = CloseReason::new(normal, &"x".repeat(124));
    assert_eq!(too_long, Err(CloseReasonError::TooLong { bytes: 124 }));
    let mut end = End::new(Role::Server);
    end.connection
        .close(at(0), reason(1000, &"x".repeat(123)))
        .expect("it fits");
    assert_eq!(end.sent()[0].1.len(), 125);
}

//= WS-102 type=test
#[test]
fn both_closes_of_a_client_are_masked() {
    // `sent` holds every frame to the mask of its role.
    let mut asking = End::new(Role::Client);
    asking
        .connection
        .close(at(0), reason(1000, ""))
        .expect("a code for both ends");
    assert_eq!(asking.sent().len(), 1);
    let mut asked = End::new(Role::Client);
    asked.hear(at(0), CLOSE, body(1000, ""));
    assert_eq!(asked.sent().len(), 1);
}
