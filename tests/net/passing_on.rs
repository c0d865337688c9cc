//! Messages that go back as they come: whole where they fit into a buffer, in pieces otherwise.

use framewire::engine::{Kind, Limits, Message, Role};
use framewire::net::{Error, WebSocket};
use framewire::wire::close::CloseCode;
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::open;
use crate::peer::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT};
use crate::peer::{close_body, frame_to, raw_frame_to};
use crate::scripted::{Give, stream};

/// More than is received into at once.
const LARGE: usize = 200_000;

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocket<S>) -> Result<(), Error> {
    let echo = socket.serve_pieces(|exchange| exchange.echo().expect("room"));
    echo.await
}

/// Bytes of a kind: letters of one and two bytes, or anything.
fn payload(kind: Kind, bytes: usize) -> Vec<u8> {
    match kind {
        Kind::Text => {
            let mut text: String = "aß".chars().cycle().take(bytes * 2 / 3).collect();
            text.extend(core::iter::repeat_n('b', bytes - text.len()));
            text.into_bytes()
        }
        Kind::Binary => (0..=255).cycle().take(bytes).collect(),
    }
}

const fn opcode(kind: Kind) -> u8 {
    match kind {
        Kind::Text => TEXT,
        Kind::Binary => BINARY,
    }
}

/// The messages that frames make.
fn messages(frames: &[Frame]) -> Vec<(u8, Vec<u8>)> {
    let mut all: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut within = false;
    for frame in frames.iter().filter(|it| it.opcode < CLOSE) {
        assert_eq!(frame.opcode == CONTINUATION, within);
        match all.last_mut().filter(|_| within) {
            Some((_, bytes)) => bytes.extend_from_slice(&frame.payload),
            None => all.push((frame.opcode, frame.payload.clone())),
        }
        within = !frame.fin;
    }
    assert!(!within, "the last message has an end");
    all
}

#[derive(Clone, Debug)]
struct Sent {
    kind: Kind,
    bytes: usize,
    fragments: usize,
}

fn sent() -> impl Strategy<Value = Sent> {
    let kind = prop_oneof![Just(Kind::Text), Just(Kind::Binary)];
    let bytes = prop_oneof![
        0..300_usize,
        4000..4200_usize,
        61_000..66_000_usize,
        66_000..300_000_usize,
    ];
    (kind, bytes, 1..4_usize).prop_map(|(kind, bytes, fragments)| Sent {
        kind,
        bytes,
        fragments,
    })
}

