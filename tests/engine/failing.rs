//! Failing the connection (RFC 6455 §7.1.7, §7.4, §10.7).

use framewire::engine::{Cause, Role, Violation};
use framewire::wire::close::{CloseCode, CloseReason, MalformedClose};
use framewire::wire::header::MalformedHeader;

use crate::support::raw_peer::{BINARY, CLOSE, CONTINUATION, FIN, LengthForm, PING, PONG};
use crate::support::raw_peer::{RSV2, RawPeer, TEXT, read_frames};
use crate::support::receiver::{Receiver, Told, peer_of};
use crate::support::verdicts::{assert_failing, assert_failing_in, assert_passing};

/// For each rule the fewest bytes that break it, the violation, and its code.
fn offences(role: Role) -> Vec<(Vec<u8>, Violation, u16)> {
    let peer = peer_of(role);
    let (wrong, wrong_mask) = match role {
        Role::Client => (RawPeer::MASKING, Violation::Masked),
        Role::Server => (RawPeer::PLAIN, Violation::Unmasked),
    };
    let long = |len| peer.header_as(FIN | BINARY, LengthForm::Long, len);
    vec![
        (
            vec![FIN | 3],
            Violation::Header(MalformedHeader::ReservedOpcode(3)),
            1002,
        ),
        (
            vec![PING],
            Violation::Header(MalformedHeader::FragmentedControl),
            1002,
        ),
        (
            peer.header(FIN | PING, 126)[..2].to_vec(),
            Violation::Header(MalformedHeader::LongControl),
            1002,
        ),
        (
            long(5)[..8].to_vec(),
            Violation::Header(MalformedHeader::LengthNotMinimal),
            1002,
        ),
        (
            long(1 << 63)[..3].to_vec(),
            Violation::Header(MalformedHeader::LengthTopBit),
            1002,
        ),
        (wrong.header(FIN | TEXT, 1)[..2].to_vec(), wrong_mask, 1002),
        (vec![FIN | RSV2 | TEXT], Violation::ReservedBits, 1002),
        (
            vec![FIN | CONTINUATION],
            Violation::UnexpectedContinuation,
            1002,
        ),
        (
            [&peer.frame(TEXT, b"a")[..], &[FIN | TEXT]].concat(),
            Violation::InterleavedMessage,
            1002,
        ),
        (peer.frame(TEXT, b"\xff"), Violation::NotUtf8, 1007),
        (
            peer.frame(FIN | CLOSE, b"\x03"),
            Violation::Close(MalformedClose::OneByte),
            1002,
        ),
        (
            peer.close(1005, ""),
            Violation::Close(MalformedClose::Code(1005)),
            1002,
        ),
        (
            peer.frame(FIN | CLOSE, b"\x03\xe8\xff"),
            Violation::Close(MalformedClose::NotUtf8),
            1007,
        ),
        (
            peer.header(BINARY, (1 << 20) + 1),
            Violation::MessageTooBig,
            1009,
        ),
    ]
}

//= WS-136 type=test
//= WS-137 type=test
//= WS-139 type=test
//= WS-140 type=test
//= PX-07 type=test
#[test]
fn each_offence_fails_the_connection_once_and_ends_it() {
    for role in Role::BOTH {
        for (bytes, violation, code) in offences(role) {
            assert_failing(role, &bytes, violation, code);
        }
    }
}

//= PX-07 type=test
#[test]
fn frames_before_an_offence_are_told_and_answered() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for (bytes, violation, code) in offences(role) {
            let good = [peer.binary(b"good"), peer.ping(b"good"), peer.pong(b"good")].concat();
            let told = [
                Told::binary(b"good"),
                Told::ping(b"good"),
                Told::pong(b"good"),
            ];
            let bytes = [good, bytes].concat();
            assert_failing_in(|| Receiver::new(role), &bytes, &told, violation, code);
        }
    }
}

