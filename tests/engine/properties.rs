//! What holds for any stream of frames, right or wrong, and for any way of cutting it.

use core::time::Duration;

use framewire::engine::{Connection, Kind, Limits, Message, Prepared, Role, Timestamp};
use proptest::prelude::*;

use crate::support::chunks::{Cut, cuts};
use crate::support::hex::Hex;
use crate::support::oracle::{self, Meaning};
use crate::support::pair::Pair;
use crate::support::receiver::{Receiver, Told, open};
use crate::support::streams;

/// What the engine told, in the words of the oracle.
fn meanings(receiver: &Receiver) -> Vec<Meaning> {
    let one = |told: &Told| match told.clone() {
        Told::Text(text) => Meaning::Text(text),
        Told::Binary(bytes) => Meaning::Binary(bytes),
        Told::Ping(payload) => Meaning::Ping(payload),
        Told::Pong(payload) => Meaning::Pong(payload),
        Told::Failed(violation) => Meaning::Failed(violation.close_code().into()),
        Told::Close => {
            let closure = receiver.connection.closure().expect("a closure");
            let received = closure.received().expect("a Close");
            Meaning::Close(received.code().map(u16::from), received.reason().to_owned())
        }
    };
    receiver.told.iter().map(one).collect()
}

/// What has been delivered of a message that did not end.
fn begun(receiver: &Receiver) -> &[u8] {
    receiver.unfinished.as_ref().map_or(&[], |(_, bytes)| bytes)
}

/// Two connections that were given the same bytes in other pieces are the same.
fn assert_same(one: &mut Receiver, other: &mut Receiver) {
    assert_eq!(one.told, other.told);
    assert_eq!(one.waiting, other.waiting);
    if one.violation().is_none() {
        assert_eq!(one.unfinished, other.unfinished);
        let to_come = [&*one, other].map(|it| it.connection.frame_bytes_to_come());
        assert_eq!(to_come[0], to_come[1]);
    } else {
        // Of the piece in which text goes wrong nothing is delivered, however long it is.
        let (one, other) = (begun(one), begun(other));
        assert!(one.starts_with(other) || other.starts_with(one));
    }
    assert_eq!(one.connection.closure(), other.connection.closure());
    assert_eq!(one.sent(), other.sent());
    assert_eq!(
        one.connection.should_end_stream(),
        other.connection.should_end_stream()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    //= WS-087 type=test
    //= WS-122 type=test
    #[test]
    fn prop_any_split_gives_the_same_events(
        (role, Hex(bytes)) in streams::any_stream(),
        limits in streams::limits(),
        cut in cuts(),
    ) {
        let received = |cut: &Cut| {
            let mut receiver = Receiver::of(open(role, limits.clone()));
            receiver.receive_cut(&bytes, cut);
            receiver
        };
        let mut whole = received(&Cut::Whole);
        assert_same(&mut received(&Cut::EachByte), &mut received(&cut));
        assert_same(&mut whole, &mut received(&Cut::EachByte));
    }

    //= WS-122 type=test
    //= WS-140 type=test
    //= WS-174 type=test
    //= PX-07 type=test
    #[test]
    fn prop_any_stream_means_what_a_plain_reading_of_the_rules_says(
        (role, Hex(bytes)) in streams::any_stream(),
        limits in streams::limits(),
        cut in cuts(),
    ) {
        let mut receiver = Receiver::of(open(role, limits.clone()));
        receiver.receive_cut(&bytes, &cut);
        let (expected, unfinished) = oracle::judge(streams::terms(role, &limits), &bytes);
        prop_assert_eq!(meanings(&receiver), expected);
        if !receiver.connection.is_discarding() {
            prop_assert_eq!(begun(&receiver), unfinished.unwrap_or_default());
        }
    }

    //= WS-169 type=test
    #[test]
    fn prop_nothing_exceeds_a_limit(
        (role, Hex(bytes)) in streams::any_stream(),
        limits in streams::limits(),
        cut in cuts(),
    ) {
        let mut receiver = Receiver::of(open(role, limits.clone()));
        // A Close frame of ours, and the two frames by which the lane of control may run over.
        let most = limits.control_bytes_max() + 3 * (6 + 125);
        for piece in cut.pieces(&bytes) {
            receiver.receive(piece);
            prop_assert!(receiver.connection.buffered_bytes() <= most);
            prop_assert!(begun(&receiver).len() as u64 <= limits.message_bytes_max());
        }
        let sizes = receiver.told.iter().map(|told| match told {
            Told::Text(text) => text.len(),
            Told::Binary(bytes) => bytes.len(),
            Told::Ping(payload) | Told::Pong(payload) => payload.len(),
            Told::Close | Told::Failed(_) => 0,
        });
        prop_assert!(sizes.max().unwrap_or(0) as u64 <= limits.message_bytes_max());
    }
}

/// What one end does.
#[derive(Clone, Debug)]
enum Doing {
    Send(Kind, Vec<u8>),
    Give(Kind, Vec<u8>),
    Prepared(Kind, Vec<u8>),
    Fragments(Kind, Vec<u8>, Vec<usize>),
    Ping(Vec<u8>),
}

fn doings() -> impl Strategy<Value = Vec<(Role, Doing)>> {
    let kind = prop_oneof![Just(Kind::Text), Just(Kind::Binary)];
    // Large ones are shared instead of copied.
    let size = prop_oneof![40 => 0_usize..130, 3 => 4090_usize..4105, 1 => 65_530_usize..65_540];
    let message = (kind, "[ -~é€😀]{0,8}", size).prop_map(|(kind, mut word, size)| {
        word.push('x');
        (kind, word.repeat(size / word.len()).into_bytes())
    });
    let cuts = proptest::collection::vec(0_usize..50, 0..4);
    let doing = (0_u8..5, message, cuts).prop_map(|(which, (kind, bytes), cuts)| match which {
        0 => Doing::Send(kind, bytes),
        1 => Doing::Give(kind, bytes),
        2 => Doing::Prepared(kind, bytes),
        3 => Doing::Fragments(kind, bytes, cuts),
        _ => Doing::Ping(bytes.into_iter().take(125).collect()),
    });
    proptest::collection::vec((streams::roles(), doing), 1..6)
}

fn text_of(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).expect("text")
}

