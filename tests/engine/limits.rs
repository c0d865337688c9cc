//! Limits (RFC 6455 §10.4).

use framewire::engine::{Event, Inbox, Limits, Role, Timestamp, Violation};

use crate::support::chunks::Cut;
use crate::support::raw_peer::{BINARY, CONTINUATION, FIN, TEXT};
use crate::support::receiver::{Receiver, Told, open, peer_of};
use crate::support::verdicts::{assert_failing, assert_failing_in, assert_failing_under};
use crate::support::verdicts::{assert_passing_in, assert_passing_under};

fn message_bytes(max: u64) -> Limits {
    Limits::default().with_message_bytes_max(max)
}

//= WS-169 type=test
//= WS-170 type=test
#[test]
fn a_message_of_exactly_the_bound_passes() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for max in [125_u64, 126, 127, 1000, 65_535, 65_536] {
            let payload = vec![b'x'; usize::try_from(max).expect("small")];
            let limits = message_bytes(max);
            let told = [Told::Binary(payload.clone())];
            assert_passing_under(&limits, role, &peer.binary(&payload), &told);
            let (begun, rest) = payload.split_at(100);
            let fragments = [
                peer.frame(BINARY, begun),
                peer.frame(CONTINUATION, b""),
                peer.frame(FIN | CONTINUATION, rest),
            ];
            assert_passing_under(&limits, role, &fragments.concat(), &told);
        }
    }
}

//= WS-169 type=test
//= WS-170 type=test
#[test]
fn a_message_over_the_bound_fails_with_1009_at_its_header() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for max in [125, 126, 65_535, 65_536, 1 << 20] {
            for declared in [max + 1, max + 2, 2 * max, 1 << 62, i64::MAX as u64] {
                for first in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
                    let header = peer.header(first, declared);
                    let limits = message_bytes(max);
                    assert_failing_under(&limits, role, &header, Violation::MessageTooBig, 1009);
                }
            }
        }
    }
}

//= WS-169 type=test
#[test]
fn fragments_that_are_over_the_bound_together_fail_at_the_header_that_crosses_it() {
    let limits = message_bytes(200);
    for role in Role::BOTH {
        let peer = peer_of(role);
        let begun = [
            peer.frame(BINARY, &[1; 120]),
            peer.frame(CONTINUATION, &[2; 80]),
        ]
        .concat();
        for over in [1, 2, 126, 1 << 40, i64::MAX as u64] {
            for fin in [0, FIN] {
                let bytes = [&begun[..], &peer.header(fin | CONTINUATION, over)].concat();
                assert_failing_under(&limits, role, &bytes, Violation::MessageTooBig, 1009);
            }
        }
        // An empty one crosses nothing.
        let bytes = [begun, peer.frame(FIN | CONTINUATION, b"")].concat();
        let message = [[1; 120].as_slice(), &[2; 80]].concat();
        assert_passing_under(&limits, role, &bytes, &[Told::Binary(message)]);
    }
}

//= WS-169 type=test
#[test]
fn each_message_is_counted_for_itself() {
    let limits = message_bytes(125).with_fragments_max(2);
    for role in Role::BOTH {
        let peer = peer_of(role);
        let message = [
            peer.frame(BINARY, &[7; 60]),
            peer.frame(FIN | CONTINUATION, &[7; 65]),
        ];
        let told = vec![Told::Binary(vec![7; 125]); 5];
        assert_passing_under(&limits, role, &message.concat().repeat(5), &told);
    }
}

#[test]
fn control_frames_count_neither_as_bytes_nor_as_fragments() {
    let limits = message_bytes(125).with_fragments_max(2);
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [
            peer.frame(BINARY, &[7; 125]),
            peer.ping(&[8; 125]),
            peer.pong(&[9; 125]),
            peer.ping(b""),
            peer.frame(FIN | CONTINUATION, b""),
        ];
        let told = [
            Told::ping(&[8; 125]),
            Told::pong(&[9; 125]),
            Told::ping(b""),
            Told::Binary(vec![7; 125]),
        ];
        assert_passing_under(&limits, role, &bytes.concat(), &told);
    }
}

//= WS-169 type=test
//= PX-06 type=test
#[test]
fn exactly_so_many_fragments_pass_and_one_more_fails_with_1008() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for max in [1, 2, 3, 100] {
            let limits = Limits::default().with_fragments_max(max);
            for payload in [&b""[..], b"f"] {
                let mut frames = vec![peer.frame(BINARY, payload)];
                frames.resize(max as usize, peer.frame(CONTINUATION, payload));
                for last in [CONTINUATION, FIN | CONTINUATION] {
                    let over = [&frames.concat()[..], &peer.header(last, 1)].concat();
                    assert_failing_under(&limits, role, &over, Violation::TooManyFragments, 1008);
                }
                let last = frames.last_mut().expect("a frame");
                last[0] |= FIN;
                let told = [Told::Binary(payload.repeat(max as usize))];
                assert_passing_under(&limits, role, &frames.concat(), &told);
            }
        }
    }
}

