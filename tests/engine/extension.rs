//! The place for an extension (RFC 6455 §9; RFC 7692 §6), with a toy in it.

use framewire::engine::{Connection, Event, Expanded, Extension, Inbox, Incoming, Kind, Limits};
use framewire::engine::{Message, Part, Role, Timestamp, Violation};

use crate::support::chunks::Cut;
use crate::support::raw_peer::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RawPeer, TEXT};
use crate::support::raw_peer::{RSV1, RSV2, RSV3, read_frames};
use crate::support::receiver::{Receiver, Told, open, peer_of};
use crate::support::verdicts::{assert_failing_in, assert_passing_in};

/// Run-length coding: a count, and the byte that stands so often. Both ends agreed to it.
#[derive(Debug, Default)]
struct RunLength {
    /// A count whose byte has not arrived.
    count: Option<u8>,
}

impl Extension for RunLength {
    fn expand(
        &mut self,
        input: &[u8],
        last: bool,
        output: &mut [u8],
    ) -> Result<Expanded, Violation> {
        let (mut taken, mut given) = (0, 0);
        while taken < input.len() && given < output.len() {
            match self.count.take() {
                None => self.count = Some(input[taken]),
                Some(count) => {
                    let fits = usize::from(count).min(output.len() - given);
                    output[given..given + fits].fill(input[taken]);
                    given += fits;
                    if fits < usize::from(count) {
                        // The rest of the run goes with the next call.
                        self.count = Some(count - u8::try_from(fits).expect("less than a count"));
                        break;
                    }
                }
            }
            taken += 1;
        }
        let done = taken == input.len();
        match self.count {
            Some(_) if last && done => Err(Violation::ExtensionData),
            _ => Ok(Expanded { taken, given, done }),
        }
    }

    fn reduce(&mut self, part: Part<'_>, output: &mut Vec<u8>) -> bool {
        let message = part.bytes;
        if message.is_empty() || message.iter().any(|byte| *byte != message[0]) {
            return false;
        }
        for run in message.chunks(255) {
            output.extend([u8::try_from(run.len()).expect("at most 255"), run[0]]);
        }
        true
    }
}

/// Says the same of every piece, whatever room it is given, and writes nothing.
#[derive(Debug)]
struct Claiming(Expanded);

impl Extension for Claiming {
    fn expand(&mut self, _: &[u8], _: bool, _: &mut [u8]) -> Result<Expanded, Violation> {
        Ok(self.0)
    }

    fn reduce(&mut self, _: Part<'_>, _: &mut Vec<u8>) -> bool {
        false
    }
}

fn limits() -> Limits {
    Limits::default().with_message_bytes_max(1000)
}

fn receiver(role: Role) -> Receiver {
    Receiver::of(open(role, limits())).with_extension(RunLength::default())
}

fn coded(peer: RawPeer, first: u8, runs: &[(u8, u8)]) -> Vec<u8> {
    let payload: Vec<u8> = runs
        .iter()
        .flat_map(|(count, byte)| [*count, *byte])
        .collect();
    peer.frame(RSV1 | first, &payload)
}

//= PD-018 type=test
//= PD-025 type=test
//= PD-026 type=test
#[test]
fn coded_and_plain_messages_may_follow_one_another() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [
            coded(peer, FIN | TEXT, &[(3, b'a'), (2, b'b')]),
            peer.text("plain"),
            coded(peer, FIN | BINARY, &[(4, 0xff)]),
            peer.ping(b"between"),
            peer.binary(b"plain"),
            coded(peer, FIN | TEXT, &[]),
        ];
        let told = [
            Told::text("aaabb"),
            Told::text("plain"),
            Told::binary(&[0xff; 4]),
            Told::ping(b"between"),
            Told::binary(b"plain"),
            Told::text(""),
        ];
        assert_passing_in(|| receiver(role), &bytes.concat(), &told);
    }
}

