//! Control frames (RFC 6455 §5.5).

use framewire::engine::{Limits, Role, Violation};
use framewire::wire::close::CloseReason;
use framewire::wire::header::MalformedHeader;

use crate::support::chunks::Cut;
use crate::support::raw_peer::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RawPeer};
use crate::support::raw_peer::{LengthForm, read_frames};
use crate::support::receiver::{Receiver, Told, open, peer_of};
use crate::support::verdicts::{assert_failing, assert_passing};

/// First bytes and payloads of the frames that wait to be sent.
fn answers(receiver: &mut Receiver) -> Vec<(u8, Vec<u8>)> {
    let frames = read_frames(&receiver.sent());
    frames
        .into_iter()
        .map(|frame| (frame.first, frame.payload))
        .collect()
}

//= WS-098 type=test
#[test]
fn a_control_frame_over_125_bytes_fails_with_1002_at_its_second_byte() {
    let violation = Violation::Header(MalformedHeader::LongControl);
    for role in Role::BOTH {
        for opcode in [CLOSE, PING, PONG] {
            for (form, len) in [
                (LengthForm::Medium, 126),
                (LengthForm::Medium, 5),
                (LengthForm::Medium, 0xffff),
                (LengthForm::Long, 1 << 62),
                (LengthForm::Long, 0),
            ] {
                let header = peer_of(role).header_as(FIN | opcode, form, len);
                assert_failing(role, &header[..2], violation, 1002);
            }
        }
    }
}

//= E23 type=test
//= E48 type=test
//= E50 type=test
//= WS-098 type=test
//= WS-112 type=test
#[test]
fn a_ping_of_any_length_up_to_125_is_answered_with_its_payload() {
    for role in Role::BOTH {
        for len in 0..=125 {
            let payload: Vec<u8> = (0..len).map(|i: u8| i.wrapping_mul(37)).collect();
            let ping = peer_of(role).ping(&payload);
            let cuts = if len % 25 == 0 {
                Cut::all_for(&ping)
            } else {
                vec![Cut::EachByte]
            };
            for cut in cuts {
                let mut receiver = Receiver::new(role);
                receiver.receive_cut(&ping, &cut);
                assert_eq!(receiver.told, [Told::ping(&payload)]);
                assert_eq!(answers(&mut receiver), [(FIN | PONG, payload.clone())]);
            }
        }
    }
}

//= WS-088 type=test
//= WS-099 type=test
#[test]
fn a_fragmented_control_frame_fails_with_1002_at_its_first_byte() {
    let violation = Violation::Header(MalformedHeader::FragmentedControl);
    for role in Role::BOTH {
        for opcode in [CLOSE, PING, PONG] {
            assert_failing(role, &[opcode], violation, 1002);
            let begun = peer_of(role).frame(BINARY, b"begun");
            assert_failing(role, &[&begun[..], &[opcode]].concat(), violation, 1002);
        }
    }
}

//= WS-099 type=test
#[test]
fn a_continuation_does_not_continue_a_ping() {
    for role in Role::BOTH {
        let mut receiver = Receiver::new(role);
        let peer = peer_of(role);
        let continuation = peer.frame(FIN | CONTINUATION, b"more");
        receiver.receive(&[peer.ping(b"ping"), continuation].concat());
        let failed = Told::Failed(Violation::UnexpectedContinuation);
        assert_eq!(receiver.told, [Told::ping(b"ping"), failed]);
    }
}

//= WS-110 type=test
//= WS-111 type=test
#[test]
fn pings_are_answered_in_their_order_at_once() {
    for role in Role::BOTH {
        let mut receiver = Receiver::new(role);
        let peer = peer_of(role);
        receiver.receive(&[peer.ping(b"1"), peer.text("text"), peer.ping(b"2")].concat());
        receiver.receive(&peer.frame(BINARY, b"begun"));
        receiver.receive(&peer.ping(b"3"));
        let expected = [b"1", b"2", b"3"].map(|it| (FIN | PONG, it.to_vec()));
        assert_eq!(answers(&mut receiver), expected);
    }
}

//= WS-110 type=test
#[test]
fn a_ping_is_answered_after_our_close_but_not_after_the_peers() {
    for role in Role::BOTH {
        let (mut receiver, peer) = (Receiver::new(role), peer_of(role));
        receiver
            .connection
            .close(receiver.now, CloseReason::empty())
            .expect("a close");
        assert_eq!(answers(&mut receiver), [(FIN | CLOSE, vec![])]);
        receiver.receive(&peer.ping(b"still there?"));
        assert_eq!(
            answers(&mut receiver),
            [(FIN | PONG, b"still there?".to_vec())]
        );
        receiver.receive(&[peer.close(1000, ""), peer.ping(b"too late")].concat());
        assert_eq!(receiver.told, [Told::ping(b"still there?"), Told::Close]);
        assert_eq!(answers(&mut receiver), []);
    }
}