/// A message as frames to an end in `role`, with a Ping before each but the first.
fn frames_to(role: Role, sent: &Sent) -> Vec<u8> {
    let payload = payload(sent.kind, sent.bytes);
    let size = payload.len().div_ceil(sent.fragments).max(1);
    let mut parts: Vec<&[u8]> = payload.chunks(size).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let mut bytes = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let first = if at == 0 {
            opcode(sent.kind)
        } else {
            CONTINUATION
        };
        let fin = if at + 1 == parts.len() { 0x80 } else { 0 };
        if at > 0 {
            bytes.extend(frame_to(role, PING, b"?"));
        }
        bytes.extend(raw_frame_to(role, fin | first, part));
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn prop_what_comes_goes_back(
        sent in prop::collection::vec(sent(), 1..6),
        read in prop_oneof![Just(usize::MAX), 1000..70_000_usize],
        write in prop_oneof![Just(usize::MAX), 900..70_000_usize],
        is_server in any::<bool>(),
        is_watched in any::<bool>(),
    ) {
        let role = if is_server { Role::Server } else { Role::Client };
        let (end, script) = stream();
        script.limit_bytes(read, write);
        let mut socket = open(role, Limits::default(), end);
        if is_watched {
            socket.keep_statistics();
        }
        let mut bytes: Vec<u8> = sent.iter().flat_map(|it| frames_to(role, it)).collect();
        bytes.extend(frame_to(role, CLOSE, &close_body(1000, "")));
        script.give_bytes(&bytes);
        script.give([Give::End]);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(echo(&mut socket)).expect("no failure");
        let frames = script.frames(role);
        let expected: Vec<_> = sent
            .iter()
            .map(|it| (opcode(it.kind), payload(it.kind, it.bytes)))
            .collect();
        prop_assert_eq!(messages(&frames), expected);
        prop_assert_eq!(frames.last(), Some(&Frame::close(1000, "")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_message_is_on_its_way_back_before_its_end_has_come() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        let bytes = frame_to(role, BINARY, &payload(Kind::Binary, LARGE));
        let (most, rest) = bytes.split_at(bytes.len() - 1000);
        script.give([Give::Bytes(most.to_vec()), Give::Pending]);
        let served = crate::poll_times(echo(&mut socket), 3).await;
        assert!(served.is_none(), "more is to come");
        let back = script.written();
        assert!(back > LARGE - 70_000, "{back} bytes have gone back");
        script.give([Give::Bytes(rest.to_vec()), Give::Pending]);
        assert!(crate::poll_times(echo(&mut socket), 3).await.is_none());
        let frames = script.frames(role);
        assert_eq!(messages(&frames), [(BINARY, payload(Kind::Binary, LARGE))]);
        assert!(frames.iter().all(|it| it.payload.len() <= 64 << 10));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_goes_wrong_behind_its_first_pieces_is_failed_all_the_same() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        let mut text = payload(Kind::Text, LARGE);
        text.extend_from_slice(b"\xC3(");
        script.give_bytes(&frame_to(role, TEXT, &text));
        let failed = echo(&mut socket).await;
        assert!(matches!(failed, Err(Error::Violation(_))), "{failed:?}");
        let frames = script.frames(role);
        let last = frames.last().expect("a Close");
        assert_eq!(last.code(), Some(CloseCode::INVALID_PAYLOAD_DATA.get()));
        assert!(frames[..frames.len() - 1].iter().all(|it| !it.fin));
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_message_that_was_begun_in_pieces_can_be_had_whole() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        script.give_bytes(&raw_frame_to(role, BINARY, &payload(Kind::Binary, 70_000)));
        script.give([Give::Pending]);
        let served = crate::poll_times(echo(&mut socket), 3).await;
        assert!(served.is_none(), "the message has no end");
        let gone: usize = script.frames(role).iter().map(|it| it.payload.len()).sum();
        script.give_bytes(&raw_frame_to(role, 0x80 | CONTINUATION, b"the end"));
        script.give([Give::Pending]);
        let rest = socket.recv().await.expect("no failure").expect("open");
        let whole = [&payload(Kind::Binary, 70_000)[..], b"the end"].concat();
        assert_eq!(rest, Message::binary(whole[gone..].to_vec()));
        // Whoever works with the same buffer next gets whole what fits into it.
        assert!(crate::poll_times(socket.recv(), 1).await.is_none());
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        script.give_bytes(&frame_to(role, BINARY, &payload(Kind::Binary, 40_000)));
        script.give([Give::Pending]);
        let served = socket.serve_pieces(|exchange| {
            let piece = exchange.piece.piece();
            assert!(piece.first && piece.last, "it fits");
            exchange.echo().expect("room");
        });
        assert!(crate::poll_times(served, 3).await.is_none());
        let frames = script.frames(role);
        assert_eq!(messages(&frames), [(BINARY, payload(Kind::Binary, 40_000))]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_between_two_pieces() {
    let role = Role::Server;
    let (end, script) = stream();
    let mut socket = open(role, Limits::default(), end);
    let sent = Sent {
        kind: Kind::Binary,
        bytes: LARGE,
        fragments: 3,
    };
    script.give_bytes(&frames_to(role, &sent));
    script.give([Give::Pending]);
    assert!(crate::poll_times(echo(&mut socket), 3).await.is_none());
    let frames = script.frames(role);
    let pong = Frame::whole(PONG, b"?");
    assert_eq!(frames.iter().filter(|it| **it == pong).count(), 2);
    assert_ne!(frames.last(), Some(&pong));
}
