//! What arrives compressed, byte by byte.

use framewire::engine::deflate::{DeflateConfig, DeflateOffer};
use framewire::engine::{
    Compress, Inbox, Incoming, Kind, Limits, Message, Offer, Part, Role, Violation,
};

use crate::support::{NOW, masked, offers, open, receive, server};

const PMD: &str = "permessage-deflate";
const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const HELLO_AGAIN: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];

fn hello() -> Message {
    Message::text("Hello")
}

/// Receives frames whole and byte by byte, and expects the same both times.
fn check(
    offered: &str,
    limits: &Limits,
    frames: &[Vec<u8>],
    expected: (Vec<Message>, Option<Violation>),
) {
    let bytes = frames.concat();
    for step in [usize::MAX, 1, 3] {
        let mut connection = server(limits.clone(), offered);
        let found = receive(
            &mut connection,
            &mut Inbox::new(),
            &bytes,
            step.min(bytes.len()),
        );
        assert_eq!(found, expected, "{offered} in steps of {step}");
    }
}

//= PD-025 type=test
//= PD-048 type=test
//= PD-056 type=test
//= PD-063 type=test
#[test]
fn every_form_of_the_rfc_is_read() {
    let stored = &[
        0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    let last_block = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let two_blocks = &[
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    for payload in [HELLO, stored.as_slice(), last_block, two_blocks] {
        let frames = [masked(0xc1, payload)];
        check(PMD, &Limits::default(), &frames, (vec![hello()], None));
        let frames = [masked(0x41, &payload[..3]), masked(0x80, &payload[3..])];
        check(PMD, &Limits::default(), &frames, (vec![hello()], None));
    }
    let empty = [masked(0xc1, &[0x00])];
    check(
        PMD,
        &Limits::default(),
        &empty,
        (vec![Message::text("")], None),
    );
}

//= PD-018 type=test
//= PD-026 type=test
//= PD-058 type=test
//= PD-062 type=test
#[test]
fn the_window_reaches_over_plain_messages_and_pings() {
    let frames = [
        masked(0xc1, HELLO),
        masked(0x81, b"plain"),
        masked(0x89, b"ping"),
        masked(0xc1, HELLO_AGAIN),
    ];
    let expected = vec![hello(), Message::text("plain"), hello()];
    check(PMD, &Limits::default(), &frames, (expected, None));
}

//= PD-058 type=test
#[test]
fn without_takeover_the_window_is_empty_for_each_message() {
    let frames = [masked(0xc1, HELLO), masked(0xc1, HELLO_AGAIN)];
    let expected = (vec![hello()], Some(Violation::ExtensionData));
    let offered = "permessage-deflate; client_no_context_takeover";
    check(offered, &Limits::default(), &frames, expected);
}

#[test]
fn a_block_called_the_last_does_not_end_the_window() {
    let last_block = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let frames = [
        masked(0xc1, last_block),
        masked(0xc1, HELLO_AGAIN),
        masked(0xc1, HELLO),
        masked(0xc1, last_block),
        masked(0xc1, HELLO_AGAIN),
    ];
    check(PMD, &Limits::default(), &frames, (vec![hello(); 5], None));
}

#[test]
fn nothing_may_follow_a_block_called_the_last() {
    let last_block = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let whole = masked(0xc1, last_block);
    let with_empty_end = [masked(0x41, last_block), masked(0x80, &[])].concat();
    let frames = [whole, with_empty_end, masked(0xc1, HELLO_AGAIN)];
    check(PMD, &Limits::default(), &frames, (vec![hello(); 3], None));
}

//= PX-04 type=test
#[test]
fn what_cannot_be_inflated_fails_with_1007() {
    for payload in [
        &[][..],
        &[0xff, 0xff, 0xff],
        &HELLO[..3],
        &[0x07],
        b"random bytes!",
    ] {
        let frames = [
            masked(0xc1, HELLO),
            masked(0xc2, payload),
            masked(0x81, b"after"),
        ];
        let expected = (vec![hello()], Some(Violation::ExtensionData));
        check(PMD, &Limits::default(), &frames, expected);
    }
}

#[test]
fn what_follows_a_piece_is_the_rest_alone() {
    let plain = (0x01, b"He".as_slice(), b"llo".as_slice());
    for (first, beginning, rest) in [plain, (0x41, &HELLO[..3], &HELLO[3..])] {
        let bytes = [masked(first, beginning), masked(0x80, rest)].concat();
        let (mut connection, mut inbox) = (server(Limits::default(), PMD), Inbox::new());
        inbox.space(0)[..bytes.len()].copy_from_slice(&bytes);
        inbox.filled(bytes.len());
        assert!(inbox.advance_piece(&mut connection, NOW));
        let Some(Incoming::Piece(piece)) = inbox.incoming() else {
            panic!("no piece");
        };
        assert!(piece.first && !piece.last && !piece.bytes.is_empty());
        let mut text = piece.bytes.to_vec();
        let Some(Incoming::Message(message)) = inbox.next(&mut connection, NOW) else {
            panic!("no rest");
        };
        text.extend_from_slice(message.bytes());
        assert_eq!(text, b"Hello");
        assert!(inbox.next(&mut connection, NOW).is_none());
    }
}

//= PD-022 type=test
#[test]
fn rsv1_elsewhere_than_on_the_first_frame_fails_with_1002() {
    for frames in [
        [masked(0x41, &HELLO[..3]), masked(0xc0, &HELLO[3..])],
        [masked(0xc9, b""), masked(0x81, b"")],
        [masked(0xca, b""), masked(0x81, b"")],
        [masked(0xe1, HELLO), masked(0x81, b"")],
        [masked(0xd1, HELLO), masked(0x81, b"")],
    ] {
        let expected = (vec![], Some(Violation::ReservedBits));
        check(PMD, &Limits::default(), &frames, expected);
    }
}

//= PD-024 type=test
#[test]
fn text_is_checked_once_it_is_inflated() {
    let mut invalid = vec![0x00, 0x02, 0x00, 0xfd, 0xff, 0xc3, 0x28];
    invalid.push(0x00);
    let frames = [masked(0xc1, &invalid)];
    check(
        PMD,
        &Limits::default(),
        &frames,
        (vec![], Some(Violation::NotUtf8)),
    );
    let frames = [masked(0xc2, &invalid)];
    let expected = (vec![Message::binary(vec![0xc3, 0x28])], None);
    check(PMD, &Limits::default(), &frames, expected);
}

/// A stored block of `len` bytes, flushed.
fn stored(len: u16) -> Vec<u8> {
    let mut block = vec![0x00];
    block.extend_from_slice(&len.to_le_bytes());
    block.extend_from_slice(&(!len).to_le_bytes());
    block.resize(block.len() + usize::from(len), b'x');
    block.push(0x00);
    block
}

//= PX-03 type=test
#[test]
fn a_message_may_be_as_large_as_the_limit_and_no_larger() {
    let limits = Limits::default().with_message_bytes_max(1000);
    for (len, fits) in [(999, true), (1000, true)] {
        // The bytes on the wire are bounded as well, so these are inflated from repeats.
        let repeats = deflated(&vec![b'x'; len]);
        let message = Message::text("x".repeat(len));
        let expected = if fits {
            (vec![message], None)
        } else {
            (vec![], None)
        };
        check(PMD, &limits, &[masked(0xc1, &repeats)], expected);
    }
    for len in [1001, 1002, 1_000_000] {
        let repeats = deflated(&vec![b'x'; len]);
        let expected = (vec![], Some(Violation::MessageTooBig));
        check(PMD, &limits, &[masked(0xc1, &repeats)], expected);
    }
    let expected = (vec![], Some(Violation::MessageTooBig));
    check(PMD, &limits, &[masked(0xc1, &stored(1001))], expected);
}

/// What an engine of ours sends for a message.
fn deflated(message: &[u8]) -> Vec<u8> {
    let offer = Box::new(DeflateOffer::new(DeflateConfig::default()));
    let mut extension = offer.accept(&offers(PMD)[0]).unwrap();
    let mut out = Vec::new();
    let part = Part::whole(Kind::Binary, message, Compress::Auto);
    assert!(extension.reduce(part, &mut out));
    out
}

#[test]
fn a_message_that_grows_beyond_reason_is_a_bomb() {
    let limits = Limits::default().with_message_bytes_max(1 << 30);
    let config = DeflateConfig::default().with_ratio_max(100);
    let bomb = deflated(&vec![0; 10 << 20]);
    assert!(bomb.len() < 20_000);
    let answer = framewire::engine::deflate::DeflateAnswer::new(config);
    let (_, extension) = framewire::engine::Answer::answer(&answer, &offers(PMD)).unwrap();
    let mut connection = open(Role::Server, limits, extension);
    let found = receive(
        &mut connection,
        &mut Inbox::new(),
        &masked(0xc2, &bomb),
        usize::MAX >> 1,
    );
    assert_eq!(found, (vec![], Some(Violation::MessageTooBig)));
}