/// Does it, and says what the other end is to be told.
fn act(connection: &mut Connection, now: Timestamp, doing: &Doing) -> Told {
    let message = |kind, bytes: &[u8]| match kind {
        Kind::Text => Message::text(text_of(bytes)),
        Kind::Binary => Message::binary(bytes.to_vec()),
    };
    let (kind, bytes) = match doing {
        Doing::Send(kind @ Kind::Text, bytes) => {
            connection.send_text(now, text_of(bytes)).expect("room");
            (kind, bytes)
        }
        Doing::Send(kind @ Kind::Binary, bytes) => {
            connection.send_binary(now, bytes).expect("room");
            (kind, bytes)
        }
        Doing::Give(kind, bytes) => {
            connection
                .send_message(now, message(*kind, bytes))
                .expect("room");
            (kind, bytes)
        }
        Doing::Prepared(kind, bytes) => {
            let prepared: Prepared = message(*kind, bytes).prepare();
            connection.send_prepared(now, &prepared).expect("room");
            (kind, bytes)
        }
        Doing::Fragments(kind, bytes, cuts) => {
            let mut rest = &bytes[..];
            for at in cuts {
                let (fragment, behind) = rest.split_at(*at.min(&rest.len()));
                connection
                    .send_fragment(now, *kind, fragment, false)
                    .expect("room");
                rest = behind;
            }
            connection
                .send_fragment(now, *kind, rest, true)
                .expect("room");
            (kind, bytes)
        }
        Doing::Ping(payload) => {
            connection.ping(payload).expect("room");
            return Told::Ping(payload.clone());
        }
    };
    Told::message(*kind, bytes.clone())
}

fn is_control(told: &Told) -> bool {
    matches!(told, Told::Ping(_) | Told::Pong(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    //= WS-085 type=test
    //= WS-117 type=test
    //= WS-118 type=test
    //= WS-119 type=test
    //= WS-121 type=test
    #[test]
    fn prop_what_one_end_sends_is_what_the_other_is_told(
        doings in doings(),
        mut lengths in proptest::collection::vec(1_usize..300, 0..8),
        together in any::<bool>(),
    ) {
        lengths.push(5000);
        let cut = Cut::Lengths(lengths);
        let mut pair = Pair::new(&Limits::default());
        let mut expected = [Vec::new(), Vec::new()];
        for (role, doing) in &doings {
            let end = pair.ends(*role).0;
            let told = act(&mut end.connection, end.now, doing);
            if let Told::Ping(payload) = &told {
                expected[usize::from(*role == Role::Server)].push(Told::Pong(payload.clone()));
            }
            expected[usize::from(*role == Role::Client)].push(told);
            if !together {
                pair.pump(&cut);
                pair.pass(Duration::from_millis(7));
            }
        }
        pair.pump(&cut);
        for (end, expected) in [&pair.client, &pair.server].into_iter().zip(expected) {
            // Control frames overtake data: each kind has its order, and no other.
            let (control, data): (Vec<_>, Vec<_>) = end.told.iter().cloned().partition(is_control);
            let (mut expected_control, expected_data): (Vec<_>, Vec<_>) =
                expected.into_iter().partition(is_control);
            prop_assert_eq!(data, expected_data);
            let mut control = control;
            control.sort_by_key(|told| format!("{told:?}"));
            expected_control.sort_by_key(|told| format!("{told:?}"));
            prop_assert_eq!(control, expected_control);
            prop_assert!(end.waiting.is_empty() && end.connection.is_open());
        }
    }
}
