//! Pings that are sent by themselves, and the peer that does not answer.

use core::time::Duration;

use framewire::engine::{Cause, Limits, Role};
use framewire::wire::close::CloseCode;

use crate::{CLOSE, End, PING, PONG, TEXT, at, ms};

/// A Ping after a second of silence, and half a second to answer it.
fn kept_alive(role: Role) -> End {
    End::with_limits(
        role,
        Limits::default().with_keep_alive(Some(ms(1_000)), ms(500)),
    )
}

/// The payload of the one frame that waits, which must be a Ping.
fn ping_of(end: &mut End) -> Vec<u8> {
    match &end.sent()[..] {
        [(PING, payload)] => payload.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn silence_is_broken_by_a_ping_at_the_time_that_was_told() {
    for role in Role::BOTH {
        let mut end = kept_alive(role);
        assert_eq!(end.connection.poll_timeout(), Some(at(1_000)));
        end.connection.timeout(at(999));
        assert_eq!(end.sent(), []);
        end.connection.timeout(at(1_000));
        assert_eq!(ping_of(&mut end).len(), 8);
        assert_eq!(end.connection.poll_timeout(), Some(at(1_500)));
        end.connection.timeout(at(1_499));
        assert_eq!(end.sent(), []);
        assert!(end.connection.is_open());
    }
}

#[test]
fn a_peer_that_stays_silent_is_given_up_without_a_word() {
    for role in Role::BOTH {
        let mut end = kept_alive(role);
        end.connection.timeout(at(1_000));
        ping_of(&mut end);
        end.connection
            .send_text(at(1_400), "lost")
            .expect("an open connection");
        end.connection.timeout(at(1_500));
        assert!(end.connection.is_closed() && end.connection.should_end_stream());
        assert_eq!((end.sent(), end.connection.poll_timeout()), (vec![], None));
        let closure = end.connection.closure().expect("it has closed");
        assert_eq!(closure.cause(), Some(Cause::NoPong));
        assert_eq!(
            (closure.code(), closure.began()),
            (CloseCode::ABNORMAL_CLOSURE, None)
        );
        assert!(!closure.is_clean());
    }
}

#[test]
fn any_byte_is_a_sign_of_life() {
    for role in Role::BOTH {
        // Half a header, a message, a Ping, and a Pong that answers nothing.
        let frames: [fn(&End) -> Vec<u8>; 4] = [
            |_| vec![TEXT],
            |end| end.peer_frame(TEXT, "here"),
            |end| end.peer_frame(PING, ""),
            |end| end.peer_frame(PONG, "other"),
        ];
        for frame in frames {
            let mut end = kept_alive(role);
            let bytes = frame(&end);
            end.feed(at(600), &bytes);
            assert_eq!(end.connection.poll_timeout(), Some(at(1_600)));
            let mut end = kept_alive(role);
            end.connection.timeout(at(1_000));
            end.feed(at(1_499), &bytes);
            assert_eq!(end.connection.poll_timeout(), Some(at(2_499)));
            end.connection.timeout(at(2_498));
            assert!(end.connection.is_open());
        }
    }
}

//= D25 type=test
#[test]
fn a_pong_that_answers_tells_how_long_the_way_is() {
    for role in Role::BOTH {
        let mut end = kept_alive(role);
        assert_eq!(end.connection.round_trip(), None);
        end.connection.timeout(at(1_007));
        let payload = ping_of(&mut end);
        end.hear(at(1_019), PONG, &payload);
        assert_eq!(end.connection.round_trip(), Some(ms(12)));
        assert_eq!(end.connection.poll_timeout(), Some(at(2_019)));
        // The next one takes longer, and bytes that come before it do not end the measurement.
        end.connection.timeout(at(2_019));
        let payload = ping_of(&mut end);
        end.hear(at(2_030), TEXT, "before");
        assert_eq!(end.connection.round_trip(), Some(ms(12)));
        end.hear(at(2_119), PONG, &payload);
        assert_eq!(end.connection.round_trip(), Some(ms(100)));
    }
}

//= WS-113 type=test
#[test]
fn a_pong_that_answers_no_ping_of_ours_measures_nothing() {
    for role in Role::BOTH {
        let mut end = kept_alive(role);
        // Nobody has asked.
        end.hear(at(500), PONG, 100_000_u64.to_be_bytes());
        end.hear(at(500), PONG, [0; 8]);
        assert_eq!(end.connection.round_trip(), None);
        end.connection.timeout(at(1_500));
        let payload = ping_of(&mut end);
        for other in [
            &b""[..],
            &[0; 8],
            &payload[..7],
            &[&payload[..], b"x"].concat(),
        ] {
            end.hear(at(1_600), PONG, other);
        }
        assert_eq!(end.connection.round_trip(), None);
        end.hear(at(1_700), PONG, &payload);
        // A Pong that comes again is none.
        end.hear(at(1_900), PONG, &payload);
        assert_eq!(end.connection.round_trip(), Some(ms(200)));
    }
}

/// Where no further Ping can be queued, the bytes that wait will show life or death.
#[test]
fn a_ping_that_finds_no_room_is_waited_for_all_the_same() {
    for role in Role::BOTH {
        let limits = Limits::default()
            .with_keep_alive(Some(ms(1_000)), ms(500))
            .with_control_bytes_max(256);
        let mut end = End::with_limits(role, limits);
        while end.connection.ping(&[7; 125]).is_ok() {}
        let waiting = end.connection.buffered_bytes();
        end.connection.timeout(at(1_000));
        assert_eq!(end.connection.buffered_bytes(), waiting);
        assert_eq!(end.connection.poll_timeout(), Some(at(1_500)));
        end.connection.timeout(at(1_500));
        assert!(end.connection.is_closed());
    }
}

#[test]
fn the_earlier_of_two_deadlines_is_told() {
    for role in Role::BOTH {
        let limits = |idle| {
            Limits::default()
                .with_keep_alive(Some(ms(1_000)), ms(500))
                .with_idle_timeout(Some(ms(idle)))
        };
        let mut idle_first = End::with_limits(role, limits(900));
        assert_eq!(idle_first.connection.poll_timeout(), Some(at(900)));
        idle_first.connection.timeout(at(900));
        assert_eq!(idle_first.sent()[0].0, CLOSE);

        let mut ping_first = End::with_limits(role, limits(1_200));
        ping_first.connection.timeout(at(1_000));
        ping_of(&mut ping_first);
        assert_eq!(ping_first.connection.poll_timeout(), Some(at(1_200)));

        // Both have passed when the caller wakes: it is called until neither has.
        let mut late = End::with_limits(role, limits(1_200));
        let mut calls = 0;
        while late
            .connection
            .poll_timeout()
            .is_some_and(|due| due <= at(1_300))
        {
            late.connection.timeout(at(1_300));
            calls += 1;
        }
        assert_eq!(calls, 2);
        let firsts: Vec<u8> = late.sent().iter().map(|(first, _)| *first).collect();
        assert_eq!(firsts, [PING, CLOSE]);
    }
}

#[test]
fn bounds_of_time_are_held_to_their_range() {
    let (none, day) = (Duration::ZERO, Duration::from_secs(24 * 3600));
    let limits = Limits::default()
        .with_keep_alive(Some(none), day * 1_000)
        .with_idle_timeout(Some(none))
        .with_close_timeout(none);
    assert_eq!(
        (limits.ping_interval(), limits.pong_timeout()),
        (Some(ms(1)), day * 366)
    );
    assert_eq!(
        (limits.idle_timeout(), limits.close_timeout()),
        (Some(ms(1)), ms(1))
    );
}
