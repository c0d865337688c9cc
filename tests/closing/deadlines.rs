//! The close timer and the idle limit, told by a clock that is moved by hand.

use framewire::engine::{Cause, Kind, Limits, Role, Side};

use crate::{CLOSE, End, PING, PONG, TEXT, at, body, ms, reason};

fn cause(end: &End) -> Option<Cause> {
    end.connection.closure().and_then(|closure| closure.cause())
}

#[test]
fn an_open_connection_without_keep_alive_has_no_deadline() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        assert_eq!(end.connection.poll_timeout(), None);
        end.connection.timeout(at(u32::MAX.into()));
        assert!(end.connection.is_open());
        assert_eq!((end.sent(), end.connection.closure()), (vec![], None));
    }
}

//= WS-108 type=test
#[test]
fn a_close_that_is_not_answered_is_given_up_after_the_close_timeout() {
    for role in Role::BOTH {
        let limits = Limits::default().with_close_timeout(ms(700));
        let mut end = End::with_limits(role, limits);
        end.connection
            .close(at(1_000), reason(1000, ""))
            .expect("a code for both ends");
        end.sent();
        // What arrives meanwhile shows life and wins no time.
        end.hear(at(1_500), TEXT, "more");
        assert_eq!(end.connection.poll_timeout(), Some(at(1_700)));
        end.connection.timeout(at(1_699));
        assert!(!end.connection.is_closed() && !end.connection.should_end_stream());
        end.connection.timeout(at(1_700));
        assert!(end.connection.is_closed());
        assert_eq!(
            (cause(&end), end.connection.poll_timeout()),
            (Some(Cause::CloseTimeout), None)
        );
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!((closure.code().get(), closure.is_clean()), (1006, false));
    }
}

/// The time counts from the first Close, and what remains of it is for the end of TCP.
//= WS-108 type=test
#[test]
fn a_peer_that_does_not_end_tcp_is_given_up_after_the_close_timeout() {
    for role in Role::BOTH {
        let mut end = End::new(role);
        end.connection
            .close(at(0), reason(1000, ""))
            .expect("a code for both ends");
        end.hear(at(4_000), CLOSE, body(1000, ""));
        end.sent();
        assert_eq!(end.connection.poll_timeout(), Some(at(5_000)));
        end.connection.timeout(at(5_000));
        assert!(end.connection.is_closed());
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!(
            (closure.cause(), closure.is_clean()),
            (Some(Cause::Handshake), true)
        );

        let mut end = End::new(role);
        end.hear(at(300), CLOSE, body(1000, ""));
        assert_eq!(end.connection.poll_timeout(), Some(at(5_300)));
    }
}

#[test]
fn a_connection_on_which_nobody_says_anything_is_closed_with_1001() {
    for role in Role::BOTH {
        let limits = Limits::default().with_idle_timeout(Some(ms(60_000)));
        let mut end = End::with_limits(role, limits);
        assert_eq!(end.connection.poll_timeout(), Some(at(60_000)));
        end.connection.timeout(at(59_999));
        assert!(end.connection.is_open() && end.sent().is_empty());
        end.connection.timeout(at(60_000));
        let sent = end.sent();
        assert_eq!(
            (sent.len(), sent[0].0, &sent[0].1[..2]),
            (1, CLOSE, &body(1001, "")[..])
        );
        let closure = end.connection.closure().expect("it is closing");
        assert_eq!(closure.began(), Some(Side::Local));
        assert_eq!(end.connection.poll_timeout(), Some(at(65_000)));
        end.hear(at(60_001), CLOSE, body(1001, ""));
        assert!(end.connection.closure().expect("it has closed").is_clean());
    }
}

#[test]
fn messages_of_either_end_put_the_idle_limit_off_and_control_frames_do_not() {
    for role in Role::BOTH {
        let limits = Limits::default().with_idle_timeout(Some(ms(1_000)));
        let mut end = End::with_limits(role, limits);
        let deadline = |end: &End| end.connection.poll_timeout();
        end.hear(at(100), TEXT, "theirs");
        assert_eq!(deadline(&end), Some(at(1_100)));
        end.connection
            .send_text(at(200), "ours")
            .expect("an open connection");
        assert_eq!(deadline(&end), Some(at(1_200)));
        let fragment = end
            .connection
            .send_fragment(at(300), Kind::Text, b"ours", false);
        fragment.expect("an open connection");
        assert_eq!(deadline(&end), Some(at(1_300)));
        end.hear(at(400), PING, "");
        end.hear(at(500), PONG, "");
        end.connection.ping(b"").expect("an open connection");
        assert_eq!(deadline(&end), Some(at(1_300)));
        end.hear(at(600), 0x01, "begun");
        end.hear(at(700), 0x80, "ended");
        assert_eq!(deadline(&end), Some(at(1_700)));
    }
}

#[test]
fn a_refused_message_does_not_put_the_idle_limit_off() {
    for role in Role::BOTH {
        let limits = Limits::default()
            .with_idle_timeout(Some(ms(1_000)))
            .with_outbox_marks(1, 1);
        let mut end = End::with_limits(role, limits);
        end.connection
            .send_text(at(100), "fills it")
            .expect("an open connection");
        end.connection
            .send_text(at(200), "refused")
            .expect_err("it is full");
        let kind_changed = end
            .connection
            .send_fragment(at(300), Kind::Text, b"x", true);
        kind_changed.expect_err("it is full");
        assert_eq!(end.connection.poll_timeout(), Some(at(1_100)));
    }
}

/// A closing connection neither pings nor becomes idle: it has the close timer alone.
#[test]
fn a_closing_connection_has_the_close_timer_alone() {
    for role in Role::BOTH {
        let limits = Limits::default()
            .with_idle_timeout(Some(ms(100)))
            .with_keep_alive(Some(ms(50)), ms(50));
        let mut end = End::with_limits(role, limits);
        end.connection
            .close(at(10), reason(1000, ""))
            .expect("a code for both ends");
        assert_eq!(end.connection.poll_timeout(), Some(at(5_010)));
        end.connection.timeout(at(5_009));
        assert_eq!(end.sent(), [(CLOSE, body(1000, ""))]);
        assert_eq!(end.connection.closure().map(|it| it.cause()), Some(None));
    }
}
