//! What it means that bytes are accepted, and that they fail a connection.

use framewire::engine::{Cause, Limits, Role, Side, Violation};

use crate::support::chunks::Cut;
use crate::support::raw_peer::{CLOSE, FIN, PONG, RawFrame, read_frames};
use crate::support::receiver::{Receiver, Told, open, peer_of};

/// `bytes` are accepted, however they are cut, and mean `expected`.
pub(crate) fn assert_passing(role: Role, bytes: &[u8], expected: &[Told]) {
    assert_passing_in(|| Receiver::new(role), bytes, expected);
}

/// The same under `limits`.
pub(crate) fn assert_passing_under(limits: &Limits, role: Role, bytes: &[u8], told: &[Told]) {
    assert_passing_in(|| Receiver::of(open(role, limits.clone())), bytes, told);
}

/// The same in a connection of the caller's.
pub(crate) fn assert_passing_in(make: impl Fn() -> Receiver, bytes: &[u8], expected: &[Told]) {
    for cut in cuts_of(bytes) {
        let mut receiver = make();
        receiver.receive_cut(bytes, &cut);
        assert_eq!(receiver.told, expected, "{cut:?} of {bytes:02x?}");
        assert!(receiver.waiting.is_empty() && receiver.unfinished.is_none());
        // The connection is as able as before.
        let peer = peer_of(receiver.connection.role());
        if receiver.connection.is_open() {
            receiver.receive(&peer.text("and on"));
            assert_eq!(receiver.told.last(), Some(&Told::text("and on")));
            assert!(receiver.connection.closure().is_none());
        }
    }
}

/// `bytes` fail the connection at their very last byte, with a Close that bears `code`.
///
/// Shown for many ways of cutting: nothing before the last byte is found wrong; valid frames
/// before are delivered, none after; one Close frame leaves; the connection says how it ended.
pub(crate) fn assert_failing(role: Role, bytes: &[u8], violation: Violation, code: u16) {
    assert_failing_in(|| Receiver::new(role), bytes, &[], violation, code);
}

/// The same under `limits`.
pub(crate) fn assert_failing_under(
    limits: &Limits,
    role: Role,
    bytes: &[u8],
    violation: Violation,
    code: u16,
) {
    let make = || Receiver::of(open(role, limits.clone()));
    assert_failing_in(make, bytes, &[], violation, code);
}

/// The same in a connection of the caller's, where `bytes` begin with frames that mean `told`.
pub(crate) fn assert_failing_in(
    make: impl Fn() -> Receiver,
    bytes: &[u8],
    told: &[Told],
    violation: Violation,
    code: u16,
) {
    for cut in cuts_of(bytes) {
        let mut receiver = make();
        let role = receiver.connection.role();
        let peer = peer_of(role);
        receiver.receive(&[peer.text("before"), peer.ping(b"before")].concat());
        receiver.sent();
        let expected: Vec<Told> = [Told::text("before"), Told::ping(b"before")]
            .into_iter()
            .chain(told.iter().cloned())
            .chain([Told::Failed(violation)])
            .collect();

        let last = bytes.len() - 1;
        let mut pieces = cut.pieces(bytes);
        if matches!(cut, Cut::Whole) {
            // At once, with valid frames behind.
            let after = [
                peer.text("after"),
                peer.ping(b"after"),
                peer.close(1000, ""),
            ]
            .concat();
            receiver.receive(&[bytes, &after].concat());
        } else {
            let rest = pieces.pop().expect("a piece");
            let early = &mut receiver;
            pieces.iter().for_each(|piece| early.receive(piece));
            early.receive(&rest[..rest.len() - 1]);
            assert_eq!(
                early.violation(),
                None,
                "before byte {last} of {bytes:02x?}"
            );
            early.receive(&rest[rest.len() - 1..]);
        }
        assert_eq!(receiver.told, expected, "{cut:?} of {bytes:02x?}");
        assert_failed(&mut receiver, told, violation, code);
    }
}

/// The connection has failed with `violation` and says so to everybody who asks.
fn assert_failed(receiver: &mut Receiver, told: &[Told], violation: Violation, code: u16) {
    assert!(receiver.waiting.is_empty(), "what arrived is discarded");
    assert!(!receiver.connection.is_open() && receiver.connection.is_discarding());
    assert!(
        !receiver.connection.should_end_stream(),
        "the Close frame is to be sent first"
    );

    let masks = receiver.connection.role().masks();
    let mut body = code.to_be_bytes().to_vec();
    body.extend_from_slice(violation.phrase().as_bytes());
    let mut expected: Vec<(u8, Vec<u8>)> = told
        .iter()
        .filter_map(|it| match it {
            Told::Ping(payload) => Some((FIN | PONG, payload.clone())),
            _ => None,
        })
        .collect();
    expected.push((FIN | CLOSE, body));
    let frames = read_frames(&receiver.sent());
    assert!(frames.iter().all(|frame| frame.key.is_some() == masks));
    let found: Vec<(u8, Vec<u8>)> = frames
        .into_iter()
        .map(|RawFrame { first, payload, .. }| (first, payload))
        .collect();
    assert_eq!(found, expected);

    assert!(receiver.connection.should_end_stream());
    let closure = receiver.connection.closure().expect("a closure");
    assert_eq!(closure.cause(), Some(Cause::Violation(violation)));
    assert_eq!(closure.began(), Some(Side::Local));
    assert_eq!(
        closure.sent().and_then(|sent| sent.code()).map(u16::from),
        Some(code)
    );
    assert_eq!(closure.received(), None);
    assert_eq!(u16::from(closure.code()), 1006);
    assert!(!closure.is_clean());

    // Not even a Close is read any more.
    let peer = peer_of(receiver.connection.role());
    let before = receiver.told.clone();
    receiver.receive(&[peer.binary(b"late"), peer.close(1000, "late")].concat());
    assert_eq!(receiver.told, before);
    assert!(receiver.sent().is_empty());
    assert!(
        receiver
            .connection
            .closure()
            .is_some_and(|it| it.received().is_none())
    );
}

/// Every cut of a few bytes, and some of many.
fn cuts_of(bytes: &[u8]) -> Vec<Cut> {
    match bytes.len() {
        0..40 => Cut::all_for(bytes),
        40..100_000 => vec![Cut::Whole, Cut::EachByte, Cut::Lengths(vec![7, 1, 61])],
        _ => vec![Cut::Whole, Cut::Lengths(vec![4093, 1])],
    }
}
