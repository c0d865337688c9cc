//! TCP that ends, breaks or is given up, in each state (RFC 6455 §7.1.5, §7.2.1).

use framewire::engine::{Cause, Role, Side, Violation};
use framewire::wire::close::CloseCode;

use crate::{CLOSE, End, Found, PONG, TEXT, at, body, reason};

/// The states in which TCP may end, reached with nothing left to send.
fn reached(role: Role) -> [(&'static str, End); 4] {
    let mut closing = End::new(role);
    closing
        .connection
        .close(at(0), reason(1000, ""))
        .expect("a code for both ends");
    let mut ending = End::new(role);
    ending.hear(at(0), CLOSE, body(1000, ""));
    let mut failing = End::new(role);
    failing.hear(at(0), 0x80, b"");
    let mut ends = [
        ("open", End::new(role)),
        ("closing", closing),
        ("ending", ending),
        ("failing", failing),
    ];
    for (_, end) in &mut ends {
        end.sent();
    }
    ends
}

fn cause_after(name: &str, otherwise: Cause) -> Cause {
    match name {
        "ending" => Cause::Handshake,
        "failing" => Cause::Violation(Violation::UnexpectedContinuation),
        _ => otherwise,
    }
}

/// Nothing happens any more, whatever is done.
fn expect_closed(end: &mut End) {
    let before = end.connection.closure().cloned();
    assert!(end.connection.is_closed() && end.connection.should_end_stream());
    assert!(end.connection.is_discarding());
    assert_eq!(end.connection.poll_timeout(), None);
    assert_eq!((end.sent(), end.connection.buffered_bytes()), (vec![], 0));
    end.expect_no_sending(at(9));
    end.connection
        .close(at(9), reason(1001, ""))
        .expect("no misuse");
    end.connection.timeout(at(1_000_000));
    assert_eq!(end.hear(at(9), TEXT, b"late"), []);
    end.connection.receive_eof(at(9));
    end.connection.give_up_transport();
    end.connection.terminate();
    assert_eq!(
        (end.sent(), end.connection.closure().cloned()),
        (vec![], before)
    );
}

//= WS-134 type=test
//= WS-143 type=test
//= WS-149 type=test
#[test]
fn an_end_of_stream_closes_at_once_when_nothing_waits() {
    for role in Role::BOTH {
        for (name, mut end) in reached(role) {
            end.connection.receive_eof(at(1));
            let closure = end.connection.closure().expect("it has closed").clone();
            assert_eq!(
                closure.cause(),
                Some(cause_after(name, Cause::EndOfStream)),
                "{name}"
            );
            assert_eq!(closure.is_clean(), name == "ending", "{name}");
            let code = if name == "ending" { 1000 } else { 1006 };
            assert_eq!(closure.code().get(), code, "{name}");
            expect_closed(&mut end);
        }
    }
}

//= WS-134 type=test
//= WS-135 type=test
#[test]
fn a_stream_that_ends_without_a_close_is_1006_and_nobody_began() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.hear(at(0), 0x01, b"half a message");
        end.connection.receive_eof(at(0));
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!(
            (closure.began(), closure.sent(), closure.received()),
            (None, None, None)
        );
        assert_eq!(
            (closure.code(), closure.reason()),
            (CloseCode::ABNORMAL_CLOSURE, "")
        );
        assert!(!closure.is_clean());
        assert!(closure.to_string().contains("without a Close frame"));
    }
}

/// The peer may have ended only its own side: what was sent before still leaves.
//= WS-121 type=test
//= WS-143 type=test
#[test]
fn what_waits_still_leaves_after_the_end_of_stream() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.connection
            .send_text(at(0), "one")
            .expect("an open connection");
        end.hear(at(0), 0x89, b"ping");
        end.connection.receive_eof(at(0));
        assert!(!end.connection.is_closed() && !end.connection.should_end_stream());
        assert!(end.connection.is_discarding());
        end.expect_no_sending(at(0));
        let first = end.take(1);
        assert!(!end.connection.is_closed());
        let rest = [first, end.take(usize::MAX)].concat();
        let firsts: Vec<u8> = crate::frames(&rest).iter().map(|it| it.first).collect();
        assert_eq!(firsts, [PONG, TEXT]);
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!(
            (closure.cause(), closure.began()),
            (Some(Cause::EndOfStream), None)
        );
        expect_closed(&mut end);
    }
}

