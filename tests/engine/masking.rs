//! Masking (RFC 6455 §5.1, §5.3).

use std::collections::HashSet;

use framewire::engine::{Kind, Prepared, Role, Timestamp, Violation};
use framewire::wire::close::CloseReason;

use crate::support::raw_peer::read_frames;
use crate::support::raw_peer::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RawPeer, TEXT};
use crate::support::receiver::{Receiver, Told, peer_of};
use crate::support::verdicts::{assert_failing, assert_passing};

/// The peer that masks where it must not, and the violation that this is.
fn wrong_peer_of(role: Role) -> (RawPeer, Violation) {
    match role {
        Role::Client => (RawPeer::MASKING, Violation::Masked),
        Role::Server => (RawPeer::PLAIN, Violation::Unmasked),
    }
}

//= WS-070 type=test
//= WS-072 type=test
#[test]
fn a_frame_masked_the_wrong_way_fails_with_1002() {
    for role in Role::BOTH {
        let (peer, violation) = wrong_peer_of(role);
        for opcode in [
            FIN | TEXT,
            TEXT,
            FIN | BINARY,
            FIN | CLOSE,
            FIN | PING,
            FIN | PONG,
        ] {
            for len in [0, 5, 125] {
                let header = peer.header(opcode, len);
                assert_failing(role, &header[..2], violation, 1002);
            }
        }
        for long in [126, 1 << 20, 1 << 40] {
            let header = peer.header(FIN | BINARY, long);
            assert_failing(role, &header[..2], violation, 1002);
        }
    }
}

//= WS-070 type=test
//= WS-072 type=test
#[test]
fn a_frame_masked_the_right_way_passes() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for len in [0, 1, 125, 126] {
            let payload = vec![b'm'; len];
            assert_passing(role, &peer.binary(&payload), &[Told::Binary(payload)]);
        }
        assert_passing(role, &peer.ping(b"?"), &[Told::ping(b"?")]);
        assert_passing(role, &peer.pong(b"!"), &[Told::pong(b"!")]);
    }
}

//= WS-070 type=test
//= WS-072 type=test
#[test]
fn a_later_fragment_masked_the_wrong_way_fails_with_1002() {
    for role in Role::BOTH {
        let (wrong, violation) = wrong_peer_of(role);
        let begun = peer_of(role).frame(BINARY, b"begun");
        for opcode in [CONTINUATION, FIN | CONTINUATION, FIN | PING] {
            let bytes = [&begun, &wrong.header(opcode, 3)[..2]].concat();
            assert_failing(role, &bytes, violation, 1002);
        }
    }
}

//= WS-085 type=test
//= WS-126 type=test
#[test]
fn any_key_is_undone_however_the_payload_is_cut() {
    let keys = [
        [0; 4],
        [0xff; 4],
        [1, 0, 0, 0],
        [0, 0, 0, 1],
        [0x37, 0xfa, 0x21, 0x3d],
    ];
    for key in keys {
        let peer = RawPeer { key: Some(key) };
        for len in [
            1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 300,
        ] {
            let payload: Vec<u8> = (0..len).map(|i: u16| i.to_be_bytes()[1] ^ 0x5a).collect();
            assert_passing(
                Role::Server,
                &peer.binary(&payload),
                &[Told::Binary(payload)],
            );
        }
    }
}

//= WS-085 type=test
#[test]
fn each_fragment_is_unmasked_with_its_own_key() {
    let keys = [
        [1, 2, 3, 4],
        [9, 8, 7, 6],
        [0, 0, 0, 0],
        [0xaa, 0xbb, 0xcc, 0xdd],
    ];
    let firsts = [TEXT, CONTINUATION, FIN | PING, FIN | CONTINUATION];
    let payloads = ["one, ", "two, ", "between", "three"];
    let frames =
        (0..4).map(|i| RawPeer { key: Some(keys[i]) }.frame(firsts[i], payloads[i].as_bytes()));
    let bytes: Vec<u8> = frames.flatten().collect();
    let expected = [Told::ping(b"between"), Told::text("one, two, three")];
    assert_passing(Role::Server, &bytes, &expected);
}

/// Everything that an end can send, sent.
fn one_of_each(role: Role) -> Vec<u8> {
    let (mut end, now) = (Receiver::new(role), Timestamp::ZERO);
    let connection = &mut end.connection;
    connection.send_text(now, "text").expect("room");
    connection.send_binary(now, &[7; 70_000]).expect("room");
    connection
        .send_fragment(now, Kind::Text, b"frag", false)
        .expect("room");
    connection
        .send_fragment(now, Kind::Text, b"ment", true)
        .expect("room");
    connection
        .send_prepared(now, &Prepared::text("prepared"))
        .expect("room");
    connection.ping(b"ping").expect("room");
    connection.pong(b"pong").expect("room");
    end.receive(&peer_of(role).ping(b"asked"));
    end.connection
        .close(now, CloseReason::empty())
        .expect("a close");
    end.sent()
}

//= E51 type=test
//= WS-069 type=test
//= WS-071 type=test
//= WS-081 type=test
//= WS-102 type=test
//= WS-120 type=test
#[test]
fn a_client_masks_every_frame_and_a_server_none() {
    for role in Role::BOTH {
        let frames = read_frames(&one_of_each(role));
        // The 70,000 bytes leave in two fragments.
        assert_eq!(frames.len(), 10);
        for frame in frames {
            assert_eq!(
                frame.key.is_some(),
                role == Role::Client,
                "{role:?} {:#x}",
                frame.first
            );
        }
    }
}

//= WS-082 type=test
//= WS-167 type=test
#[test]
fn each_frame_of_a_client_has_a_key_of_its_own() {
    let mut client = Receiver::new(Role::Client);
    let mut keys = HashSet::new();
    for _ in 0..1_000 {
        client
            .connection
            .send_binary(Timestamp::ZERO, b"")
            .expect("room");
        keys.extend(
            read_frames(&client.sent())
                .into_iter()
                .map(|frame| frame.key),
        );
    }
    // Of a thousand keys out of 2³² two are the same once in some 8,600 runs; the seed is fixed.
    assert_eq!(keys.len(), 1_000);
}