//= PD-018 type=test
//= PD-025 type=test
#[test]
fn a_coded_message_in_fragments_bears_the_bit_on_its_first_alone() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        // A run is spread over two fragments, and empty ones stand around.
        let bytes = [
            peer.frame(RSV1 | TEXT, b""),
            peer.frame(CONTINUATION, b"\x03"),
            peer.ping(b"between"),
            peer.frame(CONTINUATION, b"a\x02"),
            peer.frame(CONTINUATION, b"b"),
            peer.frame(FIN | CONTINUATION, b""),
            peer.text("plain"),
        ];
        let told = [
            Told::ping(b"between"),
            Told::text("aaabb"),
            Told::text("plain"),
        ];
        assert_passing_in(|| receiver(role), &bytes.concat(), &told);
    }
}

//= WS-075 type=test
//= PD-022 type=test
#[test]
fn the_bit_on_a_later_fragment_or_a_control_frame_fails_with_1002() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for opcode in [CLOSE, PING, PONG] {
            let bytes = [RSV1 | FIN | opcode];
            assert_failing_in(
                || receiver(role),
                &bytes,
                &[],
                Violation::ReservedBits,
                1002,
            );
        }
        for begun in [peer.frame(TEXT, b"a"), coded(peer, TEXT, &[(1, b'a')])] {
            for first in [CONTINUATION, FIN | CONTINUATION, FIN | PING] {
                let bytes = [&begun[..], &[RSV1 | first]].concat();
                assert_failing_in(
                    || receiver(role),
                    &bytes,
                    &[],
                    Violation::ReservedBits,
                    1002,
                );
            }
        }
    }
}

//= WS-075 type=test
#[test]
fn the_other_reserved_bits_have_no_meaning_with_an_extension_either() {
    for role in Role::BOTH {
        for bits in [
            RSV2,
            RSV3,
            RSV1 | RSV2,
            RSV1 | RSV3,
            RSV2 | RSV3,
            RSV1 | RSV2 | RSV3,
        ] {
            for opcode in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
                let bytes = [bits | opcode];
                assert_failing_in(
                    || receiver(role),
                    &bytes,
                    &[],
                    Violation::ReservedBits,
                    1002,
                );
            }
        }
    }
}

//= WS-169 type=test
//= PX-03 type=test
#[test]
fn a_message_that_expands_to_the_bound_passes_and_one_byte_more_fails_with_1009() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let exact = [(250, b'x'); 4];
        let told = [Told::Text("x".repeat(1000))];
        assert_passing_in(|| receiver(role), &coded(peer, FIN | TEXT, &exact), &told);
        let [begun, rest] = [
            coded(peer, TEXT, &exact),
            peer.frame(FIN | CONTINUATION, b"\x01y"),
        ];
        let over = coded(peer, FIN | TEXT, &[&exact[..], &[(1, b'y')]].concat());
        assert_failing_in(
            || receiver(role),
            &over,
            &[],
            Violation::MessageTooBig,
            1009,
        );
        let over = [begun, rest].concat();
        assert_failing_in(
            || receiver(role),
            &over,
            &[],
            Violation::MessageTooBig,
            1009,
        );
    }
}

//= WS-169 type=test
#[test]
fn each_coded_message_is_counted_for_itself() {
    for role in Role::BOTH {
        let message = coded(peer_of(role), FIN | BINARY, &[(200, b'x'); 5]);
        let told = vec![Told::Binary(vec![b'x'; 1000]); 3];
        assert_passing_in(|| receiver(role), &message.repeat(3), &told);
    }
}

