//! Frame headers (RFC 6455 §5.2).

use framewire::engine::{Limits, Prepared, Role, Timestamp, Violation};
use framewire::wire::close::CloseReason;
use framewire::wire::header::MalformedHeader;

use crate::support::chunks::Cut;
use crate::support::oracle::{self, Meaning, Terms};
use crate::support::raw_peer::{BINARY, CLOSE, CONTINUATION, FIN, LengthForm, PING, PONG, TEXT};
use crate::support::raw_peer::{RSV1, RSV2, RSV3, read_frames};
use crate::support::receiver::{Receiver, Told, open, peer_of};
use crate::support::verdicts::{assert_failing, assert_passing, assert_passing_under};

const RESERVED: [u8; 7] = [
    RSV1,
    RSV2,
    RSV3,
    RSV1 | RSV2,
    RSV1 | RSV3,
    RSV2 | RSV3,
    RSV1 | RSV2 | RSV3,
];

//= WS-075 type=test
//= WS-115 type=test
#[test]
fn a_reserved_bit_that_nobody_agreed_to_fails_with_1002() {
    for role in Role::BOTH {
        for bits in RESERVED {
            for opcode in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
                assert_failing(role, &[opcode | bits], Violation::ReservedBits, 1002);
            }
            for opcode in [CLOSE, PING, PONG] {
                assert_failing(role, &[FIN | opcode | bits], Violation::ReservedBits, 1002);
            }
            let begun = peer_of(role).frame(TEXT, b"begun");
            for opcode in [CONTINUATION, FIN | CONTINUATION] {
                let bytes = [&begun[..], &[opcode | bits]].concat();
                assert_failing(role, &bytes, Violation::ReservedBits, 1002);
            }
        }
    }
}

//= E24 type=test
//= WS-076 type=test
#[test]
fn a_reserved_opcode_fails_with_1002() {
    for role in Role::BOTH {
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            let violation = Violation::Header(MalformedHeader::ReservedOpcode(opcode));
            assert_failing(role, &[FIN | opcode], violation, 1002);
            assert_failing(role, &[opcode], violation, 1002);
            let begun = peer_of(role).frame(BINARY, b"begun");
            assert_failing(
                role,
                &[&begun[..], &[FIN | opcode]].concat(),
                violation,
                1002,
            );
        }
    }
}

//= WS-075 type=test
//= WS-076 type=test
//= WS-122 type=test
//= WS-123 type=test
#[test]
fn every_defined_opcode_passes() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [
            peer.text("text"),
            peer.binary(b"binary"),
            peer.ping(b"ping"),
            peer.pong(b"pong"),
            peer.frame(TEXT, b"be"),
            peer.frame(FIN | CONTINUATION, b"gun"),
        ];
        let expected = [
            Told::text("text"),
            Told::binary(b"binary"),
            Told::ping(b"ping"),
            Told::pong(b"pong"),
            Told::text("begun"),
        ];
        assert_passing(role, &bytes.concat(), &expected);
        assert_passing(role, &peer.close(1000, "bye"), &[Told::Close]);
    }
}

//= WS-077 type=test
#[test]
fn the_top_bit_of_a_length_fails_with_1002_as_soon_as_it_is_there() {
    let violation = Violation::Header(MalformedHeader::LengthTopBit);
    for role in Role::BOTH {
        for len in [1 << 63, u64::MAX, u64::MAX - 13, (1 << 63) | 5, 0xff << 56] {
            for opcode in [FIN | BINARY, BINARY, FIN | TEXT] {
                let header = peer_of(role).header_as(opcode, LengthForm::Long, len);
                assert_failing(role, &header[..3], violation, 1002);
            }
        }
    }
}

//= WS-077 type=test
#[test]
fn the_greatest_length_without_its_top_bit_is_read_as_such() {
    let limits = Limits::default().with_message_bytes_max(u64::MAX);
    for role in Role::BOTH {
        let header = peer_of(role).header(FIN | BINARY, i64::MAX as u64);
        for cut in Cut::all_for(&header) {
            let mut receiver = Receiver::of(open(role, limits.clone()));
            receiver.receive_cut(&header, &cut);
            assert_eq!(receiver.told, []);
            assert_eq!(receiver.connection.frame_bytes_to_come(), i64::MAX as u64);
            assert!(receiver.connection.is_within_message());
        }
    }
}

//= WS-078 type=test
#[test]
fn a_length_not_in_its_shortest_form_fails_with_1002_as_soon_as_it_is_visible() {
    let violation = Violation::Header(MalformedHeader::LengthNotMinimal);
    for role in Role::BOTH {
        let peer = peer_of(role);
        for opcode in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
            for len in (0..=125).step_by(5) {
                let header = peer.header_as(opcode, LengthForm::Medium, len);
                assert_failing(role, &header[..4], violation, 1002);
            }
            // Behind six zero bytes of eight nothing can make it large enough.
            for len in [0, 1, 125, 126, 127, 0xfffe, 0xffff] {
                let header = peer.header_as(opcode, LengthForm::Long, len);
                assert_failing(role, &header[..8], violation, 1002);
            }
        }
    }
}

//= WS-078 type=test
//= WS-079 type=test
//= WS-086 type=test
#[test]
fn a_length_in_its_shortest_form_passes_on_both_sides_of_each_edge() {
    for role in Role::BOTH {
        for len in [
            0, 1, 124, 125, 126, 127, 255, 256, 0xfffe, 0xffff, 0x1_0000, 0x1_0001,
        ] {
            let payload = vec![b'l'; len];
            let bytes = peer_of(role).binary(&payload);
            assert_passing(role, &bytes, &[Told::Binary(payload)]);
        }
    }
}