//= E49 type=test
//= E52 type=test
//= WS-113 type=test
#[test]
fn a_pong_that_nobody_asked_for_is_told_and_not_answered() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let pongs = [
            peer.pong(b""),
            peer.pong(b"same"),
            peer.pong(b"same"),
            peer.pong(&[9; 125]),
        ];
        let expected = [b"".as_slice(), b"same", b"same", &[9; 125]].map(Told::pong);
        assert_passing(role, &pongs.concat(), &expected);
        let mut receiver = Receiver::new(role);
        receiver.receive(&pongs.concat());
        assert!(receiver.sent().is_empty());
    }
}

//= WS-113 type=test
#[test]
fn pongs_for_one_ping_may_come_twice_or_be_for_another() {
    for role in Role::BOTH {
        let (mut receiver, peer) = (Receiver::new(role), peer_of(role));
        receiver.connection.ping(b"ours").expect("room");
        receiver.sent();
        receiver.receive(&[peer.pong(b"ours"), peer.pong(b"ours"), peer.pong(b"no")].concat());
        assert_eq!(
            receiver.told,
            [b"ours".as_slice(), b"ours", b"no"].map(Told::pong)
        );
        assert!(receiver.sent().is_empty() && receiver.connection.is_open());
    }
}

#[test]
fn a_pong_cut_anywhere_is_followed_by_what_follows_it() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [peer.pong(&[0x81; 30]), peer.text("next")].concat();
        assert_passing(role, &bytes, &[Told::pong(&[0x81; 30]), Told::text("next")]);
    }
}

/// Pings by the thousand to a connection that cannot send.
fn flood(peer: RawPeer, count: u32) -> Vec<u8> {
    (0..count)
        .flat_map(|i| peer.ping(&i.to_be_bytes()))
        .collect()
}

//= WS-113 type=test
#[test]
fn a_flood_of_pings_is_bounded_and_the_latest_is_answered() {
    for role in Role::BOTH {
        for bound in [256, 1000, 4096] {
            let limits = Limits::default().with_control_bytes_max(bound);
            for cut in [Cut::Whole, Cut::Lengths(vec![3, 100])] {
                let mut receiver = Receiver::of(open(role, limits.clone()));
                receiver.receive_cut(&flood(peer_of(role), 10_000), &cut);
                assert_eq!(receiver.told.len(), 10_000);
                let waiting = receiver.connection.buffered_bytes();
                assert!(waiting < bound + 6 + 125, "{waiting} bytes wait");
                let pongs = answers(&mut receiver);
                assert_eq!(
                    pongs.last(),
                    Some(&(FIN | PONG, 9_999_u32.to_be_bytes().to_vec()))
                );
                // Those before it are the first ones.
                for (index, pong) in (0_u32..).zip(&pongs[..pongs.len() - 1]) {
                    assert_eq!(*pong, (FIN | PONG, index.to_be_bytes().to_vec()));
                }
                assert!(pongs.len() * 10 >= bound);
            }
        }
    }
}

//= WS-113 type=test
#[test]
fn a_flood_of_pings_stays_bounded_while_a_slow_transport_takes_a_byte_at_a_time() {
    for role in Role::BOTH {
        let limits = Limits::default().with_control_bytes_max(256);
        let mut receiver = Receiver::of(open(role, limits));
        let mut sent = Vec::new();
        for i in 0..3_000_u32 {
            // Long and short ones, so that a replacement is longer than what it replaces.
            let len = [0, 125, 4][i as usize % 3];
            receiver.receive(&peer_of(role).ping(&i.to_be_bytes().repeat(32)[..len]));
            let first = receiver.connection.transmit().next().expect("a pong")[0];
            sent.push(first);
            receiver.connection.transmitted(1);
            // A replaced frame may be followed by one that must not be replaced.
            let waiting = receiver.connection.buffered_bytes();
            assert!(waiting < 256 + 2 * (6 + 125), "{waiting} bytes wait");
        }
        sent.extend(receiver.sent());
        let pongs = read_frames(&sent);
        assert!(pongs.iter().all(|pong| pong.first == FIN | PONG));
        let latest = 2_999_u32.to_be_bytes();
        assert_eq!(pongs.last().expect("a pong").payload, latest);
    }
}

#[test]
fn a_flood_of_pongs_leaves_nothing_behind() {
    for role in Role::BOTH {
        let mut receiver = Receiver::new(role);
        let pongs: Vec<u8> = (0..10_000_u32)
            .flat_map(|i| peer_of(role).pong(&i.to_be_bytes()))
            .collect();
        receiver.receive(&pongs);
        assert_eq!(receiver.told.len(), 10_000);
        assert_eq!(receiver.connection.buffered_bytes(), 0);
    }
}