//= WS-140 type=test
#[test]
fn an_offence_inside_a_message_loses_the_message() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let begun = [peer.frame(BINARY, b"lost"), peer.ping(b"between")].concat();
        let told = [Told::ping(b"between")];
        for first in [FIN | RSV2 | CONTINUATION, FIN | RSV2 | PING] {
            let bytes = [&begun[..], &[first]].concat();
            let make = || Receiver::new(role);
            assert_failing_in(make, &bytes, &told, Violation::ReservedBits, 1002);
        }
    }
}

//= WS-139 type=test
//= WS-140 type=test
#[test]
fn an_offence_after_our_close_ends_the_connection_without_a_second_close() {
    for role in Role::BOTH {
        for (bytes, violation, _) in offences(role) {
            let mut receiver = Receiver::new(role);
            let reason = CloseReason::new(CloseCode::GOING_AWAY, "").expect("a reason");
            receiver
                .connection
                .close(receiver.now, reason)
                .expect("a close");
            receiver.receive(&peer_of(role).text("on its way"));
            assert_eq!(receiver.told, [Told::text("on its way")]);
            receiver.receive(&[bytes, peer_of(role).close(1000, "")].concat());
            assert_eq!(receiver.told.last(), Some(&Told::Failed(violation)));
            let frames = read_frames(&receiver.sent());
            assert_eq!(frames.len(), 1, "{frames:?}");
            assert_eq!(frames[0].payload, 1001_u16.to_be_bytes());
            assert!(receiver.connection.should_end_stream());
            let closure = receiver.connection.closure().expect("a closure");
            assert_eq!(closure.cause(), Some(Cause::Violation(violation)));
            assert_eq!(u16::from(closure.code()), 1006);
        }
    }
}

//= WS-140 type=test
#[test]
fn an_offence_after_the_peers_close_is_not_read() {
    for role in Role::BOTH {
        for (bytes, _, _) in offences(role) {
            let mut receiver = Receiver::new(role);
            receiver.receive(&[peer_of(role).close(1000, "done"), bytes.clone()].concat());
            receiver.receive(&bytes);
            assert_eq!(receiver.told, [Told::Close]);
            let closure = receiver.connection.closure().expect("a closure");
            assert_eq!(closure.cause(), Some(Cause::Handshake));
            assert!(closure.is_clean());
        }
    }
}

//= WS-139 type=test
#[test]
fn the_close_of_a_failed_connection_leaves_behind_what_was_sent_before() {
    for role in Role::BOTH {
        let mut receiver = Receiver::new(role);
        let (now, peer) = (receiver.now, peer_of(role));
        receiver
            .connection
            .send_text(now, "sent before")
            .expect("room");
        receiver.receive(&[&peer.ping(b"asked")[..], &[FIN | 7]].concat());
        assert!(receiver.connection.send_text(now, "sent after").is_err());
        assert!(receiver.connection.ping(b"").is_err());
        let firsts: Vec<u8> = read_frames(&receiver.sent())
            .iter()
            .map(|it| it.first)
            .collect();
        assert_eq!(firsts, [FIN | PONG, FIN | TEXT, FIN | CLOSE]);
    }
}

//= WS-139 type=test
#[test]
fn what_the_peer_is_told_fits_a_close_frame_and_may_be_sent() {
    for (_, violation, code) in Role::BOTH.into_iter().flat_map(offences) {
        let reason = violation.close_reason();
        assert_eq!(reason.code().map(u16::from), Some(code));
        assert_eq!(reason.reason(), violation.phrase());
        let said = violation.to_string();
        for part in [violation.phrase(), violation.section(), &code.to_string()] {
            assert!(said.contains(part), "{said}");
        }
    }
}