//= WS-079 type=test
#[test]
fn lengths_are_in_network_byte_order() {
    for role in Role::BOTH {
        for (form, len) in [
            (LengthForm::Medium, 0x0123),
            (LengthForm::Long, 0x0001_0203),
        ] {
            let mut receiver = Receiver::new(role);
            receiver.receive(&peer_of(role).header_as(FIN | BINARY, form, len));
            assert_eq!(receiver.connection.frame_bytes_to_come(), len);
        }
    }
}

/// Second bytes: each form of the length, the edges of each, with a mask and without.
const SECOND: [u8; 14] = [
    0, 1, 2, 124, 125, 126, 127, 0x80, 0x81, 0x82, 0xfc, 0xfd, 0xfe, 0xff,
];

/// What follows the first two bytes of a header: some of it makes a length, a key, a payload.
const BEHIND: [[u8; 14]; 3] = [
    [0; 14],
    [0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    [0, 0, 0, 0, 0, 1, 0, 0, 5, 6, 7, 8, 9, 10],
];

fn told_and_sent(role: Role, bytes: &[u8], cut: &Cut) -> (Vec<Told>, Vec<u8>) {
    let mut receiver = Receiver::new(role);
    receiver.receive_cut(bytes, cut);
    let sent = receiver.sent();
    (receiver.told, sent)
}

fn failed_with(meanings: &[Meaning]) -> Option<u16> {
    match meanings.last() {
        Some(Meaning::Failed(code)) => Some(*code),
        _ => None,
    }
}

//= WS-122 type=test
//= WS-174 type=test
#[test]
fn every_beginning_of_a_header_is_judged_the_same_at_once_and_byte_by_byte() {
    for role in Role::BOTH {
        let terms = Terms {
            masked: role.requires_mask(),
            message_bytes_max: 1 << 20,
            fragments_max: 131_072,
        };
        let starts = (0..=u8::MAX).flat_map(|first| SECOND.map(|second| [first, second]));
        for (start, behind) in starts.flat_map(|it| BEHIND.map(|behind| (it, behind))) {
            let bytes = [&start[..], &behind].concat();
            let at_once = told_and_sent(role, &bytes, &Cut::Whole);
            let in_bytes = told_and_sent(role, &bytes, &Cut::EachByte);
            assert_eq!(at_once, in_bytes, "{role:?} {bytes:02x?}");
            let code = match at_once.0.last() {
                Some(Told::Failed(violation)) => Some(u16::from(violation.close_code())),
                _ => None,
            };
            let expected = failed_with(&oracle::judge(terms, &bytes).0);
            assert_eq!(code, expected, "{role:?} {bytes:02x?}");
        }
    }
}

#[test]
fn many_frames_that_arrive_at_once_are_told_one_by_one() {
    for role in Role::BOTH {
        let mut receiver = Receiver::new(role);
        let frames = (0..5_000).map(|i: u32| peer_of(role).binary(&i.to_be_bytes()));
        receiver.receive(&frames.flatten().collect::<Vec<u8>>());
        let expected: Vec<Told> = (0..5_000)
            .map(|i: u32| Told::binary(&i.to_be_bytes()))
            .collect();
        assert_eq!(receiver.told, expected);
    }
}

//= WS-074 type=test
#[test]
fn what_is_sent_bears_no_reserved_bit() {
    for role in Role::BOTH {
        let (mut end, now) = (Receiver::new(role), Timestamp::ZERO);
        end.connection.send_text(now, "text").expect("room");
        end.connection
            .send_prepared(now, &Prepared::binary(b"bytes"))
            .expect("room");
        end.connection.ping(b"").expect("room");
        end.receive(&peer_of(role).ping(b""));
        end.connection
            .close(now, CloseReason::empty())
            .expect("a close");
        let firsts: Vec<u8> = read_frames(&end.sent())
            .iter()
            .map(|frame| frame.first)
            .collect();
        assert_eq!(firsts.len(), 5);
        assert!(
            firsts.iter().all(|first| first & (RSV1 | RSV2 | RSV3) == 0),
            "{firsts:02x?}"
        );
    }
}

//= WS-078 type=test
//= WS-086 type=test
#[test]
fn what_is_sent_has_its_length_in_the_shortest_form() {
    for role in Role::BOTH {
        let mut end = Receiver::new(role);
        for len in [0, 125, 126, 0xffff, 0x1_0000] {
            end.connection
                .send_binary(Timestamp::ZERO, &vec![1; len])
                .expect("room");
            // Whoever reads it insists on the shortest form.
            assert_eq!(read_frames(&end.sent())[0].payload.len(), len);
        }
    }
}

#[test]
fn a_long_frame_is_handed_out_as_it_arrives() {
    let limits = Limits::default();
    for role in Role::BOTH {
        let bytes = peer_of(role).binary(&[b'c'; 1000]);
        assert_passing_under(&limits, role, &bytes, &[Told::Binary(vec![b'c'; 1000])]);
        let mut receiver = Receiver::new(role);
        receiver.receive(&bytes[..500]);
        let (_, so_far) = receiver.unfinished.as_ref().expect("a piece");
        assert_eq!(
            receiver.connection.frame_bytes_to_come(),
            1000 - so_far.len() as u64
        );
        assert!(
            so_far.len() > 480,
            "{} bytes were held back",
            500 - so_far.len()
        );
    }
}