#[test]
fn what_waits_after_the_end_of_stream_has_the_close_timeout() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.connection
            .send_text(at(0), "one")
            .expect("an open connection");
        end.connection.receive_eof(at(10));
        assert_eq!(end.connection.poll_timeout(), Some(at(5_010)));
        end.connection.timeout(at(5_009));
        assert!(!end.connection.is_closed());
        end.connection.timeout(at(5_010));
        let cause = end.connection.closure().and_then(|it| it.cause());
        assert_eq!(cause, Some(Cause::EndOfStream));
        expect_closed(&mut end);
    }
}

/// The peer has said Close and ended its side before our answer could leave.
//= WS-104 type=test
//= WS-106 type=test
#[test]
fn the_answer_to_a_close_leaves_after_the_end_of_stream() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        assert_eq!(end.hear(at(0), CLOSE, body(1000, "")), [Found::Close]);
        end.connection.receive_eof(at(0));
        assert!(!end.connection.is_closed());
        assert_eq!(end.sent(), [(CLOSE, body(1000, ""))]);
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!(
            (closure.cause(), closure.is_clean()),
            (Some(Cause::Handshake), true)
        );
        expect_closed(&mut end);
    }
}

//= WS-139 type=test
#[test]
fn the_close_for_a_violation_leaves_after_the_end_of_stream() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.hear(at(0), 0x80, b"");
        end.connection.receive_eof(at(0));
        assert!(!end.connection.is_closed() && !end.connection.should_end_stream());
        assert_eq!(end.sent()[0].1[..2], body(1002, ""));
        let cause = end.connection.closure().and_then(|it| it.cause());
        assert_eq!(cause, Some(cause_after("failing", Cause::EndOfStream)));
        expect_closed(&mut end);
    }
}

#[test]
fn a_transport_that_fails_takes_what_waits_with_it() {
    for role in Role::BOTH {
        for (name, mut end) in reached(role) {
            if end.connection.is_open() {
                end.connection
                    .send_text(at(0), "lost")
                    .expect("an open connection");
            }
            end.connection.give_up_transport();
            let closure = end.connection.closure().expect("it has closed");
            assert_eq!(
                closure.cause(),
                Some(cause_after(name, Cause::EndOfStream)),
                "{name}"
            );
            expect_closed(&mut end);
        }
    }
}

#[test]
fn terminate_ends_at_once_and_tells_the_peer_nothing() {
    for role in Role::BOTH {
        for (name, mut end) in reached(role) {
            if end.connection.is_open() {
                end.connection
                    .send_text(at(0), "lost")
                    .expect("an open connection");
            }
            end.connection.terminate();
            let closure = end.connection.closure().expect("it has closed");
            assert_eq!(
                closure.cause(),
                Some(cause_after(name, Cause::Terminated)),
                "{name}"
            );
            assert_eq!(closure.sent().is_some(), name != "open", "{name}");
            expect_closed(&mut end);
        }
    }
}

/// The closing handshake is complete when both frames have passed, not when ours is queued.
//= WS-133 type=test
#[test]
fn a_close_of_ours_that_never_left_makes_no_clean_end() {
    type Ends = fn(&mut End);
    let ways: [(Ends, Cause); 3] = [
        (|end| end.connection.give_up_transport(), Cause::EndOfStream),
        (|end| end.connection.terminate(), Cause::Terminated),
        (|end| end.connection.timeout(at(5_000)), Cause::CloseTimeout),
    ];
    for role in Role::BOTH {
        for (way, cause) in ways {
            for sent_of_it in [0, 1] {
                let mut end = End::new(role);
                end.hear(at(0), CLOSE, body(1000, ""));
                end.take(sent_of_it);
                way(&mut end);
                let closure = end.connection.closure().expect("it has closed");
                assert_eq!((closure.cause(), closure.is_clean()), (Some(cause), false));
                assert_eq!(
                    (closure.began(), closure.code().get()),
                    (Some(Side::Remote), 1000)
                );
                expect_closed(&mut end);
            }
        }
    }
}