/// What a receive buffer tells of `bytes`, as lent messages or as owned ones.
fn messages(role: Role, bytes: &[u8], owned: bool) -> Vec<Message> {
    let extension = Box::new(RunLength::default());
    let mut connection = open(role, limits()).with_extension(extension);
    let (mut inbox, mut messages) = (Inbox::new(), Vec::new());
    for piece in Cut::Lengths(vec![3, 1, 50]).pieces(bytes) {
        inbox.space(0)[..piece.len()].copy_from_slice(piece);
        inbox.filled(piece.len());
        while inbox.advance(&mut connection, Timestamp::ZERO) {
            assert!(inbox.is_message());
            let message = match owned {
                true => inbox.take_message(),
                false => inbox.lent().map(|lent| lent.to_owned()),
            };
            messages.push(message.expect("a message"));
            assert_eq!(inbox.take_message().is_none(), owned, "it is taken once");
        }
    }
    assert!(inbox.is_empty());
    messages
}

//= PD-025 type=test
//= PD-026 type=test
#[test]
fn a_receive_buffer_holds_what_was_expanded_until_the_next_message() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [
            coded(peer, FIN | TEXT, &[(3, b'a')]),
            peer.text("plain"),
            coded(peer, TEXT, &[(2, b'b'), (2, b'c')]),
            peer.frame(FIN | CONTINUATION, b"\x02d"),
            coded(peer, FIN | BINARY, &[(250, 7); 4]),
            coded(peer, FIN | TEXT, &[]),
            peer.binary(b""),
        ];
        let expected = [
            Message::text("aaa"),
            Message::text("plain"),
            Message::text("bbccdd"),
            Message::binary(vec![7; 1000]),
            Message::text(""),
            Message::binary(vec![]),
        ];
        for owned in [false, true] {
            assert_eq!(messages(role, &bytes.concat(), owned), expected);
        }
    }
}

//= WS-140 type=test
#[test]
fn a_receive_buffer_tells_nothing_after_what_could_not_be_expanded() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let mut connection = open(role, limits()).with_extension(Box::new(RunLength::default()));
        let bytes = [coded(peer, FIN | TEXT, &[(1, 0xff)]), peer.text("late")].concat();
        let mut inbox = Inbox::with_bytes(bytes);
        let first = inbox.next(&mut connection, Timestamp::ZERO);
        assert!(
            matches!(first, Some(Incoming::Failed(Violation::NotUtf8))),
            "{first:?}"
        );
        assert!(inbox.next(&mut connection, Timestamp::ZERO).is_none());
        assert!(inbox.is_empty());
    }
}

#[test]
fn an_extension_that_claims_what_cannot_be_fails_with_1007() {
    let claim = |taken, given, done| Expanded { taken, given, done };
    let more_than_there_is_room_for = claim(1, 1 << 20, true);
    let more_than_there_is = claim(2, 0, true);
    // It would be asked forever.
    let nothing = claim(0, 0, false);
    for role in Role::BOTH {
        for claimed in [more_than_there_is_room_for, more_than_there_is, nothing] {
            let make = || Receiver::of(open(role, limits())).with_extension(Claiming(claimed));
            let bytes = peer_of(role).frame(RSV1 | FIN | BINARY, b"x");
            assert_failing_in(make, &bytes, &[], Violation::ExtensionData, 1007);
        }
    }
}

//= WS-169 type=test
#[test]
fn the_bound_holds_for_what_arrives_in_code_too() {
    for role in Role::BOTH {
        let header = peer_of(role).header(RSV1 | FIN | BINARY, 1001);
        assert_failing_in(
            || receiver(role),
            &header,
            &[],
            Violation::MessageTooBig,
            1009,
        );
    }
}

