//! Fragmentation (RFC 6455 §5.4).

use framewire::engine::{Role, Violation};

use crate::support::raw_peer::{BINARY, CONTINUATION, FIN, RawPeer, TEXT};
use crate::support::receiver::{Receiver, Told, peer_of};
use crate::support::verdicts::{assert_failing, assert_failing_in, assert_passing};

/// A message in the given fragments.
fn fragments(peer: RawPeer, opcode: u8, fragments: &[&[u8]]) -> Vec<u8> {
    let last = fragments.len() - 1;
    let frames = fragments.iter().enumerate().map(|(index, fragment)| {
        let opcode = if index == 0 { opcode } else { CONTINUATION };
        let fin = if index == last { FIN } else { 0 };
        peer.frame(fin | opcode, fragment)
    });
    frames.collect::<Vec<_>>().concat()
}

//= WS-087 type=test
//= WS-089 type=test
//= WS-092 type=test
//= WS-124 type=test
#[test]
fn fragments_make_one_message_of_the_kind_of_the_first() {
    let ways: [&[&[u8]]; 7] = [
        &[b"in one frame"],
        &[b"in ", b"one frame"],
        &[b"in", b" o", b"ne ", b"fra", b"me"],
        &[b"", b"in one frame"],
        &[b"in one frame", b""],
        &[b"", b"in one", b"", b" frame", b""],
        &[
            b"i", b"n", b" ", b"o", b"n", b"e", b" ", b"f", b"r", b"a", b"m", b"e",
        ],
    ];
    for role in Role::BOTH {
        for way in ways {
            let bytes = fragments(peer_of(role), TEXT, way);
            assert_passing(role, &bytes, &[Told::text("in one frame")]);
            let bytes = fragments(peer_of(role), BINARY, way);
            assert_passing(role, &bytes, &[Told::binary(b"in one frame")]);
        }
    }
}

//= WS-092 type=test
#[test]
fn fragments_without_a_byte_make_an_empty_message() {
    for role in Role::BOTH {
        for count in 1..6 {
            let empty = vec![&b""[..]; count];
            let bytes = fragments(peer_of(role), TEXT, &empty);
            assert_passing(role, &bytes, &[Told::text("")]);
            let bytes = fragments(peer_of(role), BINARY, &empty);
            assert_passing(role, &bytes, &[Told::binary(b"")]);
        }
    }
}

//= WS-125 type=test
#[test]
fn unexpected_continuation_fails_with_1002() {
    let violation = Violation::UnexpectedContinuation;
    for role in Role::BOTH {
        let peer = peer_of(role);
        for first in [CONTINUATION, FIN | CONTINUATION] {
            assert_failing(role, &[first], violation, 1002);
            // Nor does one continue a message that has ended, or a control frame.
            let ended = fragments(peer, TEXT, &[b"en", b"ded"]);
            let make = || Receiver::new(role);
            let bytes = [&ended[..], &[first]].concat();
            assert_failing_in(make, &bytes, &[Told::text("ended")], violation, 1002);
            let bytes = [&peer.ping(b"control")[..], &[first]].concat();
            assert_failing_in(make, &bytes, &[Told::ping(b"control")], violation, 1002);
        }
    }
}

//= WS-090 type=test
//= WS-097 type=test
#[test]
fn a_new_message_inside_a_message_fails_with_1002() {
    let violation = Violation::InterleavedMessage;
    for role in Role::BOTH {
        let peer = peer_of(role);
        for begun in [TEXT, BINARY] {
            for inner in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
                for so_far in [&b""[..], b"begun"] {
                    let bytes = [&peer.frame(begun, so_far)[..], &[inner]].concat();
                    assert_failing(role, &bytes, violation, 1002);
                }
                let more = peer.frame(CONTINUATION, b"more");
                let bytes = [&peer.frame(begun, b"begun")[..], &more, &[inner]].concat();
                assert_failing(role, &bytes, violation, 1002);
            }
        }
    }
}

//= WS-090 type=test
#[test]
fn a_control_frame_between_does_not_end_the_message() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let begun = [peer.frame(TEXT, b"begun"), peer.ping(b"between")].concat();
        let make = || Receiver::new(role);
        let told = [Told::ping(b"between")];
        let bytes = [&begun[..], &[FIN | TEXT]].concat();
        assert_failing_in(make, &bytes, &told, Violation::InterleavedMessage, 1002);
    }
}

//= WS-125 type=test
#[test]
fn after_the_last_fragment_the_next_message_begins() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [
            fragments(peer, TEXT, &[b"one", b""]),
            fragments(peer, BINARY, &[b"two"]),
            fragments(peer, BINARY, &[b"th", b"r", b"ee"]),
            fragments(peer, TEXT, &[b"", b"four"]),
        ];
        let expected = [
            Told::text("one"),
            Told::binary(b"two"),
            Told::binary(b"three"),
            Told::text("four"),
        ];
        assert_passing(role, &bytes.concat(), &expected);
    }
}

//= WS-091 type=test
#[test]
fn control_frames_between_fragments_are_told_where_they_stand() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [
            peer.frame(TEXT, b"a"),
            peer.ping(b"1"),
            peer.frame(CONTINUATION, b""),
            peer.pong(&[2; 125]),
            peer.ping(b""),
            peer.frame(CONTINUATION, b"b"),
            peer.ping(b"3"),
            peer.frame(FIN | CONTINUATION, b"c"),
            peer.ping(b"4"),
        ];
        let expected = [
            Told::ping(b"1"),
            Told::pong(&[2; 125]),
            Told::ping(b""),
            Told::ping(b"3"),
            Told::text("abc"),
            Told::ping(b"4"),
        ];
        assert_passing(role, &bytes.concat(), &expected);
    }
}

//= WS-091 type=test
#[test]
fn a_close_between_fragments_ends_the_connection_and_the_message_is_lost() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [
            peer.frame(TEXT, b"never "),
            peer.close(1001, "gone"),
            peer.frame(FIN | CONTINUATION, b"ended"),
        ];
        let mut receiver = Receiver::new(role);
        receiver.receive(&bytes.concat());
        assert_eq!(receiver.told, [Told::Close]);
        let closure = receiver.connection.closure().expect("a closure");
        assert_eq!(
            (u16::from(closure.code()), closure.reason()),
            (1001, "gone")
        );
    }
}

#[test]
fn what_looks_like_a_control_frame_inside_a_payload_is_payload() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let inside = [peer.ping(b"not a ping"), peer.close(1000, "")].concat();
        assert_passing(role, &peer.binary(&inside), &[Told::binary(&inside)]);
    }
}

//= WS-089 type=test
#[test]
fn a_thousand_fragments_arrive_in_order() {
    for role in Role::BOTH {
        let payload: Vec<u8> = (0..1000_u16).flat_map(u16::to_be_bytes).collect();
        let pieces: Vec<&[u8]> = payload.chunks(2).collect();
        let bytes = fragments(peer_of(role), BINARY, &pieces);
        assert_passing(role, &bytes, &[Told::Binary(payload)]);
    }
}
