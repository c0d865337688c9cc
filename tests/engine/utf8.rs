//! Text (RFC 6455 §5.6, §8.1).

use framewire::engine::{Role, Violation};

use crate::support::hex::hex;
use crate::support::raw_peer::{CONTINUATION, FIN, TEXT};
use crate::support::receiver::{Receiver, Told, peer_of};
use crate::support::verdicts::{assert_failing, assert_failing_in, assert_passing};

/// Beginnings of text that end with the first byte after which nothing can make them valid.
const IMPOSSIBLE: [&str; 24] = [
    "80",
    "bf",
    "c0",
    "c1",
    "f5",
    "ff",
    "fe",
    "61 80",
    "c2 41",
    "c2 c2",
    "e0 80",
    "e0 9f",
    "e1 80 41",
    "ed a0",
    "ed bf",
    "ef bf c0",
    "f0 80",
    "f0 8f",
    "f0 90 41",
    "f1 80 80 c0",
    "f4 90",
    "f4 bf",
    "ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0",
    "48 c3 a9 f0 9f 98 80 c3 28",
];

/// Valid text at the edges of Unicode and of the lengths of its characters.
const VALID: [&str; 12] = [
    "",
    "\0",
    "\x7f",
    "\u{80}\u{7ff}",
    "\u{800}\u{ffff}",
    "\u{10000}\u{10ffff}",
    "\u{d7ff}\u{e000}",
    "\u{fffe}\u{feff}\u{1fffe}",
    "κόσμε",
    "Hello-µ@ßöäüàá-UTF-8!!",
    "👨‍👩‍👧‍👦",
    "\r\n\t\u{202e}",
];

//= WS-114 type=test
//= WS-155 type=test
#[test]
fn text_fails_with_1007_at_its_first_impossible_byte() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for digits in IMPOSSIBLE {
            let text = hex(digits);
            for first in [TEXT, FIN | TEXT] {
                // Much more of the frame was promised.
                let bytes = [peer.header(first, 100), peer.payload(&text)].concat();
                assert_failing(role, &bytes, Violation::NotUtf8, 1007);
                assert_failing(role, &peer.frame(first, &text), Violation::NotUtf8, 1007);
            }
        }
    }
}

//= WS-114 type=test
#[test]
fn text_fails_at_its_first_impossible_byte_across_fragments() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for digits in IMPOSSIBLE {
            let text = hex(digits);
            for at in 0..text.len() {
                let (begun, rest) = text.split_at(at);
                let continuation = [peer.header(CONTINUATION, 100), peer.payload(rest)].concat();
                let bytes = [peer.frame(TEXT, begun), continuation].concat();
                assert_failing(role, &bytes, Violation::NotUtf8, 1007);
            }
        }
    }
}

//= WS-114 type=test
//= WS-155 type=test
#[test]
fn text_that_ends_inside_a_character_fails_with_1007_at_its_end() {
    let begun = [
        "c2", "e0 a0", "e2 82", "f0 90", "f0 9f 98", "f4 8f bf", "61 c3",
    ];
    for role in Role::BOTH {
        let peer = peer_of(role);
        for text in begun.map(hex) {
            assert_failing(
                role,
                &peer.frame(FIN | TEXT, &text),
                Violation::NotUtf8,
                1007,
            );
            let ended_by_nothing =
                [peer.frame(TEXT, &text), peer.header(FIN | CONTINUATION, 0)].concat();
            assert_failing(role, &ended_by_nothing, Violation::NotUtf8, 1007);
            let ended = [
                peer.frame(TEXT, &text[..1]),
                peer.frame(FIN | CONTINUATION, &text[1..]),
            ];
            assert_failing(role, &ended.concat(), Violation::NotUtf8, 1007);
        }
    }
}

//= WS-114 type=test
#[test]
fn valid_text_passes_in_one_frame_and_cut_anywhere_into_two() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for text in VALID {
            assert_passing(role, &peer.text(text), &[Told::text(text)]);
            let bytes = text.as_bytes();
            for at in 0..=bytes.len() {
                let fragments = [
                    peer.frame(TEXT, &bytes[..at]),
                    peer.frame(FIN | CONTINUATION, &bytes[at..]),
                ];
                assert_passing(role, &fragments.concat(), &[Told::text(text)]);
            }
        }
    }
}

//= WS-091 type=test
//= WS-114 type=test
#[test]
fn a_character_may_be_spread_over_frames_with_pings_between() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let [a, b, c, d] = [0xf0, 0x9f, 0x98, 0x80];
        let bytes = [
            peer.frame(TEXT, &[a]),
            peer.ping(&[0xff]),
            peer.frame(CONTINUATION, &[b]),
            peer.frame(CONTINUATION, &[]),
            peer.frame(CONTINUATION, &[c]),
            peer.ping(&[0x80]),
            peer.frame(FIN | CONTINUATION, &[d]),
        ];
        let expected = [Told::ping(&[0xff]), Told::ping(&[0x80]), Told::text("😀")];
        assert_passing(role, &bytes.concat(), &expected);
    }
}

//= D11 type=test
//= E07 type=test
//= WS-114 type=test
#[test]
fn binary_messages_may_hold_what_text_may_not() {
    for role in Role::BOTH {
        for digits in IMPOSSIBLE {
            let payload = hex(digits);
            let bytes = peer_of(role).binary(&payload);
            assert_passing(role, &bytes, &[Told::Binary(payload)]);
        }
    }
}

//= WS-114 type=test
#[test]
fn each_message_is_judged_for_itself() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        // The first byte of a character at the end of a binary message is nobody's beginning.
        let told = [Told::text("é"), Told::binary(&[0xc3]), Told::text("a")];
        let good = [peer.text("é"), peer.binary(&[0xc3]), peer.text("a")].concat();
        assert_passing(role, &good, &told);
        let bytes = [good, peer.frame(FIN | TEXT, &[0xa9])].concat();
        assert_failing_in(
            || Receiver::new(role),
            &bytes,
            &told,
            Violation::NotUtf8,
            1007,
        );
    }
}

//= WS-114 type=test
#[test]
fn a_long_text_is_judged_to_its_end() {
    let long = "ä€😀a".repeat(2_000);
    for role in Role::BOTH {
        let peer = peer_of(role);
        assert_passing(role, &peer.text(&long), &[Told::text(&long)]);
        for wrong in [&[0xff][..], &[0xe2, 0x82, 0x41], &[0xf0, 0x9f]] {
            let payload = [long.as_bytes(), wrong].concat();
            let bytes = peer.frame(FIN | TEXT, &payload);
            assert_failing(role, &bytes, Violation::NotUtf8, 1007);
        }
    }
}