/// Whether a code may stand in a Close frame, from the tables of RFC 6455 §7.4 and of IANA.
fn may_stand_on_the_wire(code: u16) -> bool {
    match code {
        1000..=1003 | 1007..=1011 => true,
        // Registered later: service restart, try again later, bad gateway.
        1012..=1014 => true,
        // For libraries, and for private use.
        3000..=4999 => true,
        _ => false,
    }
}

//= WS-104 type=test
//= WS-148 type=test
//= WS-149 type=test
//= WS-152 type=test
//= WS-153 type=test
//= WS-154 type=test
#[test]
fn every_code_is_echoed_or_fails_with_1002() {
    for role in Role::BOTH {
        for code in 0..=u16::MAX {
            let mut receiver = Receiver::new(role);
            receiver.receive(&peer_of(role).close(code, "why"));
            let frames = read_frames(&receiver.sent());
            assert_eq!(frames.len(), 1);
            assert_eq!(frames[0].first, FIN | CLOSE);
            if may_stand_on_the_wire(code) {
                assert_eq!(receiver.told, [Told::Close], "{code}");
                assert_eq!(frames[0].payload, code.to_be_bytes());
                let closure = receiver.connection.closure().expect("a closure");
                assert_eq!((u16::from(closure.code()), closure.reason()), (code, "why"));
            } else {
                let violation = Violation::Close(MalformedClose::Code(code));
                assert_eq!(receiver.told, [Told::Failed(violation)], "{code}");
                assert_eq!(frames[0].payload[..2], 1002_u16.to_be_bytes());
            }
        }
    }
}

//= WS-100 type=test
//= WS-155 type=test
#[test]
fn a_malformed_close_body_fails_the_connection() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for byte in [0x00, 0x03, 0x0b, 0xff] {
            let violation = Violation::Close(MalformedClose::OneByte);
            assert_failing(role, &peer.frame(FIN | CLOSE, &[byte]), violation, 1002);
        }
        for code in [
            0,
            999,
            1004,
            1005,
            1006,
            1015,
            1016,
            2999,
            5000,
            0x8000,
            u16::MAX,
        ] {
            let violation = Violation::Close(MalformedClose::Code(code));
            assert_failing(role, &peer.close(code, ""), violation, 1002);
            assert_failing(role, &peer.close(code, "with a reason"), violation, 1002);
        }
        let not_text = [
            &b"\xff"[..],
            b"\xc3",
            b"\xc3(",
            b"\xed\xa0\x80",
            b"\xc0\xaf",
            b"a\xf0\x9f",
        ];
        for reason in not_text {
            let body = [&1000_u16.to_be_bytes(), reason].concat();
            let violation = Violation::Close(MalformedClose::NotUtf8);
            assert_failing(role, &peer.frame(FIN | CLOSE, &body), violation, 1007);
        }
    }
}

//= WS-100 type=test
//= WS-104 type=test
//= WS-134 type=test
//= WS-135 type=test
#[test]
fn the_nearest_good_close_bodies_pass() {
    let longest = "é".repeat(61) + "!";
    for role in Role::BOTH {
        let peer = peer_of(role);
        let good = [
            (1000, ""),
            (1003, "a"),
            (1014, "é😀"),
            (3000, ""),
            (4999, &longest),
        ];
        for (code, reason) in good {
            assert_passing(role, &peer.close(code, reason), &[Told::Close]);
            let mut receiver = Receiver::new(role);
            receiver.receive(&peer.close(code, reason));
            let closure = receiver.connection.closure().expect("a closure");
            assert_eq!(
                (u16::from(closure.code()), closure.reason()),
                (code, reason)
            );
        }
        let empty = peer.frame(FIN | CLOSE, b"");
        assert_passing(role, &empty, &[Told::Close]);
        let mut receiver = Receiver::new(role);
        receiver.receive(&empty);
        assert_eq!(read_frames(&receiver.sent())[0].payload, b"");
        let closure = receiver.connection.closure().expect("a closure");
        assert_eq!((u16::from(closure.code()), closure.reason()), (1005, ""));
    }
}