//= PX-06 type=test
#[test]
fn empty_fragments_by_the_hundred_thousand_are_bounded_and_cost_nothing() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let max = 131_072_usize;
        let empty = peer.frame(CONTINUATION, b"").repeat(max - 2);
        let begun = [peer.frame(TEXT, b""), empty].concat();
        let ended = [&begun[..], &peer.frame(FIN | CONTINUATION, b"end")].concat();
        assert_passing_in(|| Receiver::new(role), &ended, &[Told::text("end")]);
        let over = [
            &begun[..],
            &peer.frame(CONTINUATION, b""),
            &peer.header(FIN, 0),
        ]
        .concat();
        assert_failing(role, &over, Violation::TooManyFragments, 1008);
        // They tell nothing, so they make no event, and nothing of them is kept.
        let mut connection = open(role, Limits::default());
        let mut input = begun.clone();
        let received = connection.receive(Timestamp::ZERO, &mut input);
        assert_eq!((received.consumed, received.event), (begun.len(), None));
    }
}

//= WS-170 type=test
#[test]
fn a_bound_on_bytes_is_found_before_a_bound_on_fragments() {
    let limits = message_bytes(125).with_fragments_max(1);
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [peer.frame(BINARY, b"one"), peer.header(CONTINUATION, 123)].concat();
        assert_failing_under(&limits, role, &bytes, Violation::MessageTooBig, 1009);
    }
}

//= PX-08 type=test
#[test]
fn a_declared_length_reserves_nothing() {
    let limits = message_bytes(u64::MAX);
    for role in Role::BOTH {
        for declared in [1 << 31, 1 << 32, 1 << 62, i64::MAX as u64] {
            let mut connection = open(role, limits.clone());
            let mut inbox = Inbox::new();
            let bytes = [peer_of(role).header(BINARY, declared), vec![0; 20_000]].concat();
            for piece in Cut::Lengths(vec![20, 500]).pieces(&bytes) {
                let space = inbox.space(connection.frame_bytes_to_come());
                assert!(space.len() <= 64 << 10, "{} bytes", space.len());
                space[..piece.len()].copy_from_slice(piece);
                inbox.filled(piece.len());
                assert!(inbox.next(&mut connection, Timestamp::ZERO).is_none());
            }
            assert_eq!(connection.frame_bytes_to_come(), declared - 20_000);
            let room = inbox.space(connection.frame_bytes_to_come()).len();
            assert!(room <= 64 << 10, "{room} bytes");
        }
    }
}

#[test]
fn a_message_without_a_bound_worth_the_name_is_handed_out_piece_by_piece() {
    let limits = message_bytes(u64::MAX);
    for role in Role::BOTH {
        let peer = peer_of(role);
        let mut connection = open(role, limits.clone());
        let mut header = peer.header(BINARY, 1 << 62);
        assert_eq!(connection.receive(Timestamp::ZERO, &mut header).event, None);
        for n in 0..100 {
            let mut piece = vec![0x55; 1000];
            let received = connection.receive(Timestamp::ZERO, &mut piece);
            let Some(Event::Data(chunk)) = received.event else {
                panic!("{:?}", received.event);
            };
            assert_eq!(
                (chunk.bytes.len(), chunk.first, chunk.last),
                (1000, n == 0, false)
            );
        }
        // The sum of two such frames does not fit in 64 bits with a sign.
        let mut rest = peer.header(FIN | CONTINUATION, 1 << 62);
        assert_eq!(connection.frame_bytes_to_come(), (1 << 62) - 100_000);
        let received = connection.receive(Timestamp::ZERO, &mut rest);
        assert_eq!(
            received.consumed,
            rest.len(),
            "a header inside a payload is payload"
        );
    }
}

//= WS-169 type=test
#[test]
fn lengths_whose_sum_overflows_are_refused() {
    let limits = message_bytes(u64::MAX);
    for role in Role::BOTH {
        let peer = peer_of(role);
        let begun = peer.frame(BINARY, b"one");
        for declared in [i64::MAX as u64, i64::MAX as u64 - 2] {
            let bytes = [&begun[..], &peer.header(CONTINUATION, declared)].concat();
            let make = || Receiver::of(open(role, limits.clone()));
            assert_failing_in(make, &bytes, &[], Violation::MessageTooBig, 1009);
        }
    }
}

//= WS-170 type=test
#[test]
fn no_bound_can_be_switched_off() {
    let limits = Limits::default();
    assert_eq!(limits.message_bytes_max(), 1 << 20);
    assert_eq!(
        limits.clone().with_message_bytes_max(0).message_bytes_max(),
        125
    );
    let most = limits.clone().with_message_bytes_max(u64::MAX);
    assert_eq!(most.message_bytes_max(), i64::MAX as u64);
    assert_eq!(limits.fragments_max(), 131_072);
    assert_eq!(limits.clone().with_fragments_max(0).fragments_max(), 1);
    assert_eq!(
        limits.clone().with_control_bytes_max(0).control_bytes_max(),
        256
    );
}