//= WS-114 type=test
//= PD-024 type=test
#[test]
fn text_is_judged_when_it_is_expanded_and_not_before() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        // The counts alone would be no text.
        let good = coded(peer, FIN | TEXT, &[(0xff, b'a')]);
        assert_passing_in(|| receiver(role), &good, &[Told::Text("a".repeat(255))]);
        let split = [
            coded(peer, TEXT, &[(1, 0xf0), (1, 0x9f)]),
            peer.frame(FIN | CONTINUATION, b"\x01\x98\x01\x80"),
        ];
        assert_passing_in(|| receiver(role), &split.concat(), &[Told::text("😀")]);

        for runs in [&[(1, 0xff)][..], &[(2, 0xc3)], &[(1, 0xed), (1, 0xa0)]] {
            let bytes = coded(peer, TEXT, runs);
            assert_failing_in(|| receiver(role), &bytes, &[], Violation::NotUtf8, 1007);
        }
        let unfinished = coded(peer, FIN | TEXT, &[(1, 0xc3)]);
        assert_failing_in(
            || receiver(role),
            &unfinished,
            &[],
            Violation::NotUtf8,
            1007,
        );
        let binary = coded(peer, FIN | BINARY, &[(1, 0xff)]);
        assert_passing_in(|| receiver(role), &binary, &[Told::binary(&[0xff])]);
    }
}

#[test]
fn what_the_extension_cannot_read_fails_with_1007() {
    for role in Role::BOTH {
        let bytes = peer_of(role).frame(RSV1 | FIN | BINARY, b"\x01a\x02");
        assert_failing_in(
            || receiver(role),
            &bytes,
            &[],
            Violation::ExtensionData,
            1007,
        );
    }
}

/// Two pieces of one coded message, out of two buffers, expanded when both have arrived.
fn expand_late(connection: &mut Connection, peer: RawPeer) -> [Result<(), Violation>; 2] {
    let now = Timestamp::ZERO;
    let mut first = peer.frame(RSV1 | BINARY, &[255, b'x'].repeat(4));
    let mut second = peer.frame(FIN | CONTINUATION, &[1, b'x']);
    let pieces = [&mut first, &mut second].map(|input| match connection.receive(now, input) {
        received if matches!(received.event, Some(Event::Data(_))) => received.event,
        received => panic!("{received:?}"),
    });
    pieces.map(|piece| match piece {
        Some(Event::Data(chunk)) => connection.expand(now, &chunk, &mut Vec::new()),
        other => panic!("{other:?}"),
    })
}

//= PX-01 type=test
#[test]
fn a_piece_expanded_after_the_bound_was_crossed_fails_as_well() {
    for role in Role::BOTH {
        let mut connection = open(role, limits()).with_extension(Box::new(RunLength::default()));
        let results = expand_late(&mut connection, peer_of(role));
        assert_eq!(results, [Err(Violation::MessageTooBig); 2]);
        assert!(connection.is_discarding());
    }
}

//= PD-017 type=test
//= PD-019 type=test
//= PD-020 type=test
//= PD-021 type=test
#[test]
fn what_is_sent_bears_the_bit_where_the_extension_coded_it() {
    for role in Role::BOTH {
        let mut end = receiver(role);
        let now = end.now;
        end.connection.send_text(now, "aaaa").expect("room");
        end.connection.send_text(now, "abcd").expect("room");
        end.connection
            .send_fragment(now, Kind::Text, b"aa", false)
            .expect("room");
        end.connection
            .send_fragment(now, Kind::Text, b"aa", true)
            .expect("room");
        end.connection.ping(b"aaaa").expect("room");
        let sent = end.sent();
        let frames = read_frames(&sent);
        let firsts: Vec<u8> = frames.iter().map(|frame| frame.first).collect();
        let expected = [
            FIN | PING,
            FIN | RSV1 | TEXT,
            FIN | TEXT,
            RSV1 | TEXT,
            FIN | CONTINUATION,
        ];
        assert_eq!(firsts, expected);
        assert_eq!(frames[1].payload, b"\x04a");
        assert_eq!(frames[3].payload, b"\x02a");

        let mut other = receiver(role.peer());
        other.receive_cut(&sent, &Cut::EachByte);
        let told = [
            Told::ping(b"aaaa"),
            Told::text("aaaa"),
            Told::text("abcd"),
            Told::text("aaaa"),
        ];
        assert_eq!(other.told, told);
    }
}
